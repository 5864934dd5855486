/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quiescence and STOP: events A0, Q0 to Q5, O2, O3 and L1 of src/queue/README.md.
 *
 * W workers, of which all but the first come while it runs, Q adders of T tasks each, and somebody
 * who closes.  A task from outside may spawn another; each task has a result.
 *
 * Two questions, as the steps of all sums at once are too many states.  Is STOP early?  Somebody
 * takes the sums, count by count, at any moment (the default).  Is it late?  Those that the
 * protocol names take them, each in one step (LATE): the last to do so finds all counts at rest.
 * Who looks for work waits until there is some; park.pml says why that may be.
 */
#ifndef W
#define W 2
#endif
#ifndef Q
#define Q 1
#endif
#ifndef T
#define T 1
#endif
#define R (W + Q)

/* The records, in the order in which they were linked (L1), and their counts.  Sums that are one
 * step cannot tell whose count it is: then all count in one place. */
#ifdef LATE
#define AT(r) 0
#define LIST(r) skip
#else
#define AT(r) (r)
#define LIST(r) list[linked] = r; linked++
byte list[R];
byte linked;
#endif
byte workers_linked;
byte adders_linked;
byte added[R];
byte ended[R];
byte refused[R];

/* What waits in an adder's store buffer; `added` is the older one. */
byte added_waits[Q];
byte refused_waits[Q];

bool closed;
bool door_shut;
bool stop; /* ENDED */

byte pending; /* published tasks from outside, */
byte children; /* and spawned ones */
byte running;
byte searching;
byte results;
byte all_results;

inline drain(q)
{
    d_step {
        added[AT(W + q)] = added[AT(W + q)] + added_waits[q];
        added_waits[q] = 0;
        refused[AT(W + q)] = refused[AT(W + q)] + refused_waits[q];
        refused_waits[q] = 0
    }
}

inline heavy()
{
    d_step {
        drain(0);
#if Q > 1
        drain(1);
#endif
    }
}

active proctype buffers()
{
end:
    do
    :: d_step { added_waits[0] > 0 -> added_waits[0] = 0; added[AT(W)]++ }
    :: d_step {
           added_waits[0] == 0 && refused_waits[0] > 0 -> refused_waits[0] = 0; refused[AT(W)]++
       }
#if Q > 1
    :: d_step { added_waits[1] > 0 -> added_waits[1] = 0; added[AT(W + 1)]++ }
    :: d_step {
           added_waits[1] == 0 && refused_waits[1] > 0 -> refused_waits[1] = 0; refused[AT(W + 1)]++
       }
#endif
    od
}

/* Workers are alike, and so are adders: that they link in the order of their numbers is no loss. */
inline link_worker(me)
{
    d_step {
        workers_linked == me -> LIST(me); workers_linked++; searching++
    }
}

inline link_adder(q)
{
    d_step { adders_linked == q -> LIST(W + q); adders_linked++ }
}

#ifdef STALE_LIST
#define LINKED known
#else
#define LINKED linked
#endif
#ifdef REFUSED_NOT_COUNTED
#define REFUSED(r) 0
#else
#define REFUSED(r) refused[r]
#endif
#ifdef DOOR_SHUT_EARLY
#define SHUT closed
#else
#define SHUT door_shut
#endif

/* Q3 or Q4: one count after the other, up to the end of the list as it is then. */
inline sum_ended()
{
    i = 0;
    do
    :: i < LINKED -> d_step { d = d + ended[list[i]] + REFUSED(list[i]); i++ }
    :: else -> break
    od
}

inline sum_added()
{
    i = 0;
    do
    :: i < LINKED -> d_step { a = a + added[list[i]]; i++ }
    :: else -> break
    od
}

/* Q5; STOP is not early. */
inline end_it()
{
    atomic {
        stop = true;
        assert(pending == 0 && children == 0 && running == 0);
        assert(results == all_results)
    }
}

#ifdef LATE
#define SUMS bool over;
/* Q2 to Q5 by one that made the last count, maybe; it has passed its full fence. */
inline try_end()
{
    over = SHUT && ended[0] + REFUSED(0) == added[0];
    if
    :: over && !stop -> end_it()
    :: else
    fi
}
#else
#define SUMS
inline try_end()
{
    skip
}

/* Q2 to Q5 by anybody. */
active proctype observer()
{
    byte i, d, a;
#ifdef STALE_LIST
    byte known;
#endif

    do
    :: SHUT && !stop ->
#ifdef STALE_LIST
        known = linked;
#endif
#ifdef ADDED_BEFORE_ENDED
        sum_added();
        sum_ended();
#else
        sum_ended();
        sum_added();
#endif
        if
        :: d == a -> end_it(); break
        :: else
        fi;
        d_step { d = 0; a = 0 }
    od
}
#endif

proctype adder(byte q)
{
    byte left = T;
    bool open;
    SUMS

    link_adder(q);
    do
    :: left > 0 ->
        left--;
        /* A0: the count may wait in the buffer when the state is read. */
#ifdef LOOK_BEFORE_COUNT
        open = !closed;
        added_waits[q]++;
#else
        added_waits[q]++;
        open = !closed;
#endif
        if
        :: open ->
            atomic { drain(q); assert(!stop); pending++; all_results++ } /* A1 */
        :: else ->
            refused_waits[q]++;
#ifndef END_WITHOUT_FENCE
            drain(q); /* Q2 */
#endif
#ifndef REFUSAL_ENDS_NOTHING
            try_end();
#endif
            break
        fi
    :: else -> break
    od
}

proctype closer()
{
    SUMS

    closed = true; /* O2 */
#ifndef DOOR_WITHOUT_HEAVY
    heavy();
#endif
    door_shut = true; /* O3 */
    try_end()
}

inline spawn(me)
{
#ifdef SPAWN_COUNTED_LATE
    d_step { children++; all_results++ };
    added[AT(me)]++
#else
    added[AT(me)]++;
    d_step { children++; all_results++ }
#endif
}

inline run_task(me, may_spawn)
{
#ifdef ENDED_EARLY
    ended[AT(me)]++;
#endif
    if
    :: may_spawn -> spawn(me)
    :: true
    fi;
#ifdef ENDED_EARLY
    d_step { results++; running-- };
#else
#ifdef RESULT_AFTER_COUNT
    d_step { running--; ended[AT(me)]++ };
    results++;
#else
    d_step { results++; running--; ended[AT(me)]++ }; /* Q0; nobody acts on what is in between */
#endif
#endif
    may_spawn = false
}

proctype worker(byte me)
{
    bool outside, last;
    SUMS

    link_worker(me);
    do
    :: d_step { pending > 0 -> pending--; running++; searching--; outside = true };
        run_task(me, outside);
        searching++
    :: d_step { children > 0 -> children--; running++; searching-- };
        run_task(me, outside);
        searching++
#ifdef LATE
    :: d_step { pending == 0 && children == 0 && !stop -> searching--; last = searching == 0 };
        if
        :: last -> try_end()
        :: else
        fi;
        last = false;
        d_step { pending > 0 || children > 0 || stop -> searching++ }
#endif
    :: stop -> break
    od
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
        run adder(0);
#if Q > 1
        run adder(1);
#endif
        run closer()
    }
}
