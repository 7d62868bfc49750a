/* SPDX-License-Identifier: Apache-2.0 */
/* The audit chain's arithmetic; see chain.h. */
#include "chain.h"

#include <string.h>

#define KIND_MAX 32

static unsigned char *put_u64(unsigned char *at, uint64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *at++ = (unsigned char)(number >> shift);
    return at;
}

static unsigned char *put(unsigned char *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

struct fs_sha256 fs_chain_body(const struct fs_sha256 *key, uint64_t number, unsigned char *room,
                               size_t length)
{
    /* With the number in it, equal bodies have different hashes: an erased one cannot be told by its twin. */
    put_u64(room, number);
    return fs_hmac_sha256(key->bytes, FS_SHA256_SIZE, room, FS_CHAIN_ROOM + length);
}

struct fs_sha256 fs_chain_next(const struct fs_sha256 *previous, uint64_t number, const char *kind,
                               int64_t time, const struct fs_sha256 *body)
{
    unsigned char bytes[FS_SHA256_SIZE + 8 + 8 + 1 + KIND_MAX + FS_SHA256_SIZE];
    size_t length = strnlen(kind, KIND_MAX);
    unsigned char *at = put(bytes, previous->bytes, FS_SHA256_SIZE);
    at = put_u64(at, number);
    at = put_u64(at, (uint64_t)time);
    *at++ = (unsigned char)length;
    at = put(at, kind, length);
    at = put(at, body->bytes, FS_SHA256_SIZE);
    return fs_sha256(bytes, (size_t)(at - bytes));
}

struct fs_sha256 fs_chain_seal(const struct fs_sha256 *key, const char *role, uint64_t number,
                               const struct fs_sha256 *hash)
{
    unsigned char bytes[16 + 8 + FS_SHA256_SIZE];
    unsigned char *at = put(bytes, role, strnlen(role, 16));
    at = put_u64(at, number);
    at = put(at, hash->bytes, FS_SHA256_SIZE);
    return fs_hmac_sha256(key->bytes, FS_SHA256_SIZE, bytes, (size_t)(at - bytes));
}

struct fs_sha256 fs_chain_seal_head(const struct fs_sha256 *key, uint64_t number,
                                    const struct fs_sha256 *hash, const struct fs_sums *sums)
{
    unsigned char bytes[4 + 8 + 3 * FS_SHA256_SIZE];
    unsigned char *at = put_u64(put(bytes, "head", 4), number);
    at = put(at, hash->bytes, FS_SHA256_SIZE);
    at = put(at, sums->base.bytes, FS_SHA256_SIZE);
    put(at, sums->texts.bytes, FS_SHA256_SIZE);
    return fs_hmac_sha256(key->bytes, FS_SHA256_SIZE, bytes, sizeof bytes);
}

struct fs_sha256 fs_chain_identity(const struct fs_sha256 *key, const struct fs_sha256 *digest)
{
    static const char purpose[] = "identity";
    unsigned char bytes[sizeof purpose - 1 + FS_SHA256_SIZE];
    put(put(bytes, purpose, sizeof purpose - 1), digest->bytes, FS_SHA256_SIZE);
    return fs_hmac_sha256(key->bytes, FS_SHA256_SIZE, bytes, sizeof bytes);
}

struct fs_sha256 fs_chain_secret(const struct fs_sha256 *key)
{
    static const char purpose[] = "names of texts";
    return fs_hmac_sha256(key->bytes, FS_SHA256_SIZE, purpose, sizeof purpose - 1);
}
