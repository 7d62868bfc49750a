/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access flags: how the answers of sources and the facts of a subject become a value, and when the safe
 * variant stands in (docs/answers.md). Nothing that is unknown ever grants: what cannot be known gives the
 * safe variant, as a successful resolution.
 */
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "core/json.h"
#include "evaluate_internal.h"

/* How a decision stands, as `decision.state` tells it. */
enum state { ALLOWED, DENIED, VALUE, UNKNOWN, BAD };

struct stand {
    enum state state;
    bool stale;
    const json_t *value; /* of the answer; NULL: none */
    const char *why;     /* UNKNOWN and BAD */
};

static const char *const state_names[] = {"allowed", "denied", "value", "unknown", "bad"};

void fs_evaluation_safe(struct fs_evaluation *out, const struct fs_flag *flag, enum fs_reason reason)
{
    out->safe = true;
    if (flag->safe_variant >= 0) {
        fs_evaluation_pick(out, flag, flag->safe_variant, reason);
    } else if (flag->safe_value) {
        out->value = fs_json_share(flag->safe_value);
        out->variant = "safe";
        out->reason = reason;
    } else {
        /* The file's reader refuses such a flag. */
        out->safe = false;
        fs_evaluation_error(out, FS_ERROR_GENERAL, "the flag has no safe variant");
    }
}

static bool use_safe(struct fs_evaluating *e, enum fs_reason reason)
{
    fs_evaluation_safe(e->out, e->flag, reason);
    return false;
}

static struct stand stand_of(const struct fs_decision *decision, const struct fs_standing *standing)
{
    const struct fs_answer *answer = standing->answer;
    struct stand stand = {.state = UNKNOWN, .stale = standing->stale};
    if (!answer || answer->state == FS_ANSWER_NONE) {
        stand.why = answer && answer->error ? answer->error : "no answer yet";
    } else if (answer->state == FS_ANSWER_BAD) {
        stand.state = BAD;
        stand.why = answer->error ? answer->error : "a bad answer";
    } else if (standing->too_stale) {
        stand.why = "the last answer is too old";
    } else if (answer->state == FS_ANSWER_UNDEFINED) {
        stand.state = decision->undefined_unknown ? BAD : DENIED;
        stand.why = "undefined";
    } else {
        stand.value = answer->value;
        stand.state = json_is_true(answer->value) ? ALLOWED : json_is_false(answer->value) ? DENIED : VALUE;
    }
    return stand;
}

static void tell(struct fs_evaluating *e, const struct fs_decision *decision, const struct stand *stand)
{
    fs_evaluation_detail(e->out, "decision%s%s: %s: %s", decision->name ? " " : "",
                         decision->name ? decision->name : "", state_names[stand->state], stand->why);
}

/* Does `rule` name this decision? "decision" alone names all of them. */
static bool names(const struct fs_rule *rule, const struct fs_decision *decision)
{
    const char *name;
    for (size_t i = 0; (name = fs_rule_decision(rule, i)) != NULL; i++) {
        if (!*name || (decision->name && strcmp(name, decision->name) == 0))
            return true;
    }
    return false;
}

static json_t *stand_json(const struct stand *stand)
{
    json_t *object = json_object();
    json_t *value = fs_value_to_json(fs_value_from_json(stand->value));
    json_object_set_new(object, "allowed", json_boolean(stand->state == ALLOWED));
    json_object_set_new(object, "value", value);
    json_object_set_new(object, "state", json_string(state_names[stand->state]));
    json_object_set_new(object, "stale", json_boolean(stand->stale));
    return object;
}

/* What a rule is told of the decisions that it names, and whether it may run at all. */
struct told {
    json_t *decisions;
    json_t *facts;
    bool stale;
    bool denied;
};

static bool tell_decisions(struct fs_evaluating *e, const struct fs_rule *rule, struct told *told)
{
    bool brave = e->flag->evaluate_unknown && fs_rule_reads_decision_state(rule);
    for (size_t i = 0; i < e->flag->decision_count; i++) {
        const struct fs_decision *decision = &e->flag->decisions[i];
        if (!names(rule, decision))
            continue;
        struct stand stand = stand_of(decision, &e->input->standings[i]);
        if (stand.state == UNKNOWN || stand.state == BAD) {
            tell(e, decision, &stand);
            if (!brave)
                return use_safe(e, FS_REASON_ERROR);
        }
        told->stale = told->stale || (stand.stale && stand.state != UNKNOWN && stand.state != BAD);
        told->denied = told->denied || stand.state == DENIED;
        if (!decision->name) {
            told->decisions = stand_json(&stand);
            continue;
        }
        if (!told->decisions)
            told->decisions = json_object();
        json_object_set_new(told->decisions, decision->name, stand_json(&stand));
    }
    return true;
}

static bool tell_facts(struct fs_evaluating *e, const struct fs_rule *rule, struct told *told)
{
    char missing[64];
    if (fs_facts_for(e->flag, rule, e->input->facts, &told->facts, missing))
        return true;
    fs_evaluation_detail(e->out, "fact %s: unknown: missing or expired", missing);
    return use_safe(e, FS_REASON_ERROR);
}

static void finish_told(struct told *told)
{
    json_decref(told->decisions);
    json_decref(told->facts);
}

static enum fs_reason match(bool stale)
{
    return stale ? FS_REASON_STALE : FS_REASON_TARGETING_MATCH;
}

static void pick_targeted(struct fs_evaluating *e, struct fs_value value, const struct told *told)
{
    if (value.kind == FS_FAILED) {
        fs_evaluation_detail(e->out, "targeting: bad: %.*s", (int)value.string.len, value.string.ptr);
        use_safe(e, FS_REASON_ERROR);
        return;
    }
    if (value.kind == FS_NULL) {
        use_safe(e, match(told->stale));
        return;
    }
    struct fs_str name = fs_value_text(value, e->arena);
    int variant = fs_flag_variant(e->flag, name);
    if (variant >= 0) {
        fs_evaluation_pick(e->out, e->flag, variant, match(told->stale));
        return;
    }
    fs_evaluation_detail(e->out, "targeting: bad: it gave \"%.*s\", which is no variant",
                         name.len > 80 ? 80 : (int)name.len, name.ptr);
    use_safe(e, FS_REASON_ERROR);
}

/* Takes the reference to `value`. */
static void pick_value(struct fs_evaluating *e, json_t *value, const char *why, const struct told *told)
{
    if (value && fs_type_holds(e->flag->type, value)) {
        e->out->value = value;
        e->out->variant = "decision";
        e->out->reason = match(told->stale);
        return;
    }
    if (value && json_is_null(value) && told->denied) {
        use_safe(e, match(told->stale));
    } else {
        fs_evaluation_detail(e->out, "value: bad: %s%s", value ? "it is no " : "",
                             value ? fs_type_name(e->flag->type) : why);
        use_safe(e, FS_REASON_ERROR);
    }
    fs_json_drop(value);
}

static void evaluate_rule(struct fs_evaluating *e, const struct fs_rule *rule)
{
    struct told told = {0};
    if (!tell_decisions(e, rule, &told) || !tell_facts(e, rule, &told)) {
        finish_told(&told);
        return;
    }
    struct fs_scope scope = {.context = e->input->context,
                             .facts = told.facts,
                             .decisions = told.decisions,
                             .flag_key = e->flag->key,
                             .wall_ms = e->input->wall_ms};
    fs_evaluation_schedule(rule, &scope, e->arena, &e->out->next_change);
    if (e->input->trace)
        fs_rule_trace(rule, &scope, e->arena, e->input->trace);
    if (rule == e->flag->value) {
        const char *why = "";
        json_t *value = fs_rule_run_json(rule, &scope, e->arena, &why);
        pick_value(e, value, why, &told);
    } else
        pick_targeted(e, fs_rule_run(rule, &scope, e->arena), &told);
    finish_told(&told);
}

static int variant_valued(const struct fs_flag *flag, bool value)
{
    for (size_t i = 0; i < flag->variant_count; i++) {
        const json_t *own = flag->variants[i].value;
        if (value ? json_is_true(own) : json_is_false(own))
            return (int)i;
    }
    return -1;
}

/* A decision without targeting or value picks the variant itself. */
static void evaluate_bare(struct fs_evaluating *e)
{
    const struct fs_flag *flag = e->flag;
    const struct fs_decision *decision = &flag->decisions[0];
    struct stand stand = stand_of(decision, &e->input->standings[0]);
    int variant = -1;
    if (stand.state == ALLOWED || stand.state == DENIED)
        variant = variant_valued(flag, stand.state == ALLOWED);
    else if (stand.state == VALUE && json_is_string(stand.value))
        variant = fs_flag_variant(flag, fs_str_from(json_string_value(stand.value)));
    if (variant >= 0) {
        fs_evaluation_pick(e->out, flag, variant, match(stand.stale));
        return;
    }
    if (stand.state == DENIED) {
        use_safe(e, match(stand.stale));
        return;
    }
    if (stand.state == ALLOWED || stand.state == VALUE) {
        stand.why = stand.state == ALLOWED        ? "true, and no variant is valued true"
                    : json_is_string(stand.value) ? "it names no variant"
                                                  : "it is neither boolean nor the name of a variant";
        stand.state = BAD;
    }
    tell(e, decision, &stand);
    use_safe(e, FS_REASON_ERROR);
}

void fs_evaluate_access(struct fs_evaluating *e)
{
    const struct fs_flag *flag = e->flag;
    if (flag->disabled)
        use_safe(e, FS_REASON_DISABLED);
    else if (flag->value)
        evaluate_rule(e, flag->value);
    else if (flag->targeting)
        evaluate_rule(e, flag->targeting);
    else if (flag->decision_count > 0)
        evaluate_bare(e);
    else if (flag->default_variant >= 0)
        fs_evaluation_pick(e->out, flag, flag->default_variant, FS_REASON_STATIC);
    else
        use_safe(e, FS_REASON_DEFAULT);
}

json_t *fs_decision_input(const struct fs_flag *flag, const struct fs_decision *decision,
                          const json_t *context, const json_t *facts, int64_t wall_ms, struct fs_arena *arena,
                          char missing_fact[64])
{
    json_t *known = NULL, *input = NULL;
    const char *why;
    missing_fact[0] = 0;
    if (!decision->input)
        return fs_value_to_json(fs_value_from_json(context));
    if (fs_facts_for(flag, decision->input, facts, &known, missing_fact)) {
        struct fs_scope scope = {
            .context = context, .facts = known, .flag_key = flag->key, .wall_ms = wall_ms};
        input = fs_rule_run_json(decision->input, &scope, arena, &why);
    }
    json_decref(known);
    return input;
}

int64_t fs_decision_input_change(const struct fs_flag *flag, const struct fs_decision *decision,
                                 const json_t *context, const json_t *facts, int64_t wall_ms,
                                 struct fs_arena *arena)
{
    int64_t next = INT64_MAX;
    json_t *known = NULL;
    char missing[64];
    if (!decision->input || fs_rule_time(decision->input) == FS_TIME_NONE)
        return next;
    if (fs_facts_for(flag, decision->input, facts, &known, missing)) {
        struct fs_scope scope = {
            .context = context, .facts = known, .flag_key = flag->key, .wall_ms = wall_ms};
        fs_evaluation_schedule(decision->input, &scope, arena, &next);
    }
    json_decref(known);
    return next;
}

static void read_builtin(struct fs_value value, struct fs_answer *out)
{
    if (value.kind == FS_FAILED) {
        out->state = FS_ANSWER_BAD;
        out->error = fs_format("the rule failed: %.*s", (int)value.string.len, value.string.ptr);
    } else if (value.kind == FS_NULL)
        out->state = FS_ANSWER_UNDEFINED;
    else {
        out->state = FS_ANSWER_VALUE;
        out->value = fs_value_to_json(value);
    }
}

void fs_decide_builtin(const struct fs_flag *flag, const struct fs_decision *decision, const json_t *context,
                       const json_t *facts, int64_t wall_ms, struct fs_arena *arena, struct fs_answer *out,
                       int64_t *next_change)
{
    json_t *known = NULL;
    char missing[64];
    *out = (struct fs_answer){.state = FS_ANSWER_NONE};
    *next_change = INT64_MAX;
    if (!fs_facts_for(flag, decision->rule, facts, &known, missing)) {
        out->error = fs_format("fact %s: missing or expired", missing);
        return;
    }
    struct fs_scope scope = {.context = context, .facts = known, .flag_key = flag->key, .wall_ms = wall_ms};
    fs_evaluation_schedule(decision->rule, &scope, arena, next_change);
    read_builtin(fs_rule_run(decision->rule, &scope, arena), out);
    json_decref(known);
}
