/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads - three things one does with plain threads, each beside the same with a distributor:
 * one thread that is joined, one that is detached, and many.  The work is always to square.
 *
 * A thread costs a pthread_create, and its answer has to live somewhere until the join.  A task
 * costs an entry in a queue, its input and its result are copied, and the workers are shared.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#include <distributor.h>

enum { MANY = 100 };

/* ---- the work, once for each side ---- */

struct job {
    int number; /* main writes it before the thread starts */
    int answer; /* the thread writes it, main reads it after the join */
};

static void *square_thread(void *argument)
{
    struct job *job = argument;
    job->answer = job->number * job->number;
    return NULL;
}

static int square_task(distributor_task_t *self, const void *input, size_t size)
{
    const int *number = input;
    int answer = *number * *number;
    (void)size;
    return distributor_emit(self, &answer, sizeof answer);
}

static const distributor_task_type_t square = {.name = "square", .run = square_task};

/* ---- one thread, joined ---- */

static int joined_thread(void)
{
    struct job job = {.number = 7};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, square_thread, &job);
    if (error != 0)
        return -error;
    pthread_join(thread, NULL); /* before it job.answer is not ours to read */
    printf("joined: the thread says %d\n", job.answer);
    return 0;
}

static int joined_task(distributor_t *d)
{
    int number = 7;
    distributor_result_t result;
    int error = distributor_add_task(d, &square, &number, sizeof number);
    if (error == 0)
        error = distributor_run(d, NULL); /* start and join in one */
    if (error != 0)
        return error;
    int got = distributor_next_result(d, &result);
    if (got != 1 || result.error != 0)
        return got != 1 ? -ENODATA : result.error;
    printf("joined: the task says %d\n", *(const int *)result.data);
    return 0;
}

/* ---- one thread, detached ---- */

static sem_t noted; /* never destroyed: the thread may be in sem_post for longer than main waits */

static void *note_thread(void *argument)
{
    (void)argument;
    sem_post(&noted);
    return NULL;
}

/* Nobody can join a detached thread.  When main returns the process ends, whatever the thread is
 * at: what must be done before has to be told some other way, here by a semaphore. */
static int detached_thread(void)
{
    pthread_t thread;
    if (sem_init(&noted, 0, 0) != 0)
        return -errno;
    int error = pthread_create(&thread, NULL, note_thread, NULL);
    if (error != 0)
        return -error;
    pthread_detach(thread);
    while (sem_wait(&noted) != 0 && errno == EINTR)
        continue;
    printf("detached: the thread left its note\n");
    return 0;
}

static int note_task(distributor_task_t *self, const void *input, size_t size)
{
    (void)self, (void)input, (void)size;
    return 0; /* emits nothing: nobody has to read */
}

static const distributor_task_type_t note = {.name = "note", .run = note_task};

/* The task is on its own as well, yet it cannot get lost: join accounts for every task. */
static int detached_task(distributor_t *d)
{
    distributor_summary_t summary;
    int error = distributor_start(d);
    if (error == 0)
        error = distributor_add_task(d, &note, NULL, 0); /* and forget it */
    if (error == 0)
        error = distributor_join(d, &summary);
    if (error != 0)
        return error;
    printf("detached: the distributor completed %llu of %llu\n",
           (unsigned long long)summary.completed, (unsigned long long)summary.added);
    return 0;
}

/* ---- many ---- */

/* Every thread that was made has to be joined, also when the next one could not be made. */
static int many_threads(void)
{
    struct job jobs[MANY];
    pthread_t threads[MANY];
    int made = 0;
    int error = 0;
    long sum = 0;
    while (made < MANY && error == 0) {
        jobs[made].number = made;
        error = pthread_create(&threads[made], NULL, square_thread, &jobs[made]);
        made += error == 0;
    }
    for (int i = 0; i < made; i++) {
        pthread_join(threads[i], NULL);
        sum += jobs[i].answer;
    }
    if (error == 0)
        printf("many: %d threads add up to %ld\n", made, sum);
    return -error;
}

static int many_tasks(distributor_t *d)
{
    int numbers[MANY];
    long sum = 0;
    for (int i = 0; i < MANY; i++)
        numbers[i] = i;
    ptrdiff_t added = distributor_add_tasks(d, &square, numbers, sizeof *numbers, MANY);
    if (added < 0)
        return (int)added;
    int error = distributor_run(d, NULL);
    if (error != 0)
        return error;
    distributor_result_t result;
    int got;
    while ((got = distributor_next_result(d, &result)) == 1) {
        if (result.error != 0)
            return result.error;
        sum += *(const int *)result.data;
    }
    if (got == 0)
        printf("many: %td tasks add up to %ld\n", added, sum);
    return got;
}

int main(void)
{
    distributor_options_t options = {.size = sizeof options, .workers = 2};
    distributor_t *d; /* one for all three: after a join it can be used again */
    int error = distributor_create(&d, &options);
    if (error == 0)
        error = joined_thread();
    if (error == 0)
        error = joined_task(d);
    if (error == 0)
        error = detached_thread();
    if (error == 0)
        error = detached_task(d);
    if (error == 0)
        error = many_threads();
    if (error == 0)
        error = many_tasks(d);
    if (error != 0)
        fprintf(stderr, "threads: %s\n", distributor_strerror(error));
    distributor_destroy(d);
    return error == 0 && fflush(stdout) == 0 ? 0 : 1;
}
