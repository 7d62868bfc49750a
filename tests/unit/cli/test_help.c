/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#define DOCUMENT FLAGSTAFF_ROOT "/docs/command-line.md"

static void every_command_has_a_summary_and_examples_that_can_be_parsed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FS_COMMAND_COUNT; i++) {
        const struct fs_cli_command *row = fs_cli_command((enum fs_command)i);
        assert_non_null(row->summary);
        assert_true(row->examples && strncmp(row->examples, "flagstaff ", 10) == 0);
        for (const char *at = row->examples; *at; at += strcspn(at, "\n") + 1) {
            char line[300], *words[40] = {NULL}, *save = NULL;
            int argc = 0;
            snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n>|"), at);
            for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save))
                words[argc++] = word;
            struct fs_cli_call call;
            struct fs_err err = {0};
            bool needs_file =
                strstr(at, "flagstaff.yaml") && strstr(at, "flagstaff.yaml") < at + strcspn(at, "\n");
            bool parsed = fs_cli_parse_to(&call, argc, words, NULL, stdout, stderr, &err);
            if (!parsed && !needs_file)
                fail_msg("%s: %s", at, err.text);
            assert_true(parsed || strstr(err.text, "No such file"));
            assert_int_equal(call.config.command, i);
            fs_cli_call_finish(&call);
        }
    }
}

static void help_of_a_command_lists_its_options(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FS_COMMAND_COUNT; i++) {
        struct fs_buf help;
        fs_buf_init(&help, 1 << 20);
        fs_cli_help((enum fs_command)i, &help);
        for (unsigned j = 0; j < FS_OPT_COUNT; j++) {
            const struct fs_option *option = fs_option((enum fs_option_id)j);
            char text[100];
            if (!option->argument)
                continue;
            snprintf(text, sizeof text, " %s%s", option->argument, option->unit ? " " : "\n");
            bool listed = strstr(strstr(help.data, "Options:\n"), text) &&
                          strstr(help.data, text) < strstr(help.data, "\nExamples:\n");
            assert_int_equal(listed, fs_option_is_of(option, (enum fs_command)i));
        }
        fs_buf_finish(&help);
    }
}

static void an_option_that_no_command_reads_does_not_exist(void **state)
{
    (void)state;
    for (unsigned j = 0; j < FS_OPT_COUNT; j++)
        assert_true(fs_option((enum fs_option_id)j)->commands != 0 &&
                    fs_option((enum fs_option_id)j)->commands < (1u << FS_COMMAND_COUNT));
}

static void the_documentation_is_made_from_the_tables(void **state)
{
    (void)state;
    struct fs_buf out;
    fs_buf_init(&out, 1 << 20);
    fs_cli_document(&out);
    if (getenv("FLAGSTAFF_WRITE_DOCS")) {
        FILE *file = fopen(DOCUMENT, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(out.data, 1, out.length, file), out.length);
        assert_int_equal(fclose(file), 0);
    }
    FILE *file = fopen(DOCUMENT, "r");
    char *text = fs_calloc(1, 1 << 20);
    assert_non_null(file);
    text[fread(text, 1, (1 << 20) - 1, file)] = 0;
    assert_int_equal(fclose(file), 0);
    assert_string_equal(text, out.data);
    fs_free(text);
    fs_buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_a_summary_and_examples_that_can_be_parsed),
        cmocka_unit_test(help_of_a_command_lists_its_options),
        cmocka_unit_test(an_option_that_no_command_reads_does_not_exist),
        cmocka_unit_test(the_documentation_is_made_from_the_tables),
    };
    return RUN(tests);
}
