/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests from libcrypto (docs/decisions/0002) and randomness from the kernel. The only file of the service
 * that includes OpenSSL's headers for anything but TLS and signatures. Keeps no state.
 */
#include "base/digest.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include "fatal.h"

struct fs_sha256 fs_sha256(const void *bytes, size_t length)
{
    struct fs_sha256 digest;
    unsigned size = 0;
    if (EVP_Digest(length ? bytes : "", length, digest.bytes, &size, EVP_sha256(), NULL) != 1 ||
        size != FS_SHA256_SIZE)
        fs_base_fatal("libcrypto refuses SHA-256");
    return digest;
}

struct fs_sha256 fs_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length)
{
    struct fs_sha256 digest;
    unsigned size = 0;
    if (key_length > INT_MAX ||
        !HMAC(EVP_sha256(), key_length ? key : "", (int)key_length, length ? bytes : (const void *)"", length,
              digest.bytes, &size) ||
        size != FS_SHA256_SIZE)
        fs_base_fatal("libcrypto refuses HMAC-SHA-256");
    return digest;
}

bool fs_equal_constant_time(const void *a, const void *b, size_t length)
{
    return length == 0 || CRYPTO_memcmp(a, b, length) == 0;
}

bool fs_sha256_equal(const struct fs_sha256 *a, const struct fs_sha256 *b)
{
    return fs_equal_constant_time(a->bytes, b->bytes, FS_SHA256_SIZE);
}

void fs_random(void *out, size_t length)
{
    unsigned char *bytes = out;
    while (length > 0) {
        ssize_t got = getrandom(bytes, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            fs_base_fatal("the kernel gives no random bytes (getrandom)");
        bytes += got;
        length -= (size_t)got;
    }
}

uint64_t fs_random_below(uint64_t bound)
{
    /* What lies under the remainder of 2^64 would favour the small numbers: drawn again. */
    uint64_t uneven = (0 - bound) % bound;
    uint64_t number = 0;
    do
        fs_random(&number, sizeof number);
    while (number < uneven);
    return number % bound;
}

void fs_wipe(void *bytes, size_t length)
{
    if (length)
        OPENSSL_cleanse(bytes, length);
}
