/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OFREP 0.3 on the server's side (open-feature/protocol, service/openapi.yaml 0.3.0): contexts out of request
 * bodies, flags into answers in the narrow form that all released clients accept (key, value, reason, variant
 * and metadata always; for errors key, errorCode, errorDetails and metadata), ETags. Pure; any thread. What a
 * caller may see, and when it gets it, is decided elsewhere.
 */
#ifndef FS_PUSH_OFREP_H
#define FS_PUSH_OFREP_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include "base/blob.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/evaluate.h"
#include "push/frame.h"

#define FS_OFREP_ETAG_SIZE 72

/* The member `context` of a request's body: a new reference. NULL with `code` (static text: "PARSE_ERROR" or
 * "INVALID_CONTEXT", for errorCode) and `err` (what is wrong): answer 400 with fs_ofrep_error(). An object
 * without `context`, and an empty body, give an empty context. A missing targetingKey is no error here.
 * Limits are those of the websocket's contexts. */
json_t *fs_ofrep_context(const char *body, size_t length, const struct fs_frame_limits *limits,
                         const char **code, struct fs_err *err);

/* Appends a flag as the answer to a single evaluation or as an item of a bulk one. An access flag is always a
 * success: with its safe variant where its value is not known, and, since OFREP knows no lease, where the
 * flag says `unleased: safe`; otherwise its metadata say `flagstaff.leased: false`. No cause: it would change
 * the ETag without a change. Returns the status of a single answer: 200, 400 (an error), 404 (disabled and no
 * access flag: clients must use the caller's default, and not all can be told so with 200). `dropped`, an
 * array of names or NULL: attributes that the credential may not set, told as `flagstaff.dropped`. */
int fs_ofrep_add_flag(struct fs_buf *out, const struct fs_flag *flag, const struct fs_evaluation *evaluation,
                      const json_t *dropped);

/* A bulk answer: begin, for each flag fs_ofrep_bulk_add(), end. `metadata` is the set's, or NULL; `dropped`
 * as above. `stream` is
 * the absolute URL of the event stream, or NULL for none; it is a secret: never log it, or the body. */
void fs_ofrep_bulk_begin(struct fs_buf *out);
void fs_ofrep_bulk_add(struct fs_buf *out, const struct fs_flag *flag,
                       const struct fs_evaluation *evaluation);
void fs_ofrep_bulk_end(struct fs_buf *out, const json_t *metadata, const json_t *dropped, const char *stream,
                       int inactivity_s);

/* The answer for whom nothing may be asked: the safe value of an access flag, and why. Returns the status. */
int fs_ofrep_add_safe(struct fs_buf *out, const struct fs_flag *flag, const char *why);
/* A whole bulk answer of that kind: all access flags that the caller may see, or with visibility `client`
 * those alone. Clients keep what they had before after any error, so there must be one. */
void fs_ofrep_bulk_safe(struct fs_buf *out, const struct fs_flagset *set, bool client_only, const char *why);

/* {"key":...,"errorCode":...,"errorDetails":...,"metadata":{}}. `key` NULL (bulk): "". One reference, the
 * caller's. */
struct fs_blob *fs_ofrep_error(const char *key, const char *code, const char *details);
/* For a key that does not exist or is not visible: the two are told apart by nothing. Status 404. */
struct fs_blob *fs_ofrep_not_found(const char *key);

/* The strong ETag of a body: SHA-256 over all that the caller sees, the stream's URL included. Returns out,
 * with its quotes. */
const char *fs_ofrep_etag(const void *body, size_t length, char out[FS_OFREP_ETAG_SIZE]);
/* May the request be answered with 304? `if_none_match` is its header, or NULL; `flag_config_etag` its query
 * parameter, or NULL: one that differs from the ETag asks for the whole answer whatever the header says
 * (OFREP guideline 9). RFC 9110, 13.1.2: weak comparison, lists, "*". */
bool fs_ofrep_unchanged(const char *etag, const char *if_none_match, const char *flag_config_etag);

#endif
