/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the OPA adapter share, and nobody else includes.
 *
 *     opa.c         the type: options, ask, who reads which response
 *     opa_batch.c   many questions in one request; the module; halving
 *     opa_single.c  one request for each question, where OPA does not let us keep a module
 *     opa_users.c   a rule that lists the allowed
 *     opa_probe.c   alive and ready, and at which revision
 *     opa_read.c    a response as a struct          opa_module.c  the Rego text
 *     opa_status.c  Status reports                  opa_path.c    rule paths
 */
#ifndef FS_SOURCES_OPA_INTERNAL_H
#define FS_SOURCES_OPA_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/map.h"
#include "core/source.h"
#include "sources/opa.h"

#define FS_OPA_CHUNK_ITEMS                                                                                   \
    200 /* past a hundred a batch gains nothing more, and it must not hold a core of OPA for long */
#define FS_OPA_CHUNK_BYTES    (256u << 10) /* OPA needs about 40 us for each kB of input */
#define FS_OPA_ATTEMPTS       2            /* installations of the module within one batch */
#define FS_OPA_SINGLES_PROBES 60 /* probes after which a refused module is tried again: about a minute */
#define FS_OPA_REQUEST_LIMIT  (64u << 20)
#define FS_OPA_JSON_DEPTH     128
#define FS_OPA_QUERY          "?strict-builtin-errors=true&provenance=true"

/* The marks of exchanges. */
enum fs_opa_tag { FS_OPA_BATCH, FS_OPA_INSTALL, FS_OPA_SINGLE, FS_OPA_USERS, FS_OPA_HEALTH, FS_OPA_REVISION };

struct fs_opa_module {
    char *text;
    size_t length;
    char version[24];
    struct fs_map rules; /* query -> name of its rule (char *) */
};

struct fs_opa {
    char *name; /* of the source, for errors and the log */
    char *module_id;
    char *revision_path;         /* NULL: none */
    bool batch;                  /* option: may we keep a module there at all? */
    struct fs_opa_module module; /* for the queries of now */
    /* What is known of the server. */
    bool ready;            /* the last probe found it ready and nothing since then spoke against it */
    bool installed;        /* the module was seen there in this version */
    int singles;           /* probes that the module is still left alone; 0: questions go in batches */
    bool told_singles;     /* logged once, until a module is taken again */
    bool probing_revision; /* the next step of the probe */
    char *bundles; /* names of the bundles that it had at the last probe, sorted, joined; "" where none */
    char *data_revision; /* the document at revision_path at the last probe; NULL */
    unsigned generation; /* counts how often that changed */
};

/* What an exchange carries along: questions that wait for its outcome. The exchange's own are not among them.
 */
struct fs_opa_carried {
    int attempt;         /* installations so far */
    unsigned generation; /* of the data, as it was known when the exchange was made */
    size_t count;
    size_t questions[];
};

/* A list of questions, by index. Borrowed. */
struct fs_opa_some {
    const size_t *items;
    size_t count;
};

/* opa_path.c: a rule's path, "app/rbac/allow". */
bool fs_opa_path_check(const char *path, struct fs_err *err);
void fs_opa_path_url(struct fs_buf *out, const char *path);  /* percent-encoded: app/rbac/allow */
void fs_opa_path_rego(struct fs_buf *out, const char *path); /* a reference: data.app.rbac.allow */
/* Can the module of that id hold it? Not where a segment is a number (an index or a key, which only OPA's URL
 * form leaves open), nor where the module would read itself. */
bool fs_opa_path_batchable(const char *path, const char *module_id);
bool fs_opa_identifier(const char *text, size_t length);

/* opa_module.c. Finish accepts a zeroed one. */
void fs_opa_module_make(struct fs_opa_module *out, const char *module_id, const char *const *queries,
                        size_t count);
void fs_opa_module_finish(struct fs_opa_module *module);

/* opa_read.c: what a response says. */
enum fs_opa_outcome {
    FS_OPA_GONE,       /* nothing usable came: the question has no answer */
    FS_OPA_REFUSED,    /* 401, 403 */
    FS_OPA_EVAL,       /* evaluating failed: a bad answer */
    FS_OPA_REJECTED,   /* OPA takes the request for wrong or too large */
    FS_OPA_UNREADABLE, /* 200 with a body that cannot be read: too large, or numbers beyond reading */
    FS_OPA_FINE
};
struct fs_opa_reading {
    enum fs_opa_outcome outcome;
    json_t *body;         /* FINE: an object */
    const json_t *result; /* borrowed from body; NULL: undefined */
    bool warning;
    char *bundles;           /* FINE: names, sorted, joined by ',' */
    char *revision;          /* FINE: "name=revision,..."; NULL: it declares none */
    const char *decision_id; /* borrowed from body; or NULL */
    char error[200];         /* all but FINE, and with `warning` */
};
void fs_opa_read(const struct fs_response *response, struct fs_opa_reading *out);
void fs_opa_reading_finish(struct fs_opa_reading *reading);
/* Joins pairs of name and revision of an object of bundles: member `field` of each. Names alone where `field`
 * is NULL. NULL where no bundle declares a revision. Owned. */
char *fs_opa_bundles_text(const json_t *bundles, const char *field);
/* The source's revision: that of the bundles and the document at revision_path. Owned; NULL where there is
 * neither. */
char *fs_opa_revision(const struct fs_opa *opa, const char *bundles_revision);
/* The same for an answer to this exchange; NULL where the document changed while the exchange was under way,
 * so that nobody can tell which of the two it saw: a label that is too new would pass the answer off as
 * settled. */
char *fs_opa_answer_revision(const struct fs_opa *opa, const struct fs_exchange *exchange,
                             const struct fs_opa_reading *reading);
/* One line without control characters, at most `size` - 1 bytes. */
void fs_opa_line(char *out, size_t size, const char *text);

/* opa.c: settling questions. */
void fs_opa_settle(struct fs_source_out *out, size_t question, enum fs_answer_state state, const char *error);
void fs_opa_settle_all(struct fs_source_out *out, struct fs_opa_some questions, enum fs_answer_state state,
                       const char *error);
void fs_opa_settle_value(struct fs_source_out *out, size_t question, const json_t *value,
                         const char *revision, char *decision_id_owned);
void fs_opa_settle_undefined(struct fs_source_out *out, size_t question, const char *revision,
                             char *decision_id_owned);
/* Is an answer that came with these bundles one of a source that is ready? Marks the source as not ready
 * where it is not. */
bool fs_opa_trusts(struct fs_opa *opa, const struct fs_opa_reading *reading, char error[200]);
struct fs_exchange *fs_opa_exchange(enum fs_opa_tag tag, const char *method, struct fs_buf *path,
                                    struct fs_buf *body);
void fs_opa_exchange_asks(struct fs_exchange *exchange, struct fs_opa_some questions);
/* Hands over `questions` to travel with the exchange until its outcome is known. */
void fs_opa_carry(const struct fs_opa *opa, struct fs_exchange *exchange, struct fs_opa_some questions,
                  int attempt);
struct fs_opa_some fs_opa_carried(const struct fs_exchange *exchange);
int fs_opa_attempt(const struct fs_exchange *exchange);
/* Questions go singly for a while. `why` is logged once. */
void fs_opa_forbid_module(struct fs_opa *opa, const char *why);

/* Asks questions behind `path`: in batches where the module may be kept, else singly. */
void fs_opa_ask_paths(struct fs_opa *opa, const struct fs_asked *batch, struct fs_opa_some questions,
                      int attempt, struct fs_source_out *out);
/* The questions sorted so that those of one query stand together. Owned array of the same length. */
size_t *fs_opa_grouped(const struct fs_asked *batch, struct fs_opa_some questions);
/* How many from `start` on have the query of the first. */
size_t fs_opa_group_length(const struct fs_asked *batch, const size_t *grouped, size_t start, size_t count);

/* Asking and reading, each kind in its file. `questions` are indexes into `batch`. */
void fs_opa_ask_batched(struct fs_opa *opa, const struct fs_asked *batch, struct fs_opa_some questions,
                        int attempt, struct fs_source_out *out);
void fs_opa_read_batched(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                         const struct fs_response *response, struct fs_source_out *out);
void fs_opa_read_install(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                         const struct fs_response *response, struct fs_source_out *out);
/* One question of each query goes first; the others follow where OPA did not refuse it. */
void fs_opa_ask_singly(struct fs_opa *opa, const struct fs_asked *batch, struct fs_opa_some questions,
                       struct fs_source_out *out);
void fs_opa_read_single(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                        const struct fs_response *response, struct fs_source_out *out);
void fs_opa_ask_users(struct fs_opa *opa, const struct fs_asked *batch, struct fs_opa_some questions,
                      struct fs_source_out *out);
void fs_opa_read_users(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                       const struct fs_response *response, struct fs_source_out *out);
struct fs_exchange *fs_opa_probe(void *self);
void fs_opa_read_probe(void *self, const struct fs_exchange *exchange, const struct fs_response *response,
                       struct fs_probe *out);

#endif
