/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3 against vectors of another implementation (CPython 3.11, hash of bytes). */
#include "testing.h"

#include "siphash.h"

struct vector {
    const char *text;
    uint64_t with_zero_key, with_key;
};

static void the_hashes_are_those_of_another_implementation(void **state)
{
    (void)state;
    static const uint64_t zero[2] = {0, 0}, key[2] = {0xaed66ce184be2329, 0xebe9bbf1f1499052};
    static const struct vector vectors[] = {
        {"a", 0x407448d2b89b1813, 0xd6300bc9f7cc0e73},
        {"1234567", 0xa33d651594fdae81, 0x84a31031575efe31},
        {"12345678", 0x3489982430560a87, 0x6f07c60efe2bad9},
        {"123456789", 0xfbc0f0007965fcf, 0xfd1ae9f33bc59a62},
        {"a longer key, of 26 bytes.", 0xa653444925aa17e9, 0xd66e1f7ed52adb3b},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const struct vector *v = &vectors[i];
        assert_int_equal(fs_base_siphash13(zero, v->text, strlen(v->text)), v->with_zero_key);
        assert_int_equal(fs_base_siphash13(key, v->text, strlen(v->text)), v->with_key);
    }
}

static void no_bytes_have_a_hash_too(void **state)
{
    (void)state;
    static const uint64_t a[2] = {0, 0}, b[2] = {1, 0};
    assert_int_not_equal(fs_base_siphash13(a, NULL, 0), fs_base_siphash13(b, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hashes_are_those_of_another_implementation),
        cmocka_unit_test(no_bytes_have_a_hash_too),
    };
    return RUN(tests);
}
