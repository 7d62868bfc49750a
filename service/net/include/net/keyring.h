/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API keys: "flagstaff_KID_SECRET" where KID is 8 characters and SECRET 43 of base64url (32 random bytes);
 * the daemon keeps only SHA-256 of the secret. A keyring is an immutable snapshot made from one JSON document
 * (state of the journal); the server swaps it whole. Comparison is in constant time, and an unknown KID takes
 * the same path.
 */
#ifndef FS_NET_KEYRING_H
#define FS_NET_KEYRING_H

#include <stdbool.h>
#include <jansson.h>
#include "base/err.h"
#include "core/credential.h"

struct fs_keyring;

/* From {"keys":
 * [{"id","name","hash","scopes":[...],"subject"?,"actor"?,"attributes"?,"mayAdd"?,"eventTypes"?,"expires"?,"created"}]};
 * NULL or empty gives one without keys. */
struct fs_keyring *fs_keyring_create(const json_t *document, struct fs_err *err);
void fs_keyring_destroy(struct fs_keyring *keyring);
bool fs_keyring_empty(const struct fs_keyring *keyring);
/* The credential behind a key that a client sent, or NULL (unknown, wrong, expired at `wall_ms`). A new
 * reference. */
struct fs_credential *fs_keyring_find(const struct fs_keyring *keyring, const char *key, int64_t wall_ms);
/* Is the key with this id still there? */
bool fs_keyring_has(const struct fs_keyring *keyring, const char *id);

/* Makes a key from a description (the members above without id, hash and created; others are errors,
 * and so are texts that are empty or none): `document` gains it, `key_out` (80 bytes) is the only copy of the
 * secret. */
bool fs_keyring_add(json_t *document, const json_t *description, int64_t wall_ms, char key_out[80],
                    struct fs_err *err);
/* Is there a key with the scope admin that has not ended by then? */
bool fs_keyring_has_admin(const json_t *document, int64_t wall_ms);
bool fs_keyring_revoke(json_t *document, const char *id);

#endif
