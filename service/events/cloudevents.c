/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which mode a request is in (HTTP binding section 3), and batches. The content type decides, its case does
 * not matter, and the batch's is tried first, since the structured one is its beginning.
 */
#include <string.h>
#include <strings.h>
#include "base/alloc.h"
#include "core/json.h"
#include "events_internal.h"

void fs_events_limits_init(struct fs_events_limits *limits)
{
    *limits = (struct fs_events_limits){.body = 1024 * 1024,
                                        .batch = 1000,
                                        .facts = 1000,
                                        .items = 1000,
                                        .text = 2048,
                                        .value = 16 * 1024,
                                        .depth = 32};
}

static struct fs_str media_of(const char *content_type)
{
    struct fs_str whole = fs_str_from(content_type);
    whole.len = whole.ptr ? strcspn(whole.ptr, ";") : 0;
    return fs_str_trim(whole);
}

bool fs_media_is(const char *content_type, const char *type)
{
    struct fs_str media = media_of(content_type);
    return media.len == strlen(type) && strncasecmp(media.ptr, type, media.len) == 0;
}

bool fs_media_is_json(const char *content_type)
{
    struct fs_str media = media_of(content_type);
    if (!content_type)
        return true;
    if (fs_media_is(content_type, "application/json") || fs_media_is(content_type, "text/json"))
        return true;
    return media.len > 5 && strncasecmp(media.ptr + media.len - 5, "+json", 5) == 0;
}

static bool media_starts_with(const char *content_type, const char *prefix)
{
    struct fs_str media = media_of(content_type);
    return media.len >= strlen(prefix) && strncasecmp(media.ptr, prefix, strlen(prefix)) == 0;
}

/* JSON is UTF-8 (RFC 8259 section 8.1); a charset that says otherwise is a format that we do not know. */
static bool charset_is_fine(const char *content_type, struct fs_err *err)
{
    const char *charset = strcasestr(content_type, "charset=");
    if (!charset)
        return true;
    charset += strlen("charset=");
    charset += *charset == '"';
    size_t length = strcspn(charset, "\"; \t");
    if ((length == 5 && strncasecmp(charset, "utf-8", 5) == 0) ||
        (length == 8 && strncasecmp(charset, "us-ascii", 8) == 0))
        return true;
    return fs_fail(err, FS_ERR_UNSUPPORTED, "content-type: the charset %.*s is not understood; send UTF-8",
                   (int)(length < 40 ? length : 40), charset);
}

void fs_cloudevent_finish(struct fs_cloudevent *event)
{
    json_decref(event->attributes);
    json_decref(event->data);
    fs_free(event->bytes);
    memset(event, 0, sizeof *event);
}

void fs_cloudevents_finish(struct fs_cloudevents *events)
{
    if (!events)
        return;
    for (size_t i = 0; i < events->count; i++)
        fs_cloudevent_finish(&events->items[i]);
    fs_free(events->items);
    memset(events, 0, sizeof *events);
}

static void make_room(struct fs_cloudevents *out, size_t count)
{
    out->items = fs_calloc(count, sizeof *out->items);
    out->count = count;
}

static bool read_batch(const json_t *json, const struct fs_events_limits *limits, struct fs_cloudevents *out,
                       struct fs_err *err)
{
    if (!json_is_array(json))
        return fs_fail(err, FS_ERR_INVALID,
                       "a batch is a JSON array of events; for a single one the content type is "
                       "application/cloudevents+json");
    size_t count = json_array_size(json);
    if (count > limits->batch)
        return fs_fail(err, FS_ERR_TOO_LARGE, "the batch has %zu events; at most %zu are taken at once",
                       count, limits->batch);
    if (count)
        make_room(out, count);
    for (size_t i = 0; i < count; i++)
        if (!fs_cloudevent_read_structured(json_array_get(json, i), limits, &out->items[i], err))
            return fs_fail_in(err, "event %zu", i);
    return true;
}

static bool read_json(const struct fs_events_request *request, bool batch,
                      const struct fs_events_limits *limits, struct fs_cloudevents *out, struct fs_err *err)
{
    if (!charset_is_fine(request->content_type, err))
        return false;
    json_t *json = fs_json_read(request->body, request->length, limits->depth, err);
    if (!json)
        return fs_fail_in(err, "the body is not JSON");
    bool fine = false;
    if (batch) {
        fine = read_batch(json, limits, out, err);
    } else {
        make_room(out, 1);
        fine = fs_cloudevent_read_structured(json, limits, &out->items[0], err);
    }
    json_decref(json);
    return fine;
}

static bool read_request(const struct fs_events_request *request, const struct fs_events_limits *limits,
                         struct fs_cloudevents *out, struct fs_err *err)
{
    const char *content_type = request->content_type;
    bool batch = content_type && media_starts_with(content_type, "application/cloudevents-batch");
    bool structured = content_type && media_starts_with(content_type, "application/cloudevents");
    if (request->length > limits->body)
        return fs_fail(err, FS_ERR_TOO_LARGE, "the body has more than %zu bytes", limits->body);
    if (!structured) {
        make_room(out, 1);
        return fs_cloudevent_read_binary(request, limits, &out->items[0], err);
    }
    if (!fs_media_is(content_type,
                     batch ? "application/cloudevents-batch+json" : "application/cloudevents+json"))
        return fs_fail(
            err, FS_ERR_UNSUPPORTED,
            "content-type: of CloudEvents' formats only JSON is understood: application/cloudevents+json, "
            "application/cloudevents-batch+json, or ce- headers");
    return read_json(request, batch, limits, out, err);
}

bool fs_cloudevents_read(const struct fs_events_request *request, const struct fs_events_limits *limits,
                         struct fs_cloudevents *out, struct fs_err *err)
{
    memset(out, 0, sizeof *out);
    if (read_request(request, limits, out, err))
        return true;
    fs_cloudevents_finish(out);
    return false;
}
