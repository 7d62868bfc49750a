/* SPDX-License-Identifier: Apache-2.0 */
/* The small readers of service/base. What has a writer too gives the same text or value back. */
#include "fuzz.h"

static void base64(struct fs_str text)
{
    size_t length = 0;
    char *bytes = fs_alloc(text.len * 3 / 4 + 1), *back = fs_alloc((text.len * 4 + 2) / 3 + 8);
    if (fs_base64url_decode(text, bytes, &length)) {
        FUZZ_HOLDS(length <= text.len * 3 / 4);
        size_t again = fs_base64url_encode(bytes, length, back);
        FUZZ_HOLDS(again == text.len && memcmp(back, text.ptr, again) == 0);
    }
    if (fs_base64_decode(text, bytes, &length))
        FUZZ_HOLDS(length <= text.len * 3 / 4);
    fs_free(bytes);
    fs_free(back);
}

static void units(struct fs_str text)
{
    uint64_t number;
    int64_t ms, again;
    char out[32];
    fs_parse_u64(text, &number);
    fs_parse_size(text, &number);
    if (fs_parse_duration(text, &ms)) {
        FUZZ_HOLDS(ms >= 0);
        FUZZ_HOLDS(fs_parse_duration(fs_str_from(fs_format_duration(ms, out)), &again) && again == ms);
    }
    if (fs_parse_rfc3339(text, &ms))
        FUZZ_HOLDS(fs_parse_rfc3339(fs_str_from(fs_format_rfc3339(ms, out)), &again) && again == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = {"listen", "source", "watch"};
    struct fs_str text = fuzz_text(data, size);
    base64(text);
    units(text);
    char *copy = fuzz_copy(text);
    size_t length = text.len;
    if (fs_percent_decode(copy, &length))
        FUZZ_HOLDS(length <= text.len);
    fs_free(copy);
    copy = fuzz_copy(text);
    fs_suggest(copy, words, 3);
    char *star = strchr(copy, '=');
    if (star) {
        *star = 0;
        fs_glob_match(copy, star + 1);
        FUZZ_HOLDS(fs_glob_match("*", copy));
    }
    fs_free(copy);
    return 0;
}
