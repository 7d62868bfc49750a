/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A context: a subject with attributes and perhaps an actor, after the credential's rules were applied. What
 * the credential carries overrides what the client says and cannot be dropped or changed by it. Pure; any
 * thread.
 */
#ifndef FS_CORE_CONTEXT_H
#define FS_CORE_CONTEXT_H

#include <stddef.h>
#include <jansson.h>
#include "base/err.h"
#include "core/credential.h"
#include "core/entry.h"

struct fs_context_rules {
    size_t bytes; /* of the canonical form, at most */
    size_t depth;
    uint8_t
        secret[FS_ENTRY_SECRET_SIZE]; /* of the data directory: contexts are known by names made with it */
};

/* The result of the rules: everything owned. */
struct fs_context_text {
    json_t *json; /* object: targetingKey, attributes, actor, claims */
    char *canonical;
    size_t length;
    char hash[65];   /* fs_entry_text_name() of the canonical form: the context's identity */
    json_t *dropped; /* array of the attributes that the credential did not allow; NULL: none */
};

/* From OFREP's `context` object. False with `err`: no object, targetingKey no string, over a limit, a subject
 * that the credential may not see (FS_ERR_FORBIDDEN). Reserved names (facts, claims, decision, rank, actor,
 * $...) from a client are dropped and named. */
bool fs_context_make(const json_t *wanted, const struct fs_credential *credential,
                     const struct fs_context_rules *rules, struct fs_context_text *out, struct fs_err *err);
/* Is it a name that only the service gives a meaning (facts, claims, decision, rank, actor, $...)? */
bool fs_context_reserved(const char *name);
/* May a credential carry these attributes? NULL: yes. Not the subject, and no reserved name. */
bool fs_context_attributes(const json_t *attributes, struct fs_err *err);
void fs_context_text_finish(struct fs_context_text *text);

#endif
