/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled rule as others see it: its end, and what it reads. The rest is rule_compile.c's and
 * rule_run.c's. */
#include <string.h>
#include "rule_internal.h"

void fs_rule_destroy(struct fs_rule *rule)
{
    if (!rule)
        return;
    for (size_t i = 0; i < rule->literals.count; i++)
        json_decref(rule->literals.items[i]);
    fs_vec_finish(&rule->literals);
    fs_vec_finish(&rule->decisions);
    fs_vec_finish(&rule->facts);
    fs_vec_finish(&rule->variables);
    fs_vec_finish(&rule->moments);
    fs_arena_finish(&rule->arena);
    fs_free(rule);
}

struct fs_sha256 fs_rule_hash(const struct fs_rule *rule)
{
    return rule->hash;
}

enum fs_rule_time fs_rule_time(const struct fs_rule *rule)
{
    return rule->root.time;
}

bool fs_rule_reads_decision(const struct fs_rule *rule)
{
    return rule->decisions.count > 0;
}

bool fs_rule_reads_decision_state(const struct fs_rule *rule)
{
    for (size_t i = 0; i < rule->decisions.count; i++) {
        if (!rule->decisions.items[i].state)
            return false;
    }
    return rule->decisions.count > 0;
}

static const char *name_at(const fs_names *names, size_t index)
{
    return index < names->count ? names->items[index].text : NULL;
}

const char *fs_rule_decision(const struct fs_rule *rule, size_t index)
{
    return name_at(&rule->decisions, index);
}

const char *fs_rule_fact(const struct fs_rule *rule, size_t index)
{
    return name_at(&rule->facts, index);
}

const char *fs_rule_variable(const struct fs_rule *rule, size_t index)
{
    return name_at(&rule->variables, index);
}
