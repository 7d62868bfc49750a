/* SPDX-License-Identifier: Apache-2.0 */
/* --help and docs/command-line.md: from the table of commands, the table of options and the table of errors.
 */
#include <string.h>
#include "cli_internal.h"

static void add_indented(struct fs_buf *out, const char *lines, const char *indent)
{
    for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n')
        fs_buf_addf(out, "%s%.*s\n", indent, (int)strcspn(at, "\n"), at);
}

static void add_usage(enum fs_command command, struct fs_buf *out)
{
    const char *operands = fs_cli_command(command)->operands;
    fs_buf_addf(out, "flagstaff %s%s%s [OPTION...]\n", fs_command_name(command), *operands ? " " : "",
                operands);
}

void fs_cli_help(enum fs_command command, struct fs_buf *out)
{
    const struct fs_cli_command *row = fs_cli_command(command);
    fs_buf_adds(out, "Usage: ");
    add_usage(command, out);
    fs_buf_addf(out, "\n%s\n", row->summary);
    if (*row->about) {
        fs_buf_addc(out, '\n');
        fs_text_wrap(out, row->about, 0, FS_HELP_WIDTH);
    }
    fs_buf_addc(out, '\n');
    fs_option_help(command, FS_HELP_WIDTH, out);
    fs_buf_adds(out, "\nExamples:\n");
    add_indented(out, row->examples, "  ");
}

void fs_cli_overview(struct fs_buf *out)
{
    fs_buf_adds(out, "Usage: flagstaff COMMAND [OPTION...]\n\nLive access decisions as OpenFeature flags, "
                     "pushed.\n\nCommands:\n");
    for (unsigned i = 0; i < FS_COMMAND_COUNT; i++)
        fs_buf_addf(out, "  %-12s %s\n", fs_command_name((enum fs_command)i),
                    fs_cli_command((enum fs_command)i)->summary);
    fs_buf_adds(out, "\n`flagstaff COMMAND --help` says more. To begin: flagstaff serve, and in another "
                     "terminal: flagstaff watch ada\n");
}

static void add_statuses(struct fs_buf *out)
{
    static const struct {
        enum fs_err_code code;
        const char *meaning;
    } rows[] = {
#define X(code, name, http, exit_status, meaning) {code, meaning},
        FS_ERR_MAP(X)
#undef X
    };
    for (int status = 0; status <= 8; status++) {
        bool first = true;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            if (fs_err_exit(rows[i].code) != status)
                continue;
            if (first)
                fs_buf_addf(out, "| %d | %s", status, rows[i].meaning);
            else
                fs_buf_addf(out, "; %s", rows[i].meaning);
            first = false;
        }
        if (!first)
            fs_buf_adds(out, " |\n");
    }
}

void fs_cli_document(struct fs_buf *out)
{
    fs_buf_adds(out, "# The command line\n\n"
                     "<!-- Made from the tables of commands and options: FLAGSTAFF_WRITE_DOCS=1 "
                     "build/dev/tests/test_cli_help -->\n\n"
                     "One binary. `serve` is the daemon; `check`, `verify` and `version` work by themselves; "
                     "all others ask a daemon, at `--url` and with a key "
                     "where it wants one.\n\n"
                     "Data goes to standard output, words to standard error. Tables are for people; "
                     "`--output json` gives programs one document, or one "
                     "object a line where it streams. Colour is used on a terminal only, never without words "
                     "that say the same. Times are UTC.\n\n"
                     "| exit status | meaning |\n|---|---|\n");
    add_statuses(out);
    for (unsigned i = 0; i < FS_COMMAND_COUNT; i++) {
        fs_buf_addf(out, "\n## flagstaff %s\n\n```\n", fs_command_name((enum fs_command)i));
        fs_cli_help((enum fs_command)i, out);
        fs_buf_adds(out, "```\n");
    }
}
