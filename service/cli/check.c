/* SPDX-License-Identifier: Apache-2.0 */
/* flagstaff check: flag files without a daemon. Names of sources are not checked here: which there are is the
 * daemon's to know. */
#include <string.h>
#include "base/alloc.h"
#include "cli_internal.h"
#include "flagfile/flagfile.h"

static json_t *as_json(const struct fs_flag_problems *problems, const struct fs_flagset *set)
{
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++) {
        const struct fs_flag_problem *one = &problems->items[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i, s:s, s:s}", "level",
                                              one->warning ? "warning" : "error", "file", one->file, "line",
                                              one->line, "column", one->column, "key", one->key, "text",
                                              one->text));
    }
    json_t *root = json_pack("{s:b, s:o, s:I, s:I}", "valid", set != NULL, "problems", list, "errors",
                             (json_int_t)problems->errors, "warnings", (json_int_t)problems->warnings);
    if (set)
        json_object_set_new(root, "flags", json_integer((json_int_t)set->count));
    return root;
}

static void print_problems(const struct fs_cli_call *call, const struct fs_flag_problems *problems,
                           const struct fs_flagset *set)
{
    for (size_t i = 0; i < problems->count; i++) {
        char *text = fs_flag_problem_line(&problems->items[i]), *clean = fs_cli_clean(text);
        fs_cli_paint(call, problems->items[i].warning ? FS_COLOR_WARN : FS_COLOR_BAD, clean);
        fputc('\n', call->out);
        fs_free(text);
        fs_free(clean);
    }
    if (problems->unlisted)
        fprintf(call->out, "... and %zu more\n", problems->unlisted);
    if (set)
        fprintf(call->out, "%zu flag%s, right%s\n", set->count, set->count == 1 ? "" : "s",
                problems->warnings ? ", with warnings" : "");
    else
        fprintf(call->out, "%zu error%s\n", problems->errors, problems->errors == 1 ? "" : "s");
}

/* The sources of the configuration with their types, and the built-in one. NULL with err: one has no such
 * type. */
static struct fs_flagfile_source *known_sources(const struct fs_cli_call *call, struct fs_err *err)
{
    const struct fs_config *config = &call->config;
    struct fs_flagfile_source *known = fs_calloc(config->source_count + 1, sizeof *known);
    known[0] = (struct fs_flagfile_source){"builtin", call->source_type("builtin")};
    for (size_t i = 0; i < config->source_count; i++) {
        const struct fs_config_source *source = &config->sources[i];
        const char *type = json_string_value(json_object_get(source->options, "type"));
        known[i + 1] = (struct fs_flagfile_source){source->name, type ? call->source_type(type) : NULL};
        if (known[i + 1].type)
            continue;
        fs_fail(err, FS_ERR_CONFIG, "sources.%s.type: %s%s", source->name,
                type ? "there is no type of source called " : "it is missing", type ? type : "");
        fs_config_locate(config, err);
        fs_free(known);
        return NULL;
    }
    return known;
}

int fs_cli_check(struct fs_cli_call *call, struct fs_err *err)
{
    const char *const *paths = (const char *const *)call->config.positional;
    size_t count = call->config.positional_count;
    struct fs_flag_problems problems;
    if (!count) {
        paths = fs_config_list(&call->config, FS_OPT_FLAGS);
        while (paths[count])
            count++;
    }
    if (!count)
        return fs_fail(err, FS_ERR_USAGE,
                       "which files? Name them, or a configuration that does: flagstaff check --config FILE")
                   ? 0
                   : -1;
    struct fs_flagfile_sources sources = {NULL, call->config.source_count + 1};
    struct fs_flagfile_source *known = NULL;
    if (call->config.file && call->source_type) {
        sources.items = known = known_sources(call, err);
        if (!known)
            return -1;
    }
    struct fs_flagset *set = fs_flagfile_load(paths, count, known ? &sources : NULL, &problems);
    fs_free(known);
    if (fs_cli_json(call)) {
        json_t *json = as_json(&problems, set);
        fs_cli_print_json(call, json);
        json_decref(json);
    } else {
        print_problems(call, &problems, set);
    }
    int status = set ? 0 : fs_err_exit(FS_ERR_FLAGS);
    fs_flagset_unref(set);
    fs_flag_problems_finish(&problems);
    return status;
}
