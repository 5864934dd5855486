/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sources ask of the system, as the explorer gives it.  The linker sends the calls here
 * (--wrap, local.mk); outside a run malloc and the clock are the real ones.
 */
#include "schedule/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fence.h"
#include "base/os.h"

#define WRAP(name) __wrap_##name
#define REAL(name) __real_##name

/* ---- base/os.h, base/fence.h ---- */

int WRAP(distr_futex_wait)(_Atomic uint32_t *word, uint32_t expected, int64_t deadline);
int WRAP(distr_futex_wait)(_Atomic uint32_t *word, uint32_t expected, int64_t deadline)
{
    uint32_t now;

    memory_visit(word, false, "futex wait");
    memory_drain();
    memcpy(&now, (const void *)word, sizeof now);
    if (now != expected)
        return 0;
    if (deadline <= world.clock)
        return -ETIMEDOUT;
    return threads_block(word, "futex", deadline) ? -ETIMEDOUT : 0;
}

/* The word may be gone: only its address counts. */
void WRAP(distr_futex_wake)(_Atomic uint32_t *word, int count);
void WRAP(distr_futex_wake)(_Atomic uint32_t *word, int count)
{
    memory_drain();
    if (world.exploring) {
        threads_count_moment();
        threads_step();
    }
    threads_wake(word, count);
}

void WRAP(distr_sleep_until)(int64_t deadline);
void WRAP(distr_sleep_until)(int64_t deadline)
{
    threads_sleep(deadline);
}

void *WRAP(distr_pages_map)(size_t size);
void *WRAP(distr_pages_map)(size_t size)
{
    return memory_allocate(4096, size);
}

void WRAP(distr_pages_unmap)(void *pages, size_t size);
void WRAP(distr_pages_unmap)(void *pages, size_t size)
{
    (void)size;
    memory_free(pages);
}

unsigned WRAP(distr_cpu_count)(void);
unsigned WRAP(distr_cpu_count)(void)
{
    return world.cpus;
}

void WRAP(distr_fence_init)(void);
void WRAP(distr_fence_init)(void)
{
    distr_has_membarrier = !world.fallback;
}

/* Every thread passes a full fence while the call lasts; as a fallback, the caller alone. */
void WRAP(distr_heavy_fence)(void);
void WRAP(distr_heavy_fence)(void)
{
    if (!distr_has_membarrier) {
        distr_full_fence();
        return;
    }
    if (world.exploring) {
        threads_count_moment();
        threads_step();
    }
    for (unsigned i = 0; i < world.count; i++)
        memory_commit(&world.threads[i], world.threads[i].stored);
    trace("heavy", NULL, 0, self()->here);
}

/* ---- descriptors that are readable while they were set ---- */

#define EVENTS_MAX 4u

static uint64_t event_counts[EVENTS_MAX];
static unsigned events;

void system_reset(void)
{
    events = 0;
}

int WRAP(distr_event_make)(void);
int WRAP(distr_event_make)(void)
{
    if (events == EVENTS_MAX)
        return -EMFILE;
    event_counts[events] = 1;
    return (int)events++;
}

void WRAP(distr_event_set)(int fd);
void WRAP(distr_event_set)(int fd)
{
    memory_visit(&event_counts[fd], true, "event set");
    memory_drain();
    event_counts[fd]++;
    threads_wake(&event_counts[fd], INT32_MAX);
}

bool WRAP(distr_event_clear)(int fd);
bool WRAP(distr_event_clear)(int fd)
{
    memory_visit(&event_counts[fd], true, "event clear");
    memory_drain();
    bool was = event_counts[fd] != 0;
    event_counts[fd] = 0;
    return was;
}

void WRAP(distr_event_close)(int fd);
void WRAP(distr_event_close)(int fd)
{
    (void)fd;
}

void schedule_poll(int fd)
{
    memory_visit(&event_counts[fd], false, "poll");
    memory_drain();
    while (event_counts[fd] == 0)
        threads_block(&event_counts[fd], "poll", INT64_MAX);
}

/* ---- time ---- */

int REAL(clock_gettime)(clockid_t clock, struct timespec *now);
int WRAP(clock_gettime)(clockid_t clock, struct timespec *now);
int WRAP(clock_gettime)(clockid_t clock, struct timespec *now)
{
    if (!world.inside)
        return REAL(clock_gettime)(clock, now);
    world.clock += world.look_ns;
    now->tv_sec = world.clock / 1000000000;
    now->tv_nsec = world.clock % 1000000000;
    return 0;
}

int WRAP(nanosleep)(const struct timespec *span, struct timespec *rest);
int WRAP(nanosleep)(const struct timespec *span, struct timespec *rest)
{
    (void)rest;
    threads_sleep(world.clock + span->tv_sec * 1000000000 + span->tv_nsec);
    return 0;
}

int WRAP(sched_yield)(void);
int WRAP(sched_yield)(void)
{
    threads_yield();
    return 0;
}

/* All are on one, so that workers give way where they can. */
int WRAP(sched_getcpu)(void);
int WRAP(sched_getcpu)(void)
{
    return 0;
}

/* ---- memory ---- */

void *REAL(malloc)(size_t size);
void *WRAP(malloc)(size_t size);
void *WRAP(malloc)(size_t size)
{
    return world.inside ? memory_allocate(16, size) : REAL(malloc)(size);
}

void *REAL(calloc)(size_t count, size_t size);
void *WRAP(calloc)(size_t count, size_t size);
void *WRAP(calloc)(size_t count, size_t size)
{
    return world.inside ? memory_allocate(16, count * size) : REAL(calloc)(count, size);
}

void *WRAP(aligned_alloc)(size_t alignment, size_t size);
void *WRAP(aligned_alloc)(size_t alignment, size_t size)
{
    return memory_allocate(alignment, size);
}

void REAL(free)(void *pointer);
void WRAP(free)(void *pointer);
void WRAP(free)(void *pointer)
{
    if (pointer && !memory_free(pointer))
        REAL(free)(pointer);
}

void *REAL(realloc)(void *pointer, size_t size);
void *WRAP(realloc)(void *pointer, size_t size);
void *WRAP(realloc)(void *pointer, size_t size)
{
    if (!world.inside)
        return REAL(realloc)(pointer, size);
    void *moved = memory_allocate(16, size);
    if (pointer) {
        memcpy(moved, pointer, memory_size(pointer) < size ? memory_size(pointer) : size);
        memory_free(pointer);
    }
    return moved;
}

char *WRAP(strdup)(const char *text);
char *WRAP(strdup)(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(memory_allocate(16, size), text, size);
}

/* ---- mutexes and conditions; what they hold lies in the memory of pthread's ---- */

struct mutex {
    unsigned owner; /* thread + 1 */
    unsigned depth;
    bool recursive;
};

_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "it lies in there");

int WRAP(pthread_mutex_init)(pthread_mutex_t *memory, const pthread_mutexattr_t *attributes);
int WRAP(pthread_mutex_init)(pthread_mutex_t *memory, const pthread_mutexattr_t *attributes)
{
    struct mutex *mutex = (void *)memory;

    *mutex = (struct mutex){.recursive = attributes != NULL};
    return 0;
}

int WRAP(pthread_mutex_destroy)(pthread_mutex_t *memory);
int WRAP(pthread_mutex_destroy)(pthread_mutex_t *memory)
{
    struct mutex *mutex = (void *)memory;

    if (mutex->owner != 0)
        schedule_fail("a mutex is destroyed that thread %u holds", mutex->owner - 1);
    return 0;
}

static bool can_lock(const struct mutex *mutex)
{
    return mutex->owner == 0 || (mutex->recursive && mutex->owner == world.current + 1);
}

static int take_lock(struct mutex *mutex)
{
    mutex->owner = world.current + 1;
    mutex->depth++;
    trace("locks", mutex, mutex->depth, "lock");
    return 0;
}

int WRAP(pthread_mutex_trylock)(pthread_mutex_t *memory);
int WRAP(pthread_mutex_trylock)(pthread_mutex_t *memory)
{
    struct mutex *mutex = (void *)memory;

    memory_visit(mutex, true, "try lock");
    memory_drain();
    return can_lock(mutex) ? take_lock(mutex) : EBUSY;
}

int WRAP(pthread_mutex_lock)(pthread_mutex_t *memory);
int WRAP(pthread_mutex_lock)(pthread_mutex_t *memory)
{
    struct mutex *mutex = (void *)memory;

    memory_visit(mutex, true, "lock");
    memory_drain();
    while (!can_lock(mutex))
        threads_block(mutex, "lock", INT64_MAX);
    return take_lock(mutex);
}

int WRAP(pthread_mutex_unlock)(pthread_mutex_t *memory);
int WRAP(pthread_mutex_unlock)(pthread_mutex_t *memory)
{
    struct mutex *mutex = (void *)memory;

    memory_drain();
    if (mutex->owner != world.current + 1)
        schedule_fail("a mutex is unlocked by who does not hold it");
    if (--mutex->depth > 0)
        return 0;
    mutex->owner = 0;
    trace("unlocks", mutex, 0, "unlock");
    threads_wake(mutex, INT32_MAX);
    return 0;
}

int WRAP(pthread_cond_init)(pthread_cond_t *memory, const pthread_condattr_t *attributes);
int WRAP(pthread_cond_init)(pthread_cond_t *memory, const pthread_condattr_t *attributes)
{
    (void)attributes;
    memset((void *)memory, 0, sizeof *memory);
    return 0;
}

int WRAP(pthread_cond_destroy)(pthread_cond_t *memory);
int WRAP(pthread_cond_destroy)(pthread_cond_t *memory)
{
    (void)memory;
    return 0;
}

int WRAP(pthread_cond_wait)(pthread_cond_t *memory, pthread_mutex_t *mutex);
int WRAP(pthread_cond_wait)(pthread_cond_t *memory, pthread_mutex_t *mutex)
{
    WRAP(pthread_mutex_unlock)(mutex);
    threads_block(memory, "condition", INT64_MAX);
    return WRAP(pthread_mutex_lock)(mutex);
}

int WRAP(pthread_cond_broadcast)(pthread_cond_t *memory);
int WRAP(pthread_cond_broadcast)(pthread_cond_t *memory)
{
    memory_drain();
    threads_wake(memory, INT32_MAX);
    return 0;
}

/* ---- threads ---- */

int WRAP(pthread_create)(pthread_t *thread, const pthread_attr_t *attributes,
                         void *(*routine)(void *), void *argument);
int WRAP(pthread_create)(pthread_t *thread, const pthread_attr_t *attributes,
                         void *(*routine)(void *), void *argument)
{
    (void)attributes;
    memory_drain();
    *thread = (pthread_t)threads_create(routine, argument) + 1;
    if (world.exploring) {
        threads_count_moment();
        threads_step();
    }
    return 0;
}

int WRAP(pthread_join)(pthread_t thread, void **result);
int WRAP(pthread_join)(pthread_t thread, void **result)
{
    struct thread *joined = &world.threads[thread - 1];

    (void)result;
    memory_drain();
    while (joined->state != THREAD_DONE)
        threads_block(joined, "join", INT64_MAX);
    return 0;
}

int WRAP(pthread_detach)(pthread_t thread);
int WRAP(pthread_detach)(pthread_t thread)
{
    (void)thread;
    return 0;
}

pthread_t REAL(pthread_self)(void);
pthread_t WRAP(pthread_self)(void);
pthread_t WRAP(pthread_self)(void)
{
    return world.inside ? (pthread_t)world.current + 1 : REAL(pthread_self)();
}

void WRAP(pthread_exit)(void *result) __attribute__((noreturn));
void WRAP(pthread_exit)(void *result)
{
    (void)result;
    threads_exit();
}

int WRAP(pthread_setname_np)(pthread_t thread, const char *name);
int WRAP(pthread_setname_np)(pthread_t thread, const char *name)
{
    (void)thread, (void)name;
    return 0;
}

int WRAP(pthread_sigmask)(int how, const void *set, void *before);
int WRAP(pthread_sigmask)(int how, const void *set, void *before)
{
    (void)how, (void)set, (void)before;
    return 0;
}

int WRAP(pthread_atfork)(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int WRAP(pthread_atfork)(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    (void)prepare, (void)parent, (void)child;
    return 0;
}

/* ---- what belongs to a thread; keys are made once for all runs ---- */

static void (*destructors[KEYS_MAX])(void *value);
static unsigned keys;

int WRAP(pthread_key_create)(pthread_key_t *key, void (*destructor)(void *));
int WRAP(pthread_key_create)(pthread_key_t *key, void (*destructor)(void *))
{
    if (keys == KEYS_MAX)
        return EAGAIN;
    destructors[keys] = destructor;
    *key = keys++;
    return 0;
}

int WRAP(pthread_setspecific)(pthread_key_t key, const void *value);
int WRAP(pthread_setspecific)(pthread_key_t key, const void *value)
{
    self()->specific[key] = (void *)(uintptr_t)value;
    return 0;
}

void system_end_thread(void)
{
    for (unsigned key = 0; key < keys; key++) {
        void *value = self()->specific[key];
        self()->specific[key] = NULL;
        if (value)
            destructors[key](value);
    }
}
