/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit chain's arithmetic (docs/journal.md gives the bytes, so that others can recompute it). Pure; any
 * thread.
 */
#ifndef FS_JOURNAL_CHAIN_H
#define FS_JOURNAL_CHAIN_H

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "sum.h"

/* Bytes before a body in which its number is put for hashing. */
#define FS_CHAIN_ROOM 8

/* HMAC over number and body. `room` is FS_CHAIN_ROOM bytes, followed by `length` bytes of body; the room is
 * overwritten. */
struct fs_sha256 fs_chain_body(const struct fs_sha256 *key, uint64_t number, unsigned char *room,
                               size_t length);
/* The hash of entry `number`; `previous` is that of the one before, all zero before the first. */
struct fs_sha256 fs_chain_next(const struct fs_sha256 *previous, uint64_t number, const char *kind,
                               int64_t time, const struct fs_sha256 *body);
/* What only the key's holder can say: the chain begins behind entry `number` with this hash (role "anchor"),
 * or rows that stand beside it have this sum (the roles "base" and "texts", whose number is 0). */
struct fs_sha256 fs_chain_seal(const struct fs_sha256 *key, const char *role, uint64_t number,
                               const struct fs_sha256 *hash);
/* The same of its end: and the sums were these then, so that none can be put back without the head. */
struct fs_sha256 fs_chain_seal_head(const struct fs_sha256 *key, uint64_t number,
                                    const struct fs_sha256 *hash, const struct fs_sums *sums);
/* The identity of an event as the journal remembers it: a digest that anybody can make of what an event says
 * would confirm a guess at it. */
struct fs_sha256 fs_chain_identity(const struct fs_sha256 *key, const struct fs_sha256 *digest);
/* What names of clear texts are made with (core/entry.h): derived from the key, never the key itself. */
struct fs_sha256 fs_chain_secret(const struct fs_sha256 *key);

#endif
