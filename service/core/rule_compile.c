/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From JSON to nodes: operators and paths are looked up, $refs are put in place, what is constant is computed
 * once. A constant part that fails is an error here already, as it is for flagd-core.
 */
#include <stdio.h>
#include <string.h>
#include "core/json.h"
#include "rule_internal.h"

#define FS_RULE_SOURCE_LIMIT (16 * 1024 * 1024)

/* Where the compiler is, from the inside out. */
struct step {
    const struct step *outer;
    const char *key; /* NULL: `index` */
    size_t index;
};

struct compiler {
    struct fs_rule *rule;
    const json_t *evaluators;
    struct fs_rule_error *err;
    struct fs_arena scratch; /* for constant parts */
    struct fs_buf source;    /* what the rule's hash is made of */
    size_t nodes;
    int depth;
    int iterations;               /* how many iterations around this place */
    const char *evaluator;        /* the one being compiled, for messages */
    const struct step *reference; /* where its $ref stands: errors point there */
};

static void render(struct fs_buf *buf, const struct step *at)
{
    if (!at)
        return;
    render(buf, at->outer);
    if (!at->key) {
        fs_buf_addf(buf, "/%zu", at->index);
        return;
    }
    fs_buf_addc(buf, '/');
    for (const char *c = at->key; *c; c++) {
        if (*c == '~' || *c == '/')
            fs_buf_adds(buf, *c == '~' ? "~0" : "~1");
        else
            fs_buf_addc(buf, *c);
    }
}

static bool fail(struct compiler *c, const struct step *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool fail(struct compiler *c, const struct step *at, const char *format, ...)
{
    struct fs_buf buf;
    size_t used = 0;
    va_list args;
    fs_buf_init(&buf, FS_RULE_TEXT_LIMIT);
    render(&buf, c->evaluator ? c->reference : at);
    snprintf(c->err->pointer, sizeof c->err->pointer, "%s", buf.data);
    fs_buf_finish(&buf);
    if (c->evaluator) {
        snprintf(c->err->text, sizeof c->err->text, "in evaluator \"%.60s\": ", c->evaluator);
        used = strlen(c->err->text);
    }
    va_start(args, format);
    vsnprintf(c->err->text + used, sizeof c->err->text - used, format, args);
    va_end(args);
    return false;
}

static bool compile(struct compiler *c, const json_t *logic, const struct step *at, bool template,
                    struct fs_node *out);

static struct fs_node *new_nodes(struct compiler *c, size_t count)
{
    c->nodes += count;
    return fs_arena_alloc(&c->rule->arena, count * sizeof(struct fs_node));
}

static void set_literal(struct compiler *c, const json_t *json, struct fs_node *out)
{
    *out = (struct fs_node){.kind = FS_NODE_LITERAL, .pure = true, .literal = fs_value_from_json(json)};
    if (out->literal.kind == FS_STRING)
        out->literal.string.ptr =
            fs_arena_strndup(&c->rule->arena, out->literal.string.ptr, out->literal.string.len);
    if (out->literal.kind == FS_JSON) {
        json_t *own = json_deep_copy(json);
        fs_vec_push(&c->rule->literals, own);
        out->literal.json = own;
    }
}

static bool is_constant(const struct fs_node *node)
{
    return node->pure && !node->reads;
}

/* Puts the value of a constant node in its place. */
static bool fold(struct compiler *c, struct fs_node *node, const struct step *at)
{
    struct fs_scope nothing = {.context = NULL};
    struct fs_run run = fs_run_start(&nothing, &c->scratch);
    if (node->kind == FS_NODE_LITERAL || !is_constant(node))
        return true;
    struct fs_value value = fs_node_run(&run, node);
    bool referred = node->referred;
    if (run.failed)
        return fail(c, at, "this fails whatever the context is: %s", run.why);
    if (value.kind == FS_NUMBER || value.kind == FS_BOOL || value.kind == FS_NULL) {
        *node = (struct fs_node){.kind = FS_NODE_LITERAL, .pure = true, .literal = value};
    } else {
        json_t *json = fs_value_to_json(value);
        set_literal(c, json, node);
        json_decref(json);
    }
    node->referred = referred;
    fs_arena_reset(&c->scratch);
    return true;
}

/* Compiles the operands: one, or the items of a list. `at` is the operator's step. */
static bool compile_args(struct compiler *c, const json_t *data, const struct step *at, bool template,
                         struct fs_node *out)
{
    bool list = json_is_array(data);
    bool iterates = out->kind == FS_NODE_CALL && (out->op->flags & FS_OP_ITERATE);
    out->count = list ? json_array_size(data) : 1;
    out->args = new_nodes(c, out->count);
    for (size_t i = 0; i < out->count; i++) {
        struct step step = {at, NULL, i};
        bool inside = iterates && i == 1;
        c->iterations += inside;
        bool ok =
            compile(c, list ? json_array_get(data, i) : data, list ? &step : at, template, &out->args[i]);
        c->iterations -= inside;
        if (!ok)
            return false;
    }
    fs_node_classify(out);
    if (is_constant(out))
        return true;
    for (size_t i = 0; i < out->count; i++) {
        struct step step = {at, NULL, i};
        if (!fold(c, &out->args[i], list ? &step : at))
            return false;
    }
    return true;
}

static bool starts_with_literal(const struct fs_node *node, const char *text)
{
    return node->kind == FS_NODE_CALL && strcmp(node->op->name, "cat") == 0 && node->count > 0 &&
           node->args[0].kind == FS_NODE_LITERAL && node->args[0].literal.kind == FS_STRING &&
           fs_str_starts_with(node->args[0].literal.string, fs_str_from(text));
}

static bool compile_computed_var(struct compiler *c, const json_t *data, const struct step *at,
                                 struct fs_node *out)
{
    out->kind = FS_NODE_VAR_COMPUTED;
    out->spread = !json_is_array(data) || json_array_size(data) == 1;
    if (!compile_args(c, data, at, false, out))
        return false;
    bool top = c->iterations == 0;
    if (top && starts_with_literal(&out->args[0], "decision"))
        return fail(c, at, "a path to a decision cannot be computed: name the decision");
    out->computes_fact = top && starts_with_literal(&out->args[0], "facts.");
    return true;
}

static bool compile_var(struct compiler *c, const json_t *data, const struct step *at, struct fs_node *out)
{
    const json_t *key = json_is_array(data) ? json_array_get(data, 0) : data;
    if (json_is_object(key) || json_is_array(key))
        return compile_computed_var(c, data, at, out);
    out->kind = FS_NODE_VAR;
    if (key && !json_is_null(key)) {
        struct fs_str text = fs_value_text(fs_value_from_json(key), &c->rule->arena);
        fs_path_parse(&c->rule->arena, text.ptr, text.len, &out->path);
    }
    if (c->iterations == 0)
        fs_path_find_root(&out->path);
    if (json_array_size(data) > 1) {
        struct step step = {at, NULL, 1};
        out->count = 1;
        out->args = new_nodes(c, 1);
        if (!compile(c, json_array_get(data, 1), &step, false, &out->args[0]) ||
            !fold(c, &out->args[0], &step))
            return false;
    }
    fs_node_classify(out);
    return true;
}

static bool compile_call(struct compiler *c, const struct fs_operator *op, const json_t *data,
                         const struct step *at, struct fs_node *out)
{
    out->kind = FS_NODE_CALL;
    out->op = op;
    out->spread = op->strict && json_is_object(data) && !(op->flags & FS_OP_UNARY);
    if (op->lazy && !json_is_array(data))
        return fail(c, at, "\"%s\" takes its operands in a list: {\"%s\": [...]}", op->name, op->name);
    size_t count = json_is_array(data) ? json_array_size(data) : 1;
    if (!out->spread && count < op->min)
        return fail(c, at, "\"%s\" takes at least %d operand%s; there %s %zu", op->name, op->min,
                    op->min == 1 ? "" : "s", count == 1 ? "is" : "are", count);
    return compile_args(c, data, at, false, out);
}

static bool compile_reference(struct compiler *c, const json_t *data, const struct step *at, bool template,
                              struct fs_node *out)
{
    const char *name = json_string_value(data);
    if (!name)
        return fail(c, at, "\"$ref\" takes the name of an evaluator");
    const json_t *logic = json_object_get(c->evaluators, name);
    if (!logic)
        return fail(c, at, "there is no evaluator \"%.60s\" in $evaluators", name);
    const char *outer = c->evaluator;
    const struct step *outer_reference = c->reference;
    fs_buf_addf(&c->source, "\n%s\n", name);
    fs_json_canonical(&c->source, logic);
    if (!outer)
        c->reference = at;
    c->evaluator = name;
    bool ok = compile(c, logic, at, template, out);
    c->evaluator = outer;
    c->reference = outer_reference;
    out->referred = true;
    return ok;
}

static bool compile_members(struct compiler *c, const json_t *object, const struct step *at,
                            struct fs_node *out)
{
    union {
        const json_t *read;
        json_t *iterated;
    } same = {.read = object};
    size_t i = 0;
    out->kind = FS_NODE_OBJECT;
    out->count = json_object_size(object);
    out->args = new_nodes(c, out->count);
    out->names = fs_arena_alloc(&c->rule->arena, out->count * sizeof *out->names);
    for (void *it = json_object_iter(same.iterated); it; it = json_object_iter_next(same.iterated, it), i++) {
        const char *key = json_object_iter_key(it);
        struct step step = {at, key, 0};
        out->names[i] = fs_arena_strndup(&c->rule->arena, key, strlen(key));
        if (!compile(c, json_object_iter_value(it), &step, true, &out->args[i]) ||
            !fold(c, &out->args[i], &step))
            return false;
    }
    fs_node_classify(out);
    return true;
}

static bool unknown_operator(struct compiler *c, const char *name, const struct step *at)
{
    const char *meant = fs_operator_suggest(name);
    return fail(c, at, "unknown operator \"%.60s\"%s%s%s", name, meant ? "; did you mean \"" : "",
                meant ? meant : "", meant ? "\"?" : "");
}

static bool compile_object(struct compiler *c, const json_t *object, const struct step *at, bool template,
                           struct fs_node *out)
{
    union {
        const json_t *read;
        json_t *iterated;
    } same = {.read = object};
    void *first = json_object_iter(same.iterated);
    if (!first) {
        set_literal(c, object, out);
        return true;
    }
    const char *name = json_object_iter_key(first);
    const json_t *data = json_object_iter_value(first);
    struct step step = {at, name, 0};
    if (json_object_size(object) == 1) {
        const struct fs_operator *op = fs_operator_find(name);
        if (strcmp(name, "var") == 0)
            return compile_var(c, data, &step, out);
        if (strcmp(name, "$ref") == 0)
            return compile_reference(c, data, &step, template, out);
        if (op)
            return compile_call(c, op, data, &step, out);
    }
    if (template)
        return compile_members(c, object, at, out);
    if (json_object_size(object) > 1)
        return fail(c, at,
                    "an object of %zu keys is no rule: one operator is expected, such as {\"%s\": ...}",
                    json_object_size(object), fs_operator_find(name) ? name : "if");
    return unknown_operator(c, name, &step);
}

static bool compile(struct compiler *c, const json_t *logic, const struct step *at, bool template,
                    struct fs_node *out)
{
    bool ok = true;
    *out = (struct fs_node){.kind = FS_NODE_LITERAL};
    if (c->depth >= FS_RULE_DEPTH)
        return fail(c, at, "the rule is nested deeper than %d levels, or an evaluator refers to itself",
                    FS_RULE_DEPTH);
    if (c->nodes > FS_RULE_NODES || c->source.failed)
        return fail(c, at, "the rule is too large, evaluators included");
    c->depth++;
    if (json_is_object(logic))
        ok = compile_object(c, logic, at, template, out);
    else if (json_is_array(logic)) {
        out->kind = FS_NODE_ARRAY;
        ok = compile_args(c, logic, at, template, out);
    } else
        set_literal(c, logic, out);
    c->depth--;
    return ok;
}

static struct fs_rule *compile_rule(const json_t *logic, const json_t *evaluators, bool template,
                                    struct fs_rule_error *err)
{
    struct fs_rule *rule = FS_NEW(struct fs_rule);
    struct compiler c = {.rule = rule, .evaluators = evaluators, .err = err};
    memset(err, 0, sizeof *err);
    fs_arena_init(&rule->arena);
    fs_arena_init(&c.scratch);
    fs_buf_init(&c.source, FS_RULE_SOURCE_LIMIT);
    fs_json_canonical(&c.source, logic);
    bool ok = compile(&c, logic, NULL, template, &rule->root) && fold(&c, &rule->root, NULL);
    if (ok) {
        rule->hash = fs_sha256(c.source.data, c.source.length);
        fs_rule_analyse(rule);
    } else {
        fs_rule_destroy(rule);
        rule = NULL;
    }
    fs_buf_finish(&c.source);
    fs_arena_finish(&c.scratch);
    return rule;
}

struct fs_rule *fs_rule_compile(const json_t *logic, const json_t *evaluators, struct fs_rule_error *err)
{
    return compile_rule(logic, evaluators, false, err);
}

struct fs_rule *fs_rule_compile_template(const json_t *logic, const json_t *evaluators,
                                         struct fs_rule_error *err)
{
    return compile_rule(logic, evaluators, true, err);
}
