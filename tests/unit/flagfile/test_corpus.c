/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The validator's half of tests/conformance/flagfile, whose other half is the JSON Schema's (test_schema.py
 * there): good/ is taken, bad/ and beyond/ are refused, each refusal with file, line, column and key. And
 * flagd's own samples; where they are not at hand, their tests are skipped, or fail with CI=true or
 * REQUIRE_ALL=1.
 */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>
#include "reading.h"

#define CORPUS FLAGSTAFF_ROOT "/tests/conformance/flagfile/"

static bool is_set(const char *variable, const char *value)
{
    const char *given = getenv(variable);
    return given && strcmp(given, value) == 0;
}

/* flagd's published schemas with their samples; they are not part of this repository. */
static char *reference(const char *folder)
{
    const char *given = getenv("FLAGSTAFF_REFERENCE");
    char *path = fs_format("%s/%s", given ? given : FLAGSTAFF_ROOT "/../shared/reference", folder);
    if (access(path, R_OK) != 0) {
        print_message("flagd's samples are not at %s: set FLAGSTAFF_REFERENCE\n", path);
        fs_free(path);
        if (is_set("CI", "true") || is_set("REQUIRE_ALL", "1"))
            fail_msg("a test that lacks its samples, where nothing may be skipped");
        skip();
    }
    return path;
}

static void check_problems(const char *path, const struct fs_flag_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct fs_flag_problem *problem = &problems->items[i];
        assert_string_equal(problem->file, path);
        assert_true(problem->line > 0 && problem->column > 0);
        assert_true(*problem->text != 0);
    }
}

/* Is the file taken? Holds its problems to the form that all have. */
static bool is_taken(const char *path)
{
    struct fs_flag_problems problems;
    struct fs_flagset *set = fs_flagfile_load(&path, 1, NULL, &problems);
    bool taken = set != NULL;
    assert_int_equal(problems.errors == 0, taken);
    check_problems(path, &problems);
    fs_flagset_unref(set);
    fs_flag_problems_finish(&problems);
    return taken;
}

/* Every file of the folder is taken or refused, but for `exception`. Returns how many there were. */
static size_t expect_folder(const char *folder, bool taken, const char *exception)
{
    const struct dirent *entry;
    DIR *directory = opendir(folder);
    size_t count = 0;
    while (directory && (entry = readdir(directory))) {
        if (*entry->d_name == '.')
            continue;
        char *path = fs_format("%s/%s", folder, entry->d_name);
        bool expected = exception && strcmp(entry->d_name, exception) == 0 ? !taken : taken;
        if (is_taken(path) != expected)
            fail_msg("%s is %s", path, expected ? "refused" : "taken");
        fs_free(path);
        count++;
    }
    if (directory)
        closedir(directory);
    return count;
}

static void good_files_are_taken(void **state)
{
    (void)state;
    assert_true(expect_folder(CORPUS "good", true, NULL) >= 10);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    assert_true(expect_folder(CORPUS "bad", false, NULL) >= 50);
}

static void what_no_schema_sees_is_refused_too(void **state)
{
    (void)state;
    assert_true(expect_folder(CORPUS "beyond", false, NULL) >= 15);
}

static void flagds_own_samples_are_taken_and_refused_alike(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        bool taken;
        const char *exception;
    } samples[] = {
        {"flagd-schemas/json/test/flags/positive", true, NULL},
        {"flagd-schemas/json/test/flagd/positive", true, NULL},
        /* flagd's providers refuse a list of flags, its daemon takes it. */
        {"flagd-schemas/json/test/flags/negative", false, "with-array-flags.json"},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        char *folder = reference(samples[i].folder);
        assert_true(expect_folder(folder, samples[i].taken, samples[i].exception) > 0);
        fs_free(folder);
    }
}

/* What flagd notices only when such a flag is evaluated, and one key that two of its flag sets have. */
static void flagds_test_bed_is_taken_but_for_flags_that_can_never_work(void **state)
{
    (void)state;
    static const char *const refused[] = {"flags.error-targeting-flag.targeting.invalid",
                                          "flags.ref-to-nonexistent-evaluator-flag.targeting.if.0.$ref",
                                          "flags.cross-flagset-flag"};
    char *folder = reference("flagd-testbed/flags");
    const char *paths[] = {folder};
    struct fs_flag_problems problems;
    size_t errors = 0;
    assert_null(fs_flagfile_load(paths, 1, NULL, &problems));
    for (size_t i = 0; i < problems.count; i++) {
        if (problems.items[i].warning)
            continue;
        assert_true(errors < sizeof refused / sizeof *refused);
        assert_string_equal(problems.items[i].key, refused[errors++]);
    }
    assert_int_equal(errors, 3);
    fs_flag_problems_finish(&problems);
    fs_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files_are_taken),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(what_no_schema_sees_is_refused_too),
        cmocka_unit_test(flagds_own_samples_are_taken_and_refused_alike),
        cmocka_unit_test(flagds_test_bed_is_taken_but_for_flags_that_can_never_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
