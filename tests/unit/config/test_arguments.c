/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

static void is_misused(enum fs_command command, const char *const *words, const char *expected)
{
    struct fs_config config;
    struct fs_err err = {0};
    bool taken = load(&config, command, words, NULL, &err);
    if (taken || !strstr(err.text, expected))
        print_error("gave: %s\n  wanted: %s\n", err.text, expected);
    assert_false(taken);
    assert_int_equal(err.code, FS_ERR_USAGE);
    assert_non_null(strstr(err.text, expected));
    fs_config_finish(&config);
}

static void values_stand_behind_or_after_an_equals_sign(void **state)
{
    (void)state;
    struct fs_config config;
    assert_true(load(&config, FS_COMMAND_SERVE,
                     WORDS("--listen", "[::1]:9000", "--lease=5s", "-d", "/x", "--print-config"), NULL,
                     NULL));
    assert_string_equal(fs_config_text(&config, FS_OPT_LISTEN), "::1");
    assert_int_equal(fs_config_number(&config, FS_OPT_LISTEN), 9000);
    assert_int_equal(fs_config_number(&config, FS_OPT_LEASE), 5000);
    assert_string_equal(fs_config_text(&config, FS_OPT_DATA), "/x");
    assert_true(fs_config_true(&config, FS_OPT_PRINT_CONFIG));
    assert_false(fs_config_true(&config, FS_OPT_CHECK_CONFIG));
    fs_config_finish(&config);
}

static void what_is_no_option_is_positional(void **state)
{
    (void)state;
    struct fs_config config;
    assert_true(
        load(&config, FS_COMMAND_GET, WORDS("ada", "--output", "json", "-", "--", "--odd"), NULL, NULL));
    assert_int_equal(config.positional_count, 3);
    assert_string_equal(config.positional[0], "ada");
    assert_string_equal(config.positional[1], "-");
    assert_string_equal(config.positional[2], "--odd");
    assert_null(config.positional[3]);
    fs_config_finish(&config);
}

static void a_list_is_given_by_repeating(void **state)
{
    (void)state;
    struct fs_config config;
    assert_true(load(&config, FS_COMMAND_SERVE, WORDS("--flags", "a", "-f", "b,c"), NULL, NULL));
    const char *const *flags = fs_config_list(&config, FS_OPT_FLAGS);
    assert_string_equal(flags[0], "a");
    assert_string_equal(flags[1], "b,c");
    assert_null(flags[2]);
    assert_null(fs_config_list(&config, FS_OPT_HOSTS)[0]);
    fs_config_finish(&config);
}

static void mistakes_are_told_with_what_was_meant(void **state)
{
    (void)state;
    is_misused(FS_COMMAND_SERVE, WORDS("--lisen", "x"), "did you mean --listen?");
    is_misused(FS_COMMAND_GET, WORDS("--listen", "x"),
               "no such option of get (it is an option of other commands)");
    is_misused(FS_COMMAND_SERVE, WORDS("--listen"), "expected ADDRESS:PORT behind it");
    is_misused(FS_COMMAND_SERVE, WORDS("--listen", ":80"), "which address?");
    is_misused(FS_COMMAND_SERVE, WORDS("--listen", "::1:80"), "[::1]:80");
    is_misused(FS_COMMAND_SERVE, WORDS("--listen", "localhost"), "ADDRESS:PORT");
    is_misused(FS_COMMAND_SERVE, WORDS("--lease", "30"), "30 of what? Write 30s");
    is_misused(FS_COMMAND_SERVE, WORDS("--lease", "10ms"), "expected 1s to 1d");
    is_misused(FS_COMMAND_SERVE, WORDS("--lease", "soon"), "--lease soon: expected a duration");
    is_misused(FS_COMMAND_SERVE, WORDS("--log-level", "inof"), "did you mean info?");
    is_misused(FS_COMMAND_SERVE, WORDS("--data", "a", "--data", "b"), "given twice");
    is_misused(FS_COMMAND_SERVE, WORDS("--data="), "empty");
    is_misused(FS_COMMAND_HISTORY, WORDS("--limit", "0"), "expected 1 to 10000");
    is_misused(FS_COMMAND_TRIGGER, WORDS("--ttl", "1m", "--expires", "2030-01-01T00:00:00Z"), "give one");
}

static void a_key_is_no_argument(void **state)
{
    (void)state;
    is_misused(FS_COMMAND_GET, WORDS("--key", "flagstaff_x"), "no such option");
    struct fs_config config;
    assert_true(load(&config, FS_COMMAND_GET, WORDS("ada"), WORDS("FLAGSTAFF_KEY=k"), NULL));
    assert_string_equal(fs_config_text(&config, FS_OPT_KEY), "k");
    fs_config_finish(&config);
}

static void every_option_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
        const struct fs_option *option = fs_option((enum fs_option_id)i);
        assert_non_null(option->name);
        assert_non_null(option->help);
        assert_true(option->commands != 0);
        assert_true(option->help[strlen(option->help) - 1] == '.');
        assert_true(option->argument || (option->traits & (FS_OPTION_FILE | FS_OPTION_ENV)));
        if (option->argument && option->type != FS_OPTION_BOOL)
            assert_non_null(option->unit);
        for (unsigned j = 0; j < i; j++) {
            const struct fs_option *other = fs_option((enum fs_option_id)j);
            assert_string_not_equal(option->name, other->name);
            if (option->argument && other->argument)
                assert_string_not_equal(option->argument, other->argument);
            if (option->letter && (option->commands & other->commands))
                assert_int_not_equal(option->letter, other->letter);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_behind_or_after_an_equals_sign),
        cmocka_unit_test(what_is_no_option_is_positional),
        cmocka_unit_test(a_list_is_given_by_repeating),
        cmocka_unit_test(mistakes_are_told_with_what_was_meant),
        cmocka_unit_test(a_key_is_no_argument),
        cmocka_unit_test(every_option_has_a_name_of_its_own),
    };
    return RUN(tests);
}
