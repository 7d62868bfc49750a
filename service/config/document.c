/* SPDX-License-Identifier: Apache-2.0 */
/* docs/configuration.md, as it follows from the table. tests/unit/config/test_document.c holds the file
 * against it. */
#include <string.h>
#include "base/alloc.h"
#include "config/option.h"

static const char head[] =
    "# Configuration\n\n"
    "<!-- Made from the table of options (service/config/option_table.c): FLAGSTAFF_WRITE_DOCS=1 "
    "build/dev/tests/test_config_document -->\n\n"
    "Each option has one place in the file, one environment variable and, where it makes sense on a command "
    "line, one argument. Defaults give "
    "way to the file, the file to the environment, the environment to arguments; a list replaces a list. "
    "`flagstaff serve "
    "--print-config` shows what results and where each value comes from, `--check-config` says everything "
    "for which serve would not start.\n\n"
    "```yaml\n"
    "listen: 127.0.0.1:8080\n"
    "data: ./state\n"
    "flags: [flags.yaml]\n"
    "sources:\n"
    "  opa: { type: opa, url: http://127.0.0.1:8181 }\n"
    "log: { level: info, format: json }\n"
    "```\n\n"
    "The file is YAML 1.2 or JSON. Unknown keys are errors, with what was probably meant. Paths in it are "
    "relative to the file; this goes for members of "
    "a source called `...File`, too. Durations are `250ms`, `30s`, `10m`, `1h`, `7d` or `1h30m`; sizes "
    "`4096`, `64KiB`, `1MiB`. In the environment the items of a list are "
    "separated by commas, and a variable that is empty counts as not set.\n\n"
    "Secrets are never in the file and never arguments: options name files that hold them.\n";

static void add_kind(struct fs_buf *out, const struct fs_option *option)
{
    if (option->type == FS_OPTION_CHOICE) {
        for (const char *at = option->unit; *at; at += strcspn(at, "|"), at += *at == '|')
            fs_buf_addf(out, "%s`%.*s`", at == option->unit ? "" : ", ", (int)strcspn(at, "|"), at);
        return;
    }
    fs_buf_adds(out, fs_option_type_name(option->type));
}

static void add_row(struct fs_buf *out, const struct fs_option *option)
{
    char name[64];
    bool serves = fs_option_is_of(option, FS_COMMAND_SERVE);
    struct fs_buf help;
    fs_buf_init(&help, 8192);
    fs_option_describe(option, serves ? FS_COMMAND_SERVE : FS_COMMAND_GET, &help);
    const char *variable = fs_option_environment(option, name);
    fs_buf_addf(out, "| `%s` | ", option->name);
    add_kind(out, option);
    fs_buf_addf(out, " | %s%s%s | %s%s%s | %s%s%s | %s%s |\n", option->initial ? "`" : "",
                option->initial ? option->initial : "", option->initial ? "`" : "",
                option->argument ? "`" : "", option->argument ? option->argument : "",
                option->argument ? "`" : "", variable ? "`" : "", variable ? variable : "",
                variable ? "`" : "", help.data,
                option->traits & FS_OPTION_RELOADED ? " *Read again on SIGHUP.*" : "");
    fs_buf_finish(&help);
}

static void add_table(struct fs_buf *out, bool file)
{
    fs_buf_addf(out, "| %s | type | default | argument | environment | |\n|---|---|---|---|---|---|\n",
                file ? "in the file" : "option");
    for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
        const struct fs_option *option = fs_option((enum fs_option_id)i);
        bool serves = fs_option_is_of(option, FS_COMMAND_SERVE) && i != FS_OPT_HELP;
        if (file == ((option->traits & FS_OPTION_FILE) != 0) && (serves || (option->traits & FS_OPTION_ENV)))
            add_row(out, option);
    }
}

void fs_option_document(struct fs_buf *out)
{
    fs_buf_adds(out, head);
    fs_buf_adds(out, "\n## In the file\n\n");
    add_table(out, true);
    fs_buf_adds(out, "\n## Not in the file\n\nOptions of one start, and those of the commands that talk to a "
                     "daemon. What is special to one command is in "
                     "docs/command-line.md.\n\n");
    add_table(out, false);
    fs_buf_adds(out, "\n## What a running daemon takes up\n\n"
                     "On SIGHUP, and where it notices by itself that a flag file changed, the daemon reads "
                     "flags, keys' files, secrets and certificates again. Other "
                     "options need a restart.\n");
}
