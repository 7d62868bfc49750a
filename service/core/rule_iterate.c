/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map, filter, reduce, all, some, none: the second operand runs once for each item, and sees the item alone.
 * What is false as a whole (null, "", 0) is an empty list; anything else that is no list fails the rule.
 */
#include "core/json.h"
#include "rule_internal.h"

static bool items_of(struct fs_run *run, const struct fs_node *node, struct fs_value *out)
{
    *out = fs_node_run(run, &node->args[0]);
    if (run->failed)
        return false;
    if (fs_value_is_array(*out))
        return true;
    if (fs_truthy(*out) || out->kind == FS_JSON) {
        fs_run_fail(run, "an iteration over something that is no list");
        return false;
    }
    *out = (struct fs_value){.kind = FS_LIST, .list = {NULL, 0}};
    return true;
}

static struct fs_value run_within(struct fs_run *run, const struct fs_node *node,
                                  const struct fs_frame *frame)
{
    const struct fs_frame *outer = run->frame;
    run->frame = frame;
    struct fs_value value = fs_node_run(run, node);
    run->frame = outer;
    return value;
}

static struct fs_value run_for(struct fs_run *run, const struct fs_node *node, struct fs_value item)
{
    struct fs_frame frame = {.kind = FS_FRAME_ITEM, .item = item, .accumulator = FS_NONE};
    return run_within(run, &node->args[1], &frame);
}

FS_LAZY(fs_op_map)
{
    struct fs_value list;
    if (!items_of(run, node, &list))
        return FS_NONE;
    size_t count = fs_value_count(list);
    struct fs_value *items = fs_arena_alloc(run->arena, count * sizeof *items);
    for (size_t i = 0; i < count && !run->failed; i++)
        items[i] = run_for(run, node, fs_value_at(list, i));
    return (struct fs_value){.kind = FS_LIST, .list = {items, count}};
}

FS_LAZY(fs_op_filter)
{
    struct fs_value list;
    if (!items_of(run, node, &list))
        return FS_NONE;
    size_t count = fs_value_count(list), kept = 0;
    struct fs_value *items = fs_arena_alloc(run->arena, count * sizeof *items);
    for (size_t i = 0; i < count && !run->failed; i++) {
        struct fs_value item = fs_value_at(list, i);
        if (fs_truthy(run_for(run, node, item)))
            items[kept++] = item;
    }
    return (struct fs_value){.kind = FS_LIST, .list = {items, kept}};
}

/* Does any item give `wanted`? */
static bool any_gives(struct fs_run *run, const struct fs_node *node, struct fs_value list, bool wanted)
{
    for (size_t i = 0; i < fs_value_count(list) && !run->failed; i++) {
        if (fs_truthy(run_for(run, node, fs_value_at(list, i))) == wanted)
            return true;
    }
    return false;
}

FS_LAZY(fs_op_some)
{
    struct fs_value list;
    if (!items_of(run, node, &list))
        return FS_NONE;
    return fs_boolean(any_gives(run, node, list, true));
}

FS_LAZY(fs_op_none)
{
    struct fs_value list;
    if (!items_of(run, node, &list))
        return FS_NONE;
    return fs_boolean(!any_gives(run, node, list, true));
}

/* Of an empty list nothing holds for all: jsonlogic.com's rule, and the safe one. */
FS_LAZY(fs_op_all)
{
    struct fs_value list;
    if (!items_of(run, node, &list))
        return FS_NONE;
    return fs_boolean(fs_value_count(list) > 0 && !any_gives(run, node, list, false));
}

/* json-logic-engine bounds what a reduce may pile up: no container within a container. */
static bool is_flat(struct fs_value value)
{
    if (fs_value_is_array(value)) {
        for (size_t i = 0; i < fs_value_count(value); i++) {
            enum fs_kind kind = fs_value_at(value, i).kind;
            if (kind == FS_JSON || kind == FS_LIST)
                return false;
        }
        return true;
    }
    return value.kind != FS_JSON || fs_json_depth(value.json) <= 1;
}

static struct fs_value checked(struct fs_run *run, struct fs_value value)
{
    return is_flat(value) ? value : fs_run_fail(run, "a reduce piles up lists within lists");
}

FS_LAZY(fs_op_reduce)
{
    struct fs_value list;
    struct fs_frame frame = {.kind = FS_FRAME_REDUCE, .item = FS_NONE, .accumulator = FS_NONE};
    size_t i = 0;
    if (!items_of(run, node, &list))
        return FS_NONE;
    if (node->count > 2)
        frame.accumulator = checked(run, fs_node_run(run, &node->args[2]));
    else if (fs_value_count(list) > 0)
        frame.accumulator = fs_value_at(list, i++);
    else
        return fs_run_fail(run, "a reduce of an empty list without a start value");
    for (; i < fs_value_count(list) && !run->failed; i++) {
        frame.item = fs_value_at(list, i);
        frame.accumulator = checked(run, run_within(run, &node->args[1], &frame));
    }
    return frame.accumulator;
}
