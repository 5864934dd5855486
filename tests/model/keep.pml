/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kept sources: events Y1 to Y7, Y9 to Y12 and O4 of src/queue/README.md.
 *
 * W workers and a source that has N inputs at hand and M that come later; after each of those
 * somebody says that it is ready.  Somebody else adds T tasks, and closes or, with STOP, stops.
 * With SECOND he adds another source, which gives one input and has no end, and stops, at the
 * latest when the first one has ended.
 *
 * Whether an owner keeps its source, a keeper lets go and who looks takes over are choices, made at
 * any time.  A task may wait for the next one to begin, and a callback for all tasks from outside,
 * as long as a worker is left that does not wait: so a source that is left while a worker sleeps is
 * a state in which nothing goes on, which spin reports.
 *
 * To lie down is one step, and so is to wake somebody (park.pml has them in full), and the sums are
 * one step (quiescence.pml).
 */
#ifndef W
#define W 2
#endif
#ifndef N
#define N 2
#endif
#ifndef M
#define M 0
#endif
#ifndef T
#define T 0
#endif
#ifndef NAPS
#define NAPS 1 /* how often who watches gets up, and finds that the keeper moves */
#endif
#ifdef SECOND
#define S 2
#else
#define S 1
#endif
#define ALL (N + M + T + S - 1)
#include "keep_pool.pml"

/* ---- workers ---- */

/* Y1; a worker that has asked the only one knows it, hinted or not. */
#define OWN(i) \
    d_step { !kept && state[i] == READY && (hinted[i] || open == 1) -> \
             drain(me); state[i] = ASKED; s = i } -> goto ask
/* Who has another one to ask does not take over. */
#define TAKE_OVER(i) \
    d_step { !kept && MAY_TAKE_OVER(i) && LOCK_TO_TAKE -> \
             drain(me); LOCK; s = i; keeper = state[i] - KEPT(0); state[i] = WANTED(keeper) } -> \
    goto take_over
#define CLAIM d_step { tasks > 0 -> drain(me); tasks--; outside++ }

/* Y2, Y3 */
inline give_back(me, s)
{
    d_step { assert(IS_OWNED(s) && !in_call[s]); gives[me] = READY; gives_to[me] = s };
#ifndef GIVEN_UNANNOUNCED
    announce(me);
#endif
    end_if_stopped(me, s, READY)
}

inline let_go(me, s)
{
    kept = 0;
    d_step {
        drain(me);
        if
        :: state[s] == KEPT(me) -> state[s] = ASKED; mine = true
        :: else
        fi
    };
    if
    :: !mine ->
        d_step {
            if
#ifdef WITHOUT_INDEX
            :: state[s] >= WANTED(0) -> state[s] = ASKED; mine = true
#else
            :: state[s] == WANTED(me) -> state[s] = ASKED; mine = true
#endif
            :: else
            fi
        }
    :: else
    fi;
    if
    :: mine -> mine = false; give_back(me, s)
    :: else
    fi;
    asks[me] = 0
}

/* Y9 */
inline keep(me, s)
{
    kept = s + 1;
    d_step {
        assert(IS_OWNED(s) && !in_call[s]);
        gives[me] = KEPT(me); gives_to[me] = s;
#ifndef ANOTHER_WITHOUT_FENCE
        drain(me)
#endif
    };
#ifndef KEPT_UNANNOUNCED
    announce(me);
#endif
    if
#ifndef KEPT_BESIDE_ANOTHER
    :: open != 1 -> let_go(me, s)
#endif
    :: else ->
#ifndef KEPT_AFTER_STOP
        end_if_stopped(me, s, KEPT(me))
#else
        drain(me)
#endif
    fi
}

/* Y11, without an input. */
inline owns_again(me, s)
{
    d_step { drain(me); state[s] = ASKED; kept = 0 };
    asks[me] = 0;
#ifndef SAID_IS_FORGOTTEN
    if
    :: d_step { said[s] -> drain(me); said[s] = false };
        d_step {
            if
            :: state[s] == ASKED -> state[s] = AGAIN
            :: else
            fi
        }
    :: else
    fi
#endif
}

/* Y4 */
inline put_aside(me, s)
{
#ifndef HINT_CLEARED_LATE
    d_step { drain(me); hinted[s] = false };
#endif
    d_step {
        if
#ifdef PUT_ASIDE_ALWAYS
        :: true -> state[s] = WAITING; mine = true
#else
        :: state[s] == ASKED -> state[s] = WAITING; mine = true
        :: else
#endif
        fi
    };
#ifdef HINT_CLEARED_LATE
    hinted[s] = false;
#endif
    if
    :: mine -> mine = false; end_if_stopped(me, s, WAITING)
    :: else -> hinted[s] = true; give_back(me, s)
    fi
}

#define FINISHED unfinished--; pending--

inline run_task()
{
    if /* in one step: the other way has those in between */
    :: d_step { began++; FINISHED }
    :: d_step { waiting < W - 1 -> waiting++; began++; mine_began = began };
        d_step { began > mine_began || began == ALL || stopping ->
                 waiting--; mine_began = 0; FINISHED }
    fi
}

proctype worker(byte me)
{
    byte kept, s, keeper, mine_began;
    bool counted, watches, any, mine;

next:
    if /* a first look that is not counted */
    :: CLAIM -> goto begin
    :: kept -> s = kept - 1; goto ask_kept
    :: OWN(0)
    :: TAKE_OVER(0)
#if S > 1
    :: OWN(1)
    :: TAKE_OVER(1)
#endif
    :: d_step { !kept -> drain(me); searching++; counted = true }
    fi;
look:
    if
    :: ended -> goto over
    :: CLAIM -> counted = false; found(me, any); goto begin
    :: OWN(0)
    :: TAKE_OVER(0)
#if S > 1
    :: OWN(1)
    :: TAKE_OVER(1)
#endif
    :: true -> park(me); goto look
    fi;

take_over:
    take_away(s, keeper, mine);
    d_step { UNLOCK; keeper = 0 };
    if
    :: mine -> mine = false
    :: else -> goto no_input
    fi;

ask: /* it is not counted as searching while it asks */
    if
#ifndef SEARCHES_IN_THE_CALL
    :: counted -> found(me, any)
#endif
    :: else
    fi;
    if
    :: stopping -> end_source(s); goto no_input_found
    :: else
    fi;
    d_step { assert(!in_call[s]); in_call[s] = true };
    goto call;

ask_kept: /* Y10 */
    asks[me] = s + 1;
    if
#ifndef KEPT_UNSEEN
    :: d_step { state[s] == KEPT(me) ->
#else
    :: d_step { true ->
#endif
           assert(!in_call[s] && !stopped); in_call[s] = true }
    :: true -> let_go(me, s); goto no_input
    fi;

call:
    if
    :: true
    :: d_step { T > 0 && waiting < W - 1 -> waiting++ };
        d_step { outside == T || stopping -> waiting-- }
    fi;
    if
    :: d_step { has[s] > 0 -> has[s]--; in_call[s] = false; unfinished++;
#ifndef COUNTED_LATE
                pending++
#endif
              };
        if
        :: kept -> asks[me] = 0; /* Y11 */
            if
#ifndef WANTED_UNSEEN
            :: state[s] != KEPT(me) -> let_go(me, s)
#endif
            :: else
            fi
        :: !kept -> give_back(me, s)
        :: !kept && open == 1 -> keep(me, s)
        fi;
#ifdef COUNTED_LATE
        pending++;
#endif
#ifdef SEARCHES_IN_THE_CALL
        if
        :: counted -> found(me, any)
        :: else
        fi;
#endif
        counted = false;
        goto begin
    :: d_step { has[s] == 0 -> in_call[s] = false; any = s > 0 || to_come > 0 };
        if
        :: kept -> owns_again(me, s)
        :: else
        fi;
        if
        :: any -> any = false; put_aside(me, s)
        :: else -> end_source(s)
        fi
    fi;

no_input_found:
    if
#ifndef SEARCHES_IN_THE_CALL
    :: d_step { counted -> drain(me); searching++ }
#endif
    :: else
    fi;
no_input:
    s = 0;
    if
    :: counted -> goto look
    :: else -> goto next
    fi;

begin:
    s = 0;
    run_task();
    goto next;

over:
    atomic { assert(searching > 0); searching-- }
}

/* ---- others ---- */

/* Y5 */
#if M > 0
proctype producer()
{
    byte before;
    bool wakes;

    do
    :: to_come > 0 ->
        d_step { has[0]++; to_come-- };
        d_step { !locked -> locked = true; before = state[0] };
        do
        :: before >= KEPT(0) ->
#ifndef SAYS_NOTHING
            said[0] = true;
#endif
            if
            :: state[0] == before -> break
            :: else -> before = state[0]
            fi
        :: before == WAITING || before == ASKED ->
            d_step {
                if
                :: state[0] != before -> before = state[0]
                :: else -> wakes = before == WAITING;
                    state[0] = (wakes -> READY : AGAIN); before = ENDED
                fi
            }
        :: else -> break
        od;
        if
        :: wakes -> hinted[0] = true
        :: else
        fi;
        d_step { locked = false; before = 0 };
        if
        :: wakes -> wakes = false; announce_fenced()
        :: else
        fi
    :: else -> break
    od
}
#endif

#define OWNED_BY_STOPPER(s, expected) \
    if \
    :: d_step { !mine && state[s] == expected -> state[s] = ASKED; mine = true } \
    :: else \
    fi

/* O4, with the lock. */
inline stop_source(s)
{
    OWNED_BY_STOPPER(s, READY);
    OWNED_BY_STOPPER(s, WAITING);
#ifndef STOP_LEAVES_KEPT
    if
    :: !mine -> take_from_keeper(s)
    :: else
    fi;
#endif
    if
    :: mine -> d_step { mine = false; END(s) }
    :: else
    fi
}

proctype outsider()
{
    byte left = T, keeper;
    bool mine;

    do
    :: left > 0 ->
        d_step { left--; tasks++; unfinished++; pending++ };
        announce_fenced()
    :: else -> break
    od;
#ifdef SECOND
    /* Y6 */
    atomic { !locked -> locked = true; pending++; open++ };
#ifndef ANOTHER_LEAVES_KEPT
    take_from_keeper(0);
#endif
    if
    :: mine -> mine = false; assert(state[0] == ASKED); state[0] = READY
    :: else
    fi;
    d_step { state[1] = READY; hinted[1] = true; locked = false };
    announce_fenced();
#ifndef STOP
    state[0] == ENDED;
#endif
#endif
#if defined(STOP) || defined(SECOND)
    atomic { !locked -> locked = true; stopping = true }; /* O2 */
    heavy();
    d_step { shut = true; locked = false }; /* O3 */
    d_step { !locked -> LOCK };
    stop_source(0);
#ifdef SECOND
    stop_source(1);
#endif
    d_step { UNLOCK; stopped = true };
#else
    shut = true;
#endif
    try_end()
}

init
{
    atomic {
        state[0] = READY;
        hinted[0] = true;
        has[0] = N;
#if S > 1
        has[1] = 1;
#endif
        run worker(0);
        run worker(1);
#if W > 2
        run worker(2);
#endif
#if M > 0
        run producer();
#endif
        run outsider()
    }
}
