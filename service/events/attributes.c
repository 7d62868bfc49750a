/* SPDX-License-Identifier: Apache-2.0 */
/* CloudEvents' attributes and their types: spec.md sections "Context Attributes" and "Type System". */
#include <limits.h>
#include <string.h>
#include "core/json.h"
#include "events_internal.h"

#define NAME_MAX_BYTES 64 /* the specification wants at most 20; nobody is refused for a little more */

bool fs_attribute_name_check(const char *name, struct fs_err *err)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
    if (length == 0 || name[length])
        return fs_fail(err, FS_ERR_INVALID,
                       "%.64s: an attribute's name has lower-case letters and digits only", name);
    if (length > NAME_MAX_BYTES)
        return fs_fail(err, FS_ERR_INVALID, "%.20s...: an attribute's name has at most %d characters", name,
                       NAME_MAX_BYTES);
    if (strcmp(name, "data") == 0)
        return fs_fail(err, FS_ERR_INVALID, "data: no attribute may have this name");
    return true;
}

/* U+0000-001F, U+007F-009F and the code points that Unicode keeps for no character. The text is UTF-8. */
static bool has_forbidden_character(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
            return true;
        if (*p == 0xef && ((p[1] == 0xb7 && p[2] >= 0x90 && p[2] <= 0xaf) || (p[1] == 0xbf && p[2] >= 0xbe)))
            return true; /* U+FDD0-FDEF, U+FFFE, U+FFFF */
        if (*p >= 0xf0 && (p[1] & 0x0f) == 0x0f && p[2] == 0xbf && p[3] >= 0xbe)
            return true; /* U+nFFFE, U+nFFFF */
    }
    return false;
}

static bool check_string(const char *name, const json_t *value, size_t limit, struct fs_err *err)
{
    const char *text = json_string_value(value);
    if (json_string_length(value) > limit)
        return fs_fail(err, FS_ERR_TOO_LARGE, "%s: more than %zu bytes", name, limit);
    if (strlen(text) != json_string_length(value) || has_forbidden_character(text))
        return fs_fail(err, FS_ERR_INVALID, "%s: control characters cannot be used in attributes", name);
    return true;
}

static bool check_type(const char *name, const json_t *value, size_t limit, struct fs_err *err)
{
    if (json_is_string(value))
        return check_string(name, value, limit, err);
    if (json_is_boolean(value))
        return true;
    if (!json_is_integer(value))
        return fs_fail(err, FS_ERR_INVALID, "%s: an attribute is a text, a boolean or a whole number", name);
    json_int_t number = json_integer_value(value);
    if (number < INT32_MIN || number > INT32_MAX)
        return fs_fail(err, FS_ERR_INVALID, "%s: whole numbers of attributes have 32 bits", name);
    return true;
}

/* A text that is not empty; NULL where the attribute is absent. */
static bool take_text(const json_t *attributes, const char *name, const char **out, struct fs_err *err)
{
    const json_t *value = json_object_get(attributes, name);
    *out = json_string_value(value);
    if (value && !*out)
        return fs_fail(err, FS_ERR_INVALID, "%s: expected a text", name);
    if (*out && !**out)
        return fs_fail(err, FS_ERR_INVALID, "%s: it is empty; leave it out or say something", name);
    return true;
}

static bool is_uri_reference(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (strchr(" \"<>\\^`{|}", *p))
            return false;
        if (*p == '%' && (!p[1] || !p[2] || !strchr("0123456789abcdefABCDEF", p[1]) ||
                          !strchr("0123456789abcdefABCDEF", p[2])))
            return false;
    }
    return true;
}

/* RFC 3986 section 3: a scheme and a colon. */
static bool is_absolute_uri(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.";
    size_t scheme = strspn(text, letters);
    return scheme > 0 && !strchr("0123456789+-.", text[0]) && text[scheme] == ':' && is_uri_reference(text);
}

/* RFC 2046: type/subtype, perhaps with parameters. */
static bool is_media_type(const char *text)
{
    static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&^_.+-";
    size_t type = strspn(text, token);
    if (type == 0 || text[type] != '/')
        return false;
    const char *subtype = text + type + 1;
    size_t length = strspn(subtype, token);
    return length > 0 && (!subtype[length] || strchr("; \t", subtype[length]));
}

static bool check_required(const json_t *attributes, struct fs_err *err)
{
    static const char *const names[] = {"specversion", "id", "source", "type"};
    const char *text;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!take_text(attributes, names[i], &text, err))
            return false;
        if (!text)
            return fs_fail(err, FS_ERR_INVALID, "%s: it is missing, and every CloudEvent has one", names[i]);
    }
    if (strcmp(fs_json_text(attributes, "specversion"), "1.0") != 0)
        return fs_fail(err, FS_ERR_INVALID, "specversion: only CloudEvents 1.0 is understood");
    if (!is_uri_reference(fs_json_text(attributes, "source")))
        return fs_fail(err, FS_ERR_INVALID, "source: expected a URI reference, such as /hr/accounts");
    return true;
}

static bool check_optional(const json_t *attributes, struct fs_err *err)
{
    const char *subject, *schema, *media, *time;
    int64_t ms;
    if (!take_text(attributes, "subject", &subject, err) ||
        !take_text(attributes, "dataschema", &schema, err) ||
        !take_text(attributes, "datacontenttype", &media, err) || !take_text(attributes, "time", &time, err))
        return false;
    if (schema && !is_absolute_uri(schema))
        return fs_fail(err, FS_ERR_INVALID, "dataschema: expected an absolute URI");
    if (media && !is_media_type(media))
        return fs_fail(err, FS_ERR_INVALID,
                       "datacontenttype: expected a media type, such as application/json");
    if (time && !fs_parse_rfc3339(fs_str_from(time), &ms))
        return fs_fail(err, FS_ERR_INVALID, "time: expected RFC 3339, such as 2026-11-24T08:00:00Z");
    return true;
}

bool fs_attributes_check(const json_t *attributes, const struct fs_events_limits *limits, struct fs_err *err)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)attributes, name, value)
    {
        if (!fs_attribute_name_check(name, err) || !check_type(name, value, limits->text, err))
            return false;
    }
    return check_required(attributes, err) && check_optional(attributes, err);
}
