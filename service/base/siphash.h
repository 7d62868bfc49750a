/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3 (Aumasson and Bernstein, 2012) for the maps of this part. Not a MAC: for that there is HMAC.
 * Pure. */
#ifndef FS_BASE_SIPHASH_H
#define FS_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t fs_base_siphash13(const uint64_t key[2], const void *bytes, size_t length);

#endif
