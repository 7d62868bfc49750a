/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, HMAC, random bytes and comparison in constant time, from libcrypto (docs/decisions/0002). Any
 * thread. */
#ifndef FS_BASE_DIGEST_H
#define FS_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_SHA256_SIZE 32

struct fs_sha256 {
    uint8_t bytes[FS_SHA256_SIZE];
};

struct fs_sha256 fs_sha256(const void *bytes, size_t length);
/* FIPS 198-1 over SHA-256. */
struct fs_sha256 fs_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length);
bool fs_sha256_equal(const struct fs_sha256 *a, const struct fs_sha256 *b); /* constant time */
bool fs_equal_constant_time(const void *a, const void *b, size_t length);
/* From the kernel. Ends the process where there is none. */
void fs_random(void *out, size_t length);
/* Uniform in [0, bound); bound > 0. For jitter. */
uint64_t fs_random_below(uint64_t bound);
/* Overwrites memory in a way that the compiler keeps. */
void fs_wipe(void *bytes, size_t length);

#endif
