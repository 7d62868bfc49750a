/* SPDX-License-Identifier: Apache-2.0 */
/* Flags in tests: made from a few words, owned by a set of one. */
#ifndef FS_TEST_FLAG_SUPPORT_H
#define FS_TEST_FLAG_SUPPORT_H

#include "rule_support.h"
#include "core/evaluate.h"

struct plan {
    enum fs_type type;
    const char *variants; /* object; NULL: {'on':true,'off':false} */
    const char *default_variant;
    const char *safe; /* name of the safe variant */
    const char *safe_value;
    const char *targeting, *value;
    const char *decisions[3]; /* names; "" is the unnamed one */
    const char *rule, *input; /* of the first decision */
    const char *fact_defaults;
    const char *order[5];
    bool disabled, undefined_unknown, evaluate_unknown;
};

static inline int variant_index(const struct fs_flag *flag, const char *name)
{
    for (size_t i = 0; name && i < flag->variant_count; i++) {
        if (strcmp(flag->variants[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

static inline struct fs_rule *template_of(const char *text)
{
    struct fs_rule_error err;
    json_t *logic = json_of(text);
    struct fs_rule *rule = fs_rule_compile_template(logic, NULL, &err);
    if (!rule)
        fail_msg("%s: %s", text, err.text);
    json_decref(logic);
    return rule;
}

static inline void plan_decisions(struct fs_flag *flag, const struct plan *plan)
{
    flag->decisions = fs_calloc(3, sizeof *flag->decisions);
    for (size_t i = 0; i < 3 && plan->decisions[i]; i++) {
        struct fs_decision *decision = &flag->decisions[flag->decision_count++];
        decision->name = *plan->decisions[i] ? fs_strdup(plan->decisions[i]) : NULL;
        decision->source = fs_strdup("opa");
        decision->kind = fs_strdup("path");
        decision->query = fs_strdup("app/allow");
        decision->undefined_unknown = plan->undefined_unknown;
        if (i == 0 && plan->rule)
            decision->rule = rule_of(plan->rule);
        if (i == 0 && plan->input)
            decision->input = template_of(plan->input);
    }
}

static inline struct fs_flag *plan_flag(const char *key, const struct plan *plan)
{
    struct fs_flag *flag = FS_NEW(struct fs_flag);
    json_t *variants = json_of(plan->variants ? plan->variants : "{'on':true,'off':false}");
    const char *name;
    json_t *value;
    flag->key = fs_strdup(key);
    flag->type = plan->type;
    flag->disabled = plan->disabled;
    flag->variants = fs_calloc(json_object_size(variants) + 1, sizeof *flag->variants);
    json_object_foreach(variants, name, value) flag->variants[flag->variant_count++] =
        (struct fs_variant){fs_strdup(name), json_incref(value)};
    json_decref(variants);
    flag->default_variant = variant_index(flag, plan->default_variant);
    flag->safe_variant = variant_index(flag, plan->safe);
    flag->safe_value = json_of(plan->safe_value);
    flag->targeting = plan->targeting ? rule_of(plan->targeting) : NULL;
    flag->value = plan->value ? template_of(plan->value) : NULL;
    flag->evaluate_unknown = plan->evaluate_unknown;
    flag->fact_defaults = json_of(plan->fact_defaults);
    flag->revalidate = -1;
    flag->order = fs_calloc(5, sizeof *flag->order);
    for (size_t i = 0; i < 5 && plan->order[i]; i++)
        flag->order[flag->order_count++] = variant_index(flag, plan->order[i]);
    plan_decisions(flag, plan);
    return flag;
}

/* The only flag of a set; end it by fs_flagset_unref(). */
static inline struct fs_flagset *plan_set(const struct plan *plan)
{
    struct fs_flag *flag = plan_flag("my-flag", plan);
    return fs_flagset_create(&flag, 1, NULL);
}

#endif
