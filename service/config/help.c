/* SPDX-License-Identifier: Apache-2.0 */
/* The section "Options" of --help. */
#include <string.h>
#include "base/alloc.h"
#include "config/option.h"

static void add_indent(struct fs_buf *out, size_t indent)
{
    fs_buf_addf(out, "%*s", (int)indent, "");
}

void fs_text_wrap(struct fs_buf *out, const char *text, size_t indent, size_t width)
{
    size_t column = 0;
    for (const char *at = text; *at;) {
        size_t word = strcspn(at, " ");
        if (column && indent + column + 1 + word > width) {
            fs_buf_addc(out, '\n');
            column = 0;
        }
        if (column == 0)
            add_indent(out, indent);
        else
            fs_buf_addc(out, ' ');
        column += word + (column > 0);
        fs_buf_add(out, at, word);
        at += word;
        at += strspn(at, " ");
    }
    fs_buf_addc(out, '\n');
}

void fs_option_describe(const struct fs_option *option, enum fs_command command, struct fs_buf *out)
{
    const char *name = fs_command_name(command);
    size_t before = out->length;
    for (const char *at = option->help; *at;) {
        const char *end = strstr(at, " | ");
        size_t length = end ? (size_t)(end - at) : strlen(at), word = strcspn(at, ": ");
        char *first = fs_strndup(at, word);
        enum fs_command of;
        bool special = at[word] == ':' && fs_command_parse(first, &of);
        bool ours = !special || strcmp(first, name) == 0;
        size_t skip = special ? word + 2 : 0;
        if (ours && out->length > before)
            fs_buf_addc(out, ' ');
        if (ours)
            fs_buf_add(out, at + skip, length - skip);
        fs_free(first);
        at += length + (end ? 3 : 0);
    }
}

static void add_option(struct fs_buf *out, const struct fs_option *option, enum fs_command command,
                       size_t width)
{
    char name[64];
    const char *variable = fs_option_environment(option, name);
    struct fs_buf text;
    fs_buf_init(&text, 8192);
    fs_option_describe(option, command, &text);
    if (option->initial)
        fs_buf_addf(&text, " [default: %s]", option->initial);
    if (variable && option->argument)
        fs_buf_addf(&text, " [env: %s]", variable);
    if (option->argument && option->letter)
        fs_buf_addf(out, "  -%c, %s", option->letter, option->argument);
    else
        fs_buf_addf(out, "      %s", option->argument ? option->argument : variable);
    if (option->unit && option->argument)
        fs_buf_addf(out, " %s", option->unit);
    fs_buf_addc(out, '\n');
    fs_text_wrap(out, text.data, 10, width);
    fs_buf_finish(&text);
}

/* Those of all commands that talk to a daemon: they come last. */
static bool is_common(enum fs_option_id id)
{
    return (id >= FS_OPT_URL && id <= FS_OPT_COLOR) || id == FS_OPT_HELP;
}

void fs_option_help(enum fs_command command, size_t width, struct fs_buf *out)
{
    size_t others = 0;
    fs_buf_adds(out, "Options:\n");
    for (unsigned k = 0; k < 2 * FS_OPT_COUNT; k++) {
        enum fs_option_id i = (enum fs_option_id)(k % FS_OPT_COUNT);
        const struct fs_option *option = fs_option(i);
        bool shown = option->argument || (option->traits & FS_OPTION_SECRET);
        if (!fs_option_is_of(option, command) || is_common(i) != (k >= FS_OPT_COUNT))
            continue;
        if (shown)
            add_option(out, option, command, width);
        else
            others++;
    }
    if (others)
        fs_buf_adds(out, "\nThe configuration file has more: see docs/configuration.md.\n");
}
