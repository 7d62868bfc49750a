/* SPDX-License-Identifier: Apache-2.0 */
/* fractional: the hash, the buckets, the seeds. */
#include <math.h>
#include "rule_support.h"

static uint32_t hash_of(const char *text, uint32_t seed)
{
    return fs_murmur3(text, strlen(text), seed);
}

static void the_hash_is_murmur3(void **state)
{
    (void)state;
    /* Published vectors of MurmurHash3_x86_32. */
    assert_int_equal(hash_of("", 0), 0);
    assert_int_equal(hash_of("", 1), 0x514E28B7);
    assert_int_equal(hash_of("", 0xffffffff), 0x81F16F39);
    assert_int_equal(hash_of("test", 0), 0xba6bd213);
    assert_int_equal(hash_of("test", 0x9747b28c), 0x704b81dc);
    assert_int_equal(hash_of("Hello, world!", 0), 0xc0363e43);
    assert_int_equal(hash_of("The quick brown fox jumps over the lazy dog", 0x9747b28c), 0x2FA826CD);
    assert_int_equal(fs_murmur3("\xff\xff\xff\xff", 4, 0), 0x76293B50);
    assert_int_equal(fs_murmur3("\0\0\0", 3, 0), 0x85F0B427);
}

static void a_subject_falls_where_flagd_puts_it(void **state)
{
    const char *halves = "{'fractional':[{'var':'targetingKey'},['lower',50],['upper',50]]}";
    (void)state;
    /* Subjects whose hashes lie at the edges: 0, 1, 2^31 - 1, 2^31, 2^32 - 1. */
    assert_gives(halves, "{'targetingKey':'ejOoVL'}", "'lower'");
    assert_gives(halves, "{'targetingKey':'bY9fO-'}", "'lower'");
    assert_gives(halves, "{'targetingKey':'SI7p-'}", "'lower'");
    assert_gives(halves, "{'targetingKey':'6LvT0'}", "'upper'");
    assert_gives(halves, "{'targetingKey':'ceQdGm'}", "'upper'");
    const char *suits = "{'fractional':[{'cat':['shared-seed',{'var':'name'}]},['clubs',25],['diamonds',25],["
                        "'hearts',25],['spades',25]]}";
    assert_gives(suits, "{'name':'seven'}", "'hearts'");
    assert_gives(suits, "{'name':'eight'}", "'diamonds'");
    assert_gives(suits, "{'name':'nine'}", "'clubs'");
    assert_gives(suits, "{'name':'two'}", "'spades'");
}

static void without_a_seed_flag_and_subject_are_it(void **state)
{
    (void)state;
    const char *with =
        "{'fractional':[{'cat':[{'var':'$flagd.flagKey'},{'var':'targetingKey'}]},['a',7],['b',5],['c',3]]}";
    const char *without = "{'fractional':[['a',7],['b',5],['c',3]]}";
    for (int i = 0; i < 50; i++) {
        char context[64];
        snprintf(context, sizeof context, "{'targetingKey':'user-%d'}", i);
        char *expected = fs_strdup(result_of(with, context));
        assert_string_equal(result_of(without, context), expected);
        fs_free(expected);
    }
    assert_gives(without, "{}", "null");
    assert_gives(without, "{'targetingKey':''}", "null");
}

static void a_very_long_subject_is_hashed_whole(void **state)
{
    (void)state;
    char *context = repeated("{'targetingKey':'", "x", 1000, "'}");
    char *expected = fs_strdup(
        result_of("{'fractional':[{'cat':[{'var':'$flagd.flagKey'},{'var':'targetingKey'}]},['a',1],['b'"
                  ",1],['c',1]]}",
                  context));
    assert_string_equal(result_of("{'fractional':[['a',1],['b',1],['c',1]]}", context), expected);
    fs_free(expected);
    fs_free(context);
}

static void weights_are_whole_and_clamped(void **state)
{
    (void)state;
    assert_gives("{'fractional':[['a'],['b',0]]}", "{'targetingKey':'x'}", "'a'");
    assert_gives("{'fractional':[['a',-5],['b',1]]}", "{'targetingKey':'x'}", "'b'");
    assert_gives("{'fractional':[['a',0],['b',0]]}", "{'targetingKey':'x'}", "null");
    assert_gives("{'fractional':[['a',0.5],['b',1]]}", "{'targetingKey':'x'}", "null");
    assert_gives("{'fractional':[['a','5']]}", "{'targetingKey':'x'}", "null");
    assert_gives("{'fractional':[['a',2147483647]]}", "{'targetingKey':'x'}", "'a'");
    assert_gives("{'fractional':[['a',2147483647],['b',1]]}", "{'targetingKey':'x'}", "null");
    assert_gives("{'fractional':[['a',1e300]]}", "{'targetingKey':'x'}", "null");
}

static void variants_and_weights_may_be_rules(void **state)
{
    (void)state;
    const char *rule =
        "{'fractional':[[{'if':[{'var':'p'},'premium','standard']},1],['none',{'if':[{'var':'p'},0,0]}]]}";
    assert_gives(rule, "{'targetingKey':'x','p':true}", "'premium'");
    assert_gives(rule, "{'targetingKey':'x'}", "'standard'");
    assert_gives("{'fractional':[[true,1]]}", "{'targetingKey':'x'}", "true");
    assert_gives("{'fractional':[[null,1]]}", "{'targetingKey':'x'}", "null");
    assert_gives("{'fractional':{'var':'buckets'}}", "{'targetingKey':'x','buckets':[['a',1]]}", "'a'");
}

static void what_is_no_bucket_gives_null(void **state)
{
    (void)state;
    assert_gives("{'fractional':[]}", "{'targetingKey':'x'}", "null");
    assert_gives("{'fractional':['seed',['a',1,2]]}", "{}", "null");
    assert_gives("{'fractional':['seed',[]]}", "{}", "null");
    assert_gives("{'fractional':['seed','a']}", "{}", "null");
    assert_gives("{'fractional':['seed',[['a'],1]]}", "{}", "null");
    assert_gives("{'fractional':[{'var':'nothing'},['a',1]]}", "{'targetingKey':'x'}", "null");
    assert_gives("{'fractional':['seed']}", "{}", "null");
}

static void subjects_spread_evenly_by_weight(void **state)
{
    (void)state;
    struct fs_rule *rule = rule_of("{'fractional':[['a',10],['b',30],['c',60]]}");
    struct fs_arena arena;
    int counts[3] = {0};
    fs_arena_init(&arena);
    for (int i = 0; i < 20000; i++) {
        json_t *context = json_pack("{s:o}", "targetingKey", json_sprintf("user-%d", i));
        struct fs_scope scope = {.context = context, .flag_key = "spread"};
        struct fs_value value = fs_rule_run(rule, &scope, &arena);
        assert_int_equal(value.kind, FS_STRING);
        counts[value.string.ptr[0] - 'a']++;
        json_decref(context);
    }
    assert_in_range(counts[0], 1850, 2150);
    assert_in_range(counts[1], 5800, 6200);
    assert_in_range(counts[2], 11700, 12300);
    fs_arena_finish(&arena);
    fs_rule_destroy(rule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_murmur3),
        cmocka_unit_test(a_subject_falls_where_flagd_puts_it),
        cmocka_unit_test(without_a_seed_flag_and_subject_are_it),
        cmocka_unit_test(a_very_long_subject_is_hashed_whole),
        cmocka_unit_test(weights_are_whole_and_clamped),
        cmocka_unit_test(variants_and_weights_may_be_rules),
        cmocka_unit_test(what_is_no_bucket_gives_null),
        cmocka_unit_test(subjects_spread_evenly_by_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
