/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules in a flag file: compiled with errors told at their place, and looked through for what core cannot
 * know to be a mistake: decisions that are not there, decisions that are ignored, results that name no
 * variant, time that must be watched.
 */
#include <string.h>
#include "base/str.h"
#include "reading.h"

enum { DEPTH = 100 };

struct fs_rule *fs_logic_compile(struct fs_flagfile *file, const struct fs_spot *spot, bool template)
{
    struct fs_rule_error err;
    json_t *logic = fs_doc_json(spot->node);
    struct fs_rule *rule = template ? fs_rule_compile_template(logic, file->all->evaluators, &err)
                                    : fs_rule_compile(logic, file->all->evaluators, &err);
    json_decref(logic);
    if (!rule)
        fs_report_at(file, spot, err.pointer, err.text);
    return rule;
}

static json_t *expand_members(const json_t *logic, const json_t *evaluators, int depth)
{
    json_t *out = json_object();
    union {
        const json_t *read;
        json_t *iterated;
    } same = {.read = logic}; /* jansson's iterators take a non-const object and do not change it */
    for (void *it = json_object_iter(same.iterated); it; it = json_object_iter_next(same.iterated, it))
        json_object_set_new_nocheck(out, json_object_iter_key(it),
                                    fs_logic_expand(json_object_iter_value(it), evaluators, depth));
    return out;
}

json_t *fs_logic_expand(const json_t *logic, const json_t *evaluators, int depth)
{
    const char *name =
        json_object_size(logic) == 1 ? json_string_value(json_object_get(logic, "$ref")) : NULL;
    if (depth > DEPTH)
        return json_null();
    if (name)
        return fs_logic_expand(json_object_get(evaluators, name), evaluators, depth + 1);
    if (json_is_object(logic))
        return expand_members(logic, evaluators, depth + 1);
    if (!json_is_array(logic))
        return json_deep_copy(logic);
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(logic); i++)
        json_array_append_new(out, fs_logic_expand(json_array_get(logic, i), evaluators, depth + 1));
    return out;
}

/* The `index`-th of the flag's rules may be NULL; past the last, false. */
static bool rule_at(const struct fs_flag *flag, size_t index, const struct fs_rule **out)
{
    if (index < 2) {
        *out = index == 0 ? flag->targeting : flag->value;
        return true;
    }
    size_t decision = (index - 2) / 2;
    if (decision >= flag->decision_count)
        return false;
    *out = index % 2 ? flag->decisions[decision].input : flag->decisions[decision].rule;
    return true;
}

bool fs_logic_reads_facts(const struct fs_flag *flag)
{
    const struct fs_rule *rule;
    for (size_t i = 0; rule_at(flag, i, &rule); i++) {
        if (rule && fs_rule_fact(rule, 0))
            return true;
    }
    return false;
}

bool fs_logic_reads_fact(const struct fs_flag *flag, const char *name)
{
    const struct fs_rule *rule;
    const char *fact;
    for (size_t i = 0; rule_at(flag, i, &rule); i++) {
        for (size_t k = 0; rule && (fact = fs_rule_fact(rule, k)); k++) {
            if (strcmp(fact, name) == 0 || strcmp(fact, "*") == 0)
                return true;
        }
    }
    return false;
}

static void report_no_decision(struct fs_flag_reading *reading, const struct fs_spot *spot, const char *name)
{
    const struct fs_flag *flag = reading->flag;
    const char *names[FS_FLAG_DECISIONS];
    size_t count = 0;
    for (size_t i = 0; i < flag->decision_count && i < FS_FLAG_DECISIONS; i++) {
        if (flag->decisions[i].name)
            names[count++] = flag->decisions[i].name;
    }
    char *hint = fs_hint(name, names, count);
    if (!flag->decision_count)
        fs_report_error(reading->file, spot,
                        "it reads the variable 'decision', but the flag has no decision");
    else if (!count)
        fs_report_error(reading->file, spot,
                        "it reads 'decision.%s', but the flag's only decision has no name: read "
                        "decision.allowed, decision.value or "
                        "decision.state",
                        name);
    else if (!*name)
        fs_report_error(reading->file, spot,
                        "it does not say which decision it reads: write decision.%s.allowed, "
                        "decision.%s.value or decision.%s.state",
                        names[0], names[0], names[0]);
    else
        fs_report_error(reading->file, spot, "no decision is called '%s'%s", name, hint);
    fs_free(hint);
}

static bool names_decision(const struct fs_decision *decision, const char *name)
{
    return strcmp(decision->name ? decision->name : "", name) == 0;
}

static bool rule_reads(const struct fs_rule *rule, const struct fs_decision *decision)
{
    const char *name;
    for (size_t i = 0; (name = fs_rule_decision(rule, i)); i++) {
        if (strcmp(name, "*") == 0 || names_decision(decision, name))
            return true;
    }
    return false;
}

void fs_logic_check_decisions(struct fs_flag_reading *reading, const struct fs_spot *spot,
                              const struct fs_rule *rule)
{
    const struct fs_flag *flag = reading->flag;
    const char *name;
    for (size_t i = 0; (name = fs_rule_decision(rule, i)); i++) {
        bool found = strcmp(name, "*") == 0;
        for (size_t k = 0; k < flag->decision_count && !found; k++)
            found = names_decision(&flag->decisions[k], name);
        if (!found)
            report_no_decision(reading, spot, name);
    }
    for (size_t k = 0; k < flag->decision_count; k++) {
        const char *own = flag->decisions[k].name;
        if (rule_reads(rule, &flag->decisions[k]))
            continue;
        fs_report_warning(reading->file, spot,
                          "it ignores the decision%s%s%s: what the source answers changes nothing",
                          own ? " '" : "", own ? own : "", own ? "'" : "");
    }
}

void fs_logic_check_time(struct fs_flagfile *file, const struct fs_spot *spot, const struct fs_rule *rule)
{
    if (fs_rule_time(rule) == FS_TIME_EACH_SECOND)
        fs_report_warning(file, spot,
                          "it computes with $flagd.timestamp, so it is evaluated each second; compare the "
                          "bare timestamp with a value free "
                          "of time and it is scheduled for its moment");
}

static void check_name(struct fs_flag_reading *reading, const struct fs_spot *spot, const char *name)
{
    if (fs_variant_find(reading->flag, name) >= 0)
        return;
    const char **names = fs_variant_names(reading->flag);
    char *hint = fs_hint(name, names, reading->flag->variant_count);
    fs_report_warning(reading->file, spot, "this result names no variant: none is called '%s'%s", name, hint);
    fs_free(hint);
    fs_free(names);
}

static bool is_test(const char *operator_name)
{
    static const char *const tests[] = {
        "==", "===", "!=",  "!==",  "<",    "<=",          ">",         ">=",     "!",
        "!!", "in",  "all", "some", "none", "starts_with", "ends_with", "sem_ver"};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (strcmp(operator_name, tests[i]) == 0)
            return true;
    }
    return false;
}

static void check_test(struct fs_flag_reading *reading, const struct fs_spot *spot)
{
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "false" : "true";
        if (fs_variant_find(reading->flag, name) >= 0)
            continue;
        fs_report_warning(
            reading->file, spot,
            "the result is true or false, but no variant is called '%s'; use {\"if\": [..., \"%s\", ...]}",
            name, reading->flag->variant_count ? reading->flag->variants[0].name : name);
        return;
    }
}

static void check_results(struct fs_flag_reading *reading, const struct fs_spot *spot, int depth);

/* [test, result, test, result, ..., result] */
static void check_branches(struct fs_flag_reading *reading, const struct fs_spot *args, int depth)
{
    for (size_t i = 0; i < args->node->count; i++) {
        if (i % 2 == 0 && i + 1 < args->node->count)
            continue;
        struct fs_spot at = fs_spot_item(args, i);
        check_results(reading, &at, depth);
    }
}

/* [bucket by, [variant, weight], ...] */
static void check_buckets(struct fs_flag_reading *reading, const struct fs_spot *args, int depth)
{
    for (size_t i = 0; i < args->node->count; i++) {
        struct fs_spot bucket = fs_spot_item(args, i);
        if (bucket.node->kind != FS_DOC_LIST || !bucket.node->count)
            continue;
        struct fs_spot at = fs_spot_item(&bucket, 0);
        check_results(reading, &at, depth);
    }
}

static void check_results(struct fs_flag_reading *reading, const struct fs_spot *spot, int depth)
{
    switch (spot->node->kind) {
    case FS_DOC_STRING:
        check_name(reading, spot, spot->node->text);
        return;
    case FS_DOC_BOOLEAN:
        check_name(reading, spot, spot->node->boolean ? "true" : "false");
        return;
    case FS_DOC_INTEGER:
        check_name(reading, spot, spot->node->text);
        return;
    case FS_DOC_MAP:
        break;
    default:
        return;
    }
    if (spot->node->count != 1 || depth > DEPTH)
        return;
    struct fs_spot args = fs_spot_member(spot, &spot->node->members[0]);
    bool list = args.node->kind == FS_DOC_LIST;
    if (list && (strcmp(args.key, "if") == 0 || strcmp(args.key, "?:") == 0))
        check_branches(reading, &args, depth + 1);
    else if (list && strcmp(args.key, "fractional") == 0)
        check_buckets(reading, &args, depth + 1);
    else if (is_test(args.key))
        check_test(reading, &args);
}

void fs_logic_check_results(struct fs_flag_reading *reading, const struct fs_spot *spot)
{
    check_results(reading, spot, 0);
}
