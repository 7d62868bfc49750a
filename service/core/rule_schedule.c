/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When time alone changes a rule: the moments at which comparisons with the bare timestamp flip. Which
 * comparisons those are was found when the rule was compiled (rule_analyse.c).
 */
#include "rule_internal.h"

/* The comparison's outcome flips when the clock's second reaches one of these two; INT64_MAX for none. */
static void flips(const struct fs_operator *op, bool stamp_first, double other, double out[2])
{
    bool greater = op->lazy == fs_op_greater || op->lazy == fs_op_greater_equal;
    bool or_equal = op->lazy == fs_op_less_equal || op->lazy == fs_op_greater_equal;
    double reaches = __builtin_ceil(other), passes = __builtin_floor(other) + 1;
    if (!greater && op->lazy != fs_op_less && op->lazy != fs_op_less_equal) {
        /* Equality holds for one second, and never for a fraction. */
        bool whole = reaches < passes;
        out[0] = whole ? reaches : __builtin_nan("");
        out[1] = whole ? passes : out[0];
        return;
    }
    /* "stamp > other" and "stamp <= other" change when it passes, the other two when it reaches. Seen from
     * the other side, greater is less. */
    bool passing = (greater == stamp_first) != or_equal;
    out[0] = out[1] = passing ? passes : reaches;
}

static void earliest(int64_t *next, int64_t after, double second)
{
    if (!(second > -9e12 && second < 9e12))
        return;
    int64_t moment = (int64_t)second * 1000;
    if (moment > after && moment < *next)
        *next = moment;
}

static void next_of_pair(struct fs_run *run, const struct fs_node *node, size_t left, int64_t *next)
{
    double seconds[2];
    bool stamp_first = fs_node_is_timestamp(&node->args[left]);
    if (stamp_first == fs_node_is_timestamp(&node->args[left + 1]))
        return;
    struct fs_value other = fs_node_run(run, &node->args[stamp_first ? left + 1 : left]);
    double number = fs_to_number(run, other);
    if (run->failed || number != number)
        return;
    flips(node->op, stamp_first, number, seconds);
    earliest(next, run->scope->wall_ms, seconds[0]);
    earliest(next, run->scope->wall_ms, seconds[1]);
}

int64_t fs_rule_next_change(const struct fs_rule *rule, const struct fs_scope *scope, struct fs_arena *arena)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < rule->moments.count; i++) {
        const struct fs_node *node = rule->moments.items[i];
        for (size_t left = 0; left + 1 < node->count; left++) {
            struct fs_run run = fs_run_start(scope, arena);
            next_of_pair(&run, node, left, &next);
        }
    }
    return next;
}
