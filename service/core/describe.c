/* SPDX-License-Identifier: Apache-2.0 */
/* Times, values and causes as JSON, the same in the journal, in receipts and in what operators see. */
#include "engine_internal.h"

void fs_describe_time(json_t *object, const char *name, int64_t wall)
{
    char text[32];
    if (wall)
        json_object_set_new(object, name, json_string(fs_format_rfc3339(wall, text)));
}

json_t *fs_describe_value(const struct fs_evaluation *value)
{
    json_t *one =
        json_pack("{s:s*, s:s}", "variant", value->variant, "reason", fs_reason_name(value->reason));
    if (value->value)
        json_object_set_new(one, "value", fs_json_share(value->value));
    if (value->error)
        json_object_set_new(one, "errorCode", json_string(fs_error_code_name(value->error)));
    if (value->detail[0])
        json_object_set_new(one, "detail", json_string(value->detail));
    if (value->override)
        json_object_set_new(
            one, "override",
            json_pack("{s:s, s:I}", "kind", value->override, "entry", (json_int_t)value->override_entry));
    return one;
}

json_t *fs_describe_cause(const struct fs_cause *cause)
{
    json_t *entries = json_array();
    for (unsigned i = 0; i < cause->count && i < FS_CAUSE_LIMIT; i++)
        json_array_append_new(entries, json_integer((json_int_t)cause->entries[i]));
    return json_pack("{s:s, s:I, s:o}", "kind", fs_cause_kind_name(cause->kind), "count",
                     (json_int_t)cause->count, "entries", entries);
}
