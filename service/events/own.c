/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two types of our own: flagstaff.recompute and flagstaff.facts. Unknown members are refused: a
 * misspelled filter would widen a recompute to everything, a misspelled expiry would let a fact live for
 * ever.
 */
#include <string.h>
#include "base/alloc.h"
#include "core/json.h"
#include "events_internal.h"

static bool data_is_object(const struct fs_cloudevent *cloudevent, struct fs_err *err)
{
    return json_is_object(cloudevent->data) || fs_fail(err, FS_ERR_INVALID, "data: expected a JSON object");
}

static bool read_list(const json_t *list, const struct fs_events_limits *limits, char ***out,
                      struct fs_err *err)
{
    struct fs_texts texts = {0};
    size_t count = json_array_size(list), i = 0;
    if (!json_is_array(list) || count == 0)
        return fs_fail(err, FS_ERR_INVALID,
                       "expected a list of texts that is not empty; leave it out to narrow nothing");
    if (count > limits->items)
        return fs_fail(err, FS_ERR_TOO_LARGE, "at most %zu can be named", limits->items);
    for (; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        size_t length = json_string_length(item);
        if (!length || length > limits->text)
            break;
        fs_texts_add(&texts, json_string_value(item), length);
    }
    if (i == count)
        *out = fs_texts_take(&texts);
    fs_texts_finish(&texts);
    return i == count ||
           fs_fail(err, FS_ERR_INVALID, "item %zu: expected a text of 1 to %zu bytes", i, limits->text);
}

bool fs_event_read_recompute(const struct fs_cloudevent *cloudevent, const struct fs_events_limits *limits,
                             struct fs_event *event, struct fs_err *err)
{
    event->recompute = true;
    if (!cloudevent->data || json_is_null(cloudevent->data)) {
        if (cloudevent->bytes)
            return fs_fail(err, FS_ERR_INVALID, "data: expected a JSON object");
        return true;
    }
    if (!data_is_object(cloudevent, err))
        return false;
    if (!fs_json_members_known(cloudevent->data, fs_filter_names, "", FS_ERR_INVALID, err))
        return fs_fail_in(err, "data");
    for (enum fs_filter_kind kind = 0; kind < FS_FILTER_KINDS; kind++) {
        const json_t *list = json_object_get(cloudevent->data, fs_filter_names[kind]);
        if (list && !read_list(list, limits, fs_filter_list(&event->filter, kind), err))
            return fs_fail_in(err, "data.%s", fs_filter_names[kind]);
    }
    return true;
}

/* What the members of one change are read with. */
struct facts_reader {
    const struct fs_events_options *options;
    int64_t since;
    struct fs_event *event;
    struct fs_err *err;
};

static bool read_expiry(const struct facts_reader *reader, const json_t *change, int64_t *out)
{
    const json_t *expires = json_object_get(change, "expires"), *ttl = json_object_get(change, "ttl");
    int64_t duration = 0;
    *out = 0;
    if (expires && ttl)
        return fs_fail(reader->err, FS_ERR_INVALID, "ttl: give expires or ttl, not both");
    if (ttl) {
        if (!json_is_string(ttl) || !fs_parse_duration(fs_str_from(json_string_value(ttl)), &duration) ||
            duration <= 0)
            return fs_fail(reader->err, FS_ERR_INVALID, "ttl: expected a duration such as 15m or 7d");
        *out = reader->since + duration;
    } else if (expires && !json_is_null(expires)) {
        if (!json_is_string(expires) || !fs_parse_rfc3339(fs_str_from(json_string_value(expires)), out) ||
            *out <= 0)
            return fs_fail(reader->err, FS_ERR_INVALID,
                           "expires: expected RFC 3339, such as 2026-11-24T08:00:00Z");
    }
    return true;
}

static bool add_change(const struct facts_reader *reader, const char *subject, const char *fact,
                       json_t *value, int64_t expires)
{
    const struct fs_events_limits *limits = &reader->options->limits;
    if (!fs_fact_name_valid(fact))
        return fs_fail(reader->err, FS_ERR_INVALID,
                       "%.80s: a fact's name has 1 to 64 letters, digits, '_' and '-'", fact);
    if (reader->event->fact_count >= limits->facts)
        return fs_fail(reader->err, FS_ERR_TOO_LARGE, "one event changes at most %zu facts", limits->facts);
    if (value) {
        char *text = fs_json_canonical_text(value, limits->value, NULL);
        fs_free(text);
        if (!text)
            return fs_fail(reader->err, FS_ERR_TOO_LARGE, "%s: a fact's value has at most %zu bytes", fact,
                           limits->value);
    }
    fs_event_add_fact(reader->event, subject, fact, json_incref(value), value ? expires : 0);
    return true;
}

static bool read_set(const struct facts_reader *reader, const json_t *facts, const char *subject,
                     int64_t expires)
{
    const char *name;
    json_t *value;
    if (!json_is_object(facts))
        return fs_fail(reader->err, FS_ERR_INVALID, "facts: expected an object of names and values");
    json_object_foreach((json_t *)(uintptr_t)facts, name, value)
    {
        if (!add_change(reader, subject, name, json_is_null(value) ? NULL : value, expires))
            return fs_fail_in(reader->err, "facts");
    }
    return true;
}

static bool read_removed(const struct facts_reader *reader, const json_t *names, const char *subject)
{
    if (!json_is_array(names))
        return fs_fail(reader->err, FS_ERR_INVALID, "remove: expected a list of facts' names");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!name)
            return fs_fail(reader->err, FS_ERR_INVALID, "remove: item %zu: expected a fact's name", i);
        if (!add_change(reader, subject, name, NULL, 0))
            return fs_fail_in(reader->err, "remove");
    }
    return true;
}

static bool read_change(const struct facts_reader *reader, const json_t *change, const char *subject_of_event)
{
    static const char *const members[] = {"subject", "facts", "remove", "expires", "ttl", NULL};
    const json_t *facts = json_object_get(change, "facts"), *removed = json_object_get(change, "remove");
    const json_t *named = json_object_get(change, "subject");
    const char *subject = named ? json_string_value(named) : subject_of_event;
    int64_t expires = 0;
    if (!json_is_object(change))
        return fs_fail(reader->err, FS_ERR_INVALID, "expected an object");
    if (!fs_json_members_known(change, members, "", FS_ERR_INVALID, reader->err))
        return false;
    if (!subject)
        return fs_fail(reader->err, FS_ERR_INVALID,
                       named ? "subject: expected a text"
                             : "subject: whose facts? Name it here or as the event's attribute `subject`");
    if (!fs_subject_check(subject, strlen(subject), reader->options->limits.text, reader->err))
        return fs_fail_in(reader->err, "subject");
    if (!facts && !removed)
        return fs_fail(reader->err, FS_ERR_INVALID,
                       "facts: neither facts nor remove is there, so nothing would change");
    return read_expiry(reader, change, &expires) && (!facts || read_set(reader, facts, subject, expires)) &&
           (!removed || read_removed(reader, removed, subject));
}

static bool read_changes(const struct facts_reader *reader, const json_t *data, const char *subject)
{
    static const char *const members[] = {"changes", NULL};
    const json_t *changes = json_object_get(data, "changes");
    if (!fs_json_members_known(data, members, "", FS_ERR_INVALID, reader->err))
        return fs_fail_in(reader->err, "beside changes");
    if (!json_is_array(changes))
        return fs_fail(reader->err, FS_ERR_INVALID, "changes: expected a list");
    for (size_t i = 0; i < json_array_size(changes); i++)
        if (!read_change(reader, json_array_get(changes, i), subject))
            return fs_fail_in(reader->err, "changes[%zu]", i);
    return true;
}

bool fs_event_read_facts(const struct fs_cloudevent *cloudevent, const struct fs_events_options *options,
                         int64_t since, struct fs_event *event, struct fs_err *err)
{
    struct facts_reader reader = {options, since, event, err};
    const char *subject = fs_json_text(cloudevent->attributes, "subject");
    if (!data_is_object(cloudevent, err))
        return false;
    bool list = json_object_get(cloudevent->data, "changes") != NULL;
    bool fine = list ? read_changes(&reader, cloudevent->data, subject)
                     : read_change(&reader, cloudevent->data, subject);
    if (!fine)
        return fs_fail_in(err, "data");
    if (!event->fact_count)
        return fs_fail(err, FS_ERR_INVALID, "data: it changes no fact");
    return fs_event_facts_differ(event, err) || fs_fail_in(err, "data");
}
