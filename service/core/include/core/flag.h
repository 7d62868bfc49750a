/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flag definitions, as one immutable, reference-counted set. The file readers (service/flagfile) fill the
 * structs below and hand them over; from then on nothing changes, and any thread that holds a reference may
 * read. DESIGN: docs/architecture.md, "Flags".
 */
#ifndef FS_CORE_FLAG_H
#define FS_CORE_FLAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "base/map.h"
#include "core/rule.h"

enum fs_type { FS_TYPE_BOOLEAN, FS_TYPE_STRING, FS_TYPE_INTEGER, FS_TYPE_FLOAT, FS_TYPE_OBJECT };
const char *fs_type_name(enum fs_type type); /* "boolean", ... */

enum fs_visibility { FS_VISIBILITY_SERVER, FS_VISIBILITY_CLIENT };
enum fs_unleased { FS_UNLEASED_SERVE, FS_UNLEASED_SAFE };

struct fs_variant {
    char *name;
    json_t *value;
};

/* One thing that a flag asks of a source. */
struct fs_decision {
    char *name;             /* NULL for the only, unnamed one */
    char *source;           /* "opa", "builtin", ...: the name in the configuration */
    char *kind;             /* the source's own key: "path", "users", "rule" */
    char *query;            /* the text behind that key; for "rule" the canonical JSON of the rule */
    struct fs_rule *rule;   /* for kind "rule", else NULL */
    struct fs_rule *input;  /* gives the input; NULL: the whole context */
    bool undefined_unknown; /* `undefined: unknown` */
};

struct fs_flag {
    char *key;
    enum fs_type type;
    bool disabled;
    struct fs_variant *variants;
    size_t variant_count;
    int default_variant; /* index, or -1 */
    int safe_variant; /* index, or -1: `safe_value` (which may be NULL too for a flag that is no access flag)
                       */
    json_t *safe_value; /* its variant is called "safe" */
    enum fs_visibility visibility;
    enum fs_unleased unleased;
    int64_t max_stale;  /* ms */
    int64_t revalidate; /* ms; -1: the source's */
    struct fs_decision *decisions;
    size_t decision_count;
    struct fs_rule *targeting; /* picks a variant; or NULL */
    struct fs_rule *value;     /* gives the value itself (variant "decision"); or NULL */
    bool evaluate_unknown;     /* `onUnknown: evaluate` */
    json_t *fact_defaults;     /* object or NULL */
    int *order;                /* indexes of variants, lesser first; or NULL */
    size_t order_count;
    json_t *metadata;    /* flat object: the set's metadata and the flag's own; or NULL */
    json_t *source_text; /* the definition as read, for `flags` and `why`; or NULL */
    char *file;          /* where it stands */
    int line;

    /* Found by fs_flagset_create(). */
    bool access;            /* has a decision, delegation, a safe variant, or reads facts */
    enum fs_rule_time time; /* the worst of its rules */
    char **facts;           /* names of the facts that any of its rules reads, sorted, without double ones */
    size_t fact_count;
    size_t index; /* in fs_flagset.flags */
};

void fs_flag_destroy(struct fs_flag *flag); /* with all that it owns; accepts NULL */

struct fs_flagset {
    struct fs_flag **flags; /* sorted by key */
    size_t count;
    struct fs_map by_key; /* key -> struct fs_flag * */
    json_t *metadata;     /* the set's own; or NULL */
    char hash[65];        /* SHA-256 of the definitions: equal sets have equal hashes */
    int references;       /* private */
};

/* Takes the flags (the array stays the caller's) and holds a reference of its own to `metadata`. Keys must be
 * unique. One reference, the caller's. */
struct fs_flagset *fs_flagset_create(struct fs_flag **flags, size_t count, json_t *metadata);
struct fs_flagset *fs_flagset_ref(struct fs_flagset *set); /* any thread */
void fs_flagset_unref(struct fs_flagset *set);             /* any thread; accepts NULL */
const struct fs_flag *fs_flagset_find(const struct fs_flagset *set, const char *key);
/* The same where it is to be there: NULL with `err`, which says what was probably meant. */
const struct fs_flag *fs_flagset_need(const struct fs_flagset *set, const char *key, struct fs_err *err);

#endif
