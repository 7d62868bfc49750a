/* SPDX-License-Identifier: Apache-2.0 */
/* What a flag can be: type, variants, default, safe variant, order, settings, metadata. */
#include "reading.h"

#define FLAG(members) "flags:\n  f:\n" members
#define ON_OFF        "    variants: { on: true, off: false }\n"
#define RULE          "    decision: { rule: { \"==\": [1, { var: x }] } }\n"

static enum fs_type type_of(const char *text)
{
    struct fs_flagset *set = read_fine(text);
    enum fs_type type = flag_f(set)->type;
    fs_flagset_unref(set);
    return type;
}

static void the_type_is_that_of_the_variants(void **state)
{
    (void)state;
    assert_int_equal(type_of(FLAG(ON_OFF)), FS_TYPE_BOOLEAN);
    assert_int_equal(type_of(FLAG("    variants: { a: x, b: \"1\" }\n")), FS_TYPE_STRING);
    assert_int_equal(type_of(FLAG("    variants: { a: 1, b: -2 }\n")), FS_TYPE_INTEGER);
    assert_int_equal(type_of(FLAG("    variants: { a: 1, b: 0.5 }\n")), FS_TYPE_FLOAT);
    assert_int_equal(type_of(FLAG("    variants: { a: 1.0, b: 2 }\n")), FS_TYPE_FLOAT);
    assert_int_equal(type_of(FLAG("    variants: { a: {}, b: [1] }\n")), FS_TYPE_OBJECT);
}

static void values_have_the_form_of_the_type(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine(FLAG("    type: float\n    variants: { a: 1 }\n"));
    assert_true(json_is_real(flag_f(set)->variants[0].value));
    fs_flagset_unref(set);
    set = read_fine(FLAG("    type: integer\n    variants: { a: 1.0 }\n"));
    assert_true(json_is_integer(flag_f(set)->variants[0].value));
    fs_flagset_unref(set);
}

static void mixed_types_are_errors(void **state)
{
    (void)state;
    expect_problems(FLAG("    variants: { a: true, b: 'false' }\n"),
                    "f.yaml:3:26: flags.f.variants.b: all variants are of one type: 'a' is of type boolean, "
                    "this one is a string\n");
    expect_problems(FLAG("    type: integer\n    variants: { a: 1, b: 1.5 }\n"),
                    "f.yaml:4:23: flags.f.variants.b: expected a value of type integer, got a number\n");
    expect_problems(FLAG("    type: int\n    variants: { a: 1 }\n"),
                    "f.yaml:3:5: flags.f.type: 'int' is not known here (expected boolean, string, integer, "
                    "float or object)\n");
    expect_problems(FLAG("    variants: { a: null, b: x }\n"),
                    "f.yaml:3:17: flags.f.variants.a: a variant needs a value: null is none\n");
}

static void integers_stay_within_what_clients_can_hold(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine(FLAG("    variants: { a: 9007199254740991 }\n"));
    fs_flagset_unref(set);
    expect_problems(FLAG("    variants: { a: 9007199254740992 }\n"),
                    "f.yaml:3:17: flags.f.variants.a: integers stay within 2^53-1, which is what all clients "
                    "can hold; use a string\n");
}

static void a_flag_needs_variants(void **state)
{
    (void)state;
    expect_problems(FLAG("    defaultVariant: off\n"),
                    "f.yaml:2:3: flags.f: 'variants' is missing: expected a map of names and values\n");
    expect_problems(FLAG("    variants: {}\n"),
                    "f.yaml:3:5: flags.f.variants: expected at least one variant\n");
    expect_problems(FLAG("    variants: [a]\n"),
                    "f.yaml:3:5: flags.f.variants: expected a map of names and values, got a list\n");
}

static void the_default_variant_may_be_null_or_absent(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine(FLAG(ON_OFF "    defaultVariant: null\n"));
    assert_int_equal(flag_f(set)->default_variant, -1);
    fs_flagset_unref(set);
    set = read_fine(FLAG(ON_OFF));
    assert_int_equal(flag_f(set)->default_variant, -1);
    assert_false(flag_f(set)->access);
    fs_flagset_unref(set);
}

static void a_name_that_no_variant_has_is_an_error_with_a_suggestion(void **state)
{
    (void)state;
    expect_problems(FLAG(ON_OFF "    defaultVariant: of\n    safeVariant: OFF\n"),
                    "f.yaml:4:5: flags.f.defaultVariant: no variant is called 'of' (did you mean 'off'?)\n"
                    "f.yaml:5:5: flags.f.safeVariant: no variant is called 'OFF' (did you mean 'off'?)\n");
    expect_problems(FLAG("    variants: { \"true\": true, \"false\": false }\n    defaultVariant: false\n"),
                    "f.yaml:4:5: flags.f.defaultVariant: expected the name of a variant, got a boolean (if "
                    "you mean the text, put it in "
                    "quotes: \"false\")\n");
}

static void a_boolean_access_flag_is_safe_when_false(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine(FLAG(ON_OFF RULE));
    assert_string_equal(flag_f(set)->variants[flag_f(set)->safe_variant].name, "off");
    assert_true(flag_f(set)->access);
    fs_flagset_unref(set);
    expect_problems(FLAG("    variants: { on: true }\n" RULE),
                    "f.yaml:2:3: flags.f: 'safeVariant' (or 'safeValue') is missing: this is an access flag, "
                    "so it must say what it falls "
                    "to when its answer is not known\n");
    expect_problems(FLAG("    variants: { on: true, off: false, never: false }\n" RULE
                         "    targeting: { if: [{ var: decision.allowed }, on, off] }\n"),
                    "f.yaml:2:3: flags.f: 'safeVariant' is missing: both 'off' and 'never' are false, say "
                    "which is the safe one\n");
}

static void any_other_access_flag_must_say_what_is_safe(void **state)
{
    (void)state;
    static const char missing[] = "f.yaml:2:3: flags.f: 'safeVariant' (or 'safeValue') is missing: this is "
                                  "an access flag, so it must say "
                                  "what it falls to when its answer is not known\n";
    expect_problems(FLAG("    variants: { a: x }\n" RULE), missing);
    expect_problems(FLAG("    variants: { a: x }\n    targeting: { if: [{ var: facts.tier }, a] }\n"),
                    missing);
    struct fs_flagset *set = read_fine(FLAG("    variants: { a: 1.5 }\n    safeValue: 0\n" RULE));
    assert_int_equal(flag_f(set)->safe_variant, -1);
    assert_true(json_is_real(flag_f(set)->safe_value));
    fs_flagset_unref(set);
    set = read_fine(FLAG("    variants: { a: x, b: y }\n    safeVariant: b\n"));
    assert_true(flag_f(set)->access);
    fs_flagset_unref(set);
}

static void a_safe_value_is_of_the_flags_type_and_not_beside_a_variant(void **state)
{
    (void)state;
    expect_problems(FLAG("    variants: { a: x }\n    safeValue: 1\n"),
                    "f.yaml:4:5: flags.f.safeValue: expected a value of type string, got an integer\n");
    expect_problems(
        FLAG("    variants: { a: x }\n    safeVariant: a\n    safeValue: y\n"),
        "f.yaml:5:5: flags.f.safeValue: a flag has either 'safeVariant' or 'safeValue', not both\n");
}

static void a_safe_variant_that_grants_is_warned_of(void **state)
{
    (void)state;
    expect_problems(FLAG(ON_OFF "    safeVariant: on\n" RULE),
                    "f.yaml:4:5: warning: flags.f.safeVariant: the safe value is true: the flag grants "
                    "whenever its answer is not known\n");
}

static void an_order_names_every_variant_once(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine(FLAG("    variants: { high: 9, low: 1 }\n    order: [low, high]\n"));
    assert_int_equal(flag_f(set)->order_count, 2);
    assert_int_equal(flag_f(set)->order[0], 1);
    assert_int_equal(flag_f(set)->order[1], 0);
    fs_flagset_unref(set);
    expect_problems(FLAG("    variants: { high: 9, low: 1 }\n    order: [low, hihg, low]\n"),
                    "f.yaml:4:18: flags.f.order.1: no variant is called 'hihg' (did you mean 'high'?)\n"
                    "f.yaml:4:24: flags.f.order.2: 'low' stands twice in the order\n");
    expect_problems(
        FLAG("    variants: { high: 9, low: 1 }\n    order: [low]\n"),
        "f.yaml:4:5: flags.f.order: the order names 1 of 2 variants; name all, the least one first\n");
}

static void settings_come_from_the_flag_then_the_file_then_the_format(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine(
        FLAG(ON_OFF) "$defaults: { visibility: client, maxStale: 5s, revalidate: 2m, unleased: safe }\n");
    const struct fs_flag *flag = flag_f(set);
    assert_int_equal(flag->visibility, FS_VISIBILITY_CLIENT);
    assert_int_equal(flag->max_stale, 5000);
    assert_int_equal(flag->revalidate, 120000);
    assert_int_equal(flag->unleased, FS_UNLEASED_SAFE);
    fs_flagset_unref(set);
    set = read_fine(FLAG(
        ON_OFF "    visibility: server\n    maxStale: 0s\n    state: DISABLED\n") "$defaults: { visibility: "
                                                                                  "client, maxStale: 5s }\n");
    flag = flag_f(set);
    assert_int_equal(flag->visibility, FS_VISIBILITY_SERVER);
    assert_int_equal(flag->max_stale, 0);
    assert_int_equal(flag->revalidate, -1);
    assert_int_equal(flag->unleased, FS_UNLEASED_SERVE);
    assert_true(flag->disabled);
    fs_flagset_unref(set);
}

static void settings_of_another_kind_are_errors(void **state)
{
    (void)state;
    expect_problems(FLAG(ON_OFF "    state: enabled\n    visibility: public\n    maxStale: 10\n    "
                                "revalidate: 5ms\n    unleased: true\n"),
                    "f.yaml:4:5: flags.f.state: 'enabled' is not known here (did you mean 'ENABLED'?)\n"
                    "f.yaml:5:5: flags.f.visibility: 'public' is not known here (expected server or client)\n"
                    "f.yaml:6:5: flags.f.maxStale: a duration needs a unit (did you mean '10s'? or 250ms, "
                    "10s, 5m, 1h, 7d)\n"
                    "f.yaml:7:5: flags.f.revalidate: '5ms' is too short; the least is 1s\n"
                    "f.yaml:8:5: flags.f.unleased: expected a string, got a boolean (if you mean the text, "
                    "put it in quotes: \"true\")\n");
}

static void metadata_is_flat_and_a_flags_own_wins(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine("metadata: { flagSetId: shop, owner: a, beta: true }\n" FLAG(
        ON_OFF "    metadata: { owner: b, cost: 1.5 }\n"));
    json_t *expected =
        json_pack("{s:s,s:s,s:b,s:f}", "flagSetId", "shop", "owner", "b", "beta", 1, "cost", 1.5);
    assert_true(json_equal(flag_f(set)->metadata, expected));
    assert_string_equal(json_string_value(json_object_get(set->metadata, "owner")), "a");
    json_decref(expected);
    fs_flagset_unref(set);
    expect_problems(FLAG(ON_OFF "    metadata: { a: [1], b: null, flagstaff.error: x }\n"),
                    "f.yaml:4:17: flags.f.metadata.a: expected a boolean, a string or a number, got a list "
                    "(metadata is flat)\n"
                    "f.yaml:4:25: flags.f.metadata.b: expected a boolean, a string or a number, got null "
                    "(metadata is flat)\n"
                    "f.yaml:4:34: flags.f.metadata.\"flagstaff.error\": names that start with 'flagstaff.' "
                    "are the service's own\n");
}

static void an_explicit_unleased_serve_on_an_access_flag_is_warned_of(void **state)
{
    (void)state;
    static const char text[] = "unleased: clients that cannot hold a lease (OFREP) keep the value of this "
                               "access flag for as long as they like\n";
    char *expected = fs_format("f.yaml:5:5: warning: flags.f.%s", text);
    expect_problems(FLAG(ON_OFF RULE "    unleased: serve\n"), expected);
    fs_free(expected);
    fs_flagset_unref(read_fine(FLAG(ON_OFF "    unleased: serve\n")));
    fs_flagset_unref(read_fine(FLAG(ON_OFF RULE "    unleased: safe\n")));
    fs_flagset_unref(read_fine(FLAG(ON_OFF RULE)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_type_is_that_of_the_variants),
        cmocka_unit_test(values_have_the_form_of_the_type),
        cmocka_unit_test(mixed_types_are_errors),
        cmocka_unit_test(integers_stay_within_what_clients_can_hold),
        cmocka_unit_test(a_flag_needs_variants),
        cmocka_unit_test(the_default_variant_may_be_null_or_absent),
        cmocka_unit_test(a_name_that_no_variant_has_is_an_error_with_a_suggestion),
        cmocka_unit_test(a_boolean_access_flag_is_safe_when_false),
        cmocka_unit_test(any_other_access_flag_must_say_what_is_safe),
        cmocka_unit_test(a_safe_value_is_of_the_flags_type_and_not_beside_a_variant),
        cmocka_unit_test(a_safe_variant_that_grants_is_warned_of),
        cmocka_unit_test(an_order_names_every_variant_once),
        cmocka_unit_test(settings_come_from_the_flag_then_the_file_then_the_format),
        cmocka_unit_test(settings_of_another_kind_are_errors),
        cmocka_unit_test(metadata_is_flat_and_a_flags_own_wins),
        cmocka_unit_test(an_explicit_unleased_serve_on_an_access_flag_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
