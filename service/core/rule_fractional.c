/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fractional: spreads subjects over buckets by a hash, as flagd's second version does
 * (https://flagd.dev/reference/custom-operations/fractional-operation/). Operands: [seed], [variant,
 * weight]...; weight 1 where left out. The hash is over UTF-8, as in flagd itself; flagd-core hashes UTF-16
 * units, which is the same for ASCII.
 */
#include <string.h>
#include "rule_internal.h"

static uint32_t rotate(uint32_t value, int bits)
{
    return (value << bits) | (value >> (32 - bits));
}

static uint32_t scramble(uint32_t block)
{
    return rotate(block * 0xcc9e2d51U, 15) * 0x1b873593U;
}

/* Austin Appleby's MurmurHash3_x86_32, public domain. */
uint32_t fs_murmur3(const void *bytes, size_t length, uint32_t seed)
{
    const uint8_t *at = bytes;
    uint32_t hash = seed, tail = 0;
    for (size_t left = length / 4; left > 0; left--, at += 4) {
        uint32_t block =
            (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        hash = rotate(hash ^ scramble(block), 13) * 5 + 0xe6546b64U;
    }
    for (size_t i = length % 4; i > 0; i--)
        tail = tail << 8 | at[i - 1];
    hash ^= scramble(tail);
    hash ^= (uint32_t)length;
    hash = (hash ^ hash >> 16) * 0x85ebca6bU;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
    return hash ^ hash >> 16;
}

#define FS_MOST_WEIGHT 2147483647.0

struct bucket {
    struct fs_value variant;
    double weight;
};

/* A bucket from its list. False where it is none. */
static bool read_bucket(struct fs_value entry, struct bucket *out)
{
    if (!fs_value_is_array(entry))
        return false;
    size_t count = fs_value_count(entry);
    if (count < 1 || count > 2)
        return false;
    *out = (struct bucket){.variant = fs_value_at(entry, 0), .weight = 1};
    if (out->variant.kind == FS_JSON || out->variant.kind == FS_LIST)
        return false;
    if (count == 2) {
        struct fs_value weight = fs_value_at(entry, 1);
        if (weight.kind != FS_NUMBER || !(weight.number - __builtin_trunc(weight.number) == 0))
            return false;
        out->weight = weight.number > 0 ? weight.number : 0;
    }
    return true;
}

/* The flag's key and the subject, so that one subject falls differently in different flags. */
static bool own_seed(struct fs_run *run, uint32_t *hash)
{
    char few[512], *text = few;
    struct fs_value subject = fs_value_from_json(json_object_get(run->scope->context, "targetingKey"));
    if (!fs_truthy(subject))
        return false;
    struct fs_str key = fs_str_from(run->scope->flag_key), name = fs_value_text(subject, run->arena);
    if (key.len + name.len > sizeof few)
        text = fs_arena_alloc(run->arena, key.len + name.len);
    if (key.len)
        memcpy(text, key.ptr, key.len);
    memcpy(text + key.len, name.ptr, name.len);
    *hash = fs_murmur3(text, key.len + name.len, 0);
    return true;
}

FS_STRICT(fs_op_fractional)
{
    struct bucket bucket;
    uint32_t hash;
    size_t first = 0;
    double total = 0, sum = 0;
    if (count == 0)
        return FS_NONE;
    if (args[0].kind == FS_STRING) {
        hash = fs_murmur3(args[0].string.ptr, args[0].string.len, 0);
        first = 1;
    } else if (!own_seed(run, &hash))
        return FS_NONE;
    for (size_t i = first; i < count; i++) {
        if (!read_bucket(args[i], &bucket))
            return FS_NONE;
        total += bucket.weight;
    }
    if (total > FS_MOST_WEIGHT)
        return FS_NONE;
    double chosen = (double)(((uint64_t)hash * (uint64_t)total) >> 32);
    for (size_t i = first; i < count && read_bucket(args[i], &bucket); i++) {
        sum += bucket.weight;
        if (sum > chosen)
            return bucket.variant;
    }
    return FS_NONE;
}
