/* SPDX-License-Identifier: Apache-2.0 */
/* What evaluate.c and evaluate_access.c share: one evaluation under way. */
#ifndef FS_CORE_EVALUATE_INTERNAL_H
#define FS_CORE_EVALUATE_INTERNAL_H

#include "core/evaluate.h"

struct fs_evaluating {
    const struct fs_flag *flag;
    const struct fs_evaluation_input *input;
    struct fs_arena *arena;
    struct fs_evaluation *out;
};

/* Index of the variant of that name, or -1. */
int fs_flag_variant(const struct fs_flag *flag, struct fs_str name);
void fs_evaluation_pick(struct fs_evaluation *out, const struct fs_flag *flag, int variant,
                        enum fs_reason reason);
/* No value: an error that the caller's own default answers. */
void fs_evaluation_error(struct fs_evaluation *out, enum fs_error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts what went wrong into `detail`. */
void fs_evaluation_detail(struct fs_evaluation *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool fs_type_holds(enum fs_type type, const json_t *value);
/* Takes over when time alone may change what `rule` gives. */
void fs_evaluation_schedule(const struct fs_rule *rule, const struct fs_scope *scope, struct fs_arena *arena,
                            int64_t *next_change);
/* The facts that `rule` may see: those of the subject, completed with the flag's defaults. A new reference or
 * NULL where there are none. `missing` names the first that the rule reads and nobody gives. False then. */
bool fs_facts_for(const struct fs_flag *flag, const struct fs_rule *rule, const json_t *facts, json_t **out,
                  char missing[64]);
void fs_evaluate_access(struct fs_evaluating *e);

#endif
