/* SPDX-License-Identifier: Apache-2.0 */
/* Two evaluations of a flag: is the step a change, and does it take away? */
#include "flag_support.h"

/* An evaluation as it could have been. */
static struct fs_evaluation was(const char *value, const char *variant, enum fs_reason reason, bool safe)
{
    return (struct fs_evaluation){
        .value = json_of(value), .variant = variant, .reason = reason, .safe = safe};
}

static bool takes_away(const struct plan *plan, struct fs_evaluation old, struct fs_evaluation new_)
{
    struct fs_flagset *set = plan_set(plan);
    bool result = fs_evaluation_takes_away(set->flags[0], &old, &new_);
    fs_evaluation_finish(&old);
    fs_evaluation_finish(&new_);
    fs_flagset_unref(set);
    return result;
}

static void a_move_to_the_safe_variant_takes_away(void **state)
{
    (void)state;
    struct plan plan = {.decisions = {""}};
    const enum fs_reason match = FS_REASON_TARGETING_MATCH;
    assert_true(takes_away(&plan, was("true", "on", match, false), was("false", "off", match, false)));
    assert_true(
        takes_away(&plan, was("true", "on", match, false), was("false", "off", FS_REASON_ERROR, true)));
    assert_false(takes_away(&plan, was("false", "off", match, false), was("true", "on", match, false)));
    assert_false(takes_away(&plan, was("true", "on", match, false), was("true", "on", match, false)));
    assert_false(
        takes_away(&plan, was("true", "on", match, false), was("true", "on", FS_REASON_STALE, false)));
    assert_false(
        takes_away(&plan, was("true", "on", match, false), was(NULL, NULL, FS_REASON_DISABLED, false)));
}

static void a_move_down_the_order_takes_away(void **state)
{
    (void)state;
    struct plan plan = {.type = FS_TYPE_STRING,
                        .variants = "{'none':'n','read':'r','write':'w','odd':'o'}",
                        .safe = "none",
                        .decisions = {""},
                        .order = {"none", "read", "write"}};
    const enum fs_reason match = FS_REASON_TARGETING_MATCH;
    assert_true(takes_away(&plan, was("'w'", "write", match, false), was("'r'", "read", match, false)));
    assert_false(takes_away(&plan, was("'r'", "read", match, false), was("'w'", "write", match, false)));
    assert_false(takes_away(&plan, was("'w'", "write", match, false), was("'o'", "odd", match, false)));
    assert_false(takes_away(&plan, was("'o'", "odd", match, false), was("'r'", "read", match, false)));
}

static void a_value_that_equals_the_safe_one_takes_away_whatever_its_variant(void **state)
{
    (void)state;
    struct plan plan = {.type = FS_TYPE_INTEGER,
                        .variants = "{}",
                        .safe_value = "0",
                        .decisions = {""},
                        .value = "{'var':'decision.value'}"};
    const enum fs_reason match = FS_REASON_TARGETING_MATCH;
    assert_true(takes_away(&plan, was("1000", "decision", match, false), was("0", "decision", match, false)));
    assert_false(
        takes_away(&plan, was("1000", "decision", match, false), was("10", "decision", match, false)));
}

static void a_smaller_list_takes_away(void **state)
{
    (void)state;
    struct plan plan = {.type = FS_TYPE_OBJECT,
                        .variants = "{}",
                        .safe_value = "[]",
                        .decisions = {""},
                        .value = "{'var':'decision.value'}"};
    const enum fs_reason match = FS_REASON_TARGETING_MATCH;
    assert_true(
        takes_away(&plan, was("[1,2]", "decision", match, false), was("[2]", "decision", match, false)));
    assert_false(
        takes_away(&plan, was("[2]", "decision", match, false), was("[1,2]", "decision", match, false)));
    assert_false(
        takes_away(&plan, was("[1,2]", "decision", match, false), was("[2,1]", "decision", match, false)));
    assert_false(
        takes_away(&plan, was("[1,2]", "decision", match, false), was("[3]", "decision", match, false)));
    assert_true(
        takes_away(&plan, was("[1,2]", "decision", match, false), was("[]", "safe", FS_REASON_ERROR, true)));
    assert_true(takes_away(&plan, was("[1]", "decision", match, false), was("[]", "decision", match, false)));
    assert_false(
        takes_away(&plan, was("{'a':1}", "decision", match, false), was("{}", "decision", match, false)));
}

static void a_change_is_one_of_what_a_client_sees(void **state)
{
    (void)state;
    struct fs_evaluation a = was("1", "x", FS_REASON_STATIC, false),
                         b = was("1.0", "x", FS_REASON_STATIC, false);
    snprintf(a.detail, sizeof a.detail, "something");
    a.next_change = 5;
    assert_true(fs_evaluation_equal(&a, &b));
    b.reason = FS_REASON_STALE;
    assert_false(fs_evaluation_equal(&a, &b));
    b.reason = a.reason;
    b.safe = true;
    assert_false(fs_evaluation_equal(&a, &b));
    b.safe = false;
    b.variant = "y";
    assert_false(fs_evaluation_equal(&a, &b));
    b.variant = NULL;
    assert_false(fs_evaluation_equal(&a, &b));
    b.variant = a.variant;
    b.error = FS_ERROR_GENERAL;
    assert_false(fs_evaluation_equal(&a, &b));
    fs_evaluation_finish(&a);
    fs_evaluation_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_to_the_safe_variant_takes_away),
        cmocka_unit_test(a_move_down_the_order_takes_away),
        cmocka_unit_test(a_value_that_equals_the_safe_one_takes_away_whatever_its_variant),
        cmocka_unit_test(a_smaller_list_takes_away),
        cmocka_unit_test(a_change_is_one_of_what_a_client_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
