/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded output and its readers: events E0 to E3, T0 to T4, G1 to G3 and M1 to M4 of
 * src/queue/README.md.
 *
 * W workers emit N results each, LIMIT may be unread, Q readers read; the first one until STOP, the
 * others may leave before.  Who sleeps is in
 * the kernel until a wake-up takes it out, one of those that are there: so a wake-up that goes to
 * the wrong one is a state in which nothing goes on.
 */
#ifndef W
#define W 1
#endif
#ifndef Q
#define Q 2
#endif
#ifndef N
#define N 2
#endif
#ifndef LIMIT
#define LIMIT 1
#endif
#define THREADS (W + Q)
#define ROOM 0
#define READERS 1

/* The two gates. */
byte waiters[2];
byte inside[2];         /* how many sleep in the kernel, */
bool asleep[THREADS];   /* and which */
bool seen[THREADS];     /* the sequence has not moved since the thread has read it */

byte unread;            /* places that are taken */
byte waits[W];          /* results in a worker's store buffer */
byte results[W];
bool told;
bool stop;
byte taken;
byte emitters_left = W;
byte readers_left = Q;

inline full_fence(me)
{
    d_step { results[me] = results[me] + waits[me]; waits[me] = 0 }
}

inline heavy()
{
    d_step {
        full_fence(0);
#if W > 1
        full_fence(1);
#endif
#if W > 2
        full_fence(2);
#endif
    }
}

active proctype buffers()
{
end:
    do
    :: d_step { waits[0] > 0 -> waits[0]--; results[0]++ }
#if W > 1
    :: d_step { waits[1] > 0 -> waits[1]--; results[1]++ }
#endif
#if W > 2
    :: d_step { waits[2] > 0 -> waits[2]--; results[2]++ }
#endif
    od
}

/* ---- gates ---- */

#define IS_AT(gate, thread) (asleep[thread] && (gate == ROOM) == (thread < W))

/* G3 */
inline gate_wait(gate, me)
{
    d_step {
        if
        :: seen[me] -> asleep[me] = true; inside[gate]++
        :: else
        fi
    };
    !asleep[me];
    seen[me] = true
}

/* M4: one of those that sleep there. */
inline wake_one(gate)
{
    if
    :: d_step { IS_AT(gate, 0) -> asleep[0] = false; inside[gate]-- }
    :: d_step { IS_AT(gate, 1) -> asleep[1] = false; inside[gate]-- }
#if THREADS > 2
    :: d_step { IS_AT(gate, 2) -> asleep[2] = false; inside[gate]-- }
#endif
#if THREADS > 3
    :: d_step { IS_AT(gate, 3) -> asleep[3] = false; inside[gate]-- }
#endif
#if THREADS > 4
    :: d_step { IS_AT(gate, 4) -> asleep[4] = false; inside[gate]-- }
#endif
    :: d_step { inside[gate] == 0 -> skip }
    fi
}

inline wake_all(gate)
{
    do
    :: inside[gate] > 0 -> wake_one(gate)
    :: else -> break
    od
}

inline move(gate)
{
    d_step {
        thread = (gate == ROOM -> 0 : W);
        do
        :: thread < (gate == ROOM -> W : THREADS) -> seen[thread] = false; thread++
        :: else -> break
        od;
        thread = 0
    }
}

/* M2 to M4 */
inline gate_open(gate)
{
    if
    :: waiters[gate] > 0 ->
#ifndef GATE_NOT_MOVED
        move(gate);
#endif
        wake_one(gate)
    :: else
    fi
}

/* ---- workers ---- */

#ifdef ONE_TOO_MANY
#define HAS_ROOM unread <= LIMIT
#else
#define HAS_ROOM unread < LIMIT
#endif

inline take_room(me)
{
    atomic {
        if
        :: HAS_ROOM -> full_fence(me); unread++; ok = true
        :: else -> ok = false
        fi
    };
    assert(unread <= LIMIT)
}

/* E0 */
inline get_room(me)
{
    take_room(me);
    if
    :: ok
    :: else ->
        d_step { full_fence(me); waiters[ROOM]++ }; /* G1 */
#ifndef SEQUENCE_AFTER_LOOK
        seen[me] = true;
#endif
        do
        :: ok -> break
        :: else ->
            take_room(me); /* G2 */
            if
            :: ok
            :: else ->
#ifdef SEQUENCE_AFTER_LOOK
                seen[me] = true;
#endif
                gate_wait(ROOM, me)
            fi
        od;
        atomic { waiters[ROOM]--; seen[me] = false }
    fi;
    ok = false
}

inline tell_reader()
{
    if
    :: waiters[READERS] == 0
    :: else ->
        d_step { ok = !told; told = true };
        if
        :: ok -> gate_open(READERS)
        :: else
        fi;
        ok = false
    fi
}

proctype worker(byte me)
{
    byte left = N, thread;
    bool ok;

    do
    :: left > 0 ->
        left--;
        get_room(me);
        waits[me]++; /* E1 */
        if
        :: waiters[READERS] == 0 /* E2 */
        :: else -> /* E3 */
#ifndef TELLS_WITHOUT_FENCE
            full_fence(me);
#endif
            tell_reader()
        fi
    :: else -> break
    od;
    full_fence(me);
    emitters_left--;
    if
    :: emitters_left == 0 ->
        if /* STOP may be long in coming */
        :: true
        :: true -> taken == W * N
        fi;
        stop = true; /* Q5 */
        if
        :: waiters[READERS] > 0 -> move(READERS); wake_all(READERS)
        :: else
        fi
    :: else
    fi
}

/* ---- readers ---- */

#if W > 2
#define ANY_RESULT (results[0] > 0 || results[1] > 0 || results[2] > 0)
#elif W > 1
#define ANY_RESULT (results[0] > 0 || results[1] > 0)
#else
#define ANY_RESULT (results[0] > 0)
#endif

/* T1 */
inline take_result()
{
    if
    :: d_step { results[0] > 0 -> results[0]--; ok = true }
#if W > 1
    :: d_step { results[1] > 0 -> results[1]--; ok = true }
#endif
#if W > 2
    :: d_step { results[2] > 0 -> results[2]--; ok = true }
#endif
    :: d_step { !ANY_RESULT -> ok = false }
    fi
}

/* T2 to T4 */
inline sleep_until_told(me)
{
    waiters[READERS]++;
    seen[me] = true;
#ifndef TOLD_A_READER_THAT_LEFT
    told = false;
#endif
#ifndef READER_WITHOUT_HEAVY
    heavy();
#endif
    if
#ifndef READER_WITHOUT_LOOK
    :: ANY_RESULT || stop /* T3 */
#endif
    :: else -> gate_wait(READERS, me)
    fi;
    atomic { waiters[READERS]--; seen[me] = false };
#ifndef TOLD_FOR_EVER
    told = false; /* T4 */
#endif
}

inline taken_out()
{
    taken++;
#ifdef OPENED_BEFORE_ROOM
    gate_open(ROOM);
    unread--;
#else
    unread--; /* M1 */
#ifndef READ_WAKES_NOBODY
    gate_open(ROOM);
#endif
#endif
#ifndef NEXT_NOT_TOLD
    if
    :: waiters[READERS] > 0 && ANY_RESULT -> tell_reader()
    :: else
    fi
#endif
}

proctype reader(byte me)
{
    byte thread;
    bool ok, over;

    do
    :: over = stop;
        take_result();
        if
        :: ok ->
            ok = false;
            taken_out();
            if
            :: true
            :: me > W -> break
            fi
        :: else ->
#ifdef NO_LAST_LOOK
            if
            :: stop -> break
#else
            if
            :: over -> break
#endif
            :: else -> sleep_until_told(me)
            fi
        fi
    od;
    atomic {
        readers_left--;
        assert(readers_left > 0 || (taken == W * N && unread == 0))
    }
}

init
{
    atomic {
        run worker(0);
#if W > 1
        run worker(1);
#endif
#if W > 2
        run worker(2);
#endif
        run reader(W);
#if Q > 1
        run reader(W + 1);
#endif
    }
}
