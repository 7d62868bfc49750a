/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, hexadecimal and percent-decoding, strictly. */
#include "testing.h"

#include "base/str.h"

static void assert_encodes(const char *bytes, const char *text)
{
    char out[64];
    assert_int_equal(fs_base64url_encode(bytes, strlen(bytes), out), strlen(text));
    assert_string_equal(out, text);
}

static void base64url_has_no_padding(void **state)
{
    (void)state;
    /* RFC 4648 section 10, without the padding */
    assert_encodes("", "");
    assert_encodes("f", "Zg");
    assert_encodes("fo", "Zm8");
    assert_encodes("foo", "Zm9v");
    assert_encodes("foob", "Zm9vYg");
    assert_encodes("fooba", "Zm9vYmE");
    assert_encodes("foobar", "Zm9vYmFy");
    assert_encodes("\xFB\xEF\xBE\xFF", "----_w");
}

static void base64url_reads_back_every_byte_and_length(void **state)
{
    (void)state;
    unsigned char bytes[256], back[256];
    char text[400];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        size_t got = 0;
        size_t written = fs_base64url_encode(bytes, length, text);
        assert_true(written <= (length * 4 + 2) / 3);
        assert_true(fs_base64url_decode((struct fs_str){text, written}, back, &got));
        assert_int_equal(got, length);
        assert_memory_equal(back, bytes, length);
    }
}

static void assert_refused(bool (*decode)(struct fs_str, void *, size_t *), const char *text)
{
    unsigned char out[64];
    size_t length = 77;
    if (decode(fs_str_from(text), out, &length))
        fail_msg("'%s' was decoded", text);
    assert_int_equal(length, 77);
}

static void base64url_refuses_padding_blanks_the_other_alphabet_and_spare_bits(void **state)
{
    (void)state;
    static const char *const wrong[] = {"Zg==", "Z",  "Zm9vY", "Zm 9v",   "Zm9v\n",
                                        "+/+/", "Zh", "Zm9",   "\xC3\xA9"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_refused(fs_base64url_decode, wrong[i]);
}

static void base64_demands_its_padding(void **state)
{
    (void)state;
    unsigned char out[64];
    size_t length = 0;
    assert_true(fs_base64_decode(FS_STR("Zm9vYg=="), out, &length));
    assert_int_equal(length, 4);
    assert_memory_equal(out, "foob", 4);
    assert_true(fs_base64_decode(FS_STR("Zm9vYmE="), out, &length));
    assert_int_equal(length, 5);
    assert_true(fs_base64_decode(FS_STR("+/+/"), out, &length));
    assert_memory_equal(out, "\xFB\xFF\xBF", 3);
    assert_true(fs_base64_decode(FS_STR(""), out, &length));
    assert_int_equal(length, 0);
}

static void base64_refuses_missing_and_misplaced_padding(void **state)
{
    (void)state;
    static const char *const wrong[] = {"Zg",       "Zg=",  "Zg===", "Z===", "====", "=",
                                        "Zg==Zg==", "Zm=v", "-_-_",  "Zh==", "Zm9="};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_refused(fs_base64_decode, wrong[i]);
}

static void hexadecimal_is_lower_case(void **state)
{
    (void)state;
    char out[16];
    assert_string_equal(fs_hex("\x00\x9F\xFF", 3, out), "009fff");
    assert_string_equal(fs_hex("", 0, out), "");
}

static void assert_percent(const char *text, const char *expected, size_t expected_length)
{
    char copy[64];
    size_t length = strlen(text);
    memcpy(copy, text, length + 1);
    assert_true(fs_percent_decode(copy, &length));
    assert_int_equal(length, expected_length);
    assert_memory_equal(copy, expected, expected_length + 1);
}

static void percent_escapes_are_decoded_once(void **state)
{
    (void)state;
    assert_percent("", "", 0);
    assert_percent("plain+text", "plain+text", 10);
    assert_percent("a%20b%2fC%2F", "a b/C/", 6);
    assert_percent("%2541", "%41", 3);
    assert_percent("x%00y", "x\0y", 3);
}

static void a_broken_escape_is_refused_and_the_text_left_alone(void **state)
{
    (void)state;
    static const char *const wrong[] = {"%", "%2", "a%20%", "%zz", "%2g", "%20%%20"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char copy[16];
        size_t length = strlen(wrong[i]);
        memcpy(copy, wrong[i], length + 1);
        assert_false(fs_percent_decode(copy, &length));
        assert_string_equal(copy, wrong[i]);
        assert_int_equal(length, strlen(wrong[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_has_no_padding),
        cmocka_unit_test(base64url_reads_back_every_byte_and_length),
        cmocka_unit_test(base64url_refuses_padding_blanks_the_other_alphabet_and_spare_bits),
        cmocka_unit_test(base64_demands_its_padding),
        cmocka_unit_test(base64_refuses_missing_and_misplaced_padding),
        cmocka_unit_test(hexadecimal_is_lower_case),
        cmocka_unit_test(percent_escapes_are_decoded_once),
        cmocka_unit_test(a_broken_escape_is_refused_and_the_text_left_alone),
    };
    return RUN(tests);
}
