/* SPDX-License-Identifier: Apache-2.0 */
/* How values, metadata and safe variants stand in bytes. Pure; any thread. */
#include <string.h>
#include "core/json.h"
#include "value_text.h"

void fs_push_add_value(struct fs_buf *out, enum fs_type type, const json_t *value)
{
    size_t before = out->length;
    fs_json_canonical(out, value);
    if (type == FS_TYPE_FLOAT && json_is_number(value) && !out->failed &&
        strspn(out->data + before, "-0123456789") == out->length - before)
        fs_buf_adds(out, ".0");
}

void fs_push_add_name(struct fs_buf *out, const char *name)
{
    fs_buf_addc(out, ',');
    fs_buf_add_json_string(out, name, strlen(name));
    fs_buf_addc(out, ':');
}

void fs_push_add_text(struct fs_buf *out, const char *name, const char *text)
{
    fs_push_add_name(out, name);
    fs_buf_add_json_string(out, text, strlen(text));
}

bool fs_push_add_metadata(struct fs_buf *out, const json_t *metadata, bool first)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)metadata, name, value)
    {
        if (!json_is_string(value) && !json_is_number(value) && !json_is_boolean(value))
            continue; /* OpenFeature's metadata is flat */
        if (!first)
            fs_buf_addc(out, ',');
        first = false;
        fs_buf_add_json_string(out, name, strlen(name));
        fs_buf_addc(out, ':');
        fs_json_canonical(out, value);
    }
    return first;
}

static bool add_member(struct fs_buf *out, const char *name, const char *text, bool first)
{
    if (first)
        fs_buf_addf(out, "\"%s\":", name);
    else
        fs_push_add_name(out, name);
    fs_buf_add_json_string(out, text, strlen(text));
    return false;
}

void fs_push_add_own(struct fs_buf *out, const char *override, const char *error, bool first)
{
    if (override)
        first = add_member(out, "flagstaff.override", override, first);
    if (*error)
        add_member(out, "flagstaff.error", error, first);
}

const json_t *fs_push_safe_value(const struct fs_flag *flag)
{
    return flag->safe_variant >= 0 ? flag->variants[flag->safe_variant].value : flag->safe_value;
}

const char *fs_push_safe_variant(const struct fs_flag *flag)
{
    return flag->safe_variant >= 0 ? flag->variants[flag->safe_variant].name : "safe";
}
