/* SPDX-License-Identifier: Apache-2.0 */
/* --print-config: what results, as YAML, with the origin of each value behind it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "config_internal.h"

static void add_scalar(struct fs_buf *out, const char *text)
{
    fs_buf_add_json_string(out, text, strlen(text));
}

static bool sounds_secret(const char *key)
{
    static const char *const words[] = {"token", "secret", "password", "key", "credential"};
    size_t length = strlen(key);
    if (length > 4 && strcmp(key + length - 4, "File") == 0) /* a path is no secret */
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(key, words[i]))
            return true;
    return false;
}

/* A copy in which what sounds like a secret is masked. User information in URLs too. */
static json_t *masked(const json_t *value, const char *key)
{
    const char *name;
    json_t *member;
    if (json_is_object(value)) {
        json_t *copy = json_object();
        json_object_foreach((json_t *)(uintptr_t)value, name, member)
            json_object_set_new(copy, name, masked(member, name));
        return copy;
    }
    if (json_is_array(value)) {
        json_t *copy = json_array();
        for (size_t i = 0; i < json_array_size(value); i++)
            json_array_append_new(copy, masked(json_array_get(value, i), key));
        return copy;
    }
    const char *text = json_string_value(value);
    const char *host = text ? strstr(text, "://") : NULL;
    if (sounds_secret(key) || (host && memchr(host + 3, '@', strcspn(host + 3, "/"))))
        return json_string("***");
    return json_deep_copy(value);
}

static void add_json(struct fs_buf *out, const json_t *value)
{
    json_t *copy = masked(value, "");
    char *text = json_dumps(copy, JSON_ENCODE_ANY);
    fs_buf_adds(out, text ? text : "null");
    free(text); /* jansson's */
    json_decref(copy);
}

static void add_value(struct fs_buf *out, const struct fs_option *option, const struct fs_config_value *value)
{
    char duration[32];
    if (option->traits & FS_OPTION_SECRET) {
        fs_buf_adds(out, "\"***\"");
        return;
    }
    switch (option->type) {
    case FS_OPTION_TEXTS:
    case FS_OPTION_PATHS:
        fs_buf_adds(out, "[");
        for (size_t i = 0; i < value->count; i++) {
            fs_buf_adds(out, i ? ", " : "");
            add_scalar(out, value->list[i]);
        }
        fs_buf_adds(out, "]");
        break;
    case FS_OPTION_ADDRESS: {
        bool six = strchr(value->text, ':') != NULL;
        fs_buf_addf(out, "\"%s%s%s:%" PRId64 "\"", six ? "[" : "", value->text, six ? "]" : "",
                    value->number);
        break;
    }
    case FS_OPTION_DURATION:
        fs_buf_adds(out, value->number ? fs_format_duration(value->number, duration) : "0");
        break;
    case FS_OPTION_SIZE:
    case FS_OPTION_NUMBER:
        fs_buf_addi(out, value->number);
        break;
    case FS_OPTION_BOOL:
        fs_buf_adds(out, value->number ? "true" : "false");
        break;
    case FS_OPTION_JSON:
    case FS_OPTION_SOURCES:
        add_json(out, value->json);
        break;
    case FS_OPTION_TEXT:
    case FS_OPTION_PATH:
    case FS_OPTION_TIME:
    case FS_OPTION_CHOICE:
        add_scalar(out, value->text);
        break;
    }
}

static void add_origin(struct fs_buf *out, const struct fs_config *config, enum fs_option_id id)
{
    char name[64];
    switch (config->values[id].origin) {
    case FS_ORIGIN_FILE:
        fs_buf_addf(out, "  # %s:%d\n", config->file, config->values[id].line);
        break;
    case FS_ORIGIN_ENVIRONMENT:
        fs_buf_addf(out, "  # %s\n", fs_option_environment(fs_option(id), name));
        break;
    case FS_ORIGIN_ARGUMENT:
        fs_buf_addf(out, "  # %s\n", fs_option(id)->argument);
        break;
    case FS_ORIGIN_DEFAULT:
    case FS_ORIGIN_NONE:
        fs_buf_adds(out, "  # default\n");
        break;
    }
}

void fs_config_print(const struct fs_config *config, struct fs_buf *out)
{
    char group[32] = "";
    for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
        const struct fs_option *option = fs_option((enum fs_option_id)i);
        const char *dot = strchr(option->name, '.');
        size_t length = dot ? (size_t)(dot - option->name) : 0;
        if (!(option->traits & FS_OPTION_FILE) || !fs_config_has(config, (enum fs_option_id)i))
            continue;
        if (dot && (strlen(group) != length || memcmp(group, option->name, length) != 0)) {
            snprintf(group, sizeof group, "%.*s", (int)length, option->name);
            fs_buf_addf(out, "%s:\n", group);
        }
        fs_buf_addf(out, "%s%s: ", dot ? "  " : "", dot ? dot + 1 : option->name);
        add_value(out, option, &config->values[i]);
        add_origin(out, config, (enum fs_option_id)i);
    }
}
