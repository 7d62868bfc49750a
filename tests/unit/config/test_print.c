/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

static char *print(const struct fs_config *config)
{
    struct fs_buf out;
    fs_buf_init(&out, 1 << 20);
    fs_config_print(config, &out);
    char *text = fs_buf_take(&out, NULL);
    fs_buf_finish(&out);
    return text;
}

static void each_value_is_printed_with_its_origin(void **state)
{
    (void)state;
    struct fs_config config;
    char expected[100];
    const char *path = file_with("hold: 90s\n");
    assert_true(load(&config, FS_COMMAND_SERVE, WORDS("-c", path, "--flags", "a"),
                     WORDS("FLAGSTAFF_LOG_LEVEL=warn"), NULL));
    char *text = print(&config);
    snprintf(expected, sizeof expected, "\nhold: 1m30s  # %s:1\n", path);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "lease: 30s  # default\n"));
    assert_non_null(strstr(text, "flags: [\"a\"]  # --flags\n"));
    assert_non_null(strstr(text, "log:\n  level: \"warn\"  # FLAGSTAFF_LOG_LEVEL\n"));
    fs_free(text);
    fs_config_finish(&config);
    unlink(path);
}

static void secrets_are_masked(void **state)
{
    (void)state;
    struct fs_config config;
    const char *path = file_with("sources: { opa: { type: opa, url: 'http://u:canary@h', token: canary, "
                                 "tokenFile: /path/to, deep: [{ apiKey: canary }] } }\n");
    assert_true(load(&config, FS_COMMAND_SERVE, WORDS("-c", path), NULL, NULL));
    char *text = print(&config);
    assert_null(strstr(text, "canary"));
    assert_non_null(strstr(text, "/path/to"));
    assert_non_null(strstr(text, "***"));
    fs_free(text);
    fs_config_finish(&config);
    unlink(path);
}

static void what_is_printed_can_be_read_back(void **state)
{
    (void)state;
    struct fs_config config, again;
    struct fs_err err = {0};
    const char *path = file_with("listen: '[::1]:0'\nflags: [/a, /b]\nsources: { opa: { type: opa, url: "
                                 "'http://h' } }\norigins: []\n");
    assert_true(load(&config, FS_COMMAND_SERVE, WORDS("-c", path), NULL, NULL));
    char *text = print(&config);
    path = file_with(text);
    if (!load(&again, FS_COMMAND_SERVE, WORDS("-c", path), NULL, &err))
        fail_msg("%s\n%s", err.text, text);
    assert_string_equal(fs_config_text(&again, FS_OPT_LISTEN), "::1");
    assert_int_equal(fs_config_number(&again, FS_OPT_LIMITS_BODY), 1024 * 1024);
    assert_string_equal(again.sources[0].name, "opa");
    fs_free(text);
    fs_config_finish(&config);
    fs_config_finish(&again);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_is_printed_with_its_origin),
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(what_is_printed_can_be_read_back),
    };
    return RUN(tests);
}
