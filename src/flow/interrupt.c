/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ctrl-C for a program that runs graphs.  A signal belongs to the whole process, and so does what
 * stands here: which graph is to be cancelled, and what was there before.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include <distributor/graph.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of those who call, not of the handler */
static struct sigaction former;                          /* under the lock */
static bool is_installed;                                /* under the lock */
static _Atomic(distributor_graph_t *) target; /* written under the lock, read by the handler */
static atomic_int came;   /* how many signals since it was installed */
static atomic_int inside; /* handlers that may hold the target */

static void on_interrupt(int number)
{
    int error = errno;

    if (atomic_fetch_add_explicit(&came, 1, memory_order_relaxed) > 0) /* relaxed: a count alone */
        _exit(128 + number);
    /* J1, seq_cst with J2: who takes the target away either sees this count, or is seen here. */
    atomic_fetch_add(&inside, 1);
    distributor_graph_t *graph = atomic_load(&target);
    if (graph)
        distributor_graph_cancel(graph);
    atomic_fetch_sub_explicit(&inside, 1, memory_order_release); /* pairs with the wait in remove */
    errno = error;
}

static int install(distributor_graph_t *graph)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};

    if (is_installed)
        return -EBUSY;
    sigemptyset(&action.sa_mask);
    atomic_store_explicit(&came, 0, memory_order_relaxed); /* relaxed: sigaction comes after it */
    atomic_store(&target, graph);
    sigaction(SIGINT, &action, &former); /* fails for other signals alone */
    is_installed = true;
    return 0;
}

static int remove_handler(void)
{
    if (!is_installed)
        return 0;
    sigaction(SIGINT, &former, NULL);
    is_installed = false;
    atomic_store(&target, NULL); /* J2 */
    while (atomic_load(&inside) > 0)
        sched_yield(); /* a handler on another thread: some instructions */
    return atomic_load_explicit(&came, memory_order_relaxed) > 0 ? SIGINT : 0;
}

int distributor_handle_interrupt(distributor_graph_t *graph)
{
    pthread_mutex_lock(&lock);
    int rc = graph ? install(graph) : remove_handler();
    pthread_mutex_unlock(&lock);
    return rc;
}
