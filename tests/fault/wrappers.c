/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that can fail, wrapped; see wrappers.h. */
#define _GNU_SOURCE
#include "wrappers.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define TABLE_SIZE (1u << 16)
#define MAX_PLACES 512
#define MAX_FAILED 16

extern const char __executable_start; /* by the linker: where the program is loaded */

/* ---- Whether a call fails ---- */

static atomic_bool armed, fired, for_ever;
static atomic_uint wanted, calls;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static const void *places[MAX_PLACES];
static unsigned place_count;
static const char *failed_names[MAX_FAILED];
static const void *failed_places[MAX_FAILED];
static unsigned failed_count;

static void remember(const char *name, const void *place)
{
    pthread_mutex_lock(&lock);
    unsigned i = 0;
    while (i < place_count && places[i] != place) {
        i++;
    }
    if (i == place_count && place_count < MAX_PLACES) {
        places[place_count++] = place;
    }
    if (failed_count < MAX_FAILED) {
        failed_names[failed_count] = name;
        failed_places[failed_count++] = place;
    }
    pthread_mutex_unlock(&lock);
}

bool wrappers_fails(const char *name, const void *place)
{
    if (!atomic_load(&armed)) {
        return false;
    }
    unsigned number = atomic_fetch_add(&calls, 1) + 1, failing = atomic_load(&wanted);
    if (failing == 0 || (atomic_load(&for_ever) ? number < failing : number != failing)) {
        return false;
    }
    atomic_store(&fired, true);
    remember(name, place);
    return true;
}

#define FAILS(name) wrappers_fails(name, __builtin_return_address(0))

void wrappers_begin(void)
{
    atomic_store(&fired, false);
    atomic_store(&calls, 0);
    failed_count = 0;
}

void wrappers_arm(unsigned failing, bool persistent)
{
    atomic_store(&wanted, failing);
    atomic_store(&for_ever, persistent);
    atomic_store(&armed, true);
}

void wrappers_disarm(void)
{
    atomic_store(&armed, false);
}

bool wrappers_fired(void)
{
    return atomic_load(&fired);
}

void wrappers_note(bool failed)
{
    atomic_store(&fired, failed);
}

static size_t offset_of(const void *place)
{
    return (size_t)((const char *)place - &__executable_start);
}

void wrappers_print_failed(void)
{
    for (unsigned i = 0; i < failed_count; i++) {
        fprintf(stderr, "  %s failed at +0x%zx\n", failed_names[i], offset_of(failed_places[i]));
    }
}

unsigned wrappers_places(void)
{
    return place_count;
}

/* ---- What is alive ---- */

static struct live {
    const void *memory; /* NULL: free; GONE: was used, look further */
    const void *place;
    size_t size;
} table[TABLE_SIZE];

static const char gone;

static unsigned slot_of(const void *memory)
{
    return (unsigned)(((uintptr_t)memory >> 4) * 2654435761u) % TABLE_SIZE;
}

void wrappers_add_live(const void *memory, size_t size, const void *place)
{
    unsigned slot = slot_of(memory);
    if (memory == NULL) {
        return;
    }
    pthread_mutex_lock(&lock);
    while (table[slot].memory != NULL && table[slot].memory != &gone) {
        slot = (slot + 1) % TABLE_SIZE;
    }
    table[slot] = (struct live){memory, place, size};
    pthread_mutex_unlock(&lock);
}

/* What the C library handed out by itself is not in the table. */
static void remove_live(const void *memory)
{
    unsigned slot = slot_of(memory);
    if (memory == NULL) {
        return;
    }
    pthread_mutex_lock(&lock);
    for (unsigned looked = 0; looked < TABLE_SIZE && table[slot].memory != NULL; looked++) {
        if (table[slot].memory == memory) {
            table[slot].memory = &gone;
            break;
        }
        slot = (slot + 1) % TABLE_SIZE;
    }
    pthread_mutex_unlock(&lock);
}

void wrappers_keep_rest(void)
{
    memset(table, 0, sizeof table);
}

bool wrappers_nothing_left(void)
{
    bool nothing = true;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < TABLE_SIZE; i++) {
        if (table[i].memory != NULL && table[i].memory != &gone) {
            fprintf(stderr, "  %zu bytes asked for at +0x%zx\n", table[i].size,
                    offset_of(table[i].place));
            nothing = false;
        }
    }
    memset(table, 0, sizeof table);
    pthread_mutex_unlock(&lock);
    return nothing;
}

/* ---- Memory ---- */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    if (FAILS("malloc")) {
        errno = ENOMEM;
        return NULL;
    }
    void *memory = __real_malloc(size);
    wrappers_add_live(memory, size, __builtin_return_address(0));
    return memory;
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    if (FAILS("calloc")) {
        errno = ENOMEM;
        return NULL;
    }
    void *memory = __real_calloc(count, size);
    wrappers_add_live(memory, count * size, __builtin_return_address(0));
    return memory;
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    if (FAILS("realloc")) {
        errno = ENOMEM;
        return NULL;
    }
    /* First: from the moment it is free another thread can be given the same address. */
    remove_live(old);
    void *memory = __real_realloc(old, size);
    wrappers_add_live(memory != NULL ? memory : old, size, __builtin_return_address(0));
    return memory;
}

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    if (FAILS("aligned_alloc")) {
        errno = ENOMEM;
        return NULL;
    }
    void *memory = __real_aligned_alloc(alignment, size);
    wrappers_add_live(memory, size, __builtin_return_address(0));
    return memory;
}

int __real_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (FAILS("posix_memalign")) {
        return ENOMEM;
    }
    int error = __real_posix_memalign(memory, alignment, size);
    if (error == 0) {
        wrappers_add_live(*memory, size, __builtin_return_address(0));
    }
    return error;
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    if (FAILS("strdup")) {
        errno = ENOMEM;
        return NULL;
    }
    char *copy = __real_strdup(text);
    wrappers_add_live(copy, strlen(text) + 1, __builtin_return_address(0));
    return copy;
}

char *__real_strndup(const char *text, size_t size);
char *__wrap_strndup(const char *text, size_t size);
char *__wrap_strndup(const char *text, size_t size)
{
    if (FAILS("strndup")) {
        errno = ENOMEM;
        return NULL;
    }
    char *copy = __real_strndup(text, size);
    wrappers_add_live(copy, size, __builtin_return_address(0));
    return copy;
}

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
    remove_live(memory);
    __real_free(memory);
}

void *__real_mmap(void *where, size_t size, int access, int flags, int file, off_t offset);
void *__wrap_mmap(void *where, size_t size, int access, int flags, int file, off_t offset);
void *__wrap_mmap(void *where, size_t size, int access, int flags, int file, off_t offset)
{
    if (FAILS("mmap")) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *memory = __real_mmap(where, size, access, flags, file, offset);
    if (memory != MAP_FAILED) {
        wrappers_add_live(memory, size, __builtin_return_address(0));
    }
    return memory;
}

int __real_munmap(void *memory, size_t size);
int __wrap_munmap(void *memory, size_t size);
int __wrap_munmap(void *memory, size_t size)
{
    remove_live(memory);
    return __real_munmap(memory, size);
}

/* ---- All else ---- */

int __real_madvise(void *memory, size_t size, int advice);
int __wrap_madvise(void *memory, size_t size, int advice);
int __wrap_madvise(void *memory, size_t size, int advice)
{
    if (FAILS("madvise")) {
        errno = ENOMEM;
        return -1;
    }
    return __real_madvise(memory, size, advice);
}

ssize_t __real_getrandom(void *bytes, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
    if (FAILS("getrandom")) {
        errno = ENOSYS;
        return -1;
    }
    return __real_getrandom(bytes, size, flags);
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (FAILS("fopen")) {
        errno = ENOMEM;
        return NULL;
    }
    return __real_fopen(path, mode);
}

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags)
{
    if (FAILS("eventfd")) {
        errno = EMFILE;
        return -1;
    }
    return __real_eventfd(count, flags);
}

int __real_sched_getaffinity(pid_t process, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t process, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t process, size_t size, cpu_set_t *set)
{
    if (FAILS("sched_getaffinity")) {
        errno = EINVAL;
        return -1;
    }
    return __real_sched_getaffinity(process, size, set);
}

/* Of the calls that have no function of their own only this one can be missing. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    long arguments[6];
    va_list list;
    va_start(list, number);
    for (unsigned i = 0; i < 6; i++) {
        arguments[i] = va_arg(list, long);
    }
    va_end(list);
    if (number == SYS_membarrier && arguments[0] == MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED &&
        FAILS("membarrier")) {
        errno = ENOSYS;
        return -1;
    }
    return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                          arguments[4], arguments[5]);
}

/* Those that return their error: one wrapper each, with the arguments handed on. */
#define RETURNS_ERROR(name, error, parameters, arguments)                                          \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        return FAILS(#name) ? (error) : __real_##name arguments;                                   \
    }

RETURNS_ERROR(pthread_create, EAGAIN,
              (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *),
               void *argument),
              (thread, attributes, run, argument))
RETURNS_ERROR(pthread_key_create, EAGAIN, (pthread_key_t * key, void (*destroy)(void *)),
              (key, destroy))
RETURNS_ERROR(pthread_setspecific, ENOMEM, (pthread_key_t key, const void *value), (key, value))
RETURNS_ERROR(pthread_attr_init, ENOMEM, (pthread_attr_t * attributes), (attributes))
RETURNS_ERROR(pthread_mutexattr_init, ENOMEM, (pthread_mutexattr_t * attributes), (attributes))
RETURNS_ERROR(pthread_mutex_init, ENOMEM,
              (pthread_mutex_t * mutex, const pthread_mutexattr_t *attributes),
              (mutex, attributes))
RETURNS_ERROR(pthread_cond_init, ENOMEM,
              (pthread_cond_t * condition, const pthread_condattr_t *attributes),
              (condition, attributes))
RETURNS_ERROR(pthread_atfork, ENOMEM,
              (void (*prepare)(void), void (*parent)(void), void (*child)(void)),
              (prepare, parent, child))
