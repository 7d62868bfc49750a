/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overrides: what an operator orders against the sources. A kill takes a flag away, a force gives one variant
 * of it, to everybody or to one subject, until it is released or expires (docs/overrides.md). Here is one
 * order: the form that an entry of kind `override` has as its body, who may give it, and what it makes of a
 * flag. Pure; any thread. The table of those in force is the engine's.
 */
#ifndef FS_CORE_OVERRIDE_H
#define FS_CORE_OVERRIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "core/credential.h"
#include "core/evaluate.h"
#include "core/flag.h"

#define FS_OVERRIDE_REASON  1024  /* bytes of a reason, at most */
#define FS_OVERRIDE_SUBJECT 1024  /* bytes of a subject that is named */
#define FS_OVERRIDES        10000 /* that stand at once; a kill of a whole flag is always taken */

enum fs_override_kind { FS_OVERRIDE_KILL, FS_OVERRIDE_FORCE, FS_OVERRIDE_KINDS };
const char *fs_override_kind_name(enum fs_override_kind kind); /* "kill", "force" */
bool fs_override_kind_parse(const char *name, enum fs_override_kind *out);

struct fs_override {
    enum fs_override_kind kind;
    char *flag;
    char *subject;     /* NULL: everybody */
    char *variant;     /* of a force */
    char *author;      /* id of the credential */
    char *author_name; /* for people; or NULL */
    char *reason;
    int64_t time;    /* wall ms, when it was accepted */
    int64_t expires; /* wall ms; 0: never */
    uint64_t entry;  /* that ordered it */
    bool may_grant;  /* its author was allowed to force what the sources do not grant */
};

/* What somebody orders. */
struct fs_override_order {
    bool release;  /* `override` names what: its flag and subject, and the kind unless `any_kind` */
    bool any_kind; /* RELEASE: whatever stands there */
    struct fs_override override;
};
void fs_override_order_finish(struct fs_override_order *order); /* accepts NULL and zeroed */
/* The body of its entry, canonical JSON, owned by the caller. */
char *fs_override_write(const struct fs_override_order *order, size_t *length);
/* Reads it back; `entry` and `time` are those of the entry. False: there is none (an erased body). */
bool fs_override_read(const char *body, size_t length, uint64_t entry, int64_t time,
                      struct fs_override_order *out);

/* What operators see of it: `id` (the entry), `flag`, `kind`, `author`, `reason`, `time`, and where there are
 * any `subject`, `variant`, `authorName`, `expires`. New reference. */
json_t *fs_override_describe(const struct fs_override *override);

/* May `author` order this now? Sets may_grant where it is allowed and needed. False with `err`, which says
 * what is wrong and what would be right. */
bool fs_override_check(const struct fs_flagset *set, struct fs_override_order *order,
                       const struct fs_credential *author, int64_t wall, struct fs_err *err);
/* Why it has no effect on the flag as it is defined (NULL: no such flag); NULL: it has. */
const char *fs_override_idle(const struct fs_override *override, const struct fs_flag *flag);
/* What it makes of the flag; it must have an effect. */
void fs_override_evaluate(const struct fs_override *override, const struct fs_flag *flag,
                          struct fs_evaluation *out);

#endif
