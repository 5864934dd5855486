/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mailboxes: anybody pushes onto the worker's lock-free stack, the worker takes the whole of it at
 * once and turns it round, so that what was sent first is received first.
 */
#include "base/handover.h"
#include "pool/item.h"
#include "pool/registry.h"
#include "pool/worker.h"

static struct distr_worker *find_by_index(struct distributor *d, unsigned index)
{
    struct distr_worker *worker = NULL;

    pthread_mutex_lock(&d->lock);
    if (index < atomic_load_explicit(&d->workers, memory_order_relaxed))
        worker = d->all[index];
    pthread_mutex_unlock(&d->lock);
    return worker;
}

int distributor_find_worker(distributor_t *d, const char *name)
{
    int index = -ENOENT;

    if (!d || !name)
        return -EINVAL;
    int rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&d->lock);
    unsigned count = atomic_load_explicit(&d->workers, memory_order_relaxed);
    for (unsigned i = 0; i < count && index < 0; i++)
        if (strcmp(d->all[i]->name, name) == 0)
            index = (int)i;
    pthread_mutex_unlock(&d->lock);
    distr_call_end(d);
    return index;
}

static int send(struct distributor *d, unsigned worker, const void *message, size_t size)
{
    struct distr_worker *to = find_by_index(d, worker);
    if (!to)
        return -ENOENT;
    struct distr_mail *mail = malloc(sizeof *mail + size);
    if (!mail)
        return -ENOMEM;
    mail->size = size;
    if (size != 0)
        memcpy(mail->data, message, size);
    distr_handover_give(mail);
    distr_handover_begin();
    ck_stack_push_upmc(&to->mailbox, &mail->entry);
    distr_handover_end();
    return 0;
}

static struct distr_mail *mail_of(ck_stack_entry_t *entry)
{
    return (struct distr_mail *)(void *)((char *)entry - offsetof(struct distr_mail, entry));
}

int distributor_send(distributor_t *d, unsigned worker, const void *message, size_t size)
{
    if (!d || (size != 0 && !message))
        return -EINVAL;
    if (size > DISTRIBUTOR_MAX_SIZE - sizeof(struct distr_mail))
        return -EMSGSIZE;
    int rc = distr_call_begin(d);
    if (rc != 0)
        return rc;
    rc = send(d, worker, message, size);
    distr_call_end(d);
    return rc;
}

/* Takes all that was sent since the last time, oldest first. */
static struct distr_mail *collect(struct distr_worker *worker)
{
    struct distr_mail *oldest = NULL;

    distr_handover_begin();
    ck_stack_entry_t *entry = ck_stack_batch_pop_upmc(&worker->mailbox);
    distr_handover_end();
    while (entry) {
        struct distr_mail *mail = mail_of(entry);
        distr_handover_take(mail);
        entry = entry->next;
        mail->next = oldest;
        oldest = mail;
    }
    return oldest;
}

int distributor_receive(distributor_task_t *self, distributor_message_t *message)
{
    if (!self || !message)
        return -EINVAL;
    struct distr_worker *worker = self->worker;
    if (!worker->record.worker)
        return -EINVAL; /* a deferred task is on no worker */
    free(worker->read);
    worker->read = NULL;
    if (!worker->mail)
        worker->mail = collect(worker);
    if (!worker->mail)
        return 0;
    worker->read = worker->mail;
    worker->mail = worker->mail->next;
    *message = (distributor_message_t){.data = worker->read->size ? worker->read->data : NULL,
                                       .size = worker->read->size};
    return 1;
}

static void free_list(struct distr_mail *mail)
{
    while (mail) {
        struct distr_mail *next = mail->next;
        free(mail);
        mail = next;
    }
}

void distr_mail_drop(struct distr_worker *worker)
{
    free_list(worker->mail);
    free_list(collect(worker));
    free(worker->read);
    worker->mail = NULL;
    worker->read = NULL;
}
