/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluating one flag for one context: flagd's rules for plain flags
 * (https://flagd.dev/reference/flag-definitions/), what all evaluations share, and how two evaluations
 * compare. Access flags are evaluate_access.c's.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "core/json.h"
#include "evaluate_internal.h"

const char *fs_reason_name(enum fs_reason reason)
{
    static const char *const names[] = {"STATIC",   "DEFAULT", "TARGETING_MATCH", "SPLIT", "CACHED",
                                        "DISABLED", "UNKNOWN", "STALE",           "ERROR"};
    return (size_t)reason < sizeof names / sizeof *names ? names[reason] : "UNKNOWN";
}

const char *fs_error_code_name(enum fs_error_code code)
{
    static const char *const names[] = {"",
                                        "FLAG_NOT_FOUND",
                                        "PARSE_ERROR",
                                        "TYPE_MISMATCH",
                                        "TARGETING_KEY_MISSING",
                                        "INVALID_CONTEXT",
                                        "GENERAL"};
    return (size_t)code < sizeof names / sizeof *names ? names[code] : "GENERAL";
}

int fs_flag_variant(const struct fs_flag *flag, struct fs_str name)
{
    for (size_t i = 0; i < flag->variant_count; i++) {
        if (fs_str_is(name, flag->variants[i].name))
            return (int)i;
    }
    return -1;
}

void fs_evaluation_pick(struct fs_evaluation *out, const struct fs_flag *flag, int variant,
                        enum fs_reason reason)
{
    out->value = fs_json_share(flag->variants[variant].value);
    out->variant = flag->variants[variant].name;
    out->reason = reason;
}

/* Cuts at a whole character. */
__attribute__((format(printf, 2, 0))) static void write_detail(struct fs_evaluation *out, const char *format,
                                                               va_list args)
{
    vsnprintf(out->detail, sizeof out->detail, format, args);
    size_t length = strlen(out->detail);
    if (length + 1 < sizeof out->detail || fs_utf8_valid(out->detail, length))
        return;
    while (length > 0 && ((unsigned char)out->detail[length - 1] & 0xC0) == 0x80)
        length--;
    out->detail[length ? length - 1 : 0] = 0;
}

void fs_evaluation_detail(struct fs_evaluation *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_detail(out, format, args);
    va_end(args);
}

void fs_evaluation_error(struct fs_evaluation *out, enum fs_error_code code, const char *format, ...)
{
    va_list args;
    out->reason = FS_REASON_ERROR;
    out->error = code;
    va_start(args, format);
    write_detail(out, format, args);
    va_end(args);
}

bool fs_type_holds(enum fs_type type, const json_t *value)
{
    double number = json_number_value(value);
    switch (type) {
    case FS_TYPE_BOOLEAN:
        return json_is_boolean(value);
    case FS_TYPE_STRING:
        return json_is_string(value);
    case FS_TYPE_INTEGER:
        return json_is_number(value) && number - __builtin_trunc(number) == 0;
    case FS_TYPE_FLOAT:
        return json_is_number(value);
    case FS_TYPE_OBJECT:
        return json_is_object(value) || json_is_array(value);
    }
    return false;
}

void fs_evaluation_schedule(const struct fs_rule *rule, const struct fs_scope *scope, struct fs_arena *arena,
                            int64_t *next_change)
{
    int64_t next = INT64_MAX;
    if (fs_rule_time(rule) == FS_TIME_SCHEDULED)
        next = fs_rule_next_change(rule, scope, arena);
    else if (fs_rule_time(rule) == FS_TIME_EACH_SECOND)
        next = scope->wall_ms - ((scope->wall_ms % 1000) + 1000) % 1000 + 1000;
    if (next < *next_change)
        *next_change = next;
}

static bool has_missing(const struct fs_flag *flag, const struct fs_rule *rule, const json_t *facts,
                        bool *use_defaults, char missing[64])
{
    const char *name;
    for (size_t i = 0; (name = fs_rule_fact(rule, i)) != NULL; i++) {
        if (strcmp(name, "*") == 0) {
            *use_defaults = *use_defaults || flag->fact_defaults;
        } else if (json_object_get(facts, name)) {
            continue;
        } else if (json_object_get(flag->fact_defaults, name)) {
            *use_defaults = true;
        } else {
            snprintf(missing, 64, "%s", name);
            return true;
        }
    }
    return false;
}

bool fs_facts_for(const struct fs_flag *flag, const struct fs_rule *rule, const json_t *facts, json_t **out,
                  char missing[64])
{
    bool use_defaults = false;
    *out = NULL;
    missing[0] = 0;
    if (has_missing(flag, rule, facts, &use_defaults, missing))
        return false;
    if (!use_defaults) {
        *out = fs_json_share(facts);
        return true;
    }
    *out = json_copy(flag->fact_defaults);
    if (facts) {
        json_t *known = fs_json_share(facts);
        json_object_update(*out, known);
        json_decref(known);
    }
    return true;
}

static void evaluate_plain(struct fs_evaluating *e)
{
    const struct fs_flag *flag = e->flag;
    struct fs_evaluation *out = e->out;
    enum fs_reason reason = FS_REASON_STATIC;
    int variant = flag->default_variant;
    if (flag->targeting) {
        struct fs_scope scope = {
            .context = e->input->context, .flag_key = flag->key, .wall_ms = e->input->wall_ms};
        struct fs_value value = fs_rule_run(flag->targeting, &scope, e->arena);
        fs_evaluation_schedule(flag->targeting, &scope, e->arena, &out->next_change);
        if (e->input->trace)
            fs_rule_trace(flag->targeting, &scope, e->arena, e->input->trace);
        reason = FS_REASON_DEFAULT;
        if (value.kind == FS_FAILED) {
            fs_evaluation_error(out, FS_ERROR_GENERAL, "targeting failed: %.*s", (int)value.string.len,
                                value.string.ptr);
            return;
        }
        if (value.kind != FS_NULL) {
            struct fs_str name = fs_value_text(value, e->arena);
            reason = FS_REASON_TARGETING_MATCH;
            variant = fs_flag_variant(flag, name);
            if (variant < 0) {
                fs_evaluation_error(out, FS_ERROR_GENERAL, "targeting gave \"%.*s\", which is no variant",
                                    name.len > 80 ? 80 : (int)name.len, name.ptr);
                return;
            }
        }
    }
    if (variant >= 0)
        fs_evaluation_pick(out, flag, variant, reason);
    else
        out->reason = FS_REASON_DEFAULT;
}

void fs_evaluate(const struct fs_flag *flag, const struct fs_evaluation_input *input, struct fs_arena *arena,
                 struct fs_evaluation *out)
{
    struct fs_evaluating e = {flag, input, arena, out};
    memset(out, 0, sizeof *out);
    out->next_change = INT64_MAX;
    if (flag->access)
        fs_evaluate_access(&e);
    else if (flag->disabled)
        out->reason = FS_REASON_DISABLED;
    else
        evaluate_plain(&e);
}

void fs_evaluation_finish(struct fs_evaluation *evaluation)
{
    if (!evaluation)
        return;
    fs_json_drop(evaluation->value);
    evaluation->value = NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool fs_evaluation_equal(const struct fs_evaluation *a, const struct fs_evaluation *b)
{
    return a->reason == b->reason && a->error == b->error && a->safe == b->safe &&
           same_text(a->variant, b->variant) && fs_json_equal(a->value, b->value);
}

bool fs_evaluation_is_safe(const struct fs_flag *flag, const struct fs_evaluation *evaluation)
{
    const json_t *safe =
        flag->safe_variant >= 0 ? flag->variants[flag->safe_variant].value : flag->safe_value;
    return evaluation->safe || (safe && fs_json_equal(evaluation->value, safe));
}

/* The place of the evaluation's variant in the flag's order; -1: none. */
static int place(const struct fs_flag *flag, const struct fs_evaluation *evaluation)
{
    for (size_t i = 0; i < flag->order_count; i++) {
        if (same_text(evaluation->variant, flag->variants[flag->order[i]].name))
            return (int)i;
    }
    return -1;
}

static bool holds_item(const json_t *array, const json_t *item)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (fs_json_equal(json_array_get(array, i), item))
            return true;
    }
    return false;
}

static bool is_subset(const json_t *part, const json_t *whole)
{
    for (size_t i = 0; i < json_array_size(part); i++) {
        if (!holds_item(whole, json_array_get(part, i)))
            return false;
    }
    return true;
}

bool fs_evaluation_takes_away(const struct fs_flag *flag, const struct fs_evaluation *old,
                              const struct fs_evaluation *new_)
{
    if (fs_evaluation_equal(old, new_) || !new_->value)
        return false;
    if (fs_evaluation_is_safe(flag, new_))
        return true;
    int from = place(flag, old), to = place(flag, new_);
    if (from >= 0 && to >= 0)
        return to < from;
    if (!json_is_array(old->value) || !json_is_array(new_->value))
        return false;
    return is_subset(new_->value, old->value) && !is_subset(old->value, new_->value);
}
