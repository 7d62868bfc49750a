/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of event streams (WHATWG HTML, "Server-sent events"). */
#include "support.h"

#include <stdio.h>

#include "sse.h"

static char got[4096];

static void note(void *user, const char *data, size_t length)
{
    (void)user;
    size_t at = strlen(got);
    snprintf(got + at, sizeof got - at, "[%.*s]", (int)length, data);
}

/* Feeds the stream in pieces of every size, and expects the same each time. */
static void expect(const char *stream, const char *events)
{
    size_t length = strlen(stream);
    for (size_t piece = 1; piece <= length; piece++) {
        struct sse sse;
        sse_init(&sse, note, NULL);
        got[0] = '\0';
        for (size_t at = 0; at < length; at += piece) {
            assert_true(sse_feed(&sse, stream + at, piece < length - at ? piece : length - at));
        }
        assert_string_equal(got, events);
        sse_finish(&sse);
    }
}

static void an_event_is_its_lines_of_data(void **state)
{
    (void)state;
    expect("data: one\n\n", "[one]");
    expect("data: one\ndata: two\n\n", "[one\ntwo]");
    expect("id: 7\nevent: message\ndata:x\nretry: 3\n\n", "[x]");
    expect("data\n\n", "[]");
    expect("data:  two blanks\n\n", "[ two blanks]");
}

static void lines_end_with_any_of_three(void **state)
{
    (void)state;
    expect("data: a\r\n\r\ndata: b\r\rdata: c\n\n", "[a][b][c]");
    expect("data: a\rdata: b\r\n\n", "[a\nb]");
}

static void comments_and_other_fields_are_no_events(void **state)
{
    (void)state;
    expect(": keep-alive\n\n", "");
    expect("event: x\n\n", "");
    expect("datas: x\n\n", "");
    expect("\xef\xbb\xbf"
           "data: marked\n\n",
           "[marked]");
    expect("data: unfinished\n", "");
}

static void an_event_without_end_ends_the_stream(void **state)
{
    (void)state;
    struct sse sse;
    char block[4096];
    memset(block, 'x', sizeof block);
    sse_init(&sse, note, NULL);
    size_t fed = 0;
    while (fed < 2 * SSE_EVENT_MAX && sse_feed(&sse, block, sizeof block)) {
        fed += sizeof block;
    }
    assert_true(fed <= SSE_EVENT_MAX);
    sse_finish(&sse);
}

static void scenario(void)
{
    struct sse sse;
    sse_init(&sse, note, NULL);
    got[0] = '\0';
    (void)sse_feed(&sse, "data: one\ndata: two\n\n", 21);
    sse_finish(&sse);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    failing_install();
    failing_torture(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(an_event_is_its_lines_of_data),
        cmocka_unit_test(lines_end_with_any_of_three),
        cmocka_unit_test(comments_and_other_fields_are_no_events),
        cmocka_unit_test(an_event_without_end_ends_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
