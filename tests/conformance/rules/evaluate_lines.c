/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service's side of the differential test: one plain flag in flagd's form and contexts for it on each
 * line of stdin, one line of results on stdout. Reads just what the test writes: the reader of real flag
 * files is service/flagfile.
 *
 *   {"key": "k", "flag": {...}, "evaluators": {...}, "wall": 1764000000000, "contexts": [{...}, ...]}
 *   [{"value": true, "variant": "on", "reason": "TARGETING_MATCH"}, {"reason": "ERROR", "error": "GENERAL"},
 * ...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "core/evaluate.h"
#include "core/json.h"

static void read_variants(struct fs_flag *flag, json_t *variants, const char *default_name)
{
    const char *name;
    json_t *value;
    flag->variants = fs_calloc(json_object_size(variants) + 1, sizeof *flag->variants);
    flag->default_variant = flag->safe_variant = -1;
    json_object_foreach(variants, name, value)
    {
        if (default_name && *default_name && strcmp(name, default_name) == 0)
            flag->default_variant = (int)flag->variant_count;
        flag->variants[flag->variant_count++] = (struct fs_variant){fs_strdup(name), json_incref(value)};
    }
}

/* Numbers sort last: none of the flags here mixes types. */
static enum fs_type type_of(const struct fs_flag *flag)
{
    const json_t *value = flag->variant_count ? flag->variants[0].value : NULL;
    if (json_is_boolean(value))
        return FS_TYPE_BOOLEAN;
    if (json_is_string(value))
        return FS_TYPE_STRING;
    return json_is_number(value) ? FS_TYPE_FLOAT : FS_TYPE_OBJECT;
}

static struct fs_flag *read_flag(json_t *line, struct fs_rule_error *err)
{
    json_t *definition = json_object_get(line, "flag"), *targeting = json_object_get(definition, "targeting");
    struct fs_flag *flag = FS_NEW(struct fs_flag);
    const char *state = fs_json_text(definition, "state");
    memset(err, 0, sizeof *err);
    flag->key = fs_strdup(fs_json_text(line, "key"));
    flag->disabled = state && strcmp(state, "DISABLED") == 0;
    read_variants(flag, json_object_get(definition, "variants"), fs_json_text(definition, "defaultVariant"));
    flag->type = type_of(flag);
    if (targeting && !json_is_null(targeting) &&
        !(json_is_object(targeting) && json_object_size(targeting) == 0))
        flag->targeting = fs_rule_compile(targeting, json_object_get(line, "evaluators"), err);
    return flag;
}

static json_t *evaluate(const struct fs_flag *flag, const json_t *context, int64_t wall, bool broken,
                        struct fs_arena *arena)
{
    struct fs_evaluation evaluation = {.reason = FS_REASON_ERROR, .error = FS_ERROR_PARSE};
    struct fs_evaluation_input input = {.context = context, .wall_ms = wall};
    json_t *result = json_object();
    if (!broken || flag->disabled)
        fs_evaluate(flag, &input, arena, &evaluation);
    if (evaluation.value)
        json_object_set(result, "value", evaluation.value);
    if (evaluation.variant)
        json_object_set_new(result, "variant", json_string(evaluation.variant));
    json_object_set_new(result, "reason", json_string(fs_reason_name(evaluation.reason)));
    if (evaluation.error)
        json_object_set_new(result, "error", json_string(fs_error_code_name(evaluation.error)));
    if (evaluation.detail[0])
        json_object_set_new(result, "detail", json_string(evaluation.detail));
    fs_evaluation_finish(&evaluation);
    fs_arena_reset(arena);
    return result;
}

static void answer_line(json_t *line, struct fs_arena *arena)
{
    struct fs_rule_error rule_error;
    struct fs_flag *flag = read_flag(line, &rule_error);
    struct fs_flagset *set = fs_flagset_create(&flag, 1, NULL);
    json_t *contexts = json_object_get(line, "contexts"), *results = json_array();
    for (size_t i = 0; i < json_array_size(contexts); i++) {
        json_t *result =
            evaluate(flag, json_array_get(contexts, i), json_integer_value(json_object_get(line, "wall")),
                     rule_error.text[0] != 0, arena);
        if (rule_error.text[0])
            json_object_set_new(result, "detail",
                                json_sprintf("%s: %s", rule_error.pointer, rule_error.text));
        json_array_append_new(results, result);
    }
    json_dumpf(results, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    putchar('\n');
    json_decref(results);
    fs_flagset_unref(set);
}

int main(void)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    int status = 0;
    struct fs_arena arena;
    fs_arena_init(&arena);
    while (status == 0 && (length = getline(&text, &room, stdin)) > 0) {
        struct fs_err err;
        json_t *line = fs_json_read(text, (size_t)length, 500, &err);
        if (line) {
            answer_line(line, &arena);
        } else {
            fprintf(stderr, "evaluate_lines: %s\n", err.text);
            status = 2;
        }
        json_decref(line);
    }
    free(text);
    fs_arena_finish(&arena);
    return status;
}
