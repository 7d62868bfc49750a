/* SPDX-License-Identifier: Apache-2.0 */
/* One CloudEvent in binary mode (http-protocol-binding.md section 3.1): attributes as ce- headers, the body
 * is the data. */
#include <string.h>
#include <strings.h>
#include "base/alloc.h"
#include "events_internal.h"

/* Takes the quotes off a quoted string (RFC 9110 section 5.6.4), in place. */
static bool unquote(char *text, size_t *length)
{
    if (*length == 0 || text[0] != '"')
        return true;
    size_t to = 0, from = 1;
    for (; from < *length && text[from] != '"'; from++) {
        if (text[from] == '\\' && ++from >= *length)
            return false;
        text[to++] = text[from];
    }
    if (from + 1 != *length) /* no end, or something behind it */
        return false;
    text[to] = 0;
    *length = to;
    return true;
}

/* Section 3.1.3.2: quotes first, then exactly one round of percent-decoding; what comes out must be UTF-8. */
static bool decode(const char *name, struct fs_str raw, json_t *attributes, struct fs_err *err)
{
    size_t length = raw.len;
    char *text = fs_strndup(raw.ptr, raw.len);
    bool fine = false;
    if (!unquote(text, &length))
        fs_fail(err, FS_ERR_INVALID, "ce-%s: a quoted text without its end, or with something behind it",
                name);
    else if (!fs_percent_decode(text, &length))
        fs_fail(err, FS_ERR_INVALID,
                "ce-%s: a '%%' is followed by two hexadecimal digits; the sign itself is %%25", name);
    else if (!fs_utf8_valid(text, length))
        fs_fail(err, FS_ERR_INVALID, "ce-%s: it is not UTF-8 once decoded", name);
    else
        fine = json_object_set_new(attributes, name, json_stringn(text, length)) == 0;
    fs_free(text);
    return fine;
}

static bool read_header(const struct fs_events_header *header, json_t *attributes, struct fs_err *err)
{
    char name[80] = "";
    const char *given = header->name + strlen("ce-");
    if (strlen(given) >= sizeof name)
        return fs_fail(err, FS_ERR_INVALID, "ce-%.20s...: the name is too long", given);
    for (size_t i = 0; given[i]; i++) /* names of headers have no case */
        name[i] = (char)(given[i] >= 'A' && given[i] <= 'Z' ? given[i] + ('a' - 'A') : given[i]);
    if (strcmp(name, "datacontenttype") == 0)
        return fs_fail(err, FS_ERR_INVALID,
                       "ce-datacontenttype: in binary mode the header content-type says it");
    if (!fs_attribute_name_check(name, err))
        return fs_fail_in(err, "header ce-%.64s", given);
    if (json_object_get(attributes, name))
        return fs_fail(err, FS_ERR_INVALID, "ce-%s: the header is there twice", name);
    return decode(name, fs_str_trim(fs_str_from(header->value)), attributes, err);
}

bool fs_cloudevent_read_binary(const struct fs_events_request *request, const struct fs_events_limits *limits,
                               struct fs_cloudevent *out, struct fs_err *err)
{
    out->attributes = json_object();
    for (size_t i = 0; i < request->header_count; i++)
        if (strncasecmp(request->headers[i].name, "ce-", 3) == 0 &&
            !read_header(&request->headers[i], out->attributes, err))
            return false;
    if (json_object_size(out->attributes) == 0)
        return fs_fail(err, request->content_type ? FS_ERR_UNSUPPORTED : FS_ERR_INVALID,
                       "this is no CloudEvent: send content-type application/cloudevents+json (or "
                       "application/cloudevents-batch+json), "
                       "or the headers ce-specversion, ce-id, ce-source and ce-type");
    struct fs_str media = fs_str_trim(fs_str_from(request->content_type));
    if (media.len)
        json_object_set_new(out->attributes, "datacontenttype", json_stringn(media.ptr, media.len));
    if (!fs_attributes_check(out->attributes, limits, err))
        return false;
    return fs_cloudevent_set_bytes(out, request->body, request->length,
                                   fs_media_is_json(media.len ? media.ptr : NULL), limits->depth, err);
}
