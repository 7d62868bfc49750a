/* SPDX-License-Identifier: Apache-2.0 */
/* Small things of output: colour, text of others made safe for a terminal, values and causes in one line. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/alloc.h"
#include "cli_internal.h"

bool fs_cli_json(const struct fs_cli_call *call)
{
    const char *output = fs_config_text(&call->config, FS_OPT_OUTPUT);
    return output && strcmp(output, "json") == 0;
}

/* https://no-color.org: set and not empty. */
static bool no_color(const struct fs_cli_call *call)
{
    for (char *const *at = call->environment; at && *at; at++)
        if (strncmp(*at, "NO_COLOR=", 9) == 0 && (*at)[9])
            return true;
    return false;
}

bool fs_cli_colored(const struct fs_cli_call *call)
{
    const char *color = fs_config_text(&call->config, FS_OPT_COLOR);
    if (!color || strcmp(color, "never") == 0)
        return false;
    return strcmp(color, "always") == 0 || (!no_color(call) && isatty(fileno(call->out)));
}

int fs_cli_print_json(const struct fs_cli_call *call, const json_t *json)
{
    json_dumpf(json, call->out, JSON_INDENT(2) | JSON_ENCODE_ANY);
    fputc('\n', call->out);
    return 0;
}

/* Also the two-byte controls U+0080-009F, which some terminals obey. */
char *fs_cli_clean(const char *text)
{
    struct fs_buf out;
    fs_buf_init(&out, SIZE_MAX / 4);
    size_t length = strlen(text);
    bool utf8 = fs_utf8_valid(text, length);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f || (!utf8 && *p >= 0x80)) {
            fs_buf_addf(&out, "\\x%02x", *p);
        } else if (*p == 0xc2 && p[1] < 0xa0) {
            fs_buf_addf(&out, "\\x%02x", p[1]);
            p++;
        } else {
            fs_buf_addc(&out, (char)*p);
        }
    }
    char *clean = fs_buf_take(&out, NULL);
    fs_buf_finish(&out);
    return clean ? clean : fs_strdup("");
}

char *fs_cli_value(const json_t *value)
{
    char *dumped = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    char *text = fs_strdup(dumped ? dumped : "-");
    free(dumped); /* jansson's */
    return text;
}

char *fs_cli_member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_string(value))
        return fs_strdup(json_string_value(value));
    return json_is_null(value) ? fs_strdup("-") : fs_cli_value(value);
}

char *fs_cli_subjects(const json_t *list)
{
    struct fs_buf out;
    size_t count = json_array_size(list);
    fs_buf_init(&out, 65536);
    for (size_t i = 0; i < count && i < 3; i++) {
        const char *subject = json_string_value(json_object_get(json_array_get(list, i), "subject"));
        fs_buf_addf(&out, "%s%s", i ? ", " : "", subject ? subject : "-");
    }
    if (count > 3)
        fs_buf_addf(&out, " and %zu more", count - 3);
    char *text = fs_buf_take(&out, NULL);
    fs_buf_finish(&out);
    return text ? text : fs_strdup("-");
}

char *fs_cli_cause(const json_t *cause)
{
    struct fs_buf out;
    const char *kind = json_string_value(json_object_get(cause, "kind"));
    const json_t *entries = json_object_get(cause, "entries");
    size_t shown = json_array_size(entries) < 3 ? json_array_size(entries) : 3;
    json_int_t count = json_integer_value(json_object_get(cause, "count"));
    fs_buf_init(&out, 4096);
    fs_buf_adds(&out, kind ? kind : "-");
    for (size_t i = 0; i < shown; i++)
        fs_buf_addf(&out, "%s %lld", i ? "," : "", (long long)json_integer_value(json_array_get(entries, i)));
    if (count > (json_int_t)shown)
        fs_buf_addf(&out, " and %lld more", (long long)(count - (json_int_t)shown));
    char *text = fs_buf_take(&out, NULL);
    fs_buf_finish(&out);
    return text;
}

char *fs_cli_cause_text(const json_t *holder)
{
    const char *said = json_string_value(json_object_get(holder, "causeText"));
    char *cause = fs_cli_cause(json_object_get(holder, "cause"));
    if (!said)
        return cause;
    bool again = !strncmp(said, cause, strlen(cause)); /* it says the entry itself */
    char *text = again ? fs_strdup(said) : fs_format("%s: %s", cause, said);
    fs_free(cause);
    return text;
}

void fs_cli_paint(const struct fs_cli_call *call, enum fs_color color, const char *text)
{
    static const char *const codes[] = {"", "\033[32m", "\033[31m", "\033[33m", "\033[2m"};
    bool colored = color != FS_COLOR_NONE && fs_cli_colored(call);
    fprintf(call->out, "%s%s%s", colored ? codes[color] : "", text, colored ? "\033[0m" : "");
}

enum fs_color fs_reason_color(const char *reason)
{
    if (!reason)
        return FS_COLOR_NONE;
    return strcmp(reason, "ERROR") == 0   ? FS_COLOR_BAD
           : strcmp(reason, "STALE") == 0 ? FS_COLOR_WARN
                                          : FS_COLOR_NONE;
}
