/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events: the framing that browsers' parsers expect. */
#include "flags.h"
#include "push/sse.h"

static void assert_bytes(struct fs_blob *blob, const char *expected)
{
    assert_int_equal(blob->length, strlen(expected));
    assert_string_equal((const char *)blob->bytes, expected);
    fs_blob_unref(blob);
}

static void an_event_is_framed_line_by_line(void **state)
{
    (void)state;
    assert_bytes(fs_sse_event("flip", 7, "{}", 2), "id: 7\nevent: flip\ndata: {}\n\n");
    assert_bytes(fs_sse_event(NULL, 0, "x", 1), "event: message\ndata: x\n\n");
    assert_bytes(fs_sse_event(NULL, 0, "a\nb\r\nc\rd", 8),
                 "event: message\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
    assert_bytes(fs_sse_event(NULL, 0, "", 0), "event: message\ndata: \n\n");
    assert_bytes(fs_sse_event(NULL, 0, "a\n", 2), "event: message\ndata: a\ndata: \n\n");
}

static void refetch_is_what_ofrep_clients_know(void **state)
{
    (void)state;
    assert_bytes(fs_sse_refetch(12), "id: 12\nevent: message\ndata: {\"type\":\"refetchEvaluation\"}\n\n");
}

static void keep_alive_is_a_comment(void **state)
{
    (void)state;
    assert_bytes(fs_sse_keep_alive(), ": \n\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_framed_line_by_line),
        cmocka_unit_test(refetch_is_what_ofrep_clients_know),
        cmocka_unit_test(keep_alive_is_a_comment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
