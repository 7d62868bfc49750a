/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is read has one canonical form, which reads back as the same value; any bytes make a JSON
 * string. */
#include "fuzz.h"
#include "core/json.h"

static void string(const char *bytes, size_t length)
{
    struct fs_buf buf;
    fs_buf_init(&buf, 1 << 24);
    FUZZ_HOLDS(fs_buf_add_json_string(&buf, bytes, length));
    json_t *back = json_loadb(buf.data, buf.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    FUZZ_HOLDS(json_is_string(back));
    if (fs_utf8_valid(bytes, length))
        FUZZ_HOLDS(json_string_length(back) == length && memcmp(json_string_value(back), bytes, length) == 0);
    json_decref(back);
    fs_buf_finish(&buf);
}

static void number(const char *bytes)
{
    struct fs_buf buf;
    double value;
    memcpy(&value, bytes, sizeof value);
    fs_buf_init(&buf, 64);
    FUZZ_HOLDS(fs_buf_add_json_number(&buf, value));
    if (value - value == 0) /* neither NaN nor infinite */
        FUZZ_HOLDS(strtod(buf.data, NULL) == value);
    fs_buf_finish(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fs_err err = {0};
    json_t *value = fs_json_read((const char *)data, size, 64, &err);
    FUZZ_HOLDS(value || (err.text[0] && fuzz_is_line(err.text)));
    if (value) {
        size_t length;
        char *text = fs_json_canonical_text(value, 1 << 24, &length);
        json_t *back = fs_json_read(text, length, 64, &err);
        FUZZ_HOLDS(fs_json_depth(value) <= 64 && back && fs_json_equal(value, back));
        size_t length_again;
        char *again = fs_json_canonical_text(back, 1 << 24, &length_again);
        FUZZ_HOLDS(length == length_again && memcmp(text, again, length) == 0);
        fs_free(text);
        fs_free(again);
        json_decref(back);
        json_decref(value);
    }
    string((const char *)data, size);
    if (size >= sizeof(double))
        number((const char *)data);
    return 0;
}
