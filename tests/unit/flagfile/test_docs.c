/* SPDX-License-Identifier: Apache-2.0 */
/* Each example of docs/flag-file.md is taken as it stands there, without a warning. */
#include <stdio.h>
#include "base/buf.h"
#include "reading.h"

static const char fence[] = "```";

static char *read_page(void)
{
    struct fs_buf text;
    char chunk[4096];
    size_t length;
    FILE *stream = fopen(FLAGSTAFF_ROOT "/docs/flag-file.md", "r");
    assert_non_null(stream);
    fs_buf_init(&text, 1 << 20);
    while ((length = fread(chunk, 1, sizeof chunk, stream)) > 0)
        fs_buf_add(&text, chunk, length);
    fclose(stream);
    return fs_buf_take(&text, NULL);
}

/* Indents the lines by two columns, under a head. */
static char *put_under(const char *head, const char *lines, size_t length)
{
    struct fs_buf text;
    fs_buf_init(&text, 1 << 20);
    fs_buf_adds(&text, head);
    for (const char *line = lines; line < lines + length;) {
        size_t end = strcspn(line, "\n") + 1;
        fs_buf_adds(&text, "  ");
        fs_buf_add(&text, line, end);
        line += end;
    }
    return fs_buf_take(&text, NULL);
}

static void check_decisions(const char *lines, size_t length)
{
    for (const char *line = lines; line < lines + length; line += strcspn(line, "\n") + 1) {
        char *text = put_under("flags:\n  f:\n  ", line, strcspn(line, "\n") + 1);
        char *whole = fs_format("%s    variants: { on: true, off: false }\n", text);
        fs_flagset_unref(read_fine(whole));
        fs_free(text);
        fs_free(whole);
    }
}

/* A whole file, lines that are a decision each, or flags. */
static void check_example(const char *lines, size_t length)
{
    char *own = fs_strndup(lines, length), *text;
    if (strstr(own, "\nflags:")) {
        fs_flagset_unref(read_fine(own));
    } else if (strncmp(own, "decision:", 9) == 0) {
        check_decisions(lines, length);
    } else {
        text = put_under("flags:\n", lines, length);
        fs_flagset_unref(read_fine(text));
        fs_free(text);
    }
    fs_free(own);
}

static void examples_of_the_reference_are_taken_as_they_stand(void **state)
{
    (void)state;
    char *page = read_page(), *at = page;
    int count = 0;
    while ((at = strstr(at, "```yaml\n"))) {
        at += strlen("```yaml\n");
        char *end = strstr(at, fence);
        assert_non_null(end);
        check_example(at, (size_t)(end - at));
        at = end + strlen(fence);
        count++;
    }
    assert_int_equal(count, 3);
    fs_free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_reference_are_taken_as_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
