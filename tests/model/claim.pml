/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Add and claim on OPEN queues: events R1, A1, A2 and C1 to C6 of src/queue/README.md, with blocks
 * of SLOTS slots that are used again.
 *
 * Q owners with a queue each add ITEMS items; an owner may leave a block before it is full, as one
 * does whose next item does not fit.  W takers try a claim TRIES times, at any queue.  In the end
 * what is left is taken by one alone: each item was taken once, and no block is lost.
 */
#ifndef W
#define W 2
#endif
#ifndef Q
#define Q 1
#endif
#ifndef ITEMS
#define ITEMS 3
#endif
#ifndef TRIES
#define TRIES 2
#endif
#ifndef SLOTS
#define SLOTS 1
#endif
#define BLOCKS (Q + 2)
#define ALL (Q * ITEMS)
#define NOTHING 255

/* Blocks.  generation and lo are one word, next and its generation another. */
byte generation[BLOCKS];
byte lo[BLOCKS];
byte bottom[BLOCKS];
byte next[BLOCKS] = NOTHING;
byte next_generation[BLOCKS];
byte slot[BLOCKS * SLOTS];
bool is_free[BLOCKS];

/* Of each queue, one word: the oldest block, and how often that changed. */
byte head[Q];
byte changes[Q];

bool taken[ALL];
byte owners_left = Q;
byte takers_left = W;

/* What a taker that got the item does; the last taker may use it again. */
inline take(item)
{
    assert(item / ITEMS == q && !taken[item]);
    taken[item] = true
}

/* ---- owners ---- */

inline renew(b)
{
    d_step { bottom[b] = 0; next[b] = NOTHING }; /* R1 */
#ifdef SAME_GENERATION
    lo[b] = 0
#else
    d_step { generation[b]++; lo[b] = 0 }
#endif
}

inline link(from, to)
{
    d_step { next[from] = to; next_generation[from] = generation[from] } /* A2 */
}

inline get_free(b)
{
    if
    :: d_step { is_free[0] -> is_free[0] = false; b = 0 }
    :: d_step { is_free[1] -> is_free[1] = false; b = 1 }
    :: d_step { is_free[2] -> is_free[2] = false; b = 2 }
#if Q > 1
    :: d_step { is_free[3] -> is_free[3] = false; b = 3 }
#endif
    fi
}

inline write(item)
{
#ifdef PUBLISHED_BEFORE_WRITTEN
    bottom[tail] = written + 1;
    slot[tail * SLOTS + written] = item;
#else
    slot[tail * SLOTS + written] = item;
    bottom[tail] = written + 1; /* A1 */
#endif
    written++
}

proctype owner(byte q; byte tail)
{
    byte i, written, b;

    do
    :: i < ITEMS ->
        if
        :: written > 0 -> /* full, or of no use for the next item */
            get_free(b);
#ifdef LINKED_BEFORE_RENEWED
            link(tail, b);
            renew(b);
#else
            renew(b);
#ifdef LEFT_BEFORE_LAST
            if
            :: i + 1 < ITEMS && written < SLOTS -> link(tail, b); write(q * ITEMS + i); i++
            :: else -> link(tail, b)
            fi;
#else
            link(tail, b);
#endif
#endif
            d_step { tail = b; written = 0; b = 0 }
        :: written < SLOTS
        fi;
        write(q * ITEMS + i);
        i++
    :: else -> break
    od;
    atomic { i = 0; written = 0; tail = 0; owners_left-- }
}

/* ---- takers ---- */

#ifdef ONE_TOO_MANY
#define SHARE hi - low + 1
#else
#define SHARE hi - low
#endif

inline copy_slots()
{
    first = slot[b * SLOTS + low]; /* C5 */
    if
    :: n > 1 && low + 1 < SLOTS -> second = slot[b * SLOTS + low + 1]
    :: else
    fi
}

/* C6 */
inline claim()
{
    atomic {
        if
        :: generation[b] == word && lo[b] == low ->
            lo[b] = low + n;
            take(first);
            if
            :: n > 1 -> take(second)
            :: else
            fi;
            found = true
        :: else
        fi
    }
}

/* C3, C4: nothing is left there; goes on behind it, or gives up. */
inline advance()
{
    d_step { next_block = next[b]; hi = next_generation[b] }; /* C3 */
    if
    :: next_block == NOTHING || hi != word ->
        if
        :: head[q] == b && changes[q] == change -> tries = 0
        :: else
        fi
    :: else ->
        if
#ifndef BOTTOM_READ_ONCE
        :: bottom[b] != low
#endif
        :: else ->
            atomic { /* C4 */
#ifdef HEAD_WITHOUT_CHANGES
                moved = head[q] == b;
#else
                moved = head[q] == b && changes[q] == change;
#endif
                if
                :: moved -> head[q] = next_block; changes[q]++
                :: else
                fi
            };
            if
#ifdef PUT_BY_ALL
            :: true -> is_free[b] = true
#else
            :: moved -> d_step { assert(!is_free[b]); is_free[b] = true }
            :: !moved
#endif
            fi
        fi
    fi
}

/* One claim, up to its end: `found`, or there was nothing. */
inline try_claim()
{
    do
    :: found || tries == 0 -> break
    :: else ->
        d_step { b = head[q]; change = changes[q] };
        d_step { word = generation[b]; low = lo[b] }; /* C1 */
        hi = bottom[b]; /* C2 */
        if
#ifndef LOOKED_ONCE
        :: head[q] != b || changes[q] != change
#endif
        :: else ->
            if
            :: low < hi ->
                if
                :: n = 1
                :: n = SHARE
                fi;
                copy_slots();
                claim()
            :: else -> advance()
            fi
        fi
    od;
    atomic {
        found = false; b = 0; change = 0; word = 0; low = 0; hi = 0; n = 0;
        first = 0; second = 0; next_block = 0; moved = false
    }
}

#define TAKER byte tries = TRIES, b, change, word, low, hi, n, first, second, next_block; \
    bool found, moved

proctype taker()
{
    TAKER;
    byte q, left = TRIES;

    do
    :: left > 0 ->
        if
        :: q = 0
#if Q > 1
        :: q = 1
#endif
        fi;
        tries = 1;
        try_claim();
        left--
    :: else -> break
    od;
    takers_left--
}

/* When all have ended: takes what is left, and counts. */
proctype last()
{
    TAKER;
    byte q, i, count;

    owners_left == 0 && takers_left == 0;
    do
    :: q < Q ->
        do
        :: true ->
            tries = 1;
            i = 0;
            try_claim();
            if
            :: tries == 0 -> break
            :: else
            fi
        od;
        q++
    :: else -> break
    od;
    atomic {
        i = 0;
        do
        :: i < ALL -> assert(taken[i]); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < BLOCKS -> count = count + is_free[i]; i++
        :: else -> break
        od;
        assert(count == BLOCKS - Q)
    }
}

init
{
    atomic {
        head[0] = 0;
        run owner(0, 0);
        is_free[1] = true;
        is_free[2] = true;
#if Q > 1
        head[1] = 1;
        is_free[1] = false;
        is_free[3] = true;
        run owner(1, 1);
#endif
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
