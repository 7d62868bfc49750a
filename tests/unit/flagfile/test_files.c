/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories: which are read, in which order, and that one error anywhere means no set. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "reading.h"

#define FLAG(key) "flags:\n  " key ":\n    variants: { on: true, off: false }\n"

static char directory[] = "/tmp/fs-flagfile-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    memcpy(strrchr(directory, '-') + 1, "XXXXXX", 6);
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    char *command = fs_format("rm -rf '%s'", directory);
    int status = system(command);
    fs_free(command);
    return status;
}

static char *write_file(const char *name, const char *text)
{
    char *path = fs_format("%s/%s", directory, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
    return path;
}

static void put(const char *name, const char *text)
{
    fs_free(write_file(name, text));
}

/* Loads the paths and holds the problems, the directory's name taken out, against `expected`. */
static struct fs_flagset *load(const char *const *paths, size_t count, const char *expected)
{
    struct fs_flag_problems problems;
    struct fs_flagset *set = fs_flagfile_load(paths, count, &sources, &problems);
    char *lines = problem_lines(&problems), *at;
    while ((at = strstr(lines, directory)))
        memmove(at, at + strlen(directory), strlen(at + strlen(directory)) + 1);
    assert_string_equal(lines, expected);
    fs_free(lines);
    fs_flag_problems_finish(&problems);
    return set;
}

static struct fs_flagset *load_directory(const char *expected)
{
    const char *paths[] = {directory};
    return load(paths, 1, expected);
}

static void a_directory_gives_its_visible_yaml_and_json_files(void **state)
{
    (void)state;
    put("b.yaml", FLAG("b"));
    put("a.yml", FLAG("a"));
    put("c.json", "{\"flags\": {\"c\": {\"variants\": {\"x\": 1}}}}");
    put(".hidden.yaml", "not: [a flag");
    put("readme.txt", "not: [a flag");
    char *inner = fs_format("%s/inner.yaml", directory);
    assert_int_equal(mkdir(inner, 0700), 0);
    fs_free(inner);
    struct fs_flagset *set = load_directory("");
    assert_int_equal(set->count, 3);
    assert_string_equal(set->flags[0]->key, "a");
    assert_string_equal(set->flags[2]->key, "c");
    fs_flagset_unref(set);
}

static void all_errors_of_all_files_are_told_in_order(void **state)
{
    (void)state;
    put("b.yaml", "flags:\n  b: 1\nflag: 2\n");
    put("a.yaml", "flags:\n  a: [\n");
    put("c.yaml", FLAG("c"));
    put("d.yaml", "");
    assert_null(
        load_directory("/a.yaml:3:1: did not find expected node content, while parsing a flow node\n"
                       "/b.yaml:2:3: flags.b: expected a flag (a map with `variants`), got an integer\n"
                       "/b.yaml:3:1: flag: this key is not known (did you mean 'flags'?)\n"
                       "/d.yaml: the file is empty: expected a map with `flags`\n"));
}

static void one_key_in_two_files_is_an_error_that_names_both_places(void **state)
{
    (void)state;
    put("a.yaml", "# first\n" FLAG("same"));
    put("b.yaml", FLAG("same"));
    struct fs_flag_problems problems;
    const char *paths[] = {directory};
    assert_null(fs_flagfile_load(paths, 1, NULL, &problems));
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0].file, "/b.yaml"));
    assert_int_equal(problems.items[0].line, 2);
    assert_non_null(strstr(problems.items[0].text, "/a.yaml:3"));
    fs_flag_problems_finish(&problems);
}

static void a_file_that_two_paths_lead_to_is_read_once(void **state)
{
    (void)state;
    char *path = write_file("a.yaml", FLAG("a"));
    const char *paths[] = {path, directory, path};
    struct fs_flagset *set = load(paths, 3, "");
    assert_int_equal(set->count, 1);
    fs_flagset_unref(set);
    fs_free(path);
}

static void what_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    char *path = fs_format("%s/missing.yaml", directory);
    const char *paths[] = {path, directory};
    assert_null(load(paths, 2,
                     "/missing.yaml: it cannot be read: No such file or directory\n"
                     ": the directory holds no flag file (*.yaml, *.yml or *.json)\n"));
    fs_free(path);
}

static void evaluators_are_shared_by_all_files(void **state)
{
    (void)state;
    put("a.yaml", FLAG("f") "    targeting: { if: [{ $ref: beta }, on, off] }\n");
    put("b.yaml", "flags: {}\n$evaluators: { beta: { var: beta } }\n");
    put("c.yaml", "flags: {}\n$evaluators: { beta: { var: beta } }\n");
    fs_flagset_unref(load_directory(""));
    put("c.yaml", "flags: {}\n$evaluators: { beta: { var: gamma } }\n");
    char *expected = fs_format("/c.yaml:2:16: $evaluators.beta: the evaluator 'beta' is another rule in "
                               "/b.yaml; evaluators are shared by all files\n");
    assert_null(load_directory(expected));
    fs_free(expected);
}

static void defaults_are_for_their_own_file(void **state)
{
    (void)state;
    put("a.yaml", "$defaults: { visibility: client }\nmetadata: { flagSetId: a }\n" FLAG("a"));
    put("b.yaml", FLAG("b"));
    struct fs_flagset *set = load_directory("");
    assert_int_equal(set->flags[0]->visibility, FS_VISIBILITY_CLIENT);
    assert_int_equal(set->flags[1]->visibility, FS_VISIBILITY_SERVER);
    assert_non_null(set->flags[0]->metadata);
    assert_null(set->flags[1]->metadata);
    fs_flagset_unref(set);
}

static void the_daemons_list_of_flags_is_understood(void **state)
{
    (void)state;
    struct fs_flagset *set =
        read_fine("flags:\n  - { key: a, variants: { x: 1 } }\n  - { key: b, variants: { x: 1 } }\n");
    assert_int_equal(set->count, 2);
    assert_non_null(fs_flagset_find(set, "b"));
    fs_flagset_unref(set);
    expect_problems("flags:\n  - { variants: { x: 1 } }\n  - { key: a, variants: { x: 1 } }\n  - { key: a, "
                    "variants: {} }\n",
                    "f.yaml:2:5: flags.0: a flag in a list needs its 'key'\n"
                    "f.yaml:4:5: flags.a: the flag 'a' is also defined in f.yaml:3; one of the two must go\n"
                    "f.yaml:4:15: flags.a.variants: expected at least one variant\n");
}

static void unknown_keys_are_errors_but_for_ones_that_are_everybodys_own(void **state)
{
    (void)state;
    fs_flagset_unref(read_fine("$schema: x\n$comment: y\nx-shared: &v { on: true, off: false }\nflags:\n  "
                               "f:\n    x-note: z\n    variants: *v\n"));
    expect_problems(
        "flag: {}\nflags:\n  f:\n    varants: {}\n    variants: { a: 1 }\n$defaults: { visiblity: client }\n",
        "f.yaml:1:1: flag: this key is not known (did you mean 'flags'?)\n"
        "f.yaml:4:5: flags.f.varants: this key is not known (did you mean 'variants'?)\n"
        "f.yaml:6:14: $defaults.visiblity: this key is not known (did you mean 'visibility'?)\n");
}

static void a_key_that_stands_twice_is_an_error(void **state)
{
    (void)state;
    expect_problems("flags:\n  f: { variants: { a: 1 } }\n  f: { variants: { a: 1 } }\n",
                    "f.yaml:3:3: the key 'f' stands here for the second time; it is also in line 2\n");
    expect_problems("flags:\n  f: { variants: { a: 1 } }\n  f: {}\n  g: { variants: {} }\n",
                    "f.yaml:3:3: the key 'f' stands here for the second time; it is also in line 2\n"
                    "f.yaml:4:8: flags.g.variants: expected at least one variant\n");
}

static void problems_are_listed_up_to_a_limit_and_counted_beyond(void **state)
{
    (void)state;
    struct fs_buf text;
    fs_buf_init(&text, 1 << 20);
    fs_buf_adds(&text, "flags:\n");
    for (int i = 0; i < 1500; i++)
        fs_buf_addf(&text, "  f%d: 1\n", i);
    struct fs_flag_problems problems;
    assert_null(fs_flagfile_parse(text.data, text.length, "f.yaml", NULL, &problems));
    assert_int_equal(problems.count, FS_FLAG_PROBLEMS);
    assert_int_equal(problems.errors, 1500);
    assert_int_equal(problems.unlisted, 500);
    fs_flag_problems_finish(&problems);
    fs_buf_finish(&text);
}

static void equal_definitions_have_equal_hashes(void **state)
{
    (void)state;
    struct fs_flagset *yaml = read_fine(FLAG("f"));
    struct fs_flagset *json = read_fine("{\"flags\":{\"f\":{\"variants\":{\"on\":true,\"off\":false}}}}");
    struct fs_flagset *other = read_fine(FLAG("g"));
    assert_string_equal(yaml->hash, json->hash);
    assert_string_not_equal(yaml->hash, other->hash);
    fs_flagset_unref(yaml);
    fs_flagset_unref(json);
    fs_flagset_unref(other);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(a_directory_gives_its_visible_yaml_and_json_files),
        IN_DIRECTORY(all_errors_of_all_files_are_told_in_order),
        IN_DIRECTORY(one_key_in_two_files_is_an_error_that_names_both_places),
        IN_DIRECTORY(a_file_that_two_paths_lead_to_is_read_once),
        IN_DIRECTORY(what_cannot_be_read_is_an_error),
        IN_DIRECTORY(evaluators_are_shared_by_all_files),
        IN_DIRECTORY(defaults_are_for_their_own_file),
        cmocka_unit_test(the_daemons_list_of_flags_is_understood),
        cmocka_unit_test(unknown_keys_are_errors_but_for_ones_that_are_everybodys_own),
        cmocka_unit_test(a_key_that_stands_twice_is_an_error),
        cmocka_unit_test(problems_are_listed_up_to_a_limit_and_counted_beyond),
        cmocka_unit_test(equal_definitions_have_equal_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
