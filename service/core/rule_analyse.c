/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a compiled rule depends on: constant or not, time, and which decisions, facts and paths of the context
 * it reads. Names are only those at the top: inside an iteration `var` means the item.
 */
#include <string.h>
#include "rule_internal.h"

bool fs_node_is_timestamp(const struct fs_node *node)
{
    return node->kind == FS_NODE_VAR && node->path.root == FS_ROOT_TIMESTAMP && node->count == 0;
}

/* A comparison whose outcome changes at moments that can be computed: each neighbour of a bare timestamp is
 * free of time. */
static bool is_scheduled(const struct fs_node *node)
{
    bool any = false;
    for (size_t i = 0; i < node->count; i++) {
        bool stamp = fs_node_is_timestamp(&node->args[i]);
        if (!stamp && node->args[i].time != FS_TIME_NONE)
            return false;
        if (stamp && i > 0 && fs_node_is_timestamp(&node->args[i - 1]))
            return false;
        any = any || stamp;
    }
    return any;
}

static void classify_call(struct fs_node *node)
{
    if (node->op->flags & FS_OP_CUSTOM)
        node->pure = false;
    if ((node->op->flags & FS_OP_MISSING) && node->count > 0)
        node->reads = true;
    /* What the second operand reads is the item. */
    if (node->op->flags & FS_OP_ITERATE)
        node->reads = node->args[0].reads || (node->count > 2 && node->args[2].reads);
    if ((node->op->flags & FS_OP_COMPARE) && is_scheduled(node))
        node->time = FS_TIME_SCHEDULED;
}

void fs_node_classify(struct fs_node *node)
{
    node->pure = node->kind != FS_NODE_OBJECT;
    node->reads = node->kind == FS_NODE_VAR || node->kind == FS_NODE_VAR_COMPUTED;
    node->time = FS_TIME_NONE;
    for (size_t i = 0; i < node->count; i++) {
        node->pure = node->pure && node->args[i].pure;
        node->reads = node->reads || node->args[i].reads;
        if (node->args[i].time > node->time)
            node->time = node->args[i].time;
    }
    if (node->kind == FS_NODE_VAR && node->path.root == FS_ROOT_TIMESTAMP)
        node->time = FS_TIME_EACH_SECOND;
    if (node->kind == FS_NODE_CALL)
        classify_call(node);
}

static void add_name(struct fs_rule *rule, fs_names *names, const char *text, size_t length, bool state)
{
    for (size_t i = 0; i < names->count; i++) {
        struct fs_name *known = &names->items[i];
        if (strlen(known->text) == length && memcmp(known->text, text, length) == 0) {
            known->state = known->state || state;
            return;
        }
    }
    struct fs_name name = {fs_arena_strndup(&rule->arena, text, length), state};
    fs_vec_push(names, name);
}

static void add_variable(struct fs_rule *rule, const struct fs_path *path)
{
    struct fs_buf buf;
    fs_buf_init(&buf, FS_RULE_TEXT_LIMIT);
    for (size_t i = 0; i < path->count; i++)
        fs_buf_addf(&buf, "%s%s", i ? "." : "", path->segments[i].text);
    if (path->count == 0)
        fs_buf_adds(&buf, "*");
    add_name(rule, &rule->variables, buf.data, buf.length, false);
    fs_buf_finish(&buf);
}

static bool is_part_of_decision(const char *text)
{
    return strcmp(text, "allowed") == 0 || strcmp(text, "value") == 0 || strcmp(text, "state") == 0 ||
           strcmp(text, "stale") == 0;
}

static void add_decision(struct fs_rule *rule, const struct fs_path *path)
{
    const char *name = "";
    size_t part = 0;
    if (path->count > 0 && !is_part_of_decision(path->segments[0].text)) {
        name = path->segments[0].text;
        part = 1;
    }
    bool state = part < path->count && strcmp(path->segments[part].text, "state") == 0;
    add_name(rule, &rule->decisions, name, strlen(name), state);
}

static void add_path(struct fs_rule *rule, const struct fs_path *path)
{
    if (path->root == FS_ROOT_FRAME)
        add_variable(rule, path);
    else if (path->root == FS_ROOT_DECISION)
        add_decision(rule, path);
    else if (path->root == FS_ROOT_FACTS && path->count > 0)
        add_name(rule, &rule->facts, path->segments[0].text, path->segments[0].length, false);
    else if (path->root == FS_ROOT_FACTS)
        add_name(rule, &rule->facts, "*", 1, false);
}

static void add_missing(struct fs_rule *rule, const struct fs_node *node);

static void add_missing_value(struct fs_rule *rule, struct fs_value value)
{
    struct fs_path path;
    if (fs_value_is_array(value)) {
        for (size_t i = 0; i < fs_value_count(value); i++) {
            if (!fs_value_is_array(fs_value_at(value, i)))
                add_missing_value(rule, fs_value_at(value, i));
        }
        return;
    }
    struct fs_str text = fs_value_text(value, &rule->arena);
    fs_path_parse(&rule->arena, text.ptr, text.len, &path);
    fs_path_find_root(&path);
    add_path(rule, &path);
}

/* The paths that an operand of missing or missing_some names; "*" where it is computed. */
static void add_missing(struct fs_rule *rule, const struct fs_node *node)
{
    if (node->kind == FS_NODE_LITERAL) {
        add_missing_value(rule, node->literal);
    } else if (node->kind == FS_NODE_ARRAY) {
        for (size_t i = 0; i < node->count; i++)
            add_missing(rule, &node->args[i]);
    } else
        add_name(rule, &rule->variables, "*", 1, false);
}

static void visit_call(struct fs_rule *rule, const struct fs_node *node, bool top)
{
    if (node->op->strict == fs_op_fractional && (node->count == 0 || node->args[0].kind != FS_NODE_LITERAL ||
                                                 node->args[0].literal.kind != FS_STRING))
        add_name(rule, &rule->variables, "targetingKey", 12, false);
    if (!top)
        return;
    if (node->time == FS_TIME_SCHEDULED && (node->op->flags & FS_OP_COMPARE) && is_scheduled(node))
        fs_vec_push(&rule->moments, node);
    if (node->op->flags & FS_OP_MISSING) {
        /* Of missing_some the first operand is a number. */
        for (size_t i = node->op->min > 1 ? 1 : 0; i < node->count; i++)
            add_missing(rule, &node->args[i]);
    }
}

static void visit(struct fs_rule *rule, const struct fs_node *node, bool top)
{
    if (node->kind == FS_NODE_VAR && top)
        add_path(rule, &node->path);
    if (node->kind == FS_NODE_VAR_COMPUTED && top)
        add_name(rule, &rule->variables, "*", 1, false);
    if (node->kind == FS_NODE_VAR_COMPUTED && node->computes_fact)
        add_name(rule, &rule->facts, "*", 1, false);
    if (node->kind == FS_NODE_CALL)
        visit_call(rule, node, top);
    for (size_t i = 0; i < node->count; i++) {
        bool inside = node->kind == FS_NODE_CALL && (node->op->flags & FS_OP_ITERATE) && i == 1;
        visit(rule, &node->args[i], top && !inside);
    }
}

void fs_rule_analyse(struct fs_rule *rule)
{
    visit(rule, &rule->root, true);
}
