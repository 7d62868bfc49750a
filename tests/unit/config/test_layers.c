/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

static void arguments_win_over_the_environment_over_the_file_over_defaults(void **state)
{
    (void)state;
    struct fs_config config;
    const char *path = file_with("lease: 1s\nhold: 1s\nprobe: 1s\nflags: [a]\n");
    const char *const environment[] = {"FLAGSTAFF_LEASE=2s", "FLAGSTAFF_HOLD=2s", "FLAGSTAFF_FLAGS=b, c",
                                       "FLAGSTAFF_PROBE=", NULL};
    assert_true(load(&config, FS_COMMAND_SERVE, WORDS("-c", path, "--lease", "3s"), environment, NULL));
    assert_int_equal(fs_config_number(&config, FS_OPT_LEASE), 3000);
    assert_int_equal(fs_config_number(&config, FS_OPT_HOLD), 2000);
    assert_int_equal(fs_config_number(&config, FS_OPT_PROBE), 1000);
    assert_int_equal(fs_config_number(&config, FS_OPT_DEDUP), INT64_C(7) * 86400000);
    assert_string_equal(fs_config_list(&config, FS_OPT_FLAGS)[0], "b");
    assert_string_equal(fs_config_list(&config, FS_OPT_FLAGS)[1], "c");
    assert_null(fs_config_list(&config, FS_OPT_FLAGS)[2]);
    assert_true(fs_config_said(&config, FS_OPT_PROBE));
    assert_false(fs_config_said(&config, FS_OPT_DEDUP));
    assert_true(fs_config_has(&config, FS_OPT_DEDUP));
    assert_false(fs_config_has(&config, FS_OPT_HOSTS));
    fs_config_finish(&config);
    unlink(path);
}

static void the_environment_may_name_the_file(void **state)
{
    (void)state;
    struct fs_config config;
    char variable[100];
    snprintf(variable, sizeof variable, "FLAGSTAFF_CONFIG=%s", file_with("lease: 4s\n"));
    assert_true(load(&config, FS_COMMAND_SERVE, WORDS("--drain", "0"), WORDS(variable), NULL));
    assert_int_equal(fs_config_number(&config, FS_OPT_LEASE), 4000);
    assert_int_equal(fs_config_number(&config, FS_OPT_DRAIN), 0);
    fs_config_finish(&config);
    unlink(variable + strlen("FLAGSTAFF_CONFIG="));
}

static void a_wrong_variable_is_named(void **state)
{
    (void)state;
    struct fs_config config;
    struct fs_err err = {0};
    assert_false(load(&config, FS_COMMAND_SERVE, WORDS("--drain", "0"),
                      WORDS("FLAGSTAFF_LIMITS_CONNECTIONS_PER_KEY=many"), &err));
    assert_int_equal(err.code, FS_ERR_CONFIG);
    assert_string_equal(err.text, "FLAGSTAFF_LIMITS_CONNECTIONS_PER_KEY: expected a whole number");
    fs_config_finish(&config);
}

static void help_is_given_whatever_the_environment_and_the_file_say(void **state)
{
    (void)state;
    struct fs_config config;
    assert_true(load(&config, FS_COMMAND_SERVE, WORDS("-c", "/nowhere.yaml", "--help"),
                     WORDS("FLAGSTAFF_LEASE=x"), NULL));
    assert_true(fs_config_true(&config, FS_OPT_HELP));
    fs_config_finish(&config);
}

static void the_state_directory_is_found_where_systems_keep_state(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"STATE_DIRECTORY=/var/lib/flagstaff:/x", "/var/lib/flagstaff"},
                                           {"XDG_STATE_HOME=/s", "/s/flagstaff"},
                                           {"HOME=/h", "/h/.local/state/flagstaff"},
                                           {"HOME=", "flagstaff-state"}};
    for (size_t i = 0; i < 4; i++) {
        struct fs_config config;
        char *environment[] = {fs_strdup(cases[i][0]), NULL};
        assert_true(fs_config_load(&config, FS_COMMAND_SERVE, 0, NULL, environment, NULL));
        char *data = fs_config_data(&config, environment);
        assert_string_equal(data, cases[i][1]);
        fs_free(data);
        fs_free(environment[0]);
        fs_config_finish(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_win_over_the_environment_over_the_file_over_defaults),
        cmocka_unit_test(the_environment_may_name_the_file),
        cmocka_unit_test(a_wrong_variable_is_named),
        cmocka_unit_test(help_is_given_whatever_the_environment_and_the_file_say),
        cmocka_unit_test(the_state_directory_is_found_where_systems_keep_state),
    };
    return RUN(tests);
}
