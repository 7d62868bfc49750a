/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One flag for one context: definition, facts and answers in, value, variant, reason out. Pure. The rules are
 * docs/answers.md (what each kind of answer means) and flagd's
 * (https://flagd.dev/reference/flag-definitions/).
 */
#ifndef FS_CORE_EVALUATE_H
#define FS_CORE_EVALUATE_H

#include "core/answer.h"
#include "core/flag.h"

enum fs_reason {
    FS_REASON_STATIC,
    FS_REASON_DEFAULT,
    FS_REASON_TARGETING_MATCH,
    FS_REASON_SPLIT,
    FS_REASON_CACHED,
    FS_REASON_DISABLED,
    FS_REASON_UNKNOWN,
    FS_REASON_STALE,
    FS_REASON_ERROR
};
const char *fs_reason_name(enum fs_reason reason); /* OpenFeature's: "TARGETING_MATCH", ... */

/* OpenFeature's error codes, for flags without a safe variant. */
enum fs_error_code {
    FS_NO_ERROR,
    FS_ERROR_FLAG_NOT_FOUND,
    FS_ERROR_PARSE,
    FS_ERROR_TYPE_MISMATCH,
    FS_ERROR_TARGETING_KEY_MISSING,
    FS_ERROR_INVALID_CONTEXT,
    FS_ERROR_GENERAL
};
const char *fs_error_code_name(enum fs_error_code code); /* "FLAG_NOT_FOUND", ... */

/* How one decision of the flag stands at this moment. */
struct fs_standing {
    const struct fs_answer *answer; /* the last one; NULL: none yet */
    bool stale;     /* the last attempt failed or the source is down: `answer` serves until too_stale */
    bool too_stale; /* ... and its time is over: it does not serve */
};

struct fs_evaluation_input {
    const json_t *context; /* object with targetingKey, attributes, actor, claims */
    const json_t *facts;   /* facts of the subject that are in force: name -> value; may be NULL */
    const struct fs_standing *standings; /* one for each of flag->decisions, in their order */
    int64_t wall_ms;
    char *trace; /* 256 bytes for the branch of the rule that decided (fs_rule_trace); may be NULL */
};

struct fs_evaluation {
    json_t *value;       /* owned reference; NULL: none (the caller's own default rules, or an error) */
    const char *variant; /* borrowed from the flag, or "decision" / "safe"; NULL: none */
    enum fs_reason reason;
    enum fs_error_code error; /* only where no safe variant could stand in */
    bool safe; /* the safe variant, because something is unknown, denied without a variant, or disabled */
    const char *override;    /* "kill" or "force" where an operator's override made it so; else NULL */
    uint64_t override_entry; /* the entry that ordered that */
    char detail[160]; /* for metadata `flagstaff.error` and `why`: which decision or fact, and what; "" where
                         nothing is wrong */
    int64_t next_change; /* wall ms at which time alone may change it; INT64_MAX: never */
};

/* Evaluates. Uses `arena` for what rules make (the caller resets it). Finish the result with
 * fs_evaluation_finish(). */
void fs_evaluate(const struct fs_flag *flag, const struct fs_evaluation_input *input, struct fs_arena *arena,
                 struct fs_evaluation *out);
/* Gives an access flag's safe variant. `out` is zeroed or finished. */
void fs_evaluation_safe(struct fs_evaluation *out, const struct fs_flag *flag, enum fs_reason reason);
void fs_evaluation_finish(struct fs_evaluation *evaluation);
/* Same type, value, variant, reason, safe and error: not a change. */
bool fs_evaluation_equal(const struct fs_evaluation *a, const struct fs_evaluation *b);
/* Safe by name, or by value: a decision's own value that equals the safe one gives nobody more. Any thread.
 */
bool fs_evaluation_is_safe(const struct fs_flag *flag, const struct fs_evaluation *evaluation);
/* Is the step from `old` to `new` taking away: to the safe variant, to an earlier one in `order`, or an array
 * to a subset of it? */
bool fs_evaluation_takes_away(const struct fs_flag *flag, const struct fs_evaluation *old,
                              const struct fs_evaluation *new_);

/* The input that `decision` asks with for a context: the rule's value, or the whole context. New reference.
 */
json_t *fs_decision_input(const struct fs_flag *flag, const struct fs_decision *decision,
                          const json_t *context, const json_t *facts, int64_t wall_ms, struct fs_arena *arena,
                          char missing_fact[64]);
/* Wall ms at which time alone may change that input; INT64_MAX: never. */
int64_t fs_decision_input_change(const struct fs_flag *flag, const struct fs_decision *decision,
                                 const json_t *context, const json_t *facts, int64_t wall_ms,
                                 struct fs_arena *arena);
/* The built-in source's answer: the decision's rule over context and facts. A fact that is missing and has no
 * default gives FS_ANSWER_NONE with its name. `next_change` as in struct fs_evaluation. */
void fs_decide_builtin(const struct fs_flag *flag, const struct fs_decision *decision, const json_t *context,
                       const json_t *facts, int64_t wall_ms, struct fs_arena *arena, struct fs_answer *out,
                       int64_t *next_change);

#endif
