/* SPDX-License-Identifier: Apache-2.0 */
/* The command line behind the command's name: --name VALUE, --name=VALUE, -n VALUE; "--" ends the options. */
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "config_internal.h"

static bool find(enum fs_command command, const char *name, size_t length, enum fs_option_id *out)
{
    for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
        const struct fs_option *option = fs_option((enum fs_option_id)i);
        if (!option->argument || !fs_option_is_of(option, command))
            continue;
        bool letter = length == 2 && option->letter && name[0] == '-' && name[1] == option->letter;
        if (letter || (strlen(option->argument) == length && memcmp(option->argument, name, length) == 0)) {
            *out = (enum fs_option_id)i;
            return true;
        }
    }
    return false;
}

static bool unknown(enum fs_command command, const char *name, size_t length, struct fs_err *err)
{
    const char *candidates[FS_OPT_COUNT];
    size_t count = 0;
    const char *elsewhere = "";
    char *word = fs_strndup(name, length);
    for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
        const struct fs_option *option = fs_option((enum fs_option_id)i);
        if (option->argument && fs_option_is_of(option, command))
            candidates[count++] = option->argument;
        else if (option->argument && strcmp(option->argument, word) == 0)
            elsewhere = " (it is an option of other commands)";
    }
    const char *meant = fs_suggest(word, candidates, count);
    if (command == FS_COMMAND_SERVE && (strcmp(word, "--port") == 0 || strcmp(word, "--prot") == 0))
        meant = "--listen ADDRESS:PORT"; /* what other servers call it */
    fs_fail(err, FS_ERR_USAGE, "%s: no such option of %s%s%s%s%s; see: flagstaff %s --help", word,
            fs_command_name(command), elsewhere, meant ? ", did you mean " : "", meant ? meant : "",
            meant ? "?" : "", fs_command_name(command));
    fs_free(word);
    return false;
}

static bool set(struct fs_config *config, enum fs_option_id id, const char *text, struct fs_err *err)
{
    const struct fs_option *option = fs_option(id);
    struct fs_config_value *value = &config->values[id];
    if (value->origin == FS_ORIGIN_ARGUMENT && !fs_option_is_list(option))
        return fs_fail(err, FS_ERR_USAGE, "%s: given twice", option->argument);
    if (value->origin != FS_ORIGIN_ARGUMENT)
        fs_value_finish(value); /* a list of the file or the environment is replaced, not extended */
    value->origin = FS_ORIGIN_ARGUMENT;
    if (fs_value_parse(option, text, value, err))
        return true;
    if (err)
        err->code = FS_ERR_USAGE;
    return fs_fail_in(err, "%s %s", option->argument, text);
}

static void add_positional(struct fs_config *config, const char *text)
{
    config->positional =
        fs_realloc(config->positional, config->positional_count + 2, sizeof *config->positional);
    config->positional[config->positional_count++] = fs_strdup(text);
    config->positional[config->positional_count] = NULL;
}

/* One option; `used` says how many of argv it took. */
static bool read_option(struct fs_config *config, int left, char *const *argv, int *used, struct fs_err *err)
{
    size_t length = strcspn(argv[0], "=");
    bool joined = argv[0][length] == '=';
    enum fs_option_id id;
    *used = 1;
    if (!find(config->command, argv[0], length, &id))
        return unknown(config->command, argv[0], length, err);
    if (joined)
        return set(config, id, argv[0] + length + 1, err);
    if (fs_option(id)->type == FS_OPTION_BOOL)
        return set(config, id, "true", err);
    if (left < 2)
        return fs_fail(err, FS_ERR_USAGE, "%s: expected %s behind it", argv[0], fs_option(id)->unit);
    *used = 2;
    return set(config, id, argv[1], err);
}

bool fs_config_read_arguments(struct fs_config *config, int argc, char *const *argv, struct fs_err *err)
{
    bool options = true;
    config->positional = fs_calloc(1, sizeof *config->positional);
    for (int i = 0; i < argc;) {
        int used = 1;
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (!options || argv[i][0] != '-' || !argv[i][1]) /* "-" alone is standard input */
            add_positional(config, argv[i]);
        else if (!read_option(config, argc - i, argv + i, &used, err))
            return false;
        i += used;
    }
    return true;
}
