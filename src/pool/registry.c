/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads and their records; see registry.h. */
#include "pool/registry.h"

#include <stdlib.h>
#include <string.h>

#include "pool/reader.h"

_Thread_local struct distr_thread distr_thread;
__thread struct distributor_short_seat distributor_short_seat;
uint32_t distr_forks;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct distributor *living;
static pthread_key_t key;

/* ---- fork: the child keeps its memory, and is told apart by the count ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&lock);
}

static void in_child(void)
{
    distr_forks++;
    /* What has no time to look at the count sees a distributor that is stopped and full. */
    for (struct distributor *d = living; d; d = d->registry_next) {
        atomic_fetch_or_explicit(&d->state, DISTR_STOPPING | DISTR_CLOSED, memory_order_relaxed);
        d->output_limit = 0;
    }
    if (distr_thread.own.id != 0)
        distr_queue_guard(&distr_thread.own.record->worker->output);
    distributor_short_seat.id = 0;
    distr_thread.own.id = 0;
    distr_thread.count = 0;
    pthread_mutex_unlock(&lock);
}

/* ---- the registry ---- */

static struct distributor *find_living(uint64_t id)
{
    struct distributor *d = living;

    while (d && d->id != id)
        d = d->registry_next;
    return d;
}

static bool is_living(const struct distributor *wanted)
{
    struct distributor *d = living;

    while (d && d != wanted)
        d = d->registry_next;
    return d != NULL;
}

void distr_registry_enter(struct distributor *d)
{
    static uint64_t last_id;

    pthread_mutex_lock(&lock);
    d->id = ++last_id;
    d->registry_next = living;
    d->registry_link = &living;
    if (living)
        living->registry_link = &d->registry_next;
    living = d;
    pthread_mutex_unlock(&lock);
}

void distr_registry_leave(struct distributor *d)
{
    pthread_mutex_lock(&lock);
    if (d->registry_next)
        d->registry_next->registry_link = d->registry_link;
    *d->registry_link = d->registry_next;
    pthread_mutex_unlock(&lock);
}

/* ---- the end of a thread ---- */

static void give_back(const struct distr_seat *seat)
{
    struct distributor *d = find_living(seat->id);

    if (!d || seat->record->worker)
        return;
    distr_reader_free(seat->record);
    seat->record->next_free = d->free_records;
    d->free_records = seat->record;
}

static void thread_ends(void *thread)
{
    struct distr_thread *self = thread;

    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < self->count; i++)
        give_back(&self->seats[i]);
    pthread_mutex_unlock(&lock);
    free(self->seats);
    /* Another destructor of this thread may call a distributor: then it attaches anew. */
    memset(self, 0, sizeof *self);
    distributor_short_seat.id = 0;
}

/* What failed is tried again by the next one who asks. */
int distr_registry_init(void)
{
    static bool has_key;
    static bool has_handlers;

    pthread_mutex_lock(&lock);
    has_key = has_key || pthread_key_create(&key, thread_ends) == 0;
    has_handlers =
        has_handlers || (has_key && pthread_atfork(before_fork, in_parent, in_child) == 0);
    bool done = has_handlers;
    pthread_mutex_unlock(&lock);
    return done ? 0 : -ENOMEM;
}

/* ---- seats of the calling thread ---- */

static struct distr_seat *find_seat(const struct distributor *d)
{
    if (distr_thread.own.id == d->id)
        return &distr_thread.own;
    for (unsigned i = 0; i < distr_thread.count; i++)
        if (distr_thread.seats[i].id == d->id)
            return &distr_thread.seats[i];
    return NULL;
}

/* Forgets distributors that are gone.  Under the registry's lock. */
static void prune(void)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < distr_thread.count; i++)
        if (find_living(distr_thread.seats[i].id))
            distr_thread.seats[kept++] = distr_thread.seats[i];
    distr_thread.count = kept;
}

/* Makes room for one seat more.  Under the registry's lock.  0 or -ENOMEM. */
static int make_room(void)
{
    if (distr_thread.count < distr_thread.capacity)
        return 0;
    prune();
    if (distr_thread.count * 2 <= distr_thread.capacity && distr_thread.capacity > 0)
        return 0;
    if (pthread_setspecific(key, &distr_thread) != 0)
        return -ENOMEM;
    unsigned capacity = distr_thread.capacity ? distr_thread.capacity * 2 : 4;
    struct distr_seat *seats = realloc(distr_thread.seats, capacity * sizeof *seats);
    if (!seats)
        return -ENOMEM;
    distr_thread.seats = seats;
    distr_thread.capacity = capacity;
    return 0;
}

/* Of an outside thread: the next call finds it at once. */
static void use(const struct distr_seat *seat)
{
    distributor_short_seat.id = seat->id;
    distributor_short_seat.record = distr_record_short(seat->record);
}

static void sit(struct distributor *d, struct distr_record *record)
{
    struct distr_seat seat = {.id = d->id, .record = record};

    distr_thread.seats[distr_thread.count++] = seat;
    use(&seat);
}

void distr_thread_sit(struct distributor *d, struct distr_record *record)
{
    struct distr_seat seat = {.id = d->id, .record = record};

    distr_thread.own = seat;
}

void distr_thread_rise(struct distributor *d)
{
    struct distr_seat *seat = find_seat(d);

    distributor_short_seat.id = 0;
    if (seat == &distr_thread.own)
        seat->id = 0;
    else if (seat)
        *seat = distr_thread.seats[--distr_thread.count];
    if (distr_thread.count == 0) {
        free(distr_thread.seats);
        distr_thread.seats = NULL;
        distr_thread.capacity = 0;
    }
}

bool distr_is_worker(const struct distributor *d)
{
    const struct distr_seat *seat = find_seat(d);

    return seat && seat->record->worker;
}

/* ---- rare calls ---- */

void distr_call_end(struct distributor *d)
{
    uint32_t state = distr_state(d);

    /* release: pairs with the load in destroy, after which d may be gone. */
    if (atomic_fetch_sub_explicit(&d->calls, 1, memory_order_release) == 1 &&
        (state & DISTR_DESTROYED))
        distr_futex_wake(&d->calls, 1); /* the address alone counts, nothing is read */
}

int distr_call_begin(struct distributor *d)
{
    int rc = distr_usable(d);

    if (rc == 0 && distr_in_source(d))
        rc = -EDEADLK;
    if (rc != 0)
        return rc;
    /* X1 seq_cst: pairs with the setting of DESTROYED. */
    atomic_fetch_add_explicit(&d->calls, 1, memory_order_seq_cst);
    if (!(distr_state(d) & DISTR_DESTROYED))
        return 0;
    distr_call_end(d);
    return -ESHUTDOWN;
}

/* ---- records ---- */

/* What a record has found valid before it has seen any type: nobody passes this one. */
static const distributor_task_type_t no_type;

static struct distr_group *group_with_room(struct distributor *d)
{
    struct distr_group *group = d->last;

    if (group->count < 64)
        return group;
    group = aligned_alloc(_Alignof(struct distr_group), sizeof *group);
    if (!group)
        return NULL;
    memset(group, 0, sizeof *group);
    /* L1 release: pairs with the acquire of who walks the list. */
    atomic_store_explicit(&d->last->next, group, memory_order_release);
    d->last = group;
    return group;
}

int distr_record_link(struct distributor *d, struct distr_record *record)
{
    struct distr_group *group = group_with_room(d);

    if (!group)
        return -ENOMEM;
    record->owner = d;
    record->group = group;
    record->mask = (uint64_t)1 << group->count;
    record->patience = 32;
    record->checked = &no_type;
    /* L1 release: pairs with the acquire of who walks the list. */
    atomic_store_explicit(&group->records[group->count], record, memory_order_release);
    group->count++;
    return 0;
}

static struct distr_record *make_record(struct distributor *d)
{
    struct distr_record *record = aligned_alloc(_Alignof(struct distr_record), sizeof *record);

    if (!record)
        return NULL;
    memset(record, 0, sizeof *record);
    int rc = distr_queue_init(&record->input, &d->pools, DISTR_SMALL, DISTR_OPEN);
    if (d->input_limit != UINT64_MAX)
        distr_queue_guard(&record->input);
    if (!d->order)
        distr_queue_allow_dense(&record->input);
    if (rc == 0) {
        pthread_mutex_lock(&d->lock);
        rc = distr_record_link(d, record);
        pthread_mutex_unlock(&d->lock);
        if (rc != 0)
            distr_pools_put(&d->pools, record->input.tail);
    }
    if (rc == 0)
        return record;
    free(record);
    return NULL;
}

/* A record for the calling thread.  Under the registry's lock. */
static struct distr_record *take_record(struct distributor *d)
{
    struct distr_record *record = d->free_records;

    if (!record)
        return make_record(d);
    d->free_records = record->next_free;
    return record;
}

int distr_record_attach(struct distributor *d, struct distr_record **record)
{
    int rc = distr_usable(d);

    if (rc != 0)
        return rc;
    struct distr_seat *seat = find_seat(d);
    if (seat) {
        if (!seat->record->worker)
            use(seat);
        *record = seat->record;
        return 0;
    }
    pthread_mutex_lock(&lock);
    rc = is_living(d) ? make_room() : -ESHUTDOWN;
    *record = rc == 0 ? take_record(d) : NULL;
    pthread_mutex_unlock(&lock);
    if (rc != 0)
        return rc;
    if (!*record)
        return -ENOMEM;
    sit(d, *record);
    return 0;
}
