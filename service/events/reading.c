/* SPDX-License-Identifier: Apache-2.0 */
/* Small readers that the types of our own and the mappings share: known members, lists of texts, fact
 * changes. */
#include <string.h>
#include "base/alloc.h"
#include "base/map.h"
#include "core/json.h"
#include "events_internal.h"

const char *const fs_filter_names[FS_FILTER_KINDS + 1] = {"subjects", "sources", "paths", "flags", NULL};

char ***fs_filter_list(struct fs_filter *filter, enum fs_filter_kind kind)
{
    char ***const lists[] = {&filter->subjects, &filter->sources, &filter->paths, &filter->flags};
    return lists[kind];
}

void fs_texts_add(struct fs_texts *texts, const char *text, size_t length)
{
    fs_vec_push(&texts->all, fs_strndup(text, length));
}

char **fs_texts_take(struct fs_texts *texts)
{
    if (!texts->all.count)
        return NULL;
    fs_vec_push(&texts->all, NULL);
    char **list = texts->all.items;
    memset(texts, 0, sizeof *texts);
    return list;
}

void fs_texts_finish(struct fs_texts *texts)
{
    for (size_t i = 0; i < texts->all.count; i++)
        fs_free(texts->all.items[i]);
    fs_vec_finish(&texts->all);
}

bool fs_fact_name_valid(const char *name)
{
    size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return length > 0 && length <= 64 && !name[length];
}

bool fs_subject_check(const char *subject, size_t length, size_t limit, struct fs_err *err)
{
    if (!length)
        return fs_fail(err, FS_ERR_INVALID, "the subject is empty");
    if (length > limit)
        return fs_fail(err, FS_ERR_TOO_LARGE, "a subject has at most %zu bytes", limit);
    if (strlen(subject) != length)
        return fs_fail(err, FS_ERR_INVALID, "a subject may not hold the character U+0000");
    return true;
}

void fs_event_add_fact(struct fs_event *event, const char *subject, const char *fact, json_t *value,
                       int64_t expires)
{
    /* Grows by doubling: the capacity is the least power of two, from 8 on, that holds the count. */
    size_t count = event->fact_count;
    if (count == 0 || (count >= 8 && (count & (count - 1)) == 0))
        event->facts = fs_realloc(event->facts, count ? count * 2 : 8, sizeof *event->facts);
    event->facts[event->fact_count++] =
        (struct fs_fact_change){fs_strdup(subject), fs_strdup(fact), value, expires};
}

bool fs_event_facts_differ(const struct fs_event *event, struct fs_err *err)
{
    struct fs_map seen;
    bool fine = true;
    fs_map_init(&seen);
    for (size_t i = 0; fine && i < event->fact_count; i++) {
        const struct fs_fact_change *change = &event->facts[i];
        /* A fact's name has no slash, so the first one ends it. */
        char *key = fs_format("%s/%s", change->fact, change->subject);
        if (fs_map_sets(&seen, key, event->facts))
            fine = fs_fail(
                err, FS_ERR_INVALID,
                "the fact %s of the subject %.100s stands there twice; one event says one thing about it",
                change->fact, change->subject);
        fs_free(key);
    }
    fs_map_finish(&seen, NULL);
    return fine;
}
