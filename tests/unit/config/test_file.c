/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

static void a_file_sets_options_groups_and_sources(void **state)
{
    (void)state;
    struct fs_config config;
    struct fs_err err = {0};
    const char *path =
        file_with("listen: 0.0.0.0:9\n"
                  "flags: [flags.yaml, /abs]\n"
                  "data: ./state\n"
                  "log: { level: debug }\n"
                  "limits:\n  body: 2MiB\n  hello: 250ms\n  requests: 7\n"
                  "sources:\n  opa: { type: opa, url: http://127.0.0.1:8181, tokenFile: opa.token }\n"
                  "events:\n  mappings:\n    - { type: a.*, recompute: {} }\n");
    if (!load(&config, FS_COMMAND_SERVE, WORDS("-c", path), NULL, &err))
        fail_msg("%s", err.text);
    assert_string_equal(fs_config_text(&config, FS_OPT_LISTEN), "0.0.0.0");
    assert_string_equal(fs_config_list(&config, FS_OPT_FLAGS)[0], "/tmp/flags.yaml");
    assert_string_equal(fs_config_list(&config, FS_OPT_FLAGS)[1], "/abs");
    assert_string_equal(fs_config_text(&config, FS_OPT_DATA), "/tmp/state");
    assert_string_equal(fs_config_text(&config, FS_OPT_LOG_LEVEL), "debug");
    assert_int_equal(fs_config_number(&config, FS_OPT_LIMITS_BODY), 2 * 1024 * 1024);
    assert_int_equal(fs_config_number(&config, FS_OPT_LIMITS_HELLO), 250);
    assert_int_equal(fs_config_number(&config, FS_OPT_LIMITS_REQUESTS), 7);
    assert_int_equal(fs_config_number(&config, FS_OPT_LIMITS_FRAME), 65536);
    assert_int_equal(config.source_count, 1);
    assert_string_equal(config.sources[0].name, "opa");
    assert_string_equal(json_string_value(json_object_get(config.sources[0].options, "tokenFile")),
                        "/tmp/opa.token");
    assert_int_equal(config.sources[0].line, 10);
    assert_int_equal(json_array_size(fs_config_json(&config, FS_OPT_EVENT_MAPPINGS)), 1);
    fs_config_finish(&config);
    unlink(path);
}

static void json_is_a_configuration_too_and_so_is_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"{\"lease\": \"7s\"}", "", "# nothing\n", "limits:\n"};
    for (size_t i = 0; i < 4; i++) {
        struct fs_config config;
        const char *path = file_with(texts[i]);
        assert_true(load(&config, FS_COMMAND_SERVE, WORDS("-c", path), NULL, NULL));
        assert_int_equal(fs_config_number(&config, FS_OPT_LEASE), i == 0 ? 7000 : 30000);
        fs_config_finish(&config);
        unlink(path);
    }
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    (void)state;
    is_wrong("lisen: x\n", ":1:1: lisen: there is no such option, did you mean listen?");
    is_wrong("a: 1\n", "docs/configuration.md");
    is_wrong("log:\n  levle: info\n", ":2:3: log.levle: there is no such option, did you mean level?");
    is_wrong("logs: {}\n", "did you mean log?");
    is_wrong("souces: {}\n", "did you mean sources?");
    is_wrong("log: info\n", ":1:6: log: expected a map");
    is_wrong("lease: 30\n", ":1:8: lease: 30 of what?");
    is_wrong("lease: [1s]\n", "lease: expected a duration, not a list");
    is_wrong("flags: flags.yaml\n", "flags: expected a list, such as [ flags.yaml ]");
    is_wrong("flags:\n  - a\n  - {}\n", ":3:5: flags: expected a text, not a map");
    is_wrong("limits: { body: lots }\n", "limits.body: expected a size");
    is_wrong("limits: { body: 1 }\n", "expected 1KiB to 64MiB");
    is_wrong("listen: 8080\n", "listen: expected ADDRESS:PORT");
    is_wrong("sources: [opa]\n", "sources: expected a map");
    is_wrong("sources: { opa: http://x }\n", "sources: opa: expected a map with `type`");
    is_wrong("sources: { builtin: {} }\n", "cannot be a source's name");
    is_wrong("sources: { 'a b': {} }\n", "cannot be a source's name");
    is_wrong("lease: 1s\nlease: 2s\n", ":2:1: ");
    is_wrong("lease: 'x\n", ": ");
    is_wrong("- a\n", "expected a map of options");
    is_wrong("key: secret\n", "there is no such option");
    is_wrong("tls: { certificate: a }\n", "tls.key is missing");
    is_wrong("tls: { clientCa: a }\n", "tls.clientCa");
}

static void all_that_is_wrong_is_told_at_once(void **state)
{
    (void)state;
    struct fs_config config;
    struct fs_err err = {0};
    const char *path = file_with("lisen: x\nlog:\n  levle: info\n  format: yaml\nsources: { builtin: {} }\n"
                                 "lisen: y\n");
    const char *const environment[] = {"FLAGSTAFF_HOLD=7", NULL};
    assert_false(load(&config, FS_COMMAND_SERVE, WORDS("-c", path), environment, &err));
    const char *const told[] = {":6:1: the key 'lisen' stands here for the second time", ":1:1: lisen",
                                ":3:3: log.levle", ":4:11: log.format", ":5:12: sources: 'builtin'"};
    assert_int_equal(config.mistakes.list.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_non_null(strstr(config.mistakes.list.items[i].text, told[i]));
    assert_string_equal(err.text, "FLAGSTAFF_HOLD: 7 of what? Write 7s, or 7ms, m, h, d");
    assert_int_equal(fs_config_number(&config, FS_OPT_HOLD), 60000); /* as where nobody said anything */
    fs_config_finish(&config);
    unlink(path);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct fs_config config;
    struct fs_err err = {0};
    assert_false(load(&config, FS_COMMAND_SERVE, WORDS("-c", "/nowhere/at.yaml"), NULL, &err));
    assert_string_equal(err.text, "/nowhere/at.yaml: No such file or directory");
    fs_config_finish(&config);
    assert_false(load(&config, FS_COMMAND_SERVE, WORDS("-c", "/tmp"), NULL, &err));
    fs_config_finish(&config);
}

static void errors_of_others_get_their_place_in_the_file(void **state)
{
    (void)state;
    struct fs_config config;
    const char *path = file_with("sources:\n  opa:\n    type: opa\n    url: x\nevents:\n  mappings:\n    - "
                                 "type: a\n    - type: b\n      facts: []\n");
    char expected[200];
    assert_true(load(&config, FS_COMMAND_SERVE, WORDS("-c", path), NULL, NULL));
    struct fs_err err = {.code = FS_ERR_CONFIG, .text = "sources.opa.url: no URL"};
    fs_config_locate(&config, &err);
    snprintf(expected, sizeof expected, "%s:4:5: sources.opa.url: no URL", path);
    assert_string_equal(err.text, expected);
    fs_fail(&err, FS_ERR_CONFIG, "events.mappings[1].facts: expected");
    fs_config_locate(&config, &err);
    assert_non_null(strstr(err.text, ":9:7: events"));
    fs_fail(&err, FS_ERR_CONFIG, "sources.opa: 'revisionPath' is missing");
    fs_config_locate(&config, &err);
    assert_non_null(strstr(err.text, ":2:3: sources"));
    fs_fail(&err, FS_ERR_CONFIG, "address in use: 127.0.0.1");
    fs_config_locate(&config, &err);
    assert_string_equal(err.text, "address in use: 127.0.0.1");
    fs_config_finish(&config);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_sets_options_groups_and_sources),
        cmocka_unit_test(json_is_a_configuration_too_and_so_is_nothing),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(all_that_is_wrong_is_told_at_once),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(errors_of_others_get_their_place_in_the_file),
    };
    return RUN(tests);
}
