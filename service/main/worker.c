/* SPDX-License-Identifier: Apache-2.0 */
/* One thread for what may block: reading and copying the journal, keys on their way to disk. It owns no
 * state. */
#include <pthread.h>
#include "base/alloc.h"
#include "daemon.h"

#define JOBS 256

struct job {
    struct fs_message message;
    void (*run)(void *arg);
    void *arg;
};

struct fs_worker {
    struct fs_queue *queue;
    pthread_t thread;
};

static void job_destroy(struct fs_message *message)
{
    fs_free(message);
}

static void *work(void *arg)
{
    struct fs_worker *worker = arg;
    while (fs_queue_wait(worker->queue, -1)) {
        struct fs_message *message = fs_queue_pop(worker->queue);
        struct job *job = FS_CONTAINER(message, struct job, message);
        job->run(job->arg);
        fs_free(job);
    }
    return NULL;
}

struct fs_worker *fs_worker_start(void)
{
    struct fs_worker *worker = FS_NEW(struct fs_worker);
    worker->queue = fs_queue_create(JOBS, NULL, NULL);
    if (pthread_create(&worker->thread, NULL, work, worker)) {
        fs_queue_destroy(worker->queue);
        fs_free(worker);
        return NULL;
    }
    return worker;
}

bool fs_worker_do(struct fs_worker *worker, void (*run)(void *arg), void *arg)
{
    struct job *job = FS_NEW(struct job);
    job->message.destroy = job_destroy;
    job->run = run;
    job->arg = arg;
    if (fs_queue_push(worker->queue, &job->message))
        return true;
    fs_free(job);
    return false;
}

void fs_worker_stop(struct fs_worker *worker)
{
    if (!worker)
        return;
    fs_queue_close(worker->queue); /* what is queued is still done: each job frees what it holds */
    pthread_join(worker->thread, NULL);
    fs_queue_destroy(worker->queue);
    fs_free(worker);
}
