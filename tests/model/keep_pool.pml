/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keep.pml stands on: the sources, what waits in store buffers, STOP, taking a source away
 * (Y12), its end (Y7), and how workers look around, lie down and are woken.
 */
/* ---- the sources ---- */

#define ENDED 0
#define READY 1
#define ASKED 2
#define AGAIN 3
#define WAITING 4
#define KEPT(w) (5 + (w))
#define WANTED(w) (5 + W + (w))
#define IS_KEPT(s) (state[s] >= KEPT(0) && state[s] < WANTED(0))
#define IS_OWNED(s) (state[s] == ASKED || state[s] == AGAIN)

byte state[S];
bool hinted[S];
bool said[S];
byte has[S];
byte to_come = M;
bool in_call[S];
byte open = 1; /* sources */

/* What a worker may have in its store buffer: the state that it gives to a source, and then its
 * word `asked`; `asks` is what it has stored there. */
byte gives[W];
byte gives_to[W];
byte asks[W];
byte asked[W];

inline drain(w)
{
    d_step {
        if
        :: gives[w] != 0 -> state[gives_to[w]] = gives[w]; gives[w] = 0; gives_to[w] = 0
        :: else
        fi;
        asked[w] = asks[w]
    }
}

inline heavy()
{
    d_step {
        drain(0);
        drain(1);
#if W > 2
        drain(2);
#endif
    }
}

#define DRAINS(w) \
    d_step { gives[w] != 0 -> state[gives_to[w]] = gives[w]; gives[w] = 0; gives_to[w] = 0 } \
    :: d_step { gives[w] == 0 && asked[w] != asks[w] -> asked[w] = asks[w] }

/* Stores become visible at any time, one after the other. */
active proctype buffers()
{
end:
    do
    :: DRAINS(0)
    :: DRAINS(1)
#if W > 2
    :: DRAINS(2)
#endif
    od
}

/* ---- the rest of the pool ---- */

bool locked;
bool has_watcher;
byte naps;

byte searching;
byte sleeping;
bool unchecked;
bool asleep[W];

byte tasks; /* from outside, nobody has them yet */
byte outside; /* from outside, begun */
byte began;
byte waiting; /* who waits in a task or in a callback */
byte unfinished; /* tasks, as they are, */
byte pending = 1; /* and as they are counted; and sources */
bool shut;
bool stopping;
bool stopped; /* stop has returned */
bool ended; /* STOP */

#define UP(w) asleep[w] = false; sleeping--; searching++

/* W1 to W3 */
inline wake_one()
{
    if
    :: d_step { asleep[0] -> UP(0) }
    :: d_step { asleep[1] -> UP(1) }
#if W > 2
    :: d_step { asleep[2] -> UP(2) }
#endif
    :: d_step { sleeping == 0 -> skip }
    fi
}

inline wake_all()
{
    d_step {
        searching = searching + sleeping;
        sleeping = 0;
        asleep[0] = false;
        asleep[1] = false;
#if W > 2
        asleep[2] = false;
#endif
    }
}

/* Q2 to Q5; STOP is not early. */
inline try_end()
{
    if
    :: d_step { shut && pending == 0 && !ended ->
           ended = true;
           assert(unfinished == 0 && !in_call[0] && !in_call[S - 1]);
           assert(state[0] == ENDED && state[S - 1] == ENDED);
           assert(stopping || began == ALL);
           wake_all()
       }
    :: else
    fi
}

/* Y3 with full, and the end of N3. */
inline announce_fenced()
{
    if
    :: searching == 0 -> wake_one()
    :: else
    fi
}

/* Y3: N2 and N3 of a worker. */
inline announce(me)
{
    if
    :: sleeping == 0
    :: else -> drain(me); announce_fenced()
    fi
}

/* ---- taking it away ---- */

#ifdef WITHOUT_LOCK
#define LOCK_TO_TAKE true
#define LOCK skip
#define UNLOCK skip
#else
#define LOCK_TO_TAKE !locked
#define LOCK locked = true
#define UNLOCK locked = false
#endif

/* Y12, after the swap to WANTED. */
inline take_away(s, keeper, mine)
{
#ifndef TAKEN_WITHOUT_HEAVY
    heavy();
#endif
    if
#ifndef TAKEN_IN_THE_CALL
    :: asked[keeper] == s + 1
    :: asked[keeper] != s + 1 ->
#else
    :: true ->
#endif
        d_step {
            if
            :: state[s] == WANTED(keeper) -> state[s] = ASKED; mine = true
            :: else
            fi
        }
    fi
}

/* Y12 by who has the lock. */
inline take_from_keeper(s)
{
    if
    :: d_step { IS_KEPT(s) -> keeper = state[s] - KEPT(0); state[s] = WANTED(keeper) };
        take_away(s, keeper, mine);
        keeper = 0
    :: else
    fi
}

/* Y7, by the owner.  Nobody has to see what is in between, and whoever has the lock waits for
 * nothing. */
#define END(s) \
    assert(IS_OWNED(s) && !in_call[s]); \
    state[s] = ENDED; hinted[s] = false; open--; pending--

inline end_source(s)
{
    d_step { !locked -> END(s) }
}

/* The same for the source that a worker has just given back. */
inline end_if_stopped(me, s, expected)
{
    if
#ifndef GIVEN_AFTER_STOP
    :: stopping ->
        d_step {
            drain(me);
            if
            :: state[s] == expected -> state[s] = ASKED; mine = true
            :: else
            fi
        };
        if
        :: mine -> mine = false; end_source(s)
        :: else
        fi
#endif
    :: else
    fi
}

/* ---- looking for one ---- */

#define IS_READY(s) (state[s] == READY && hinted[s])
#define KEPT_AND_HINTED(s) (IS_KEPT(s) && hinted[s])
#if S > 1
#define ANY_READY (IS_READY(0) || IS_READY(1))
#define ANY_KEPT (KEPT_AND_HINTED(0) || KEPT_AND_HINTED(1))
#else
#define ANY_READY IS_READY(0)
#define ANY_KEPT KEPT_AND_HINTED(0)
#endif

/* For P3 and P6. */
inline look_for_source(any)
{
    if
    :: stopping
    :: !stopping && ANY_READY -> any = true
    :: else ->
#ifndef NOBODY_WATCHES
        if
        :: ANY_KEPT ->
            if
            :: !has_watcher -> any = true
            :: else
            fi
        :: else
        fi
#else
        skip
#endif
    fi
}

/* P6 */
inline found(me, any)
{
    if
    :: d_step { searching > 1 -> drain(me); searching-- }
    :: d_step { searching == 1 && sleeping == 0 -> drain(me); searching = 0; unchecked = false }
    :: d_step { searching == 1 && sleeping > 0 -> drain(me); searching = 0; any = unchecked;
                unchecked = false };
        if
        :: any -> any = false; heavy()
        :: else
        fi;
        if
        :: tasks > 0 -> any = true
        :: else -> look_for_source(any)
        fi;
        if
        :: any -> any = false; wake_one()
        :: else
        fi
    fi
}

/* P5 */
inline get_up(me)
{
    d_step {
        if
        :: asleep[me] -> UP(me)
        :: else
        fi
    }
}

/* Who watches has slept its time: it finds that the keeper moves, or goes to take over. */
#ifdef NEVER_TAKEN_OVER
#define MAY_TAKE_OVER(s) false
#else
#define MAY_TAKE_OVER(s) (IS_KEPT(s) && open == 1)
#endif
#if S > 1
#define IS_SLOW (MAY_TAKE_OVER(0) || MAY_TAKE_OVER(1))
#else
#define IS_SLOW MAY_TAKE_OVER(0)
#endif

inline park(me)
{
    if
    :: ANY_KEPT ->
        d_step {
            if
            :: !has_watcher -> has_watcher = true; watches = true
            :: else
            fi
        }
    :: else
    fi;
    if /* P1, P2 */
    :: d_step { searching > 1 ->
           drain(me); searching--; sleeping++; asleep[me] = true; unchecked = true }
    :: d_step { searching == 1 ->
           drain(me); searching = 0; sleeping++; asleep[me] = true; unchecked = false };
        heavy(); /* P3 */
        try_end();
        if
        :: tasks > 0 -> any = true
        :: else -> look_for_source(any)
        fi
    fi;
    if
    :: any || ended -> any = false; get_up(me)
    :: else
    fi;
    if /* P4 */
    :: !asleep[me]
#ifndef WATCHER_SLEEPS_ON
    :: d_step { watches && asleep[me] && naps < NAPS -> naps++; UP(me) }
    :: d_step { watches && asleep[me] && IS_SLOW -> UP(me) }
#endif
    fi;
#ifndef WATCHES_FOR_EVER
    if
    :: d_step { watches -> watches = false; has_watcher = false }
    :: else
    fi
#else
    watches = false
#endif
}
