/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed sum; see sum.h. */
#include "sum.h"

#include <string.h>

/* Big-endian numbers. */
void fs_sum_add(struct fs_sha256 *sum, const struct fs_sha256 *hash)
{
    unsigned carry = 0;
    for (size_t i = FS_SHA256_SIZE; i-- > 0;) {
        carry += (unsigned)sum->bytes[i] + hash->bytes[i];
        sum->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

void fs_sum_subtract(struct fs_sha256 *sum, const struct fs_sha256 *hash)
{
    int borrow = 0;
    for (size_t i = FS_SHA256_SIZE; i-- > 0;) {
        int digit = (int)sum->bytes[i] - hash->bytes[i] - borrow;
        borrow = digit < 0;
        sum->bytes[i] = (uint8_t)(digit + 256 * borrow);
    }
}

void fs_sum_text(struct fs_buf *out, const char *text)
{
    if (text)
        fs_buf_addf(out, "%zu:%s,", strlen(text), text);
    else
        fs_buf_adds(out, "-,");
}
