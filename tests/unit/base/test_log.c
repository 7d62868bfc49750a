/* SPDX-License-Identifier: Apache-2.0 */
/* Structured logging: one line for each event, and no value can forge one. */
#include "testing.h"

#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include "base/str.h"

static char said[200000];

/* Points stderr at a file while `body` runs; what it wrote is in `said`. */
static void hear(void (*body)(void))
{
    FILE *file = tmpfile();
    assert_non_null(file);
    int before = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    body();
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
}

/* What follows the date, which is looked at for its form only. */
static const char *after_date(const char *line)
{
    int64_t ms = 0;
    assert_true(fs_parse_rfc3339((struct fs_str){line, 24}, &ms));
    return line + 24;
}

static const char *json_after_date(void)
{
    assert_memory_equal(said, "{\"time\":\"", 9);
    return after_date(said + 9);
}

static void say_opened(void)
{
    FS_LOG_INFO("net", "connection opened", "session", "s-1", "address", NULL, "count", fs_log_int(-2),
                "note", "two words");
}

static void a_text_line_has_date_level_component_message_and_pairs(void **state)
{
    (void)state;
    fs_log_setup(FS_LOG_LEVEL_INFO, false, NULL);
    hear(say_opened);
    assert_string_equal(after_date(said),
                        " info  net: connection opened session=s-1 count=-2 note=\"two words\"\n");
}

static void a_json_line_is_one_object_with_numbers_as_numbers(void **state)
{
    (void)state;
    fs_log_setup(FS_LOG_LEVEL_INFO, true, NULL);
    hear(say_opened);
    assert_string_equal(json_after_date(),
                        "\",\"level\":\"info\",\"component\":\"net\",\"message\":\"connection opened\","
                        "\"session\":\"s-1\",\"count\":-2,\"note\":\"two words\"}\n");
}

static void say_forged(void)
{
    FS_LOG_WARN("net", "odd\nname", "name", "x\n2026-01-01T00:00:00.000Z info  net: forged", "empty", "",
                "escape", "\x1b[31m\x7f\xC2\x9B\xE2\x80\xA8\xFF", "quote", "a=\"b\"", "k y", "v");
}

static void no_value_can_forge_a_line_or_move_a_terminal(void **state)
{
    (void)state;
    fs_log_setup(FS_LOG_LEVEL_INFO, false, NULL);
    hear(say_forged);
    assert_string_equal(after_date(said),
                        " warn  net: \"odd\\nname\" name=\"x\\n2026-01-01T00:00:00.000Z info  net: forged\" "
                        "empty=\"\" escape=\"\\u001b[31m\\u007f\\u009b\\u2028\xEF\xBF\xBD\" "
                        "quote=\"a=\\\"b\\\"\" \"k y\"=v\n");
    fs_log_setup(FS_LOG_LEVEL_INFO, true, NULL);
    hear(say_forged);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    assert_null(strchr(said, '\x1b'));
}

static char long_value[100000];

static void say_long(void)
{
    memset(long_value, 'x', sizeof long_value - 1);
    FS_LOG_INFO("net", "long", "value", long_value);
}

static void a_long_value_is_cut_and_says_so(void **state)
{
    (void)state;
    fs_log_setup(FS_LOG_LEVEL_INFO, true, NULL);
    hear(say_long);
    assert_true(strlen(said) < 5000);
    assert_non_null(strstr(said, "xxx...\"}\n"));
}

static void say_too_much(void)
{
    memset(long_value, '\1', sizeof long_value - 1);
    FS_LOG_INFO("net", "much", "a", long_value, "b", long_value, "c", long_value);
}

static void a_line_over_the_limit_still_tells_of_the_event(void **state)
{
    (void)state;
    fs_log_setup(FS_LOG_LEVEL_INFO, true, NULL);
    hear(say_too_much);
    assert_non_null(strstr(said, "\"message\":\"much\",\"cut\":\"too long\"}\n"));
}

static void lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    fs_log_setup(FS_LOG_LEVEL_WARN, false, NULL);
    hear(say_opened);
    assert_string_equal(said, "");
    assert_true(fs_log_enabled(FS_LOG_LEVEL_ERROR, "net"));
    assert_false(fs_log_enabled(FS_LOG_LEVEL_DEBUG, "net"));
}

static bool debugs(const char *components, const char *component)
{
    fs_log_setup(FS_LOG_LEVEL_DEBUG, false, components);
    assert_true(fs_log_enabled(FS_LOG_LEVEL_INFO, component)); /* the list is for debug lines only */
    return fs_log_enabled(FS_LOG_LEVEL_DEBUG, component);
}

static void debug_lines_are_chosen_by_component(void **state)
{
    (void)state;
    assert_true(debugs(NULL, "net"));
    assert_true(debugs("all", "net"));
    assert_true(debugs("net,source", "source"));
    assert_true(debugs("net, source", "source"));
    assert_false(debugs("net,source", "core"));
    assert_false(debugs("net", "network"));
    assert_false(debugs("all,-net", "net"));
    assert_true(debugs("all,-net", "core"));
    assert_true(debugs("-net", "core"));
    assert_false(debugs("-net", "net"));
    assert_false(debugs("", "net"));
}

static void a_level_is_one_of_four_words(void **state)
{
    (void)state;
    enum fs_log_level level = FS_LOG_LEVEL_ERROR;
    assert_true(fs_log_level_parse("debug", &level));
    assert_int_equal(level, FS_LOG_LEVEL_DEBUG);
    assert_true(fs_log_level_parse("warn", &level));
    assert_int_equal(level, FS_LOG_LEVEL_WARN);
    assert_false(fs_log_level_parse("WARN", &level));
    assert_false(fs_log_level_parse("", &level));
    assert_false(fs_log_level_parse(NULL, &level));
    assert_int_equal(level, FS_LOG_LEVEL_WARN);
}

static void eight_numbers_may_stand_in_one_line(void **state)
{
    (void)state;
    const char *first = fs_log_uint(UINT64_MAX);
    const char *second = fs_log_int(INT64_MIN);
    for (int i = 0; i < 6; i++)
        fs_log_int(i);
    assert_string_equal(first, "18446744073709551615");
    assert_string_equal(second, "-9223372036854775808");
}

static void logging_leaves_errno_alone(void **state)
{
    (void)state;
    fs_log_setup(FS_LOG_LEVEL_INFO, false, NULL);
    errno = ENOENT;
    hear(say_opened);
    int before = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    errno = ENOENT;
    say_opened(); /* into nothing */
    int after = errno;
    dup2(before, STDERR_FILENO);
    close(before);
    assert_int_equal(after, ENOENT);
}

static void *say_many(void *arg)
{
    for (int i = 0; i < 200; i++)
        FS_LOG_INFO("net", "many", "thread", arg, "i", fs_log_int(i), "j", fs_log_int(i));
    return NULL;
}

static void say_from_many_threads(void)
{
    static char names[4][2] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, say_many, names[i]), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void lines_of_different_threads_do_not_mix(void **state)
{
    (void)state;
    size_t lines = 0;
    fs_log_setup(FS_LOG_LEVEL_INFO, false, NULL);
    hear(say_from_many_threads);
    for (const char *line = said; *line; lines++) {
        char thread = 0;
        int i = -1, j = -2;
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        assert_int_equal(sscanf(after_date(line), " info net: many thread=%c i=%d j=%d\n", &thread, &i, &j),
                         3);
        assert_int_equal(i, j);
        line = end + 1;
    }
    assert_int_equal(lines, 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_has_date_level_component_message_and_pairs),
        cmocka_unit_test(a_json_line_is_one_object_with_numbers_as_numbers),
        cmocka_unit_test(no_value_can_forge_a_line_or_move_a_terminal),
        cmocka_unit_test(a_long_value_is_cut_and_says_so),
        cmocka_unit_test(a_line_over_the_limit_still_tells_of_the_event),
        cmocka_unit_test(lines_below_the_level_are_not_written),
        cmocka_unit_test(debug_lines_are_chosen_by_component),
        cmocka_unit_test(a_level_is_one_of_four_words),
        cmocka_unit_test(eight_numbers_may_stand_in_one_line),
        cmocka_unit_test(logging_leaves_errno_alone),
        cmocka_unit_test(lines_of_different_threads_do_not_mix),
    };
    return RUN(tests);
}
