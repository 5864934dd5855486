/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Park and wake: events N1 to N3, W1 to W3, P1 to P6 and H1, H2 of src/queue/README.md.
 *
 * W workers, Q adders with a queue each, T tasks in each queue.  A task may return at once, or only
 * when as many tasks have begun as there are workers: so a task that is left while a worker sleeps
 * is a state in which nothing goes on, which spin reports, and so is a worker that sleeps on at
 * STOP.
 *
 * What is left out makes more possible, not less.  A look of a worker that searches may miss
 * whatever there is, may find what has no hint, and clears hints as it likes: the protocol relies
 * on the last looks alone (P3, P6).  Somebody ends it at any time after the last task, not only
 * who may (quiescence.pml).  A claim is one step (claim.pml has its steps).
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

/* W1, where somebody sleeps. */
#ifdef WOKEN_DOES_NOT_SEARCH
#define RESERVE sleeping--
#else
#define RESERVE sleeping--; searching++
#endif

#ifdef LOST_WAKE
#define WAKE(w) bit_of[w] = false
#else
#define WAKE(w) bit_of[w] = false; asleep[w] = false
#endif

/* W2, W3: waits until there is a bit.  One step: only who sleeps reads `asleep`, and may go on any
 * time later. */
inline wake_reserved()
{
    if
    :: d_step { bit_of[0] -> WAKE(0) }
    :: d_step { bit_of[1] -> WAKE(1) }
#if W > 2
    :: d_step { bit_of[2] -> WAKE(2) }
#endif
#ifdef WAKER_GIVES_UP
    :: !bit_of[0] && !bit_of[1] && !bit_of[W - 1]
#endif
    fi
}

inline wake_one()
{
    if
    :: d_step { sleeping > 0 -> RESERVE };
        wake_reserved()
    :: sleeping == 0
    fi
}

inline wake_all()
{
    do
    :: d_step { sleeping > 0 -> RESERVE };
        wake_reserved()
    :: sleeping == 0 -> break
    od
}

/* STOP, by anybody. */
active proctype ender()
{
    d_step { finished == ALL -> ended = true };
    wake_all()
}

/* ---- adders ---- */

/* Its swap of the word is a full fence. */
inline adder_wakes(q)
{
    if
    :: d_step { sleeping > 0 -> full_fence(q); RESERVE };
        wake_reserved()
    :: d_step { sleeping == 0 -> full_fence(q) }
    fi
}

/* Not hinted first; both are full fences.  Nobody else clears it, so to look and to clear are one
 * step. */
inline hint_own(q)
{
    if
    :: d_step { unhinted[q] -> full_fence(q); unhinted[q] = false };
        hint[q] = true
    :: !unhinted[q]
    fi
}

proctype adder(byte q)
{
    byte left = T;

    do
    :: left > 0 ->
        d_step { left--; waits[q]++ }; /* N1 */
        hint_own(q);
        if /* N2 */
        :: sleeping == 0
        :: sleeping > 0 && searching == 0 -> /* N3 */
            adder_wakes(q)
        :: sleeping > 0 && searching > 0 ->
#ifndef RELIES_WITHOUT_FENCE
            full_fence(q);
            hint_own(q);
#endif
            if
            :: searching > 0
            :: searching == 0 -> adder_wakes(q)
            fi
        fi
    :: left == 0 -> break
    od
}

/* ---- workers ---- */

/* Of several queues a hint may be cleared (H1, H2); with HINTS_STAY it is not, as three workers
 * and two adders are too many states with it. */
inline clear_hint(q)
{
    hint[q] = false; /* H1 */
    unhinted[q] = true; /* H2 */
    if
    :: tasks[q] > 0 -> hint[q] = true
    :: tasks[q] == 0
    fi
}

/* At every queue; sets the hints. */
inline look_at(q, any)
{
    if
    :: tasks[q] > 0 -> hint[q] = true; any = true
    :: tasks[q] == 0
    fi
}

inline look_everywhere(any)
{
    look_at(0, any);
#if Q > 1
    look_at(1, any)
#endif
}

inline look_hinted_at(q, any)
{
    if
    :: any
    :: !any && hint[q] ->
        if
        :: tasks[q] > 0 -> any = true
        :: tasks[q] == 0
        fi
    :: !any && !hint[q]
    fi
}

inline look_hinted(any)
{
    look_hinted_at(0, any);
#if Q > 1
    look_hinted_at(1, any)
#endif
}

/* P6 */
inline found(any)
{
    assert(searching > 0);
    if
    :: d_step { searching > 1 -> searching-- };
        goto begin
    :: d_step { searching == 1 && sleeping == 0 -> searching = 0; unchecked = false };
        goto begin
    :: d_step { searching == 1 && sleeping > 0 && unchecked -> searching = 0; unchecked = false };
#ifndef UNCHECKED_FORGOTTEN
#ifndef UNCHECKED_WITHOUT_HEAVY
        heavy();
#endif
        look_everywhere(any)
#endif
    :: d_step { searching == 1 && sleeping > 0 && !unchecked -> searching = 0 }
    fi;
    look_hinted(any);
    if
#ifndef FOUND_WAKES_NOBODY
    :: any -> any = false; wake_one()
#else
    :: any -> any = false
#endif
    :: !any
    fi
}

/* P5 */
inline get_up(me)
{
    if
    :: d_step { bit_of[me] -> bit_of[me] = false };
        if
        :: d_step { sleeping > 0 -> RESERVE; asleep[me] = false }
#ifdef GOT_UP_WITHOUT_BIT
        :: sleeping == 0
#else
        :: sleeping == 0 -> bit_of[me] = true
#endif
        fi
#ifndef BIT_GONE_AT_STOP
    :: !bit_of[me] && ended -> wake_all()
    :: !bit_of[me] && !ended
#else
    :: !bit_of[me]
#endif
    fi
}

inline park(me, any)
{
    assert(searching > 0);
    d_step { asleep[me] = true; bit_of[me] = true }; /* P1 */
    if /* P2 */
    :: d_step { searching > 1 -> searching--; sleeping++; unchecked = true }
    :: d_step { searching == 1 -> searching = 0; sleeping++; unchecked = false };
        /* P3 */
#ifndef PARK_WITHOUT_HEAVY
        heavy();
#endif
#ifndef PARK_WITHOUT_LOOK
        look_everywhere(any)
#endif
    fi;
    if
    :: any || ended -> any = false; get_up(me)
    :: !any && !ended
    fi;
    !asleep[me] /* P4 */
}

#if Q > 1 && !defined(HINTS_STAY)
#define CLEARS
#endif
#define CLAIM(q) d_step { tasks[q] > 0 -> tasks[q]-- }

proctype worker(byte me)
{
    bool any;

    do
    :: do /* a first look that is not counted */
       :: CLAIM(0) -> goto begin
#if Q > 1
       :: CLAIM(1) -> goto begin
#endif
#ifdef CLEARS
       :: clear_hint(0)
       :: clear_hint(1)
#endif
       :: searching++ -> break
       od;
       do
       :: ended -> goto over
       :: CLAIM(0) -> found(any); break
#if Q > 1
       :: CLAIM(1) -> found(any); break
#endif
#ifdef CLEARS
       :: clear_hint(0)
       :: clear_hint(1)
#endif
       :: park(me, any)
       od;
begin:
       if /* began and finished in one step: the other way has those in between */
       :: d_step { began++; finished++ }
       :: began++;
           d_step { began >= AT_ONCE -> finished++ }
       fi
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
