/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for the journal's thread; see job.h. */
#include "job.h"

#include <string.h>
#include "base/alloc.h"
#include "chain.h"

static void destroy_message(struct fs_message *message)
{
    fs_job_destroy(FS_CONTAINER(message, struct fs_job, message));
}

/* Where the next piece of a job goes; while `at` is NULL they are only measured. */
struct room {
    char *at;
    size_t size;
};

static void *take_room(struct room *room, const void *bytes, size_t size)
{
    char *place = room->at;
    room->size += size;
    if (!place)
        return NULL;
    room->at += size;
    return size ? memcpy(place, bytes, size) : place;
}

static const char *take_text(struct room *room, const char *text)
{
    return text ? take_room(room, text, strlen(text) + 1) : NULL;
}

static size_t count_subjects(const struct fs_draft *draft)
{
    size_t count = 0;
    while (draft->subjects && draft->subjects[count])
        count++;
    return count;
}

/* Copies all that the draft points to: arrays first, which are aligned, then what they point to. The body is
 * at the end, behind room for its number (chain.h). Called twice: to measure, and to copy. */
static void copy_draft(const struct fs_draft *draft, struct room *room, struct fs_draft *out,
                       unsigned char **chain_room)
{
    size_t subject_count = count_subjects(draft);
    struct fs_entry_cell *cells = take_room(room, draft->cells, draft->cell_count * sizeof *cells);
    struct fs_entry_text *texts = take_room(room, draft->texts, draft->text_count * sizeof *texts);
    const char **subjects = take_room(room, draft->subjects, subject_count * sizeof *subjects);
    const char **end = take_room(room, &(const char *){NULL}, sizeof *end);
    struct fs_entry_cell cell;
    struct fs_entry_text text;
    for (size_t i = 0; i < draft->cell_count; i++) {
        cell.subject = take_text(room, draft->cells[i].subject);
        cell.context = take_text(room, draft->cells[i].context);
        cell.flag = take_text(room, draft->cells[i].flag);
        if (cells)
            cells[i] = cell;
    }
    for (size_t i = 0; i < draft->text_count; i++) {
        text.name = take_text(room, draft->texts[i].name);
        text.subject = take_text(room, draft->texts[i].subject);
        text.actor = take_text(room, draft->texts[i].actor);
        text.text = take_room(room, draft->texts[i].text, draft->texts[i].length);
        text.length = draft->texts[i].length;
        if (texts)
            texts[i] = text;
    }
    for (size_t i = 0; i < subject_count; i++) {
        const char *subject = take_text(room, draft->subjects[i]);
        if (subjects)
            subjects[i] = subject;
    }
    *out = *draft;
    out->cells = cells;
    out->texts = texts;
    out->subjects = subject_count ? subjects : NULL;
    out->cursor_name = take_text(room, draft->cursor_name);
    out->cursor_value = take_text(room, draft->cursor_value);
    *chain_room = take_room(room, (const char[FS_CHAIN_ROOM]){0}, FS_CHAIN_ROOM);
    out->body = take_room(room, draft->body, draft->length);
}

struct fs_job *fs_job_create(const struct fs_draft *draft)
{
    struct room room = {0};
    struct fs_job measured;
    copy_draft(draft, &room, &measured.draft, &measured.room);
    struct fs_job *job = fs_alloc(sizeof *job + room.size);
    memset(job, 0, sizeof *job);
    job->message.destroy = destroy_message;
    job->message.bytes = room.size;
    room.at = (char *)(job + 1);
    copy_draft(draft, &room, &job->draft, &job->room);
    return job;
}

struct fs_job *fs_job_create_task(struct fs_task *task)
{
    struct fs_job *job = FS_NEW(struct fs_job);
    job->message.destroy = destroy_message;
    job->task = task;
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

void fs_task_init(struct fs_task *task,
                  bool (*run)(void *self, struct fs_journal *journal, struct fs_err *err), void *self)
{
    memset(task, 0, sizeof *task);
    task->run = run;
    task->self = self;
    pthread_mutex_init(&task->lock, NULL);
    pthread_cond_init(&task->changed, NULL);
}

void fs_task_finish(struct fs_task *task)
{
    pthread_cond_destroy(&task->changed);
    pthread_mutex_destroy(&task->lock);
}

void fs_task_settle(struct fs_task *task, bool written, const struct fs_err *err)
{
    pthread_mutex_lock(&task->lock);
    task->done = true;
    task->written = written;
    task->err = *err;
    pthread_cond_signal(&task->changed);
    pthread_mutex_unlock(&task->lock);
}

bool fs_task_wait(struct fs_task *task, struct fs_err *err)
{
    pthread_mutex_lock(&task->lock);
    while (!task->done)
        pthread_cond_wait(&task->changed, &task->lock);
    pthread_mutex_unlock(&task->lock);
    if (!task->written && err)
        *err = task->err;
    return task->written;
}
