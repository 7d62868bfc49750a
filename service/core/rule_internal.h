/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules as compiled: a tree of nodes in the rule's own arena, and what a run carries. Shared by the rule_*.c
 * files and by nobody else.
 *
 *   rule_compile.c    JSON to nodes, with errors that point into the rule
 *   rule_analyse.c    which paths, decisions, facts and moments a rule reads
 *   rule_run.c        running nodes; if, and, or, var
 *   rule_path.c       "org.name" to a value
 *   rule_schedule.c   when time alone changes a rule
 *   rule_trace.c      which branch gave the result
 *   rule_operators.c  the table of operators; text and list operators
 *   rule_compare.c    == < and their kin
 *   rule_arithmetic.c + - * / % min max
 *   rule_iterate.c    map filter reduce all some none
 *   rule_fractional.c fractional
 *   rule_semver.c     sem_ver
 *   rule_convert.c    numbers from values, truthiness, equality
 *   rule_text.c       values as text, as JavaScript writes them
 *
 * The reference for every detail is json-logic-engine 5.0.7 as @openfeature/flagd-core 4.0.1 drives it;
 * tests/conformance/rules holds the two against each other. Where its compiler and its interpreter differ,
 * the comments here say which is followed.
 */
#ifndef FS_CORE_RULE_INTERNAL_H
#define FS_CORE_RULE_INTERNAL_H

#include "base/buf.h"
#include "base/vec.h"
#include "core/rule.h"

#define FS_RULE_DEPTH      100           /* nesting of a rule, evaluators included */
#define FS_RULE_NODES      100000        /* nodes of one rule */
#define FS_RULE_STEPS      1000000       /* nodes that one run may visit */
#define FS_RULE_TEXT_LIMIT (1024 * 1024) /* one text that a run makes */
#define FS_RULE_LIST_LIMIT (1 << 16)     /* items of one list that a run makes */

struct fs_run;
struct fs_node;

/* One operator. Exactly one of `strict` and `lazy`: strict ones get their operands evaluated. */
struct fs_operator {
    const char *name;
    struct fs_value (*strict)(struct fs_run *run, const struct fs_value *args, size_t count);
    struct fs_value (*lazy)(struct fs_run *run, const struct fs_node *node);
    unsigned char min; /* operands; more than it knows are ignored, as in JavaScript */
    unsigned char flags;
};

enum {
    FS_OP_CUSTOM = 1,  /* flagd's own: never folded, and wrong operands give null instead of an error */
    FS_OP_UNARY = 2,   /* a single operand is not taken for the list of operands */
    FS_OP_ITERATE = 4, /* the second operand runs once for each item of the first */
    FS_OP_COMPARE = 8,
    FS_OP_MISSING = 16, /* its operands are paths */
    FS_OP_NO_NULL = 32  /* a single operand may not be null */
};

const struct fs_operator *fs_operator_find(const char *name);
/* The operator's name that was probably meant, or NULL. */
const char *fs_operator_suggest(const char *name);

struct fs_segment {
    const char *text;
    size_t length;
    long index; /* as an index of an array; -1: it is none */
};

enum fs_root {
    FS_ROOT_FRAME,
    FS_ROOT_FACTS,
    FS_ROOT_DECISION,
    FS_ROOT_FLAG_KEY,
    FS_ROOT_TIMESTAMP,
    FS_ROOT_NOWHERE
};

struct fs_path {
    enum fs_root root;
    struct fs_segment *segments; /* behind the root's own */
    size_t count;
};

/* Splits at dots; a backslash takes a dot, a slash or a backslash for itself. In the frame's own terms: no
 * root but FS_ROOT_FRAME. */
void fs_path_parse(struct fs_arena *arena, const char *text, size_t length, struct fs_path *out);
/* Turns a frame's path into one with a root of its own, where its first segments name one ("facts.tier",
 * "$flagd.flagKey"). */
void fs_path_find_root(struct fs_path *path);
/* The value behind the path in the current frame; *found tells null from nothing. */
struct fs_value fs_path_value(struct fs_run *run, const struct fs_path *path, bool *found);

enum fs_node_kind {
    FS_NODE_LITERAL,
    FS_NODE_VAR,          /* path; args[0], where there is one, is the default */
    FS_NODE_VAR_COMPUTED, /* args: key, default */
    FS_NODE_ARRAY,
    FS_NODE_OBJECT, /* templates only: names and args */
    FS_NODE_CALL
};

struct fs_node {
    enum fs_node_kind kind;
    bool pure;          /* same operands, same result, and no custom operator */
    bool reads;         /* reads the frame that it stands in */
    bool spread;        /* one operand, given without a list: where it is an array it is the list */
    bool referred;      /* stands where a $ref was: no pointer into the rule leads further down */
    bool computes_fact; /* FS_NODE_VAR_COMPUTED: "facts." and something computed */
    enum fs_rule_time time;
    const struct fs_operator *op;
    struct fs_node *args;
    size_t count;
    union {
        struct fs_value literal;
        struct fs_path path;
        const char **names;
    };
};

struct fs_name {
    char *text; /* in the rule's arena */
    bool state; /* decisions: the rule reads its state */
};

typedef FS_VEC(struct fs_name) fs_names;

struct fs_rule {
    struct fs_arena arena;
    struct fs_node root;
    FS_VEC(json_t *) literals; /* containers that nodes borrow */
    fs_names decisions, facts, variables;
    FS_VEC(const struct fs_node *) moments; /* comparisons with the bare timestamp */
    struct fs_sha256 hash;
};

/* What `var` and the like read: the scope at the top, an item inside an iteration. */
struct fs_frame {
    enum { FS_FRAME_TOP, FS_FRAME_ITEM, FS_FRAME_REDUCE } kind;
    struct fs_value item; /* of a reduce: current */
    struct fs_value accumulator;
};

struct fs_run {
    const struct fs_scope *scope;
    struct fs_arena *arena;
    const struct fs_frame *frame;
    size_t steps;
    bool failed;     /* sticky: whatever the rest gives, the run failed */
    const char *why; /* static text */
};

#define FS_NONE ((struct fs_value){.kind = FS_NULL})
static inline struct fs_value fs_boolean(bool value)
{
    return (struct fs_value){.kind = FS_BOOL, .boolean = value};
}
static inline struct fs_value fs_number(double value)
{
    return (struct fs_value){.kind = FS_NUMBER, .number = value};
}
static inline struct fs_value fs_string(const char *ptr, size_t length)
{
    return (struct fs_value){.kind = FS_STRING, .string = {ptr, length}};
}

/* Marks the run as failed; the first reason stays. Gives null, so that `return fs_run_fail(...)` ends an
 * operator. */
struct fs_value fs_run_fail(struct fs_run *run, const char *why);
struct fs_value fs_node_run(struct fs_run *run, const struct fs_node *node);
/* A run at the top of the scope. */
struct fs_run fs_run_start(const struct fs_scope *scope, struct fs_arena *arena);

/* Finds out what the compiled rule reads, from its root. */
void fs_rule_analyse(struct fs_rule *rule);
/* At a node whose operands are compiled: `pure`, `reads` and `time`. */
void fs_node_classify(struct fs_node *node);
bool fs_node_is_timestamp(const struct fs_node *node);

/* JavaScript's conversions (ECMA-262 section 7.1). Containers give NaN. */
double fs_to_number(struct fs_run *run, struct fs_value value);
/* ===, with containers equal to themselves only. */
bool fs_strictly_equal(struct fs_value a, struct fs_value b);
/* The order of UTF-16 code units, which is JavaScript's. */
int fs_text_order(struct fs_str a, struct fs_str b);
/* Length in UTF-16 code units, and the byte at which unit `units` starts. */
size_t fs_text_units(struct fs_str text);
size_t fs_text_offset(struct fs_str text, size_t units);

#define FS_STRICT(name) struct fs_value name(struct fs_run *run, const struct fs_value *args, size_t count)
#define FS_LAZY(name)   struct fs_value name(struct fs_run *run, const struct fs_node *node)
FS_LAZY(fs_op_if);
FS_LAZY(fs_op_and);
FS_LAZY(fs_op_or);
FS_LAZY(fs_op_map);
FS_LAZY(fs_op_filter);
FS_LAZY(fs_op_reduce);
FS_LAZY(fs_op_all);
FS_LAZY(fs_op_some);
FS_LAZY(fs_op_none);
FS_LAZY(fs_op_equal);
FS_LAZY(fs_op_not_equal);
FS_LAZY(fs_op_same);
FS_LAZY(fs_op_not_same);
FS_LAZY(fs_op_less);
FS_LAZY(fs_op_less_equal);
FS_LAZY(fs_op_greater);
FS_LAZY(fs_op_greater_equal);
FS_STRICT(fs_op_add);
FS_STRICT(fs_op_subtract);
FS_STRICT(fs_op_multiply);
FS_STRICT(fs_op_divide);
FS_STRICT(fs_op_modulo);
FS_STRICT(fs_op_max);
FS_STRICT(fs_op_min);
FS_STRICT(fs_op_fractional);
FS_STRICT(fs_op_sem_ver);

#endif
