/* SPDX-License-Identifier: Apache-2.0 */
/* Reads all of the configuration that can be wrong. The order is that of the file's documentation. */
#include "prepare.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/str.h"
#include "core/json.h"
#include "sources/registry.h"

/* Those whose lines there are to choose (base/log.h). */
static const char *const components[] = {"all", "flags", "journal", "keys", "net", "serve", "source"};
#define COMPONENTS (sizeof components / sizeof *components)

static bool is_component(struct fs_str word)
{
    for (size_t i = 0; i < COMPONENTS; i++)
        if (fs_str_is(word, components[i]))
            return true;
    return false;
}

static void check_components(const char *list, struct fs_mistakes *mistakes)
{
    while (list && *list) {
        struct fs_str word = {list, strcspn(list, ",")};
        list += word.len + (list[word.len] == ',');
        word = fs_str_trim(word);
        if (fs_str_starts_with(word, FS_STR("-")))
            word = (struct fs_str){word.ptr + 1, word.len - 1};
        if (is_component(word))
            continue;
        char *name = fs_strndup(word.ptr, word.len);
        const char *meant = fs_suggest(name, components, COMPONENTS);
        fs_mistake_new(mistakes, FS_ERR_CONFIG,
                       "log.components: there is no component '%.40s'%s%s%s; there are all, flags, journal, "
                       "keys, net, serve and source, each perhaps with '-' before it",
                       name, meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "");
        fs_free(name);
    }
}

/* `missing`: it may be made. */
static void check_directory(const char *path, const char *option, bool missing, struct fs_mistakes *mistakes)
{
    struct stat about;
    if (!path || (stat(path, &about) && errno == ENOENT && missing))
        return;
    if (stat(path, &about))
        fs_mistake_new(mistakes, FS_ERR_CONFIG, "%s: %.300s: %m", option, path);
    else if (!S_ISDIR(about.st_mode))
        fs_mistake_new(mistakes, FS_ERR_CONFIG, "%s: %.300s is no directory", option, path);
}

/* A secret may come later, so that the source is only down until it is there. */
static void doubt_files(const struct fs_config *config, const char *source, const json_t *options,
                        void (*warn)(const char *text))
{
    static const char *const members[] = {"tokenFile", "caFile", "certificateFile", "keyFile"};
    struct fs_err err;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *path = fs_json_text(options, members[i]);
        if (!path || access(path, R_OK) == 0)
            continue;
        fs_fail(&err, FS_ERR_CONFIG, "sources.%s.%s: %.200s: %s: the source is down until it can be read",
                source, members[i], path, strerror(errno));
        fs_config_locate(config, &err);
        warn(err.text);
    }
}

static const struct fs_source_type *type_of(const struct fs_config_source *source,
                                            struct fs_mistakes *mistakes)
{
    const json_t *said = json_object_get(source->options, "type");
    const char *name = json_string_value(said);
    const struct fs_source_type *type = name ? fs_source_type_find(name) : NULL;
    const char *meant = name && !type ? fs_source_type_suggest(name) : NULL;
    if (type && type->create)
        return type;
    if (name)
        fs_mistake_new(mistakes, FS_ERR_CONFIG,
                       "sources.%s.type: there is no type of source called %.40s%s%s%s", source->name, name,
                       meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "");
    else
        fs_mistake_new(mistakes, FS_ERR_CONFIG, "sources.%s.type: %s", source->name,
                       said ? "expected a text, such as opa" : "it is missing; expected one such as opa");
    return NULL;
}

/* False: the type of some source is not known, so that no flag can be held against it. */
static bool prepare_sources(struct fs_preparation *out, const struct fs_config *config,
                            void (*warn)(const char *text), struct fs_mistakes *mistakes)
{
    bool all = true;
    out->known = fs_calloc(config->source_count + 1, sizeof *out->known);
    out->sources = fs_calloc(config->source_count + 1, sizeof *out->sources);
    out->known[out->source_count++] = (struct fs_flagfile_source){"builtin", fs_source_type_find("builtin")};
    for (size_t i = 0; i < config->source_count; i++) {
        const struct fs_config_source *source = &config->sources[i];
        const struct fs_source_type *type = type_of(source, mistakes);
        all &= type != NULL;
        if (!type)
            continue;
        struct fs_prepared_source *prepared = &out->sources[out->source_count];
        out->known[out->source_count++] = (struct fs_flagfile_source){source->name, type};
        prepared->self = type->create(source->name, source->options, mistakes);
        if (prepared->self)
            fs_source_endpoint_read(source->name, source->options, &prepared->endpoint, mistakes);
        doubt_files(config, source->name, source->options, warn);
    }
    return all;
}

bool fs_prepare(struct fs_preparation *out, const struct fs_daemon_options *options,
                const struct fs_config *config, void (*warn)(const char *text), struct fs_mistakes *mistakes)
{
    size_t before = mistakes->list.count;
    memset(out, 0, sizeof *out);
    check_directory(options->data, "data", true, mistakes);
    bool typed = prepare_sources(out, config, warn, mistakes);
    out->mappings = fs_mappings_create(options->mappings, mistakes);
    fs_server_check(&options->server, mistakes);
    check_directory(options->dashboard_dir, "dashboardDir", false, mistakes);
    check_components(fs_config_text(config, FS_OPT_LOG_COMPONENTS), mistakes);
    for (size_t i = before; i < mistakes->list.count; i++)
        fs_config_locate(config, &mistakes->list.items[i]);
    struct fs_flagfile_sources known = {.items = out->known, .count = out->source_count};
    out->flags = fs_flag_reading_first(options, typed ? &known : NULL, warn, mistakes);
    return mistakes->list.count == before;
}

void fs_preparation_finish(struct fs_preparation *preparation)
{
    if (!preparation)
        return;
    for (size_t i = 0; i < preparation->source_count; i++) {
        if (preparation->sources[i].self)
            preparation->known[i].type->destroy(preparation->sources[i].self);
        fs_source_endpoint_finish(&preparation->sources[i].endpoint);
    }
    fs_free(preparation->sources);
    fs_free(preparation->known);
    fs_mappings_destroy(preparation->mappings);
    fs_flag_reading_destroy(preparation->flags);
    memset(preparation, 0, sizeof *preparation);
}
