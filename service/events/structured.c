/* SPDX-License-Identifier: Apache-2.0 */
/* One CloudEvent in the JSON format (json-format.md): attributes as members, `data` or `data_base64`. */
#include <string.h>
#include "base/alloc.h"
#include "core/json.h"
#include "events_internal.h"

bool fs_cloudevent_set_bytes(struct fs_cloudevent *event, const char *bytes, size_t length, bool json,
                             size_t depth, struct fs_err *err)
{
    if (length == 0)
        return true;
    if (json) {
        event->data = fs_json_read(bytes, length, depth, err);
        return event->data || fs_fail_in(err, "the data is not JSON, as its content type says");
    }
    if (fs_utf8_valid(bytes, length) && !memchr(bytes, 0, length)) {
        event->data = json_stringn(bytes, length);
        return true;
    }
    event->bytes = fs_strndup(bytes, length);
    event->byte_count = length;
    return true;
}

static bool read_base64(const json_t *value, bool json, size_t depth, struct fs_cloudevent *out,
                        struct fs_err *err)
{
    if (!json_is_string(value))
        return fs_fail(err, FS_ERR_INVALID, "data_base64: expected a text");
    size_t length = 0;
    char *bytes = fs_alloc(json_string_length(value) + 1);
    bool fine = false;
    if (!fs_base64_decode((struct fs_str){json_string_value(value), json_string_length(value)}, bytes,
                          &length))
        fs_fail(err, FS_ERR_INVALID, "data_base64: this is not base64 (RFC 4648 section 4, with padding)");
    else
        fine = fs_cloudevent_set_bytes(out, bytes, length, json, depth, err);
    fs_free(bytes);
    return fine;
}

static bool read_data(const json_t *json, const struct fs_events_limits *limits, struct fs_cloudevent *out,
                      struct fs_err *err)
{
    const char *media = fs_json_text(out->attributes, "datacontenttype");
    json_t *data = json_object_get(json, "data");
    const json_t *base64 = json_object_get(json, "data_base64");
    if (json_is_null(base64))
        base64 = NULL;
    if (base64 && data)
        return fs_fail(err, FS_ERR_INVALID, "data_base64: an event has data or data_base64, not both");
    if (base64)
        return read_base64(base64, media && fs_media_is_json(media), limits->depth, out, err);
    if (data && !fs_media_is_json(media) && !json_is_string(data))
        return fs_fail(err, FS_ERR_INVALID, "data: of the type %.60s it must be a text", media);
    out->data = json_incref(data);
    return true;
}

bool fs_cloudevent_read_structured(const json_t *json, const struct fs_events_limits *limits,
                                   struct fs_cloudevent *out, struct fs_err *err)
{
    const char *name;
    json_t *value;
    if (!json_is_object(json))
        return fs_fail(err, FS_ERR_INVALID,
                       json_is_array(json) ? "an event is a JSON object; the content type of a batch is "
                                             "application/cloudevents-batch+json"
                                           : "an event is a JSON object");
    out->attributes = json_object();
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        bool is_data = strcmp(name, "data") == 0 || strcmp(name, "data_base64") == 0;
        if (!is_data && !json_is_null(value)) /* null means absent */
            json_object_set(out->attributes, name, value);
    }
    return fs_attributes_check(out->attributes, limits, err) && read_data(json, limits, out, err);
}
