/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of snapshots and deltas: no longer than they may be, and nothing is lost between them. */
#include "flags.h"
#include "push/body.h"

#define FLAGS 40
#define LIMIT 2000

static struct fs_flag *flags[FLAGS];
static struct fs_evaluation values[FLAGS];
static struct fs_flag_state states[FLAGS];
static const struct fs_cause cause = {.kind = FS_CAUSE_EVENT, .entries = {7}, .count = 1, .time = 1};

/* Flags of some 300 bytes each, the fifth of 4,000. */
static int make_flags(void **state)
{
    (void)state;
    for (size_t i = 0; i < FLAGS; i++) {
        char key[20];
        char *variants = fs_format("{\"v\":\"%0*d\"}", i == 5 ? 4000 : 200, 0);
        snprintf(key, sizeof key, "flag-%zu", i);
        flags[i] = flag_of(key, FS_TYPE_STRING, variants, NULL);
        values[i] = evaluated(flags[i], 0, FS_REASON_STATIC);
        states[i] = (struct fs_flag_state){flags[i], &values[i], &cause};
        fs_free(variants);
    }
    return 0;
}

static int free_flags(void **state)
{
    (void)state;
    for (size_t i = 0; i < FLAGS; i++)
        fs_flag_destroy(flags[i]);
    return 0;
}

static json_t *body_of(const struct fs_view_state *state, struct fs_taken *taken, size_t *length)
{
    struct fs_blob *blob = fs_frame_body(state, taken);
    char *text = fs_format("{%.*s", (int)blob->length, (const char *)blob->bytes);
    json_t *body = json_of(text);
    *length = blob->length;
    fs_free(text);
    fs_blob_unref(blob);
    return body;
}

static void a_snapshot_is_split_by_bytes_and_all_but_the_last_say_more(void **state)
{
    (void)state;
    size_t bodies = 0, length;
    struct fs_view_state left = {
        .view = "v-1", .snapshot = true, .revision = 3, .flags = states, .flag_count = FLAGS, .limit = LIMIT};
    while (left.flag_count) {
        struct fs_taken taken;
        json_t *body = body_of(&left, &taken, &length);
        json_t *list = json_object_get(body, "flags");
        assert_int_equal(json_array_size(list), taken.flags);
        assert_true(length <= LIMIT || taken.flags == 1);
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "key")),
                            left.flags[0].flag->key);
        left.flags += taken.flags;
        left.flag_count -= taken.flags;
        assert_int_equal(json_is_true(json_object_get(body, "more")), left.flag_count > 0);
        json_decref(body);
        bodies++;
    }
    assert_true(bodies > 5 && bodies < 15);
}

static void a_flag_that_is_larger_travels_alone(void **state)
{
    (void)state;
    size_t length;
    struct fs_taken taken;
    struct fs_view_state before = {.view = "v-1", .flags = states + 4, .flag_count = 3, .limit = LIMIT};
    json_decref(body_of(&before, &taken, &length));
    assert_int_equal(taken.flags, 1);
    struct fs_view_state large = {.view = "v-1", .flags = states + 5, .flag_count = 2, .limit = LIMIT};
    json_decref(body_of(&large, &taken, &length));
    assert_int_equal(taken.flags, 1);
    assert_true(length > 4000);
}

static void names_of_dropped_attributes_go_before_a_flag_that_does_not_fit_beside_them(void **state)
{
    (void)state;
    size_t length;
    struct fs_taken taken;
    json_t *dropped = json_pack("[s]", "role");
    struct fs_view_state first = {.view = "v-1",
                                  .snapshot = true,
                                  .dropped = dropped,
                                  .flags = states + 5,
                                  .flag_count = 2,
                                  .limit = LIMIT};
    json_t *body = body_of(&first, &taken, &length);
    assert_int_equal(taken.flags, 0);
    assert_true(json_is_true(json_object_get(body, "more")));
    assert_int_equal(json_array_size(json_object_get(body, "dropped")), 1);
    json_decref(body);
    json_decref(dropped);
}

static void removed_keys_are_split_too_and_go_before_flags(void **state)
{
    (void)state;
    static char keys[100][60];
    const char *removed[100];
    size_t length, gone = 0;
    bool flags_came = false;
    for (size_t i = 0; i < 100; i++) {
        snprintf(keys[i], sizeof keys[i], "a-key-that-is-gone-and-was-rather-long-while-it-was-%zu", i);
        removed[i] = keys[i];
    }
    struct fs_view_state left = {.view = "v-1",
                                 .removed = removed,
                                 .removed_count = 100,
                                 .flags = states,
                                 .flag_count = 2,
                                 .limit = LIMIT};
    while (left.removed_count || left.flag_count) {
        struct fs_taken taken;
        json_t *body = body_of(&left, &taken, &length);
        assert_true(length <= LIMIT);
        assert_false(flags_came && taken.removed);
        assert_int_equal(json_array_size(json_object_get(body, "removed")), taken.removed);
        assert_int_equal(json_array_size(json_object_get(body, "flags")), taken.flags);
        flags_came |= taken.flags > 0;
        gone += taken.removed;
        left.removed += taken.removed;
        left.removed_count -= taken.removed;
        left.flags += taken.flags;
        left.flag_count -= taken.flags;
        json_decref(body);
    }
    assert_int_equal(gone, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_is_split_by_bytes_and_all_but_the_last_say_more),
        cmocka_unit_test(a_flag_that_is_larger_travels_alone),
        cmocka_unit_test(names_of_dropped_attributes_go_before_a_flag_that_does_not_fit_beside_them),
        cmocka_unit_test(removed_keys_are_split_too_and_go_before_flags),
    };
    return cmocka_run_group_tests(tests, make_flags, free_flags);
}
