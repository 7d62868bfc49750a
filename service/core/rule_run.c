/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running compiled rules: nodes, variables, and the operators that choose among their operands. A failure
 * only marks the run: no operator can catch one, so what the rest computes does not matter.
 */
#include <string.h>
#include "rule_internal.h"

#define FS_FEW_ARGS 8 /* operands that need no arena */

struct fs_value fs_run_fail(struct fs_run *run, const char *why)
{
    if (!run->failed)
        run->why = why;
    run->failed = true;
    return FS_NONE;
}

static struct fs_value run_var(struct fs_run *run, const struct fs_node *node)
{
    bool found;
    struct fs_value value = fs_path_value(run, &node->path, &found);
    /* A null gives the default too: so does flagd-core's compiled form, its interpreted one does not. */
    if (value.kind == FS_NULL && node->count > 0)
        return fs_node_run(run, &node->args[0]);
    return value;
}

/* A computed path stays in its frame: which decision or fact a rule reads must be known when it is compiled.
 * The one exception is a path that visibly starts with "facts.". */
static struct fs_value run_computed_path(struct fs_run *run, const struct fs_node *node, struct fs_value key,
                                         struct fs_value otherwise)
{
    struct fs_path path = {.root = FS_ROOT_FRAME};
    bool found;
    if (key.kind != FS_NULL) {
        struct fs_str text = fs_value_text(key, run->arena);
        fs_path_parse(run->arena, text.ptr, text.len, &path);
    }
    if (run->frame->kind == FS_FRAME_TOP)
        fs_path_find_root(&path);
    if (path.root != FS_ROOT_FRAME && !(path.root == FS_ROOT_FACTS && node->computes_fact))
        return otherwise;
    struct fs_value value = fs_path_value(run, &path, &found);
    if (!found && path.root == FS_ROOT_FACTS)
        return fs_run_fail(run, "a computed path names a fact that is missing");
    return found ? value : otherwise;
}

static struct fs_value run_computed_var(struct fs_run *run, const struct fs_node *node)
{
    struct fs_value key = node->count > 0 ? fs_node_run(run, &node->args[0]) : FS_NONE;
    struct fs_value otherwise = node->count > 1 ? fs_node_run(run, &node->args[1]) : FS_NONE;
    if (node->spread && fs_value_is_array(key)) {
        size_t count = fs_value_count(key);
        otherwise = count > 1 ? fs_value_at(key, 1) : FS_NONE;
        key = count > 0 ? fs_value_at(key, 0) : FS_NONE;
    }
    return run_computed_path(run, node, key, otherwise);
}

static struct fs_value *room_for(struct fs_run *run, struct fs_value *few, size_t count)
{
    return count <= FS_FEW_ARGS ? few : fs_arena_alloc(run->arena, count * sizeof *few);
}

static struct fs_value run_array(struct fs_run *run, const struct fs_node *node)
{
    struct fs_value *items = fs_arena_alloc(run->arena, node->count * sizeof *items);
    for (size_t i = 0; i < node->count; i++)
        items[i] = fs_node_run(run, &node->args[i]);
    return (struct fs_value){.kind = FS_LIST, .list = {items, node->count}};
}

static struct fs_value call_counted(struct fs_run *run, const struct fs_operator *op,
                                    const struct fs_value *args, size_t count)
{
    /* What is written out was counted when the rule was compiled; a list that a run made is counted here. */
    if (count < op->min)
        return fs_run_fail(run, "an operator has too few operands");
    return op->strict(run, args, count);
}

static struct fs_value call_spread(struct fs_run *run, const struct fs_node *node)
{
    struct fs_value few[FS_FEW_ARGS], only = fs_node_run(run, &node->args[0]);
    if (run->failed)
        return FS_NONE;
    if (only.kind == FS_LIST)
        return call_counted(run, node->op, only.list.items, only.list.count);
    if (!fs_value_is_array(only)) {
        if (only.kind == FS_NULL && (node->op->flags & FS_OP_NO_NULL))
            return fs_run_fail(run, "text is made of null");
        return call_counted(run, node->op, &only, 1);
    }
    size_t count = fs_value_count(only);
    struct fs_value *args = room_for(run, few, count);
    for (size_t i = 0; i < count; i++)
        args[i] = fs_value_at(only, i);
    return call_counted(run, node->op, args, count);
}

static struct fs_value run_call(struct fs_run *run, const struct fs_node *node)
{
    if (node->op->lazy)
        return node->op->lazy(run, node);
    if (node->spread)
        return call_spread(run, node);
    struct fs_value few[FS_FEW_ARGS], *args = room_for(run, few, node->count);
    for (size_t i = 0; i < node->count; i++)
        args[i] = fs_node_run(run, &node->args[i]);
    if (run->failed)
        return FS_NONE;
    return node->op->strict(run, args, node->count);
}

struct fs_value fs_node_run(struct fs_run *run, const struct fs_node *node)
{
    if (run->failed)
        return FS_NONE;
    if (++run->steps > FS_RULE_STEPS)
        return fs_run_fail(run, "the rule takes too many steps");
    switch (node->kind) {
    case FS_NODE_LITERAL:
        return node->literal;
    case FS_NODE_VAR:
        return run_var(run, node);
    case FS_NODE_VAR_COMPUTED:
        return run_computed_var(run, node);
    case FS_NODE_ARRAY:
        return run_array(run, node);
    case FS_NODE_CALL:
        return run_call(run, node);
    case FS_NODE_OBJECT:
        break;
    }
    return fs_run_fail(run, "an object is built where a value is wanted");
}

FS_LAZY(fs_op_if)
{
    size_t i = 0;
    if (node->count == 1)
        return fs_node_run(run, &node->args[0]);
    for (; i + 1 < node->count; i += 2) {
        if (fs_truthy(fs_node_run(run, &node->args[i])))
            return fs_node_run(run, &node->args[i + 1]);
    }
    return i < node->count ? fs_node_run(run, &node->args[i]) : FS_NONE;
}

FS_LAZY(fs_op_and)
{
    struct fs_value value = FS_NONE;
    for (size_t i = 0; i < node->count; i++) {
        value = fs_node_run(run, &node->args[i]);
        if (!fs_truthy(value))
            break;
    }
    return value;
}

FS_LAZY(fs_op_or)
{
    struct fs_value value = FS_NONE;
    for (size_t i = 0; i < node->count; i++) {
        value = fs_node_run(run, &node->args[i]);
        if (fs_truthy(value))
            break;
    }
    return value;
}

struct fs_run fs_run_start(const struct fs_scope *scope, struct fs_arena *arena)
{
    static const struct fs_frame top = {
        .kind = FS_FRAME_TOP, .item = {.kind = FS_NULL}, .accumulator = {.kind = FS_NULL}};
    return (struct fs_run){.scope = scope, .arena = arena, .frame = &top};
}

struct fs_value fs_rule_run(const struct fs_rule *rule, const struct fs_scope *scope, struct fs_arena *arena)
{
    struct fs_run run = fs_run_start(scope, arena);
    struct fs_value value = fs_node_run(&run, &rule->root);
    if (!run.failed)
        return value;
    return (struct fs_value){.kind = FS_FAILED, .string = fs_str_from(run.why)};
}

static json_t *run_template(struct fs_run *run, const struct fs_node *node)
{
    if (node->kind == FS_NODE_OBJECT) {
        json_t *object = json_object();
        for (size_t i = 0; i < node->count; i++)
            json_object_set_new(object, node->names[i], run_template(run, &node->args[i]));
        return object;
    }
    if (node->kind == FS_NODE_ARRAY) {
        json_t *array = json_array();
        for (size_t i = 0; i < node->count; i++)
            json_array_append_new(array, run_template(run, &node->args[i]));
        return array;
    }
    return fs_value_to_json(fs_node_run(run, node));
}

json_t *fs_rule_run_json(const struct fs_rule *rule, const struct fs_scope *scope, struct fs_arena *arena,
                         const char **why)
{
    struct fs_run run = fs_run_start(scope, arena);
    json_t *value = run_template(&run, &rule->root);
    *why = run.why;
    if (!run.failed)
        return value;
    json_decref(value);
    return NULL;
}
