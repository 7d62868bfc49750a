/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

static void is_misused(const char *const *words, const char *expected)
{
    struct outcome outcome = invoke(words, NULL);
    if (outcome.parsed || !strstr(outcome.err.text, expected))
        print_error("gave: %s\n  wanted: %s\n", outcome.err.text, expected);
    assert_false(outcome.parsed);
    assert_int_equal(outcome.status, 2);
    assert_non_null(strstr(outcome.err.text, expected));
    assert_string_equal(outcome.out, "");
    outcome_finish(&outcome);
}

static void a_daemons_command_is_left_to_the_daemon(void **state)
{
    (void)state;
    struct outcome outcome = invoke(WORDS("serve", "--lease", "5s"), NULL);
    assert_true(outcome.parsed);
    assert_false(outcome.done);
    assert_int_equal(outcome.command, FS_COMMAND_SERVE);
    assert_string_equal(outcome.out, "");
    outcome_finish(&outcome);
}

static void help_and_version_are_answered_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        const char *expected;
    } cases[] = {{{"flagstaff", "--help"}, "Commands:\n  serve"},
                 {{"flagstaff", "help", "get"}, "Usage: flagstaff get SUBJECT [FLAG] [OPTION...]\n"},
                 {{"flagstaff", "watch", "--help"}, "Usage: flagstaff watch SUBJECT..."},
                 {{"flagstaff", "get", "-h"}, "--attribute NAME=VALUE\n"},
                 {{"flagstaff", "--version"}, "flagstaff "},
                 {{"flagstaff", "serve", "--print-config"}, "listen: \"127.0.0.1:8080\"  # default\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome outcome = invoke(cases[i].words, NULL);
        assert_true(outcome.parsed);
        assert_true(outcome.done);
        assert_int_equal(outcome.status, 0);
        assert_non_null(strstr(outcome.out, cases[i].expected));
        outcome_finish(&outcome);
    }
}

static void what_is_not_understood_says_what_was_meant(void **state)
{
    (void)state;
    static const char *const nothing[] = {"flagstaff", NULL};
    struct outcome outcome = invoke(nothing, NULL);
    assert_true(outcome.done);
    assert_int_equal(outcome.status, 2);
    assert_string_equal(outcome.out, "");
    assert_non_null(strstr(outcome.words, "Commands:"));
    outcome_finish(&outcome);
    is_misused(WORDS("wathc", "ada"), "did you mean watch?");
    is_misused(WORDS("--flags", "x"), "there is no such command");
    is_misused(WORDS("help", "gte"), "did you mean get?");
    is_misused(WORDS("get"), "get: expected SUBJECT [FLAG]");
    is_misused(WORDS("get", "a", "b", "c"), "c is one too many: expected SUBJECT [FLAG]");
    is_misused(WORDS("flags", "x"), "x is one too many: expected options only");
    is_misused(WORDS("get", "ada", "--output", "jsn"), "did you mean json?");
    is_misused(WORDS("serve", "flags.yaml"), "flag files are given with --flags");
    is_misused(WORDS("serve", "--port", "80"), "did you mean --listen ADDRESS:PORT?");
}

static void wrong_uses_are_found_before_anything_is_asked(void **state)
{
    (void)state;
    static const struct {
        const char *words[10];
        const char *expected;
    } cases[] = {
        {{"flagstaff", "keys", "lst"}, "did you mean list?"},
        {{"flagstaff", "keys", "add"}, "what may the key do?"},
        {{"flagstaff", "keys", "add", "--scope", "adminn"}, "did you mean admin?; there are evaluate,"},
        {{"flagstaff", "keys", "add", "--scope", "x"}, "facts:NAME, status:SOURCE"},
        {{"flagstaff", "keys", "revoke"}, "which key?"},
        {{"flagstaff", "keys", "list", "x"}, "options only"},
        {{"flagstaff", "keys", "add", "--scope", "read", "--attribute", "x"}, "expected NAME=VALUE"},
        {{"flagstaff", "get", "ada", "--attribute", "targetingKey=bob"}, "that is the subject"},
        {{"flagstaff", "get", "ada", "--url", "ftp://x"}, "expected http://HOST:PORT"},
        {{"flagstaff", "get", "ada", "--url", "http://u:p@x"}, "no user or password"},
        {{"flagstaff", "trigger", "--fact", "a=1"}, "whose facts?"},
        {{"flagstaff", "trigger", "--subject", "a", "--ttl", "1s"}, "go with --fact"},
        {{"flagstaff", "trigger", "-s", "a", "--fact", "a=1", "--flag", "f"}, "--flag narrows"},
        {{"flagstaff", "trigger", "x.json", "--subject", "a"}, "give the file or options"},
        {{"flagstaff", "check"}, "which files?"},
        {{"flagstaff", "opa-module", "--source", "a", "--source", "b"}, "one at a time"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome outcome = invoke(cases[i].words, NULL);
        assert_true(outcome.parsed);
        if (outcome.status != 2 || !strstr(outcome.words, cases[i].expected))
            print_error("gave: %d %s  wanted: %s\n", outcome.status, outcome.words, cases[i].expected);
        assert_int_equal(outcome.status, 2);
        assert_non_null(strstr(outcome.words, cases[i].expected));
        assert_string_equal(outcome.out, "");
        outcome_finish(&outcome);
    }
}

static void check_tells_right_files_from_wrong_ones(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "/tmp/flagstaff-cli-%d.yaml", (int)getpid());
    static const struct {
        const char *text;
        int status;
        const char *expected;
    } cases[] = {{"flags: { a: { variants: { x: 1 }, defaultVariant: x } }\n", 0, "1 flag, right"},
                 {"flags: { a: { variants: { x: 1 }, defaultVariant: y } }\n", 3, ":1:"}};
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(cases[i].text, file);
        assert_int_equal(fclose(file), 0);
        struct outcome outcome = invoke(WORDS("check", path), NULL);
        assert_int_equal(outcome.status, cases[i].status);
        assert_non_null(strstr(outcome.out, cases[i].expected));
        outcome_finish(&outcome);
        outcome = invoke(WORDS("check", path, "-o", "json"), NULL);
        json_t *json = json_loads(outcome.out, 0, NULL);
        assert_int_equal(json_is_true(json_object_get(json, "valid")), i == 0);
        json_decref(json);
        outcome_finish(&outcome);
    }
    unlink(path);
}

static const char *const rest_kinds[] = {"path", NULL};
static const struct fs_source_type builtin_type = {.name = "builtin"},
                                   rest_type = {.name = "rest", .kinds = rest_kinds};

static const struct fs_source_type *find_type(const char *name)
{
    return strcmp(name, "builtin") == 0 ? &builtin_type : strcmp(name, "rest") == 0 ? &rest_type : NULL;
}

static int check_with(const char *sources, char **out, char **words)
{
    char config[64], flags[64], option[80];
    size_t sizes[2];
    struct fs_cli_call call;
    snprintf(config, sizeof config, "/tmp/flagstaff-cli-%d-config.yaml", (int)getpid());
    snprintf(flags, sizeof flags, "/tmp/flagstaff-cli-%d-flags.yaml", (int)getpid());
    snprintf(option, sizeof option, "--config=%s", config);
    FILE *file = fopen(config, "w");
    assert_non_null(file);
    fprintf(file, "flags: [%s]\nsources: %s\n", flags, sources);
    assert_int_equal(fclose(file), 0);
    file = fopen(flags, "w");
    assert_non_null(file);
    fputs("flags: { a: { variants: { 'on': true, 'off': false }, defaultVariant: 'off', decision: { source: "
          "opa, path: a/b } } }\n",
          file);
    assert_int_equal(fclose(file), 0);
    FILE *to = open_memstream(out, &sizes[0]), *errors = open_memstream(words, &sizes[1]);
    char program[] = "flagstaff", check[] = "check", *argv[] = {program, check, option};
    assert_true(fs_cli_parse_to(&call, 3, argv, NULL, to, errors, NULL));
    call.source_type = find_type;
    int status = fs_cli_run(&call);
    fs_cli_call_finish(&call);
    fclose(to);
    fclose(errors);
    unlink(config);
    unlink(flags);
    return status;
}

static void with_a_configuration_the_sources_that_flags_name_are_checked(void **state)
{
    (void)state;
    char *out = NULL, *words = NULL;
    assert_int_equal(check_with("{ opa: { type: rest } }", &out, &words), 0);
    free(out);
    free(words);
    assert_int_equal(check_with("{ other: { type: rest } }", &out, &words), 3);
    assert_non_null(strstr(out, "opa"));
    free(out);
    free(words);
    assert_int_equal(check_with("{ opa: { type: reset } }", &out, &words), 3);
    assert_non_null(
        strstr(words, "config.yaml:2:19: sources.opa.type: there is no type of source called reset"));
    free(out);
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_daemons_command_is_left_to_the_daemon),
        cmocka_unit_test(help_and_version_are_answered_at_once),
        cmocka_unit_test(what_is_not_understood_says_what_was_meant),
        cmocka_unit_test(wrong_uses_are_found_before_anything_is_asked),
        cmocka_unit_test(check_tells_right_files_from_wrong_ones),
        cmocka_unit_test(with_a_configuration_the_sources_that_flags_name_are_checked),
    };
    return RUN(tests);
}
