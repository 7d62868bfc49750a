/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's own messages to its core thread: signals, the journal's notices of commits, flag files that
 * were read. */
#include "base/alloc.h"
#include "daemon.h"
#include "entries.h"

static void destroy_message(struct fs_message *message)
{
    fs_notice_destroy(FS_CONTAINER(message, struct fs_notice, message));
}

void fs_notice_destroy(struct fs_notice *notice)
{
    fs_free(notice->commits);
    fs_flag_reading_destroy(notice->flags);
    fs_entry_tail_destroy(notice->tail);
    fs_free(notice);
}

/* What a message is stands in how it is destroyed: the inbox carries those of several parts. */
struct fs_notice *fs_notice_from(struct fs_message *message)
{
    return message->destroy == destroy_message ? FS_CONTAINER(message, struct fs_notice, message) : NULL;
}

static void post(struct fs_queue *inbox, struct fs_notice *notice)
{
    notice->message.destroy = destroy_message;
    if (!fs_queue_push_always(inbox, &notice->message))
        fs_notice_destroy(notice); /* closed: the core has ended */
}

void fs_notice_post(struct fs_queue *inbox, enum fs_notice_kind kind)
{
    struct fs_notice *notice = FS_NEW(struct fs_notice);
    notice->kind = kind;
    post(inbox, notice);
}

void fs_notice_commits(void *inbox, const struct fs_commit *commits, size_t count)
{
    struct fs_notice *notice = FS_NEW(struct fs_notice);
    notice->kind = FS_NOTICE_COMMITS;
    notice->commits = fs_calloc(count, sizeof *commits);
    memcpy(notice->commits, commits, count * sizeof *commits);
    notice->count = count;
    post(inbox, notice);
}

void fs_notice_flags(struct fs_queue *inbox, struct fs_flag_reading *reading)
{
    struct fs_notice *notice = FS_NEW(struct fs_notice);
    notice->kind = FS_NOTICE_FLAGS;
    notice->flags = reading;
    post(inbox, notice);
}

void fs_notice_entries(struct fs_queue *inbox, struct fs_entry_tail *tail)
{
    struct fs_notice *notice = FS_NEW(struct fs_notice);
    notice->kind = FS_NOTICE_ENTRIES;
    notice->tail = tail;
    post(inbox, notice);
}
