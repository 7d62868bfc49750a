/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for the journal's thread; see job.h. */
#include "job.h"

#include <string.h>
#include "base/alloc.h"
#include "chain.h"

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static char *copy_text(char **at, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

static void destroy_message(struct fs_message *message)
{
    fs_job_destroy(FS_CONTAINER(message, struct fs_job, message));
}

static size_t texts_size(const struct fs_draft *draft)
{
    size_t size =
        FS_CHAIN_ROOM + draft->length + 1 + text_size(draft->cursor_name) + text_size(draft->cursor_value);
    for (size_t i = 0; i < draft->cell_count; i++) {
        const struct fs_entry_cell *cell = &draft->cells[i];
        size += text_size(cell->subject) + text_size(cell->context) + text_size(cell->flag);
    }
    return size;
}

struct fs_job *fs_job_create(const struct fs_draft *draft)
{
    size_t cells_size = draft->cell_count * sizeof(struct fs_entry_cell);
    struct fs_job *job = fs_alloc(sizeof *job + cells_size + texts_size(draft));
    memset(job, 0, sizeof *job);
    job->message.destroy = destroy_message;
    job->draft = *draft;
    job->draft.cells = job->store;
    char *at = (char *)(job->store + draft->cell_count);
    job->room = (unsigned char *)at;
    at += FS_CHAIN_ROOM;
    job->draft.body = at;
    if (draft->length)
        memcpy(at, draft->body, draft->length);
    at[draft->length] = 0;
    at += draft->length + 1;
    job->draft.cursor_name = copy_text(&at, draft->cursor_name);
    job->draft.cursor_value = copy_text(&at, draft->cursor_value);
    for (size_t i = 0; i < draft->cell_count; i++) {
        job->store[i].subject = copy_text(&at, draft->cells[i].subject);
        job->store[i].context = copy_text(&at, draft->cells[i].context);
        job->store[i].flag = copy_text(&at, draft->cells[i].flag);
    }
    return job;
}

struct fs_job *fs_job_create_put(struct fs_put *put)
{
    struct fs_job *job = FS_NEW(struct fs_job);
    job->message.destroy = destroy_message;
    job->put = put;
    return job;
}

void fs_job_destroy(struct fs_job *job)
{
    while (job) {
        struct fs_job *next = job->next;
        fs_free(job);
        job = next;
    }
}

void fs_put_init(struct fs_put *put, const char *name, const char *value)
{
    memset(put, 0, sizeof *put);
    put->name = name;
    put->value = value;
    pthread_mutex_init(&put->lock, NULL);
    pthread_cond_init(&put->changed, NULL);
}

void fs_put_finish(struct fs_put *put)
{
    pthread_cond_destroy(&put->changed);
    pthread_mutex_destroy(&put->lock);
}

void fs_put_settle(struct fs_put *put, bool written, const struct fs_err *err)
{
    pthread_mutex_lock(&put->lock);
    put->done = true;
    put->written = written;
    put->err = *err;
    pthread_cond_signal(&put->changed);
    pthread_mutex_unlock(&put->lock);
}

bool fs_put_wait(struct fs_put *put, struct fs_err *err)
{
    pthread_mutex_lock(&put->lock);
    while (!put->done)
        pthread_cond_wait(&put->changed, &put->lock);
    pthread_mutex_unlock(&put->lock);
    if (!put->written && err)
        *err = put->err;
    return put->written;
}
