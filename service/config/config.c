/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the layers together in their order of precedence, checks what options say together, and hands out
 * values. */
#include "config/config.h"
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "config_internal.h"

void fs_config_set_default(struct fs_config *config, enum fs_option_id id)
{
    const struct fs_option *option = fs_option(id);
    struct fs_config_value *value = &config->values[id];
    fs_value_finish(value);
    if (!option->initial || !fs_option_is_of(option, config->command))
        return;
    fs_value_parse(option, option->initial, value, NULL);
    value->origin = FS_ORIGIN_DEFAULT;
}

static const char *variable(char *const *environment, const char *name)
{
    size_t length = strlen(name);
    for (char *const *at = environment; at && *at; at++)
        if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
            return *at + length + 1;
    return NULL;
}

/* A list's items are separated by commas. */
static bool set_list(const struct fs_option *option, const char *text, struct fs_config_value *value,
                     struct fs_err *err)
{
    bool fine = true;
    for (const char *at = text; fine && *at; at += strcspn(at, ","), at += *at == ',') {
        struct fs_str item = fs_str_trim((struct fs_str){at, strcspn(at, ",")});
        char *copy = fs_strndup(item.ptr, item.len);
        fine = fs_value_parse(option, copy, value, err);
        fs_free(copy);
    }
    return fine;
}

static bool read_variable(struct fs_config *config, enum fs_option_id id, char *const *environment,
                          struct fs_err *err)
{
    const struct fs_option *option = fs_option(id);
    char name[64];
    if (!fs_option_is_of(option, config->command) || !fs_option_environment(option, name))
        return true;
    const char *text = variable(environment, name);
    if (!text || !*text) /* set to nothing is not set: that is how a service file takes one back */
        return true;
    struct fs_config_value *value = &config->values[id];
    fs_value_finish(value);
    value->origin = FS_ORIGIN_ENVIRONMENT;
    bool fine = fs_option_is_list(option) ? set_list(option, text, value, err)
                                          : fs_value_parse(option, text, value, err);
    if (!fine)
        fs_config_set_default(config, id);
    return fine || fs_fail_in(err, "%s", name);
}

static void read_environment(struct fs_config *config, char *const *environment)
{
    struct fs_err err;
    for (unsigned i = 0; i < FS_OPT_COUNT; i++)
        if (!read_variable(config, (enum fs_option_id)i, environment, &err))
            fs_mistake(&config->mistakes, &err);
}

/* The file's path comes from the arguments, or else the environment; it is needed before the layers above the
 * file. */
static bool read_file(struct fs_config *config, int argc, char *const *argv, char *const *environment,
                      struct fs_err *err)
{
    struct fs_config arguments = {.command = config->command};
    bool fine = fs_config_read_arguments(&arguments, argc, argv, err) &&
                (fs_config_said(&arguments, FS_OPT_CONFIG) ||
                 read_variable(&arguments, FS_OPT_CONFIG, environment, err));
    const char *path = fs_config_text(&arguments, FS_OPT_CONFIG);
    if (fine && path && !fs_config_true(&arguments, FS_OPT_HELP))
        fs_config_read_file(config, path);
    fs_config_finish(&arguments);
    return fine;
}

static void disagree(struct fs_config *config, const char *text)
{
    struct fs_err err;
    fs_fail(&err, FS_ERR_CONFIG, "%s", text);
    fs_config_locate(config, &err);
    fs_mistake(&config->mistakes, &err);
}

/* What options say together. False with `err` where arguments do not agree. */
static bool agree(struct fs_config *config, struct fs_err *err)
{
    bool certificate = fs_config_said(config, FS_OPT_TLS_CERTIFICATE),
         key = fs_config_said(config, FS_OPT_TLS_KEY);
    int64_t retention = fs_config_number(config, FS_OPT_RETENTION);
    if (certificate && !key)
        disagree(config, "tls.certificate: it goes together with tls.key, and tls.key is missing");
    if (key && !certificate)
        disagree(config, "tls.key: it goes together with tls.certificate, and tls.certificate is missing");
    if (fs_config_said(config, FS_OPT_TLS_CLIENT_CA) && !certificate)
        disagree(config, "tls.clientCa: client certificates need TLS: give tls.certificate and tls.key too");
    if (retention && retention < fs_config_number(config, FS_OPT_DEDUP))
        disagree(config, "retention: expected 0 (keep everything) or at least as much as dedup, since older "
                         "events are taken until then");
    if (fs_config_said(config, FS_OPT_TTL) && fs_config_said(config, FS_OPT_EXPIRES))
        return fs_fail(err, FS_ERR_USAGE, "--ttl and --expires say the same: give one");
    if (fs_config_said(config, FS_OPT_FOR) && fs_config_said(config, FS_OPT_EXPIRES))
        return fs_fail(err, FS_ERR_USAGE, "--for and --expires say the same: give one");
    if (fs_config_said(config, FS_OPT_WAIT_TIMEOUT) && !fs_config_said(config, FS_OPT_WAIT))
        return fs_fail(
            err, FS_ERR_USAGE,
            "--wait-timeout says how long --wait waits: give --wait applied or --wait delivered too");
    return true;
}

bool fs_config_load(struct fs_config *config, enum fs_command command, int argc, char *const *argv,
                    char *const *environment, struct fs_err *err)
{
    struct fs_err last;
    memset(config, 0, sizeof *config);
    config->command = command;
    for (unsigned i = 0; i < FS_OPT_COUNT; i++)
        fs_config_set_default(config, (enum fs_option_id)i);
    if (!read_file(config, argc, argv, environment, err))
        return false;
    bool help = false;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        help = help || strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
    if (!help)
        read_environment(config, environment);
    if (!fs_config_read_arguments(config, argc, argv, err) || !agree(config, err))
        return false;
    if (!config->mistakes.list.count)
        return true;
    last = config->mistakes.list.items[--config->mistakes.list.count];
    if (err)
        *err = last;
    return false;
}

void fs_config_finish(struct fs_config *config)
{
    if (!config)
        return;
    for (unsigned i = 0; i < FS_OPT_COUNT; i++)
        fs_value_finish(&config->values[i]);
    for (size_t i = 0; i < config->source_count; i++)
        json_decref(config->sources[i].options);
    fs_free(config->sources);
    for (size_t i = 0; i < config->positional_count; i++)
        fs_free(config->positional[i]);
    fs_free(config->positional);
    fs_mistakes_finish(&config->mistakes);
    fs_free(config->file);
    fs_document_finish(&config->document);
    memset(config, 0, sizeof *config);
}

bool fs_config_has(const struct fs_config *config, enum fs_option_id id)
{
    return config->values[id].origin != FS_ORIGIN_NONE;
}

bool fs_config_said(const struct fs_config *config, enum fs_option_id id)
{
    return config->values[id].origin > FS_ORIGIN_DEFAULT;
}

const char *fs_config_text(const struct fs_config *config, enum fs_option_id id)
{
    return config->values[id].text;
}

int64_t fs_config_number(const struct fs_config *config, enum fs_option_id id)
{
    return config->values[id].number;
}

bool fs_config_true(const struct fs_config *config, enum fs_option_id id)
{
    return config->values[id].number != 0;
}

const char *const *fs_config_list(const struct fs_config *config, enum fs_option_id id)
{
    static const char *const empty[] = {NULL};
    return config->values[id].list ? (const char *const *)config->values[id].list : empty;
}

const json_t *fs_config_json(const struct fs_config *config, enum fs_option_id id)
{
    return config->values[id].json;
}

char *fs_config_data(const struct fs_config *config, char *const *environment)
{
    static const struct {
        const char *name, *rest;
    } places[] = {
        {"STATE_DIRECTORY", ""}, {"XDG_STATE_HOME", "/flagstaff"}, {"HOME", "/.local/state/flagstaff"}};
    if (fs_config_text(config, FS_OPT_DATA))
        return fs_strdup(fs_config_text(config, FS_OPT_DATA));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *value = variable(environment, places[i].name);
        if (value && value[0] == '/')
            return fs_format("%.*s%s", (int)strcspn(value, ":"), value, places[i].rest);
    }
    return fs_strdup("flagstaff-state");
}
