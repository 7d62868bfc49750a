/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#define DOCUMENT FLAGSTAFF_ROOT "/docs/configuration.md"

static char *written(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = fs_calloc(1, 1 << 20);
    assert_non_null(file);
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    text[length] = 0;
    assert_int_equal(fclose(file), 0);
    return text;
}

static void the_documentation_is_made_from_the_table(void **state)
{
    (void)state;
    struct fs_buf out;
    fs_buf_init(&out, 1 << 20);
    fs_option_document(&out);
    if (getenv("FLAGSTAFF_WRITE_DOCS")) {
        FILE *file = fopen(DOCUMENT, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(out.data, 1, out.length, file), out.length);
        assert_int_equal(fclose(file), 0);
    }
    char *text = written(DOCUMENT);
    assert_string_equal(text, out.data);
    fs_free(text);
    fs_buf_finish(&out);
}

static void every_option_of_the_file_is_documented(void **state)
{
    (void)state;
    char *text = written(DOCUMENT), row[100], name[64];
    for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
        const struct fs_option *option = fs_option((enum fs_option_id)i);
        if (!(option->traits & FS_OPTION_FILE))
            continue;
        snprintf(row, sizeof row, "| `%s` |", option->name);
        assert_non_null(strstr(text, row));
        if (fs_option_environment(option, name))
            assert_non_null(strstr(text, name));
    }
    fs_free(text);
}

static void help_lists_exactly_the_options_of_a_command(void **state)
{
    (void)state;
    for (unsigned command = 0; command < FS_COMMAND_COUNT; command++) {
        struct fs_buf out;
        fs_buf_init(&out, 1 << 20);
        fs_option_help((enum fs_command)command, 100, &out);
        for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
            const struct fs_option *option = fs_option((enum fs_option_id)i);
            if (!option->argument)
                continue;
            char line[100];
            snprintf(line, sizeof line, " %s%s%s\n", option->argument, option->unit ? " " : "",
                     option->unit ? option->unit : "");
            assert_int_equal(strstr(out.data, line) != NULL,
                             fs_option_is_of(option, (enum fs_command)command));
        }
        for (const char *at = out.data; *at; at += strcspn(at, "\n"), at += *at == '\n')
            assert_true(strcspn(at, "\n") <= 100);
        fs_buf_finish(&out);
    }
}

static void a_shared_options_help_says_what_concerns_the_command(void **state)
{
    (void)state;
    struct fs_buf out;
    fs_buf_init(&out, 1 << 20);
    fs_option_help(FS_COMMAND_TRIGGER, 100, &out);
    assert_non_null(strstr(out.data, "Whom it is about; may be repeated."));
    assert_null(strstr(out.data, "keys add"));
    fs_buf_finish(&out);
}

static void a_commands_own_options_come_before_those_of_all(void **state)
{
    (void)state;
    struct fs_buf out;
    fs_buf_init(&out, 1 << 20);
    fs_option_help(FS_COMMAND_GET, 100, &out);
    assert_true(strstr(out.data, "--attribute") < strstr(out.data, "--url"));
    assert_true(strstr(out.data, "--color") < strstr(out.data, "--help"));
    assert_non_null(
        strstr(out.data, "Attribute of the context. VALUE is JSON, or else text; may be repeated.\n"));
    fs_buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documentation_is_made_from_the_table),
        cmocka_unit_test(every_option_of_the_file_is_documented),
        cmocka_unit_test(help_lists_exactly_the_options_of_a_command),
        cmocka_unit_test(a_shared_options_help_says_what_concerns_the_command),
        cmocka_unit_test(a_commands_own_options_come_before_those_of_all),
    };
    return RUN(tests);
}
