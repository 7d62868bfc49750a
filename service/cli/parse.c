/* SPDX-License-Identifier: Apache-2.0 */
/* From the words of a command line to a call, and from a call to the command that runs it. */
#include <string.h>
#include "cli_internal.h"

#define TEXT_LIMIT (1024 * 1024)

static void print(struct fs_cli_call *call, const struct fs_buf *text)
{
    fwrite(text->data, 1, text->length, call->out);
    call->done = true;
}

static void print_help(struct fs_cli_call *call, bool overview, enum fs_command command)
{
    struct fs_buf text;
    fs_buf_init(&text, TEXT_LIMIT);
    if (overview)
        fs_cli_overview(&text);
    else
        fs_cli_help(command, &text);
    print(call, &text);
    fs_buf_finish(&text);
}

static bool find_command(const char *word, enum fs_command *out, struct fs_err *err)
{
    if (fs_command_parse(word, out))
        return true;
    const char *meant = fs_command_suggest(word);
    return fs_fail(err, FS_ERR_USAGE, "%.60s: there is no such command%s%s%s; see: flagstaff --help", word,
                   meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "");
}

/* Words that stand for themselves, before any command. */
static bool general(struct fs_cli_call *call, int argc, char *const *argv, bool *taken, struct fs_err *err)
{
    enum fs_command command;
    *taken = true;
    if (strcmp(argv[1], "--version") == 0) {
        fs_cli_version(call, err);
        call->done = true;
    } else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        bool one = argc > 2;
        if (one && !find_command(argv[2], &command, err))
            return false;
        print_help(call, !one, one ? command : FS_COMMAND_SERVE);
    } else {
        *taken = false;
    }
    return true;
}

static bool operands_fit(const struct fs_cli_call *call, struct fs_err *err)
{
    const struct fs_cli_command *row = fs_cli_command(call->config.command);
    size_t count = call->config.positional_count;
    const char *name = fs_command_name(call->config.command);
    if (count < row->least)
        return fs_fail(err, FS_ERR_USAGE, "%s: expected %s; see: flagstaff %s --help", name, row->operands,
                       name);
    if (count > row->most && call->config.command == FS_COMMAND_SERVE)
        return fs_fail(
            err, FS_ERR_USAGE,
            "serve: %.60s is one too many: flag files are given with --flags, a configuration with --config",
            call->config.positional[row->most]);
    if (count > row->most)
        return fs_fail(err, FS_ERR_USAGE, "%s: %.60s is one too many: expected %s", name,
                       call->config.positional[row->most], *row->operands ? row->operands : "options only");
    return true;
}

static void print_config(struct fs_cli_call *call)
{
    struct fs_buf text;
    fs_buf_init(&text, TEXT_LIMIT);
    fs_config_print(&call->config, &text);
    print(call, &text);
    fs_buf_finish(&text);
}

bool fs_cli_parse_to(struct fs_cli_call *call, int argc, char *const *argv, char *const *environment,
                     FILE *out, FILE *errors, struct fs_err *err)
{
    enum fs_command command;
    bool taken;
    memset(call, 0, sizeof *call);
    call->out = out;
    call->err = errors;
    call->environment = environment;
    if (argc < 2) { /* no command: help, but not where a program looks for data */
        call->out = errors;
        call->status = fs_err_exit(FS_ERR_USAGE);
        print_help(call, true, FS_COMMAND_SERVE);
        return true;
    }
    if (!general(call, argc, argv, &taken, err))
        return false;
    if (taken)
        return true;
    if (!find_command(argv[1], &command, err))
        return false;
    if (!fs_config_load(&call->config, command, argc - 2, argv + 2, environment, err)) {
        for (size_t i = 0; i < call->config.mistakes.list.count; i++)
            fprintf(errors, "flagstaff: %s\n", call->config.mistakes.list.items[i].text);
        return false;
    }
    if (fs_config_true(&call->config, FS_OPT_HELP)) {
        print_help(call, false, command);
        return true;
    }
    if (!operands_fit(call, err))
        return false;
    if (fs_config_true(&call->config, FS_OPT_PRINT_CONFIG))
        print_config(call);
    return true;
}

bool fs_cli_parse(struct fs_cli_call *call, int argc, char *const *argv, char *const *environment,
                  struct fs_err *err)
{
    return fs_cli_parse_to(call, argc, argv, environment, stdout, stderr, err);
}

int fs_cli_run(struct fs_cli_call *call)
{
    const struct fs_cli_command *row = fs_cli_command(call->config.command);
    struct fs_err err = {0};
    int status = row->run ? row->run(call, &err) : -1;
    if (!row->run)
        fs_fail(&err, FS_ERR_GENERAL, "%s is not run here", fs_command_name(call->config.command));
    if (status >= 0 && !call->reader_gone && (fflush(call->out) != 0 || ferror(call->out))) {
        fs_fail(&err, FS_ERR_GENERAL, "the output cannot be written: %m");
        status = -1;
    }
    if (status >= 0)
        return status;
    char *text = fs_cli_clean(err.text);
    fprintf(call->err, "flagstaff %s: %s\n", fs_command_name(call->config.command), text);
    fs_free(text);
    return fs_err_exit(err.code ? err.code : FS_ERR_GENERAL);
}

void fs_cli_call_finish(struct fs_cli_call *call)
{
    if (!call)
        return;
    fs_config_finish(&call->config);
    memset(call, 0, sizeof *call);
}
