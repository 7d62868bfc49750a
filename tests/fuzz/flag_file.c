/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flag files: there is a set, or there are errors; and each flag of a set gives an access flag's holder a
 * value whatever the sources say, or say nothing.
 */
#include "fuzz.h"
#include "core/evaluate.h"
#include "core/json.h"
#include "flagfile/flagfile.h"
#include "sources/builtin.h"
#include "sources/opa.h"

#define DECISIONS 16 /* FS_FLAG_DECISIONS */

static void evaluate(const struct fs_flag *flag, const json_t *context, bool answered)
{
    struct fs_answer answers[DECISIONS] = {{0}};
    struct fs_standing standings[DECISIONS] = {{0}};
    struct fs_arena arena;
    struct fs_evaluation out;
    FUZZ_HOLDS(flag->decision_count <= DECISIONS);
    fs_arena_init(&arena);
    for (size_t i = 0; i < flag->decision_count && answered; i++) {
        const struct fs_decision *decision = &flag->decisions[i];
        int64_t next;
        char missing[64];
        json_decref(fs_decision_input(flag, decision, context, NULL, 1790000000000, &arena, missing));
        if (decision->rule)
            fs_decide_builtin(flag, decision, context, NULL, 1790000000000, &arena, &answers[i], &next);
        else
            answers[i] = (struct fs_answer){.state = FS_ANSWER_VALUE, .value = json_true()};
        standings[i].answer = &answers[i];
    }
    struct fs_evaluation_input input = {.context = context, .standings = standings, .wall_ms = 1790000000000};
    fs_evaluate(flag, &input, &arena, &out);
    if (flag->decision_count && !flag->targeting && !flag->value && !answered)
        FUZZ_HOLDS(out.safe);
    FUZZ_HOLDS(fs_evaluation_equal(&out, &out));
    fs_evaluation_takes_away(flag, &out, &out);
    fs_evaluation_finish(&out);
    for (size_t i = 0; i < flag->decision_count; i++)
        fs_answer_finish(&answers[i]);
    fs_arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fs_flagfile_source items[] = {{"opa", &fs_source_opa},
                                                      {"builtin", &fs_source_builtin}};
    static const struct fs_flagfile_sources sources = {items, 2};
    struct fs_flag_problems problems;
    struct fs_flagset *set = fs_flagfile_parse((const char *)data, size, "f.yaml", &sources, &problems);
    FUZZ_HOLDS(!set == (problems.errors > 0));
    for (size_t i = 0; i < problems.count && i < 20; i++) {
        char *line = fs_flag_problem_line(&problems.items[i]);
        FUZZ_HOLDS(fs_utf8_valid(line, strlen(line)));
        fs_free(line);
    }
    json_t *context =
        json_pack("{s:s,s:{s:i},s:[s]}", "targetingKey", "ada", "org", "n", 7, "roles", "admin");
    for (size_t i = 0; set && i < set->count && i < 20; i++) {
        evaluate(set->flags[i], context, true);
        evaluate(set->flags[i], context, false);
    }
    json_decref(context);
    fs_flagset_unref(set);
    fs_flag_problems_finish(&problems);
    return 0;
}
