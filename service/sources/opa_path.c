/* SPDX-License-Identifier: Apache-2.0 */
/* Rule paths as flag files write them ("app/rbac/allow"), in the forms that OPA's URLs and Rego want. Pure
 * text. */
#include "opa_internal.h"
#include <string.h>
#include "base/str.h"

#define PATH_LIMIT 512

/* https://www.openpolicyagent.org/docs/policy-reference#reserved-names */
static const char *const keywords[] = {"as",    "contains", "data",   "default", "else",  "every",
                                       "false", "if",       "import", "in",      "input", "not",
                                       "null",  "package",  "set",    "some",    "true",  "with"};

static bool ascii_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool fs_opa_identifier(const char *text, size_t length)
{
    if (length == 0 || !ascii_letter(text[0]))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!ascii_letter(text[i]) && !ascii_digit(text[i]))
            return false;
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (fs_str_is((struct fs_str){text, length}, keywords[i]))
            return false;
    return true;
}

/* Sets `segment` to the next segment and moves `at` behind it; false at the end. */
static bool next_segment(const char **at, struct fs_str *segment)
{
    if (!*at)
        return false;
    const char *slash = strchr(*at, '/');
    segment->ptr = *at;
    segment->len = slash ? (size_t)(slash - *at) : strlen(*at);
    *at = slash ? slash + 1 : NULL;
    return true;
}

static bool segment_check(const char *path, struct fs_str segment, struct fs_err *err)
{
    if (segment.len == 0)
        return fs_fail(err, FS_ERR_FLAGS,
                       "'%s' has an empty segment: expected a rule's path such as app/rbac/allow", path);
    if (fs_str_is(segment, ".") || fs_str_is(segment, ".."))
        return fs_fail(err, FS_ERR_FLAGS, "'%s': a segment cannot be '.' or '..'", path);
    for (size_t i = 0; i < segment.len; i++) {
        unsigned char c = (unsigned char)segment.ptr[i];
        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
            return fs_fail(err, FS_ERR_FLAGS,
                           "'%s': a segment cannot hold quotes, backslashes or control characters", path);
    }
    return true;
}

bool fs_opa_path_check(const char *path, struct fs_err *err)
{
    if (strlen(path) > PATH_LIMIT)
        return fs_fail(err, FS_ERR_FLAGS, "the rule's path is over %d bytes", PATH_LIMIT);
    if (!fs_utf8_valid(path, strlen(path)))
        return fs_fail(err, FS_ERR_FLAGS, "the rule's path is no UTF-8");
    if (*path == '/' || strncmp(path, "v1/", 3) == 0 || strncmp(path, "data/", 5) == 0 ||
        strncmp(path, "data.", 5) == 0)
        return fs_fail(err, FS_ERR_FLAGS,
                       "'%s': expected the path below data, such as app/rbac/allow for data.app.rbac.allow",
                       path);
    if (!strchr(path, '/') && strchr(path, '.'))
        return fs_fail(err, FS_ERR_FLAGS,
                       "'%s': segments are separated by '/': write app/rbac/allow for data.app.rbac.allow",
                       path);
    struct fs_str segment;
    for (const char *at = path; next_segment(&at, &segment);)
        if (!segment_check(path, segment, err))
            return false;
    return true;
}

void fs_opa_path_url(struct fs_buf *out, const char *path)
{
    static const char digits[] = "0123456789ABCDEF";
    for (const char *p = path; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (ascii_letter(*p) || ascii_digit(*p) || strchr("/-.~", c)) {
            fs_buf_addc(out, *p);
        } else {
            fs_buf_addc(out, '%');
            fs_buf_addc(out, digits[c >> 4]);
            fs_buf_addc(out, digits[c & 15]);
        }
    }
}

void fs_opa_path_rego(struct fs_buf *out, const char *path)
{
    struct fs_str segment;
    fs_buf_adds(out, "data");
    for (const char *at = path; next_segment(&at, &segment);) {
        if (fs_opa_identifier(segment.ptr, segment.len)) {
            fs_buf_addc(out, '.');
            fs_buf_add(out, segment.ptr, segment.len);
        } else {
            fs_buf_addc(out, '[');
            fs_buf_add_json_string(out, segment.ptr, segment.len);
            fs_buf_addc(out, ']');
        }
    }
}

bool fs_opa_path_batchable(const char *path, const char *module_id)
{
    struct fs_str segment, first = {NULL, 0}, second = {NULL, 0};
    for (const char *at = path; next_segment(&at, &segment);) {
        size_t digits = 0;
        while (digits < segment.len && ascii_digit(segment.ptr[digits]))
            digits++;
        if (digits == segment.len)
            return false;
        if (!first.ptr)
            first = segment;
        else if (!second.ptr)
            second = segment;
    }
    return !fs_str_is(first, module_id) || (second.ptr && !fs_str_is(second, "batch"));
}
