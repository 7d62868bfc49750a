/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, HMAC, random bytes and comparison in constant time. */
#include "testing.h"

#include "base/digest.h"
#include "base/str.h"

static void assert_hex(struct fs_sha256 digest, const char *hex)
{
    char text[FS_SHA256_SIZE * 2 + 1];
    assert_string_equal(fs_hex(digest.bytes, FS_SHA256_SIZE, text), hex);
}

static void sha256_is_that_of_fips_180(void **state)
{
    (void)state;
    assert_hex(fs_sha256("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hex(fs_sha256(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hmac_is_that_of_rfc_4231(void **state)
{
    (void)state;
    unsigned char key[131];
    const char *what = "what do ya want for nothing?";
    const char *larger = "Test Using Larger Than Block-Size Key - Hash Key First";
    assert_hex(fs_hmac_sha256("Jefe", 4, what, strlen(what)),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    assert_hex(fs_hmac_sha256(key, sizeof key, larger, strlen(larger)),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void an_empty_key_and_an_empty_message_have_an_hmac(void **state)
{
    (void)state;
    assert_hex(fs_hmac_sha256(NULL, 0, NULL, 0),
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void comparison_tells_equal_from_different(void **state)
{
    (void)state;
    struct fs_sha256 a = fs_sha256("a", 1), b = a;
    assert_true(fs_sha256_equal(&a, &b));
    b.bytes[31] ^= 1;
    assert_false(fs_sha256_equal(&a, &b));
    assert_true(fs_equal_constant_time("abc", "abd", 2));
    assert_false(fs_equal_constant_time("abc", "abd", 3));
    assert_true(fs_equal_constant_time(NULL, NULL, 0));
}

static void random_bytes_differ_each_time(void **state)
{
    (void)state;
    unsigned char a[1000] = {0}, b[1000] = {0};
    fs_random(a, sizeof a);
    fs_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    fs_random(a, 0);
}

static void a_random_number_stays_below_its_bound_and_reaches_all_of_it(void **state)
{
    (void)state;
    bool seen[5] = {false};
    for (int i = 0; i < 2000; i++) {
        uint64_t number = fs_random_below(5);
        assert_true(number < 5);
        seen[number] = true;
    }
    for (size_t i = 0; i < 5; i++)
        assert_true(seen[i]);
    assert_int_equal(fs_random_below(1), 0);
    assert_true(fs_random_below(UINT64_MAX) < UINT64_MAX);
}

static void wiping_leaves_zeroes(void **state)
{
    (void)state;
    char secret[16] = "secret";
    const char zeroes[16] = {0};
    fs_wipe(secret, sizeof secret);
    assert_memory_equal(secret, zeroes, sizeof secret);
    fs_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_that_of_fips_180),
        cmocka_unit_test(hmac_is_that_of_rfc_4231),
        cmocka_unit_test(an_empty_key_and_an_empty_message_have_an_hmac),
        cmocka_unit_test(comparison_tells_equal_from_different),
        cmocka_unit_test(random_bytes_differ_each_time),
        cmocka_unit_test(a_random_number_stays_below_its_bound_and_reaches_all_of_it),
        cmocka_unit_test(wiping_leaves_zeroes),
    };
    return RUN(tests);
}
