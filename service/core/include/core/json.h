/* SPDX-License-Identifier: Apache-2.0 */
/* What the service adds to jansson: one canonical form, reading with limits, borrowed look-ups. Pure; any
 * thread. */
#ifndef FS_CORE_JSON_H
#define FS_CORE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/mistakes.h"

/* The canonical form: keys sorted by bytes, no white space, whole numbers below 2^53 without fraction (1.0 is
 * 1), so that equal values have equal bytes. Identity of contexts and questions rests on it. False when the
 * buffer's limit was hit. */
bool fs_json_canonical(struct fs_buf *out, const json_t *value);
/* The same as an owned string (fs_free()). NULL over `limit` bytes. */
char *fs_json_canonical_text(const json_t *value, size_t limit, size_t *length_out);
/* Reads one JSON document: duplicate keys and text behind it are refused, depth at most `depth`. NULL with
 * `err` (line and column in its text) where it is malformed. Where an integer is beyond 64 bits all of the
 * document's numbers are read as doubles. Owned reference. */
json_t *fs_json_read(const char *text, size_t length, size_t depth, struct fs_err *err);
/* Equal as JSON values, numbers by value (1 == 1.0). */
bool fs_json_equal(const json_t *a, const json_t *b);
/* Greatest nesting of containers: a scalar is 0. */
size_t fs_json_depth(const json_t *value);
/* The member of an object as a C string; NULL where absent or of another type. Borrowed. */
const char *fs_json_text(const json_t *object, const char *key);
/* Is each member of the object one of `known` (ended by NULL)? If not, `err` gets `code`, and names the
 * member with `where` before it ("" or a path with its last dot) and what was probably meant. */
bool fs_json_members_known(const json_t *object, const char *const *known, const char *where,
                           enum fs_err_code code, struct fs_err *err);
/* The same of all members that are not known: each is a mistake of its own. */
bool fs_json_all_known(const json_t *object, const char *const *known, const char *where,
                       enum fs_err_code code, struct fs_mistakes *mistakes);
/* A reference more to JSON that other threads hold as well, and the end of one; nobody may change it.
 * Counting is atomic as jansson's is (2.14, "Thread safety"), which also looks at the count in a way that is
 * not. Both accept NULL. */
json_t *fs_json_share(const json_t *json);
void fs_json_drop(json_t *json);

#endif
