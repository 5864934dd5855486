/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The deque: events D1 to D4, S1, F1 to F4, and C3 to C6 of SHARED blocks, of src/queue/README.md.
 *
 * The owner pushes or pops, as it likes, STEPS times, after FILLED pushes; W takers look LOOKS
 * times each, and freeze or claim what they see.  (The owner and a taker can undo each other's
 * steps for ever: a freeze makes the owner push again, which may be frozen again.  So looks are
 * counted.)  The owner's stores of bottom wait in its store buffer until it drains.  In the end
 * what is left is taken by one alone: each item that was pushed was taken once.
 */
#ifndef W
#define W 1
#endif
#ifndef STEPS
#define STEPS 3
#endif
#ifndef FILLED
#define FILLED 2
#endif
#ifndef LOOKS
#define LOOKS 3
#endif
#define SLOTS 2
#define BLOCKS 3
#define ITEMS (FILLED + STEPS)
#define NOTHING 255

mtype = { PRIVATE, FROZEN, SHARED };

/* Blocks: a word, of four parts; bottom; next and its generation in another word. */
typedef parts {
    mtype state;
    byte generation;
    byte lo;
    byte hi
};
typedef block {
    parts word;
    byte bottom;
    byte next;
    byte next_generation;
    byte slot[SLOTS];
    byte previous; /* the owner's */
    byte previous_generation;
    bool free
};
block blocks[BLOCKS];
byte head;
byte changes;

/* The owner's last store of bottom, as long as nobody else sees it. */
bool waits;
byte waits_in;
byte waits_bottom;

bool taken[ITEMS];
byte pushed;
bool owner_ended;
byte takers_left = W;

#define WORD blocks[b].word

inline drain()
{
    d_step {
        if
        :: waits -> blocks[waits_in].bottom = waits_bottom; waits = false; waits_bottom = 0
        :: else
        fi;
        waits_in = 0
    }
}

active proctype buffer()
{
end:
    do
    :: d_step { waits -> drain() }
    od
}

inline take(item)
{
    assert(item < pushed && !taken[item]);
    taken[item] = true
}

/* ---- the owner ---- */

/* D1: stores bottom, light, and looks at the word. */
inline step(value)
{
    d_step { drain(); bottom = value; waits = true; waits_in = tail; waits_bottom = value };
#ifdef WORD_NOT_LOOKED_AT
    same = true
#else
    d_step {
        same = blocks[tail].word.state == PRIVATE &&
               blocks[tail].word.generation == mine && blocks[tail].word.lo == lo
    }
#endif
}

/* The word is FROZEN or SHARED: fixes hi, unless a taker has. */
inline settle(before)
{
    hi = (before < bottom -> before : bottom);
    d_step { /* D2 */
        drain();
        if
        :: blocks[tail].word.state == FROZEN ->
            blocks[tail].word.state = SHARED;
            blocks[tail].word.hi = hi
        :: else -> hi = blocks[tail].word.hi
        fi
    }
}

inline own(b, at)
{
    tail = b;
    mine = WORD.generation;
    lo = WORD.lo;
    bottom = at
}

/* D3: the block becomes the owner's again, if it is what it was and has something left. */
inline take_back(b, of_generation)
{
    d_step {
        back = b != NOTHING;
        if
        :: back -> back = WORD.state == SHARED && WORD.lo < WORD.hi &&
                       WORD.generation == of_generation
        :: else
        fi;
        if
        :: back ->
            drain();
            WORD.state = PRIVATE;
#ifndef BACK_IN_SAME_GENERATION
            WORD.generation++;
#endif
            own(b, WORD.hi);
            WORD.hi = 0
        :: else
        fi
    }
}

/* The tail is SHARED up to hi: goes on in a free block, or in the same one if nothing is left. */
inline go_on()
{
    d_step { drain(); blocks[tail].bottom = hi };
    spare = NOTHING;
    if
    :: blocks[tail].word.lo < hi ->
        if
        :: d_step { blocks[0].free -> blocks[0].free = false; spare = 0 }
        :: d_step { blocks[1].free -> blocks[1].free = false; spare = 1 }
        :: d_step { blocks[2].free -> blocks[2].free = false; spare = 2 }
        :: else
        fi
    :: else
    fi;
    if
    :: spare != NOTHING ->
        d_step { /* R1; takers come to it by the next step */
            blocks[spare].bottom = 0;
            blocks[spare].next = NOTHING;
            blocks[spare].word.state = PRIVATE;
            blocks[spare].word.generation++;
            blocks[spare].word.lo = 0;
            blocks[spare].word.hi = 0;
            blocks[spare].previous = tail;
            blocks[spare].previous_generation = blocks[tail].word.generation
        };
        d_step { /* A2 */
            blocks[tail].next_generation = blocks[tail].word.generation;
            blocks[tail].next = spare;
            own(spare, 0)
        }
    :: else ->
        take_back(tail, blocks[tail].word.generation);
        if
        :: back
        :: else ->
            d_step { /* R1: used up, and nobody else changes it */
                blocks[tail].bottom = 0;
                blocks[tail].word.state = PRIVATE;
                blocks[tail].word.generation++;
                blocks[tail].word.lo = 0;
                blocks[tail].word.hi = 0;
                own(tail, 0)
            }
        fi
    fi;
    d_step { back = false; spare = 0 }
}

/* S1: the tail is full. */
inline seal()
{
    d_step {
        drain();
        same = blocks[tail].word.state == PRIVATE && blocks[tail].word.lo == lo;
        if
        :: same -> blocks[tail].word.state = SHARED; blocks[tail].word.hi = bottom
        :: else
        fi
    };
    hi = bottom;
    if
    :: !same -> settle(bottom); hi = bottom
    :: else
    fi;
    go_on()
}

inline push(item)
{
    do
    :: bottom == SLOTS -> seal()
    :: else ->
        blocks[tail].slot[bottom] = item;
        before = bottom;
        step(before + 1);
        if
        :: same -> break
        :: else ->
            settle(before);
            at = hi;
            go_on();
#ifdef PUSHED_AGAIN_ALWAYS
            if
            :: true
            fi
#else
            if
            :: at > before -> break /* the takers have it */
#ifdef PUSHED_AGAIN_NEVER
            :: else -> break
#else
            :: else
#endif
            fi
#endif
        fi
    od;
    atomic { before = 0; at = 0; hi = 0; same = false }
}

inline pop()
{
    do
    :: bottom == lo ->
        at = tail;
        take_back(blocks[at].previous, blocks[at].previous_generation);
        if
        :: back -> blocks[at].free = true
        :: else -> blocks[at].previous = NOTHING; break
        fi
    :: else ->
        before = bottom;
        step(before - 1);
        if
        :: same -> atomic { take(blocks[tail].slot[before - 1]) }; break
        :: else ->
            settle(before);
            at = blocks[tail].slot[before - 1];
#ifdef POPS_THEIRS
            if
            :: hi <= before -> atomic { take(at) }; go_on(); break
#else
            if
            :: hi < before -> atomic { take(at) }; go_on(); break
#endif
            :: else -> go_on()
            fi
        fi
    od;
    atomic { before = 0; at = 0; hi = 0; same = false; back = false }
}

/* D4: the oldest slot of the tail, which is the oldest block. */
inline pop_oldest()
{
    if
    :: bottom > lo && head == tail ->
        at = blocks[tail].slot[lo];
        atomic {
            drain();
            same = blocks[tail].word.state == PRIVATE &&
                   blocks[tail].word.generation == mine && blocks[tail].word.lo == lo;
            if
            :: same -> blocks[tail].word.lo++; lo++; take(at)
            :: else
            fi
        };
        if
        :: !same -> settle(bottom); go_on()
        :: else
        fi
    :: else
    fi;
    atomic { at = 0; hi = 0; same = false }
}

proctype owner()
{
    byte left = STEPS + FILLED, tail, mine = 1, lo, bottom, before, at, hi, spare;
    bool same, back;

    do
    :: left > 0 ->
        left--;
        if
        :: true -> pushed++; push(pushed - 1)
        :: left < STEPS -> pop()
        :: left < STEPS -> pop_oldest()
        fi
    :: else -> break
    od;
    atomic { drain(); tail = 0; mine = 0; lo = 0; bottom = 0; owner_ended = true }
}

/* ---- takers ---- */

inline claim_shared()
{
    item = blocks[b].slot[low]; /* C5 */
    atomic { /* C6 */
        if
        :: WORD.state == SHARED && WORD.generation == seen && WORD.lo == low && WORD.hi == hi ->
            WORD.lo++;
            take(item);
            found = true
        :: else
        fi
    }
}

inline freeze()
{
    d_step { /* F1 */
        if
        :: WORD.state == FROZEN && WORD.generation == seen && WORD.lo == low -> found = true
        :: WORD.state == PRIVATE && WORD.generation == seen && WORD.lo == low ->
            WORD.state = FROZEN;
            found = true
        :: else -> found = false
        fi
    };
    if
    :: !found
    :: else ->
        found = false;
#ifdef BOTTOM_BEFORE_HEAVY
        hi = blocks[b].bottom;
        drain();
#else
#ifndef FREEZE_WITHOUT_HEAVY
        drain(); /* F2 */
#endif
        hi = blocks[b].bottom; /* F3 */
#endif
        if
        :: hi > low -> item = blocks[b].slot[low]; more = 1
        :: else -> more = 0
        fi;
        atomic { /* F4 */
            if
            :: WORD.state == FROZEN && WORD.generation == seen && WORD.lo == low ->
                WORD.state = SHARED;
                WORD.hi = hi;
#ifndef FROZEN_CLAIM_FORGOTTEN
                WORD.lo = low + more;
#endif
                if
                :: more > 0 -> take(item); found = true
                :: else
                fi
            :: else
            fi
        }
    fi
}

inline advance()
{
    d_step { at = blocks[b].next; hi = blocks[b].next_generation }; /* C3 */
    if
#ifdef LINK_OF_ANY_GENERATION
    :: at == NOTHING ->
#else
    :: at == NOTHING || hi != seen ->
#endif
        if
        :: head == b && changes == change -> break
        :: else
        fi
    :: else ->
        atomic { /* C4 */
            if
            :: head == b && changes == change -> head = at; changes++; moved = true
            :: else
            fi
        };
        if
        :: moved -> blocks[b].free = true; moved = false
        :: else
        fi
    fi
}

inline try_claim()
{
    do
    :: found || left == 0 -> break
    :: else ->
        left--;
        d_step { b = head; change = changes };
        d_step { /* C1 */
            state = WORD.state; seen = WORD.generation; low = WORD.lo; hi = WORD.hi
        };
        if
        :: head != b || changes != change
        :: else ->
            if
            :: state == PRIVATE && blocks[b].bottom <= low -> break
            :: state == SHARED && low < hi -> claim_shared()
            :: state == SHARED && low >= hi -> advance()
            :: else -> freeze()
            fi
        fi
    od;
    atomic {
        b = 0; change = 0; seen = 0; low = 0; hi = 0; item = 0; more = 0; at = 0; state = 0
    }
}

#define TAKER mtype state; byte b, change, seen, low, hi, item, more, at; bool found, moved

proctype taker()
{
    TAKER;
    byte left = LOOKS;

    do
    :: left > 0 -> try_claim(); found = false
    :: else -> break
    od;
    takers_left--
}

proctype last()
{
    TAKER;
    byte left = 100;

    owner_ended && takers_left == 0;
    do
    :: true ->
        try_claim();
        if
        :: found -> found = false
        :: else -> break
        fi
    od;
    atomic {
        do
        :: b < pushed -> assert(taken[b]); b++
        :: else -> break
        od
    }
}

init
{
    atomic {
        blocks[0].word.state = PRIVATE;
        blocks[0].word.generation = 1;
        blocks[0].next = NOTHING;
        blocks[0].previous = NOTHING;
        blocks[1].free = true;
        blocks[1].next = NOTHING;
        blocks[2].free = true;
        blocks[2].next = NOTHING;
        run owner();
        run taker();
#if W > 1
        run taker();
#endif
#if W > 2
        run taker();
#endif
        run last()
    }
}
