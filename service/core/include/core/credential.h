/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks, and what it may: made where a connection is authenticated, immutable, counted, handed to core
 * with each request. A credential's subject, actor and attributes override what a context says
 * (fs_context_make()).
 */
#ifndef FS_CORE_CREDENTIAL_H
#define FS_CORE_CREDENTIAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#define FS_SCOPES(X)                                                                                         \
    X(FS_SCOPE_EVALUATE, "evaluate")         /* itself: needs a subject */                                   \
    X(FS_SCOPE_EVALUATE_ANY, "evaluate:any") /* any context, server flags too */                             \
    X(FS_SCOPE_TICKETS, "tickets")           /* tickets for browsers' websockets */                          \
    X(FS_SCOPE_EVENTS, "events")             /* events that recompute */                                     \
    X(FS_SCOPE_FACTS, "facts")               /* facts:NAME, or facts:* */                                    \
    X(FS_SCOPE_STATUS, "status")             /* status:SOURCE, or status:* */                                \
    X(FS_SCOPE_METRICS, "metrics")                                                                           \
    X(FS_SCOPE_READ, "read")       /* all that operators see */                                              \
    X(FS_SCOPE_OPERATE, "operate") /* overrides, disconnect */                                               \
    X(FS_SCOPE_ADMIN, "admin")     /* keys */

enum fs_scope_bit {
#define X(scope, name) scope##_BIT,
    FS_SCOPES(X)
#undef X
};
enum fs_scope_flag {
#define X(scope, name) scope = 1 << scope##_BIT,
    FS_SCOPES(X)
#undef X
};

struct fs_credential {
    atomic_int references;
    char *id;           /* of the key ("k3f9a2"), "ticket:" and the key's that issued it, or "loopback" */
    char *name;         /* for people */
    unsigned scopes;    /* bits of enum fs_scope_flag */
    char **facts;       /* names it may write, "*" for all; NULL-terminated; or NULL */
    char **status;      /* sources whose status it may report, likewise */
    char **event_types; /* patterns of mapped event types it may send, likewise */
    char *subject;      /* binds the context's targetingKey; or NULL */
    json_t *actor;      /* binds the context's actor; or NULL */
    json_t *attributes; /* object: override the context's; or NULL */
    char **may_add;     /* attributes that a context may add without evaluate:any; or NULL */
    char *origin;       /* the only Origin it may come from; or NULL */
    int64_t expires;    /* wall ms; 0: never */
};

struct fs_credential *fs_credential_ref(struct fs_credential *credential);
void fs_credential_unref(struct fs_credential *credential); /* accepts NULL */
static inline bool fs_credential_may(const struct fs_credential *credential, enum fs_scope_flag scope)
{
    return (credential->scopes & (unsigned)scope) != 0;
}
bool fs_credential_may_write_fact(const struct fs_credential *credential, const char *fact);
bool fs_credential_may_report(const struct fs_credential *credential, const char *source);
/* Parses "facts:risk" and the like into it. False: no such scope. */
bool fs_credential_add_scope(struct fs_credential *credential, const char *scope);
/* "evaluate:any facts:risk ...", owned by the caller. */
char *fs_credential_scope_text(const struct fs_credential *credential);

#endif
