/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - a pool for as long as a function runs: tasks are submitted one by one, or a whole array is
 * mapped; and what becomes of the one that fails.
 *
 * First with plain threads, where the pool is a loop around pthread_create and pthread_join.  What
 * a thread could not do is a field that somebody has to look at.  Of a task it is a result like any
 * other: who reads the results cannot overlook it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include <distributor.h>

enum { WORKERS = 3, COUNT = 6 };

/* The work: six divided by a number, and one of the numbers is 0. */
static int divide(int number, int *quotient)
{
    if (number == 0)
        return -EDOM;
    *quotient = 6 / number;
    return 0;
}

/* ---- plain threads ---- */

struct job {
    int number, quotient;
    int error; /* nobody is told unless somebody looks */
};

static void *divide_thread(void *argument)
{
    struct job *job = argument;
    job->error = divide(job->number, &job->quotient);
    return NULL;
}

static int with_threads(void)
{
    struct job jobs[COUNT] = {{0}};
    pthread_t threads[COUNT];
    int made = 0;
    int error = 0;
    int sum = 0;
    while (made < COUNT && error == 0) {
        jobs[made].number = made;
        error = pthread_create(&threads[made], NULL, divide_thread, &jobs[made]);
        made += error == 0;
    }
    for (int i = 0; i < made; i++) {
        pthread_join(threads[i], NULL);
        sum += jobs[i].quotient; /* which is 0 where the job failed, and it goes unnoticed */
    }
    if (error == 0)
        printf("threads: the sum is %d\n", sum);
    return -error;
}

/* ---- a pool that lives as long as a function ---- */

/* Whatever body does, and however it returns, the pool is gone afterwards, and so are its threads
 * and all that was not read. */
static int with_pool(int (*body)(distributor_t *pool))
{
    distributor_options_t options = {.size = sizeof options, .workers = WORKERS};
    distributor_t *pool;
    int error = distributor_create(&pool, &options);
    if (error == 0)
        error = distributor_start(pool);
    if (error == 0)
        error = body(pool);
    distributor_destroy(pool);
    return error;
}

/* ---- submit: one task after another, results as they come ---- */

static int divide_task(distributor_task_t *self, const void *input, size_t size)
{
    int quotient;
    int error = divide(*(const int *)input, &quotient);
    (void)size;
    if (error != 0)
        return distributor_fail(self, error, "cannot divide by it");
    return distributor_emit(self, &quotient, sizeof quotient);
}

static const distributor_task_type_t divide_type = {.name = "divide", .run = divide_task};

static int submit(distributor_t *pool)
{
    distributor_result_t result;
    int sum = 0;
    int got = 0;
    for (int number = 0; number < COUNT && got == 0; number++)
        got = distributor_add_task(pool, &divide_type, &number, sizeof number);
    if (got == 0)
        got = distributor_close(pool);
    while (got == 0 && (got = distributor_next_result(pool, &result)) == 1) {
        got = 0;
        if (result.error != 0) /* its data is the input of the task */
            printf("submit: %d failed: %s\n", *(const int *)result.data, result.message);
        else
            sum += *(const int *)result.data;
    }
    if (got == 0)
        printf("submit: the sum is %d\n", sum);
    return got;
}

/* ---- map: an array at once, the quotients in the order of the numbers ---- */

static int divide_all(void *context, const void *inputs, void *outputs, size_t count)
{
    const int *numbers = inputs;
    int *quotients = outputs;
    int error = 0;
    (void)context;
    for (size_t i = 0; i < count && error == 0; i++)
        error = divide(numbers[i], &quotients[i]);
    return error;
}

static int map(distributor_t *pool)
{
    int numbers[COUNT] = {1, 2, 3, 4, 5, 6};
    int quotients[COUNT];
    int error = distributor_map(pool, divide_all, NULL, numbers, sizeof *numbers, quotients,
                                sizeof *quotients, COUNT);
    if (error != 0)
        return error;
    printf("map:");
    for (int i = 0; i < COUNT; i++)
        printf(" %d", quotients[i]);
    numbers[4] = 0;
    error = distributor_map(pool, divide_all, NULL, numbers, sizeof *numbers, quotients,
                            sizeof *quotients, COUNT);
    printf("\nmap: with a 0 among them: %s\n", distributor_strerror(error));
    return error == -EDOM ? 0 : -EINVAL;
}

int main(void)
{
    int error = with_threads();
    if (error == 0)
        error = with_pool(submit);
    if (error == 0)
        error = with_pool(map);
    if (error != 0)
        fprintf(stderr, "pool: %s\n", distributor_strerror(error));
    return error == 0 && fflush(stdout) == 0 ? 0 : 1;
}
