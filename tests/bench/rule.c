/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rule and one flag, against a function in C that does the same to the same context, and against npm's
 * flagd-core where it is installed. CPU time of one evaluation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "bench.h"
#include "core/evaluate.h"
#include "core/json.h"
#include "flagfile/flagfile.h"
#include "sources/builtin.h"
#include "sources/opa.h"

#define ROUNDS 200000
#define LOGIC                                                                                                \
    "{\"if\":[{\"and\":[{\"ends_with\":[{\"var\":\"email\"},\"@example.com\"]},{\">=\":[{\"var\":\"age\"},"  \
    "18]}]},"                                                                                                \
    "\"on\",\"off\"]}"

static const char flags[] =
    "flags:\n"
    "  targeted: {variants: {'on': true, 'off': false}, defaultVariant: 'off', targeting: " LOGIC "}\n"
    "  decided: {variants: {'on': true, 'off': false}, decision: {source: opa, path: app/allow}}\n"
    "  ruled: {variants: {'on': true, 'off': false}, decision: {rule: {'==': [{var: facts.tier}, gold]}}}\n";

struct rig {
    struct fs_flagset *set;
    json_t *context, *facts;
    struct fs_rule *rule;
    struct fs_arena arena;
    struct fs_answer answer;
    const char *flag;
};

static volatile unsigned sink;

static double per_round(double start)
{
    return (bench_thread_cpu() - start) / ROUNDS;
}

static bool __attribute__((noinline)) by_hand(const json_t *context)
{
    const json_t *email = json_object_get(context, "email"), *age = json_object_get(context, "age");
    static const char end[] = "@example.com";
    size_t length = json_string_length(email), tail = sizeof end - 1;
    return length >= tail && memcmp(json_string_value(email) + length - tail, end, tail) == 0 &&
           json_number_value(age) >= 18;
}

static double bare(void *self)
{
    struct rig *rig = self;
    double start = bench_thread_cpu();
    for (int i = 0; i < ROUNDS; i++)
        sink += by_hand(rig->context);
    return per_round(start);
}

static double run_rule(void *self)
{
    struct rig *rig = self;
    struct fs_scope scope = {.context = rig->context, .flag_key = "f", .wall_ms = 1790000000000};
    double start = bench_thread_cpu();
    for (int i = 0; i < ROUNDS; i++)
        sink += fs_rule_run(rig->rule, &scope, &rig->arena).kind == FS_STRING;
    return per_round(start);
}

static double evaluate(void *self)
{
    struct rig *rig = self;
    const struct fs_flag *flag = fs_flagset_find(rig->set, rig->flag);
    struct fs_standing standing = {.answer = &rig->answer};
    struct fs_evaluation_input input = {
        .context = rig->context, .facts = rig->facts, .standings = &standing, .wall_ms = 1790000000000};
    struct fs_evaluation out;
    double start = bench_thread_cpu();
    for (int i = 0; i < ROUNDS; i++) {
        fs_evaluate(flag, &input, &rig->arena, &out);
        sink += json_is_true(out.value);
        fs_evaluation_finish(&out);
        fs_arena_reset(&rig->arena);
    }
    return per_round(start);
}

static double decide(void *self)
{
    struct rig *rig = self;
    const struct fs_flag *flag = fs_flagset_find(rig->set, "ruled");
    double start = bench_thread_cpu();
    for (int i = 0; i < ROUNDS; i++) {
        struct fs_answer answer;
        int64_t next;
        fs_decide_builtin(flag, flag->decisions, rig->context, rig->facts, 1790000000000, &rig->arena,
                          &answer, &next);
        sink += answer.state == FS_ANSWER_VALUE;
        fs_answer_finish(&answer);
        fs_arena_reset(&rig->arena);
    }
    return per_round(start);
}

/* The peer measures itself and prints nanoseconds. */
static double flagd_core(void *self)
{
    (void)self;
    char line[64] = "";
    FILE *pipe = popen("node " BENCH_ROOT "/tests/bench/flagd_core.cjs", "r");
    BENCH_MUST(pipe && fgets(line, sizeof line, pipe));
    pclose(pipe);
    return strtod(line, NULL);
}

int main(void)
{
    static const struct fs_flagfile_source items[] = {{"opa", &fs_source_opa},
                                                      {"builtin", &fs_source_builtin}};
    static const struct fs_flagfile_sources sources = {items, 2};
    struct fs_flag_problems problems;
    struct fs_rule_error error;
    struct rig rig = {.set = fs_flagfile_parse(flags, sizeof flags - 1, "bench.yaml", &sources, &problems)};
    BENCH_MUST(rig.set);
    json_t *logic = json_loads(LOGIC, 0, NULL);
    rig.rule = fs_rule_compile(logic, NULL, &error);
    rig.context = json_pack("{s:s,s:s,s:i,s:s}", "targetingKey", "ada", "email", "ada@example.com", "age", 36,
                            "plan", "pro");
    rig.facts = json_pack("{s:s}", "tier", "gold");
    rig.answer = (struct fs_answer){.state = FS_ANSWER_VALUE, .value = json_true()};
    BENCH_MUST(rig.rule && rig.context && rig.facts && by_hand(rig.context));
    fs_arena_init(&rig.arena);
    struct rig targeted = rig, decided = rig;
    targeted.flag = "targeted", decided.flag = "decided";
    fs_arena_init(&targeted.arena), fs_arena_init(&decided.arena);
    const struct bench_side sides[] = {{"a function in C", bare, &rig},
                                       {"fs_rule_run", run_rule, &rig},
                                       {"fs_evaluate, targeting", evaluate, &targeted},
                                       {"fs_evaluate, a bare decision", evaluate, &decided},
                                       {"fs_decide_builtin, a rule over a fact", decide, &rig},
                                       {"flagd-core (npm, node), targeting", flagd_core, NULL}};
    bool peer = system("test -d " BENCH_ROOT
                       "/tests/node/node_modules/@openfeature/flagd-core && node --version >/dev/null") == 0;
    bench_compare("One evaluation: and, ends_with, >=", "CPU ns", sides, peer ? 6 : 5);
    fs_arena_finish(&rig.arena), fs_arena_finish(&targeted.arena), fs_arena_finish(&decided.arena);
    fs_rule_destroy(rig.rule);
    json_decref(logic), json_decref(rig.context), json_decref(rig.facts);
    fs_flagset_unref(rig.set);
    fs_flag_problems_finish(&problems);
    return 0;
}
