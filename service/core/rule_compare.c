/* SPDX-License-Identifier: Apache-2.0 */
/*
 * == != === !== < <= > >=, chained over any number of operands. Text is compared as text with text; anything
 * else as numbers, and what is no number fails the rule, as in json-logic-engine's interpreter (its compiled
 * form lets some such comparisons pass as false, depending on the form of the second operand).
 */
#include <math.h>
#include "rule_internal.h"

enum order { LESS = 1, EQUAL = 2, GREATER = 4 };

static bool is_textual(struct fs_value value)
{
    return value.kind == FS_STRING || value.kind == FS_NULL;
}

static unsigned number_order(double a, double b)
{
    if (a < b)
        return LESS;
    if (a > b)
        return GREATER;
    return a >= b ? EQUAL : 0; /* not a number: neither */
}

/* How a and b stand; 0 where they do not stand in any order. `equality`: null equals null alone. */
static unsigned order_of(struct fs_run *run, struct fs_value a, struct fs_value b, bool equality)
{
    if (a.kind == FS_STRING && b.kind == FS_STRING) {
        int order = fs_text_order(a.string, b.string);
        return order < 0 ? LESS : order > 0 ? GREATER : EQUAL;
    }
    if (is_textual(a) && is_textual(b)) {
        if (equality)
            return a.kind == b.kind ? EQUAL : 0;
        return number_order(fs_to_number(run, a), fs_to_number(run, b));
    }
    double x = fs_to_number(run, a), y = fs_to_number(run, b);
    if (isnan(x) || isnan(y)) {
        fs_run_fail(run, "a comparison of things of which one is neither number nor text");
        return 0;
    }
    return number_order(x, y);
}

static struct fs_value chain(struct fs_run *run, const struct fs_node *node, unsigned wanted, bool equality,
                             bool negate)
{
    struct fs_value left = fs_node_run(run, &node->args[0]);
    for (size_t i = 1; i < node->count; i++) {
        struct fs_value right = fs_node_run(run, &node->args[i]);
        if (run->failed)
            return FS_NONE;
        bool holds = (order_of(run, left, right, equality) & wanted) != 0;
        if (holds == negate)
            return fs_boolean(false);
        left = right;
    }
    return fs_boolean(true);
}

static struct fs_value strict_chain(struct fs_run *run, const struct fs_node *node, bool wanted)
{
    struct fs_value left = fs_node_run(run, &node->args[0]);
    for (size_t i = 1; i < node->count; i++) {
        struct fs_value right = fs_node_run(run, &node->args[i]);
        if (fs_strictly_equal(left, right) != wanted)
            return fs_boolean(false);
        left = right;
    }
    return fs_boolean(true);
}

FS_LAZY(fs_op_equal)
{
    return chain(run, node, EQUAL, true, false);
}

FS_LAZY(fs_op_not_equal)
{
    return chain(run, node, EQUAL, true, true);
}

FS_LAZY(fs_op_same)
{
    return strict_chain(run, node, true);
}

FS_LAZY(fs_op_not_same)
{
    return strict_chain(run, node, false);
}

FS_LAZY(fs_op_less)
{
    return chain(run, node, LESS, false, false);
}

FS_LAZY(fs_op_less_equal)
{
    return chain(run, node, LESS | EQUAL, false, false);
}

FS_LAZY(fs_op_greater)
{
    return chain(run, node, GREATER, false, false);
}

FS_LAZY(fs_op_greater_equal)
{
    return chain(run, node, GREATER | EQUAL, false, false);
}
