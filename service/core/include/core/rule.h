/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules: JsonLogic as flagd uses it (https://jsonlogic.com/operations.html; flagd's custom operations
 * fractional, sem_ver, starts_with, ends_with; $ref to $evaluators; $flagd.*). A rule is compiled once from
 * JSON, is immutable and may be run by any number of threads, each with a scope and an arena of its own.
 */
#ifndef FS_CORE_RULE_H
#define FS_CORE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/arena.h"
#include "base/digest.h"
#include "core/value.h"

struct fs_rule;

/* Where a rule is wrong: a JSON pointer (RFC 6901) into the rule, so that a flag file can tell line and
 * column. */
struct fs_rule_error {
    char pointer[256];
    char text[240]; /* what is wrong, what was expected, what was probably meant */
};

/* Compiles `logic`. `evaluators` (an object of named rules, or NULL) resolves {"$ref": "name"}. An unknown
 * operator is an error with a suggestion. NULL with `err` filled in. Owned: fs_rule_destroy(). The JSON is
 * not kept. */
struct fs_rule *fs_rule_compile(const json_t *logic, const json_t *evaluators, struct fs_rule_error *err);
/* The same for a template, as `input` and `value` are: an object that is no operator is built member by
 * member, an array item by item, each of them a template again. A single key that names an operator is that
 * operator. Run it by fs_rule_run_json(). */
struct fs_rule *fs_rule_compile_template(const json_t *logic, const json_t *evaluators,
                                         struct fs_rule_error *err);
void fs_rule_destroy(struct fs_rule *rule); /* accepts NULL */
/* SHA-256 of the logic and of all evaluators that it refers to. */
struct fs_sha256 fs_rule_hash(const struct fs_rule *rule);

/* What a rule reads, found when compiled. */
enum fs_rule_time {
    FS_TIME_NONE,      /* does not read $flagd.timestamp */
    FS_TIME_SCHEDULED, /* only compares the bare timestamp with values free of time: changes at known moments
                        */
    FS_TIME_EACH_SECOND
};
enum fs_rule_time fs_rule_time(const struct fs_rule *rule);
bool fs_rule_reads_decision(const struct fs_rule *rule); /* any decision.* */
bool fs_rule_reads_decision_state(
    const struct fs_rule *rule); /* decision.state or decision.NAME.state of each one that it reads */
/* The `index`-th decision (its NAME for decision.NAME.*), or NULL past the last. "" stands for the only,
 * unnamed one. */
const char *fs_rule_decision(const struct fs_rule *rule, size_t index);
/* The `index`-th fact that it reads ("tier" for facts.tier and facts.tier.level; "*" when the path is
 * computed), or NULL past the last. */
const char *fs_rule_fact(const struct fs_rule *rule, size_t index);
/* The `index`-th path of the context that it reads ("email", "org.name", "*" when computed), or NULL past the
 * last. claims and actor count as context. */
const char *fs_rule_variable(const struct fs_rule *rule, size_t index);

/* What the variables of a run mean. All borrowed for the run. */
struct fs_scope {
    const json_t *context; /* object: attributes, targetingKey, actor, claims */
    const json_t *facts;   /* object: fact name -> value, or NULL */
    const json_t
        *decisions;       /* object: {"allowed","value","state","stale"} or NAME -> such an object; or NULL */
    const char *flag_key; /* $flagd.flagKey; also the seed of fractional. May be NULL */
    int64_t wall_ms;      /* $flagd.timestamp is this / 1000, floored */
};

/* Runs the rule. Values that had to be made live in `arena` (never touched on the common path). What flagd's
 * evaluator answers with an error (a comparison of things that are no numbers, a sum of text, ...) gives
 * FS_FAILED, as does a run over a million steps; custom operators with wrong operands give FS_NULL, as there.
 */
struct fs_value fs_rule_run(const struct fs_rule *rule, const struct fs_scope *scope, struct fs_arena *arena);
/* Runs a rule or template. A new reference; NULL where the rule failed, with the reason (static text) in
 * `why`. */
json_t *fs_rule_run_json(const struct fs_rule *rule, const struct fs_scope *scope, struct fs_arena *arena,
                         const char **why);
/* For FS_TIME_SCHEDULED: the first moment after scope->wall_ms (ms, wall) at which a comparison with the
 * timestamp changes its outcome; INT64_MAX where none will. */
int64_t fs_rule_next_change(const struct fs_rule *rule, const struct fs_scope *scope, struct fs_arena *arena);

/* The branch that decided in a run, for `why`: writes the JSON pointer of the innermost `if` branch or
 * operand that gave the result. */
void fs_rule_trace(const struct fs_rule *rule, const struct fs_scope *scope, struct fs_arena *arena,
                   char pointer[256]);

/* Truthiness as in flagd's JsonLogic: null, false, 0, "", [] and {} are false, anything else is true ("0"
 * too). */
bool fs_truthy(struct fs_value value);
/* The value as text, as flagd turns what targeting gives into a variant's name: true is "true", 1.0 is "1",
 * an array's items are joined by commas. Borrowed, from the value or from `arena`. */
struct fs_str fs_value_text(struct fs_value value, struct fs_arena *arena);
/* MurmurHash3 x86 32 bit (fractional). */
uint32_t fs_murmur3(const void *bytes, size_t length, uint32_t seed);

#endif
