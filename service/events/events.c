/* SPDX-License-Identifier: Apache-2.0 */
/* From CloudEvents to events of ours: identity, time, type. */
#include <inttypes.h>
#include <string.h>
#include "base/alloc.h"
#include "core/json.h"
#include "events_internal.h"

#define CONTENT_MAX ((size_t)1 << 30) /* what came through the limit on bodies is far below */

static bool read_time(const struct fs_cloudevent *cloudevent, const struct fs_events_options *options,
                      int64_t *out, struct fs_err *err)
{
    const char *text = fs_json_text(cloudevent->attributes, "time");
    char span[32];
    *out = 0;
    if (!text)
        return true;
    if (!fs_parse_rfc3339(fs_str_from(text), out))
        return fs_fail(err, FS_ERR_INVALID, "time: expected RFC 3339, such as 2026-11-24T08:00:00Z");
    if (*out > options->now + FS_EVENT_AHEAD_MAX)
        return fs_fail(err, FS_ERR_INVALID,
                       "time: it lies %" PRId64
                       " s ahead of this machine's clock; more than %d s are not taken",
                       (*out - options->now) / 1000, FS_EVENT_AHEAD_MAX / 1000);
    if (*out < options->now - options->dedup)
        return fs_fail(
            err, FS_ERR_INVALID,
            "time: older than %s, for which identities are remembered: whether it is a repeat cannot be told",
            fs_format_duration(options->dedup, span));
    if (*out == 0)
        *out = 1; /* 0 says that there is no time; nobody misses this millisecond of 1970 */
    return true;
}

static bool read_mapped(const struct fs_cloudevent *cloudevent, const struct fs_events_options *options,
                        int64_t since, struct fs_event *event, struct fs_err *err)
{
    static const char *const own[] = {FS_EVENT_TYPE_RECOMPUTE, FS_EVENT_TYPE_FACTS};
    const struct fs_mapping *mapping = NULL;
    bool reserved = strncmp(event->type, "flagstaff.", strlen("flagstaff.")) == 0;
    if (!reserved)
        mapping = fs_mappings_find(options->mappings, event->type);
    if (!mapping) {
        const char *meant = fs_suggest(event->type, own, 2);
        if (meant || reserved)
            return fs_fail(err, FS_ERR_INVALID, "type: %.80s is not known: did you mean %s?", event->type,
                           meant ? meant : FS_EVENT_TYPE_RECOMPUTE " or " FS_EVENT_TYPE_FACTS);
        return fs_fail(err, FS_ERR_INVALID,
                       "type: %.80s is not mapped: no pattern of events.mappings in the configuration fits "
                       "it, and it is neither " FS_EVENT_TYPE_RECOMPUTE " nor " FS_EVENT_TYPE_FACTS,
                       event->type);
    }
    json_t *variables = json_copy(cloudevent->attributes);
    if (cloudevent->data)
        json_object_set(variables, "data", cloudevent->data);
    bool fine = fs_mapping_apply(mapping, variables, since, event, err);
    json_decref(variables);
    return fine;
}

struct fs_event *fs_event_from_cloudevent(const struct fs_cloudevent *cloudevent,
                                          const struct fs_events_options *options, struct fs_err *err)
{
    struct fs_event *event = FS_NEW(struct fs_event);
    event->id = fs_strdup(fs_json_text(cloudevent->attributes, "id"));
    event->source = fs_strdup(fs_json_text(cloudevent->attributes, "source"));
    event->type = fs_strdup(fs_json_text(cloudevent->attributes, "type"));
    event->credential = fs_strdup(options->credential);
    bool fine = read_time(cloudevent, options, &event->time, err);
    if (fine) {
        int64_t since = event->time ? event->time : options->now;
        if (strcmp(event->type, FS_EVENT_TYPE_RECOMPUTE) == 0)
            fine = fs_event_read_recompute(cloudevent, &options->limits, event, err);
        else if (strcmp(event->type, FS_EVENT_TYPE_FACTS) == 0)
            fine = fs_event_read_facts(cloudevent, options, since, event, err);
        else
            fine = read_mapped(cloudevent, options, since, event, err);
    }
    if (fine)
        return event;
    fs_event_destroy(event);
    return NULL;
}

/* Of all that was said, but not of how it came here: tracing's attributes differ from one try to the next. */
static struct fs_sha256 content_of(const struct fs_cloudevent *cloudevent)
{
    json_t *content = json_copy(cloudevent->attributes);
    json_object_del(content, "traceparent");
    json_object_del(content, "tracestate");
    if (cloudevent->data)
        json_object_set(content, "data", cloudevent->data);
    if (cloudevent->bytes) {
        struct fs_sha256 digest = fs_sha256(cloudevent->bytes, cloudevent->byte_count);
        char hex[FS_SHA256_SIZE * 2 + 1];
        json_object_set_new(content, "data_digest",
                            json_string(fs_hex(digest.bytes, sizeof digest.bytes, hex)));
    }
    size_t length = 0;
    char *text = fs_json_canonical_text(content, CONTENT_MAX, &length);
    struct fs_sha256 digest = fs_sha256(text ? text : "", length);
    fs_free(text);
    json_decref(content);
    return digest;
}

static bool read_all(const struct fs_cloudevents *cloudevents, bool batch,
                     const struct fs_events_options *options, struct fs_events *out, struct fs_err *err)
{
    out->items = fs_calloc(cloudevents->count + 1, sizeof *out->items);
    out->contents = fs_calloc(cloudevents->count + 1, sizeof *out->contents);
    for (size_t i = 0; i < cloudevents->count; i++) {
        out->items[i] = fs_event_from_cloudevent(&cloudevents->items[i], options, err);
        if (!out->items[i])
            return batch ? fs_fail_in(err, "event %zu", i) : false;
        out->count = i + 1;
        out->contents[i] = content_of(&cloudevents->items[i]);
    }
    return true;
}

bool fs_events_read(const struct fs_events_request *request, const struct fs_events_options *options,
                    struct fs_events *out, struct fs_err *err)
{
    struct fs_cloudevents cloudevents;
    memset(out, 0, sizeof *out);
    if (!fs_cloudevents_read(request, &options->limits, &cloudevents, err))
        return false;
    bool batch =
        request->content_type && fs_media_is(request->content_type, "application/cloudevents-batch+json");
    bool fine = read_all(&cloudevents, batch, options, out, err);
    fs_cloudevents_finish(&cloudevents);
    if (!fine)
        fs_events_finish(out);
    return fine;
}

void fs_events_finish(struct fs_events *events)
{
    if (!events)
        return;
    for (size_t i = 0; i < events->count; i++)
        fs_event_destroy(events->items[i]);
    fs_free(events->items);
    fs_free(events->contents);
    memset(events, 0, sizeof *events);
}
