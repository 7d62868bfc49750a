/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules: an object with rule, evaluators, context, facts and decisions, each as it likes. A rule that
 * compiles can be run, and gives the same twice.
 */
#include "fuzz.h"
#include "core/json.h"
#include "core/rule.h"

static void run(const struct fs_rule *rule, const json_t *input)
{
    struct fs_arena arena;
    struct fs_scope scope = {json_object_get(input, "context"), json_object_get(input, "facts"),
                             json_object_get(input, "decisions"), "flag", 1790000000000};
    const char *why = NULL, *why_again = NULL;
    char pointer[256];
    fs_arena_init(&arena);
    json_t *once = fs_rule_run_json(rule, &scope, &arena, &why);
    json_t *again = fs_rule_run_json(rule, &scope, &arena, &why_again);
    FUZZ_HOLDS(once ? again && fs_json_equal(once, again) : why && !again);
    fs_value_text(fs_rule_run(rule, &scope, &arena), &arena);
    fs_rule_trace(rule, &scope, &arena, pointer);
    if (fs_rule_time(rule) == FS_TIME_SCHEDULED)
        FUZZ_HOLDS(fs_rule_next_change(rule, &scope, &arena) > scope.wall_ms);
    json_decref(once);
    json_decref(again);
    fs_arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fs_rule_error error = {{0}, {0}};
    struct fs_err err;
    json_t *input = fs_json_read((const char *)data, size, 200, &err);
    const json_t *logic = json_object_get(input, "rule"), *evaluators = json_object_get(input, "evaluators");
    for (int template = 0; logic && template <2; template ++) {
        struct fs_rule *rule = template ? fs_rule_compile_template(logic, evaluators, &error)
                                        : fs_rule_compile(logic, evaluators, &error);
        FUZZ_HOLDS(rule || error.text[0]);
        if (rule && json_is_object(json_object_get(input, "context")))
            run(rule, input);
        fs_rule_destroy(rule);
    }
    json_decref(input);
    return 0;
}
