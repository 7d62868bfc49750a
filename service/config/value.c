/* SPDX-License-Identifier: Apache-2.0 */
/* Values of options by their types, from text and from the file; what was expected is said in the words of
 * the type. */
#include <inttypes.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "config_internal.h"

bool fs_option_is_list(const struct fs_option *option)
{
    return option->type == FS_OPTION_TEXTS || option->type == FS_OPTION_PATHS;
}

static void list_finish(struct fs_config_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        fs_free(value->list[i]);
    fs_free(value->list);
    value->list = NULL;
    value->count = 0;
}

void fs_value_finish(struct fs_config_value *value)
{
    fs_free(value->text);
    list_finish(value);
    json_decref(value->json);
    memset(value, 0, sizeof *value);
}

static void list_add(struct fs_config_value *value, char *text_owned)
{
    value->list = fs_realloc(value->list, value->count + 2, sizeof *value->list);
    value->list[value->count++] = text_owned;
    value->list[value->count] = NULL;
}

static void set_text(struct fs_config_value *value, const char *text)
{
    fs_free(value->text);
    value->text = fs_strdup(text);
}

static const char *amount(const struct fs_option *option, int64_t number, char out[32])
{
    if (option->type == FS_OPTION_DURATION)
        return fs_format_duration(number, out);
    if (option->type == FS_OPTION_SIZE && number % 1048576 == 0)
        snprintf(out, 32, "%" PRId64 "MiB", number / 1048576);
    else if (option->type == FS_OPTION_SIZE && number % 1024 == 0)
        snprintf(out, 32, "%" PRId64 "KiB", number / 1024);
    else
        snprintf(out, 32, "%" PRId64, number);
    return out;
}

static bool within(const struct fs_option *option, int64_t number, struct fs_err *err)
{
    char least[32], most[32];
    if ((!option->least && !option->most) || (number >= option->least && number <= option->most))
        return true;
    if (option->most == INT64_MAX)
        return fs_fail(err, FS_ERR_CONFIG, "expected at least %s", amount(option, option->least, least));
    return fs_fail(err, FS_ERR_CONFIG, "expected %s to %s", amount(option, option->least, least),
                   amount(option, option->most, most));
}

static bool parse_duration(const struct fs_option *option, const char *text, struct fs_config_value *value,
                           struct fs_err *err)
{
    uint64_t bare;
    if (strcmp(text, "0") == 0)
        value->number = 0;
    else if (fs_parse_u64(fs_str_from(text), &bare))
        return fs_fail(err, FS_ERR_CONFIG, "%s of what? Write %ss, or %sms, m, h, d", text, text, text);
    else if (!fs_parse_duration(fs_str_from(text), &value->number))
        return fs_fail(err, FS_ERR_CONFIG, "expected a duration such as 250ms, 30s, 10m or 7d");
    return within(option, value->number, err);
}

static bool parse_amount(const struct fs_option *option, const char *text, struct fs_config_value *value,
                         struct fs_err *err)
{
    uint64_t number = 0;
    bool size = option->type == FS_OPTION_SIZE;
    bool fine = size ? fs_parse_size(fs_str_from(text), &number) : fs_parse_u64(fs_str_from(text), &number);
    if (!fine || number > INT64_MAX)
        return fs_fail(err, FS_ERR_CONFIG,
                       size ? "expected a size such as 64KiB, 1MiB or 4096" : "expected a whole number");
    value->number = (int64_t)number;
    return within(option, value->number, err);
}

static bool parse_bool(const char *text, struct fs_config_value *value, struct fs_err *err)
{
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            value->number = (int64_t)(i % 2);
            return true;
        }
    }
    return fs_fail(err, FS_ERR_CONFIG, "expected true or false");
}

static bool parse_choice(const struct fs_option *option, const char *text, struct fs_err *err)
{
    const char *candidates[8];
    char words[8][24];
    size_t count = 0;
    for (const char *at = option->unit; *at && count < 8; at += strcspn(at, "|"), at += *at == '|') {
        snprintf(words[count], sizeof words[count], "%.*s", (int)strcspn(at, "|"), at);
        candidates[count] = words[count];
        if (strcmp(words[count++], text) == 0)
            return true;
    }
    const char *meant = fs_suggest(text, candidates, count);
    return fs_fail(err, FS_ERR_CONFIG, "expected one of %s%s%s%s", option->unit,
                   meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
}

/* "HOST:PORT"; an IPv6 address in brackets, which are taken off. */
static bool parse_address(const char *text, struct fs_config_value *value, struct fs_err *err)
{
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    if (!colon || !fs_parse_u64(fs_str_from(colon + 1), &port) || port > 65535)
        return fs_fail(err, FS_ERR_CONFIG, "expected ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080");
    size_t length = (size_t)(colon - text);
    if (length == 0)
        return fs_fail(err, FS_ERR_CONFIG,
                       "which address? 127.0.0.1%s is this machine only, 0.0.0.0%s every address of it",
                       colon, colon);
    bool brackets = text[0] == '[' && length > 2 && text[length - 1] == ']';
    if (!brackets && memchr(text, ':', length))
        return fs_fail(err, FS_ERR_CONFIG, "an IPv6 address stands in brackets: [%.*s]%s", (int)length, text,
                       colon);
    fs_free(value->text);
    value->text = brackets ? fs_strndup(text + 1, length - 2) : fs_strndup(text, length);
    value->number = (int64_t)port;
    return true;
}

static bool parse_time(const char *text, struct fs_config_value *value, struct fs_err *err)
{
    set_text(value, text);
    return fs_parse_rfc3339(fs_str_from(text), &value->number) ||
           fs_fail(err, FS_ERR_CONFIG,
                   "expected a time with its zone (RFC 3339), such as 2026-11-24T14:03:00Z");
}

bool fs_value_parse(const struct fs_option *option, const char *text, struct fs_config_value *value,
                    struct fs_err *err)
{
    if (!*text)
        return fs_fail(err, FS_ERR_CONFIG, "it is empty; leave it out or say something");
    switch (option->type) {
    case FS_OPTION_TEXTS:
    case FS_OPTION_PATHS:
        list_add(value, fs_strdup(text));
        return true;
    case FS_OPTION_TIME:
        return parse_time(text, value, err);
    case FS_OPTION_ADDRESS:
        return parse_address(text, value, err);
    case FS_OPTION_DURATION:
        return parse_duration(option, text, value, err);
    case FS_OPTION_SIZE:
    case FS_OPTION_NUMBER:
        return parse_amount(option, text, value, err);
    case FS_OPTION_BOOL:
        return parse_bool(text, value, err);
    case FS_OPTION_CHOICE:
        set_text(value, text);
        return parse_choice(option, text, err);
    case FS_OPTION_TEXT:
    case FS_OPTION_PATH:
        set_text(value, text);
        return true;
    case FS_OPTION_SOURCES:
    case FS_OPTION_JSON:
        break;
    }
    return fs_fail(err, FS_ERR_CONFIG, "it can stand in the file only");
}

char *fs_path_in(const char *folder, const char *path)
{
    if (path[0] == '/' || !*folder)
        return fs_strdup(path);
    return fs_format("%s/%s", folder, strncmp(path, "./", 2) == 0 ? path + 2 : path);
}

static bool read_item(const struct fs_option *option, const struct fs_doc_node *node, const char *folder,
                      struct fs_config_value *value, struct fs_err *err)
{
    bool path = option->type == FS_OPTION_PATH || option->type == FS_OPTION_PATHS;
    if (node->kind == FS_DOC_LIST || node->kind == FS_DOC_MAP || node->kind == FS_DOC_NULL)
        return fs_fail(err, FS_ERR_CONFIG, "expected a %s, not %s",
                       fs_option_is_list(option) ? "text" : fs_option_type_name(option->type),
                       fs_doc_kind_name(node->kind));
    if (option->type == FS_OPTION_BOOL && node->kind != FS_DOC_BOOLEAN)
        return fs_fail(err, FS_ERR_CONFIG, "expected true or false");
    char *text = path && *node->text ? fs_path_in(folder, node->text) : fs_strdup(node->text);
    bool fine = fs_value_parse(option, text, value, err);
    fs_free(text);
    return fine;
}

bool fs_value_read(const struct fs_option *option, const struct fs_doc_node *node, const char *folder,
                   struct fs_config_value *value, int *line, int *column, struct fs_err *err)
{
    *line = node->line;
    *column = node->column;
    fs_value_finish(value);
    if (option->type == FS_OPTION_JSON || option->type == FS_OPTION_SOURCES) {
        value->json = fs_doc_json(node);
        return true;
    }
    if (!fs_option_is_list(option))
        return read_item(option, node, folder, value, err);
    if (node->kind != FS_DOC_LIST)
        return fs_fail(err, FS_ERR_CONFIG, "expected a list, such as [ %s ]",
                       *node->text ? node->text : option->unit);
    for (size_t i = 0; i < node->count; i++) {
        *line = node->items[i]->line;
        *column = node->items[i]->column;
        if (!read_item(option, node->items[i], folder, value, err))
            return false;
    }
    if (!value->list) /* an empty list is said, too */
        value->list = fs_calloc(1, sizeof *value->list);
    return true;
}
