/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Park and wake: events N1 to N3, W1 to W3, P1 to P6 and H1, H2 of src/queue/README.md.
 *
 * W workers, Q adders with a queue each, T tasks in each queue.  A task may return at once, or only
 * when as many tasks have begun as there are workers: so a task that is left while a worker sleeps
 * is a state in which nothing goes on, which spin reports, and so is a worker that sleeps on at
 * STOP.  A claim is one step (claim.pml has its steps), and so are the sums (quiescence.pml).
 */
#ifndef W
#define W 2
#endif
#ifndef Q
#define Q 1
#endif
#ifndef T
#define T 2
#endif
#define ALL (Q * T)
#define AT_ONCE (ALL < W -> ALL : W)

/* The queues.  A task that was published waits in its adder's store buffer first. */
byte waits[Q];
byte tasks[Q];
bool hint[Q];
bool unhinted[Q];

/* The word, the bits and what each worker sleeps on. */
byte searching;
byte sleeping;
bool unchecked;
bool bit_of[W];
bool asleep[W];

byte began;
byte finished;
byte adders_left = Q;
bool ended;

/* A full fence of the adder, a heavy one of anybody. */
inline full_fence(q)
{
    d_step { tasks[q] = tasks[q] + waits[q]; waits[q] = 0 }
}

inline heavy()
{
    d_step {
        tasks[0] = tasks[0] + waits[0]; waits[0] = 0;
#if Q > 1
        tasks[1] = tasks[1] + waits[1]; waits[1] = 0;
#endif
    }
}

/* Stores become visible at any time, one after the other. */
active proctype buffers()
{
end:
    do
    :: d_step { waits[0] > 0 -> waits[0]--; tasks[0]++ }
#if Q > 1
    :: d_step { waits[1] > 0 -> waits[1]--; tasks[1]++ }
#endif
    od
}

/* ---- waking ---- */

/* W1 */
inline reserve(ok)
{
    d_step {
        if
        :: sleeping > 0 ->
            sleeping--;
#ifndef WOKEN_DOES_NOT_SEARCH
            searching++;
#endif
            ok = true
        :: else -> ok = false
        fi
    }
}

/* W2, W3: waits until there is a bit. */
inline wake_reserved(i)
{
    if
    :: d_step { bit_of[0] -> bit_of[0] = false; i = 0 }
    :: d_step { bit_of[1] -> bit_of[1] = false; i = 1 }
#if W > 2
    :: d_step { bit_of[2] -> bit_of[2] = false; i = 2 }
#endif
#ifdef WAKER_GIVES_UP
    :: d_step { !bit_of[0] && !bit_of[1] && !bit_of[W - 1] -> i = W }
#endif
    fi;
#ifndef LOST_WAKE
    if
    :: i < W -> asleep[i] = false
    :: else
    fi;
#endif
    i = 0
}

inline wake_all(ok, i)
{
    do
    :: reserve(ok);
        if
        :: ok -> wake_reserved(i)
        :: else -> break
        fi
    od;
    ok = false
}

inline try_end(ok, i)
{
    d_step {
        if
        :: adders_left == 0 && finished == ALL && !ended -> ended = true; ok = true
        :: else -> ok = false
        fi
    }
    if
    :: ok -> wake_all(ok, i)
    :: else
    fi
}

/* ---- adders ---- */

/* Its swap of the word is a full fence. */
inline adder_wakes(q, ok, i)
{
    d_step { full_fence(q); reserve(ok) };
    if
    :: ok -> wake_reserved(i)
    :: else
    fi
}

/* Not hinted first; both are full fences. */
inline hint_own(q)
{
    if
    :: unhinted[q] ->
        d_step { full_fence(q); unhinted[q] = false };
        hint[q] = true
    :: else
    fi
}

proctype adder(byte q)
{
    byte left = T, searchers, sleepers, i;
    bool ok;

    do
    :: left > 0 ->
        left--;
        waits[q]++; /* N1 */
        hint_own(q);
        d_step { searchers = searching; sleepers = sleeping }; /* N2 */
        if
        :: sleepers == 0
        :: sleepers > 0 && searchers == 0 -> /* N3 */
            adder_wakes(q, ok, i)
        :: sleepers > 0 && searchers > 0 ->
#ifndef RELIES_WITHOUT_FENCE
            full_fence(q);
            hint_own(q);
            d_step { searchers = searching };
#endif
            if
            :: searchers > 0
            :: else -> adder_wakes(q, ok, i)
            fi
        fi;
        d_step { searchers = 0; sleepers = 0; ok = false }
    :: else -> break
    od;
    d_step { full_fence(q); adders_left-- };
    try_end(ok, i)
}

/* ---- workers ---- */

/* A look where a hint is; of several, one that leads to nothing may be cleared (H1, H2). */
inline look(q, got)
{
    q = 0;
    do
    :: q < Q && hint[q] ->
        d_step {
            if
            :: tasks[q] > 0 -> tasks[q]--; got = true
            :: else -> got = false
            fi
        };
        if
        :: got -> break
        :: !got
#if Q > 1
        :: !got ->
            hint[q] = false; /* H1 */
            unhinted[q] = true; /* H2 */
            if
            :: tasks[q] > 0 -> hint[q] = true
            :: else
            fi
#endif
        fi;
        q++
    :: q < Q && !hint[q] -> q++
    :: else -> break
    od;
    q = 0
}

/* At every queue; sets the hints. */
inline look_everywhere(q, any)
{
    q = 0;
    do
    :: q < Q && tasks[q] > 0 -> hint[q] = true; any = true; q++
    :: q < Q && tasks[q] == 0 -> q++
    :: else -> break
    od;
    q = 0
}

inline look_hinted(q, any)
{
    q = 0;
    do
    :: q < Q && hint[q] ->
        if
        :: tasks[q] > 0 -> any = true
        :: else
        fi;
        q++
    :: q < Q && !hint[q] -> q++
    :: else -> break
    od;
    q = 0
}

/* P6 */
inline found(q, last, left, any, i)
{
    d_step {
        assert(searching > 0);
        searching--;
        last = searching == 0 && sleeping > 0;
        left = last && unchecked;
        if
        :: searching == 0 -> unchecked = false
        :: else
        fi
    };
    if
    :: last ->
#ifndef UNCHECKED_FORGOTTEN
        if
        :: left ->
#ifndef UNCHECKED_WITHOUT_HEAVY
            heavy();
#endif
            look_everywhere(q, any)
        :: else
        fi;
#endif
        if
        :: !any -> look_hinted(q, any)
        :: else
        fi;
#ifndef FOUND_WAKES_NOBODY
        if
        :: any ->
            reserve(any);
            if
            :: any -> wake_reserved(i)
            :: else
            fi
        :: else
        fi
#endif
    :: else
    fi;
    d_step { last = false; left = false; any = false }
}

/* P5 */
inline get_up(me, ok, i)
{
    d_step { ok = bit_of[me]; bit_of[me] = false };
    if
    :: !ok ->
#ifndef BIT_GONE_AT_STOP
        if
        :: ended -> wake_all(ok, i)
        :: else
        fi
#endif
    :: else ->
        reserve(ok);
        if
        :: ok -> asleep[me] = false
#ifdef GOT_UP_WITHOUT_BIT
        :: !ok
#else
        :: !ok -> bit_of[me] = true
#endif
        fi
    fi;
    ok = false
}

inline park(me, q, last, up, i)
{
    asleep[me] = true;
    bit_of[me] = true; /* P1 */
    d_step { /* P2 */
        assert(searching > 0);
        searching--;
        sleeping++;
        last = searching == 0;
        unchecked = !last
    };
    if
    :: last -> /* P3 */
#ifndef PARK_WITHOUT_HEAVY
        heavy();
#endif
        try_end(up, i);
#ifndef PARK_WITHOUT_LOOK
        look_everywhere(q, up)
#endif
    :: else
    fi;
    if
    :: up || ended -> get_up(me, up, i)
    :: else
    fi;
    !asleep[me]; /* P4 */
    d_step { last = false; up = false }
}

proctype worker(byte me)
{
    byte q, i;
    bool got, last, up;

    do
    :: look(q, got); /* a first look that is not counted */
        if
        :: got
        :: else ->
            searching++;
            do
            :: ended -> goto over
            :: !ended ->
                look(q, got);
                if
                :: got -> got = false; found(q, last, up, got, i); break
                :: else -> park(me, q, last, up, i)
                fi
            od
        fi;
        got = false;
        began++;
        if
        :: true
        :: true -> began >= AT_ONCE
        fi;
        finished++
    od;
over:
    atomic { assert(searching > 0); searching-- }
}

init
{
    atomic {
        unhinted[0] = true;
#if Q > 1
        unhinted[1] = true;
#endif
        run worker(0);
        run worker(1);
#if W > 2
        run worker(2);
#endif
        run adder(0);
#if Q > 1
        run adder(1);
#endif
    }
}
