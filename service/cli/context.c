/* SPDX-License-Identifier: Apache-2.0 */
/* From options to JSON: NAME=VALUE pairs, lists, and the context that a subject and its attributes make. */
#include <string.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "cli_internal.h"

json_t *fs_cli_pairs(const char *const *pairs, const char *option, struct fs_err *err)
{
    json_t *object = json_object();
    for (; *pairs; pairs++) {
        size_t length = strcspn(*pairs, "=");
        char *name = fs_strndup(*pairs, length);
        bool fine = length > 0 && (*pairs)[length] == '=' && !json_object_get(object, name);
        if (fine) {
            const char *text = *pairs + length + 1;
            json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
            json_object_set_new(object, name, value ? value : json_string(text));
        }
        fs_free(name);
        if (fine)
            continue;
        fs_fail(err, FS_ERR_USAGE, "%s %.60s: expected NAME=VALUE, each name once", option, *pairs);
        json_decref(object);
        return NULL;
    }
    return object;
}

void fs_cli_set_list(json_t *object, const char *name, const char *const *list)
{
    if (!*list)
        return;
    json_t *array = json_array();
    for (; *list; list++)
        json_array_append_new(array, json_string(*list));
    json_object_set_new(object, name, array);
}

bool fs_cli_ends_later(const struct fs_config *config, struct fs_err *err)
{
    char now[32];
    struct fs_clock clock = fs_clock_system();
    int64_t wall = fs_clock_now(&clock).wall;
    if (!fs_config_said(config, FS_OPT_EXPIRES) || fs_config_number(config, FS_OPT_EXPIRES) > wall)
        return true;
    return fs_fail(err, FS_ERR_USAGE, "--expires %s: that is past, it is %s: give a later time",
                   fs_config_text(config, FS_OPT_EXPIRES), fs_format_rfc3339(wall, now));
}

json_t *fs_cli_context(const struct fs_cli_call *call, const char *subject, struct fs_err *err)
{
    json_t *context = fs_cli_pairs(fs_config_list(&call->config, FS_OPT_ATTRIBUTE), "--attribute", err);
    if (!context)
        return NULL;
    if (json_object_get(context, "targetingKey")) {
        fs_fail(err, FS_ERR_USAGE,
                "--attribute targetingKey: that is the subject, which stands before the options");
        json_decref(context);
        return NULL;
    }
    json_object_set_new(context, "targetingKey", json_string(subject));
    return context;
}
