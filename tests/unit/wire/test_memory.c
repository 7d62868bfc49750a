/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without memory a client loses its connection at worst: every allocation of a conversation fails once, in
 * turn, and each time what is held is what was held before or what should be held now, never something
 * between or beyond.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

static long allocations, failing = -1; /* this many succeed, then one fails */

static bool fails(void)
{
    return failing >= 0 && allocations++ == failing;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

static void *lend(size_t size) /* for jansson, which is linked without the wraps */
{
    return fails() ? NULL : __real_malloc(size);
}

static const char *const conversation[] = {
    SNAPSHOT(1, 40, ACCESS("true") "," PLAIN("x")),
    GRANT(0, 40),
    OPEN_DELTA(41, CHANGED(1, ACCESS("false"))),
    DELTA(41, CHANGED(1, PLAIN("y"))),
    "{\"type\":\"error\",\"code\":\"unavailable\",\"message\":\"m\",\"watch\":1}",
};
#define LINES (sizeof conversation / sizeof *conversation)

/* Feeds the conversation with failures; returns how many lines were taken before one was refused. */
static size_t talk(struct fsw_session *session)
{
    for (size_t i = 0; i < LINES; i++) {
        if (fsw_session_receive(session, conversation[i], strlen(conversation[i]), T0, 0) != 0) {
            return i;
        }
        unsigned char *message;
        size_t length;
        if (fsw_session_next(session, T0, 16, &message, &length) != FSW_OK) {
            return i + 1;
        }
        free(message);
    }
    return LINES;
}

static void every_allocation_may_fail_once_and_nothing_is_granted_by_it(void **state)
{
    (void)state;
    bool failed = true;
    for (long at = 0; failed; at++) {
        struct fsw_session session;
        fsw_session_init(&session);
        struct fsw_watch *watch = script_watch(&session, "ada");
        script_connect(&session, T0, "e1");
        allocations = 0;
        failing = at;
        size_t lines = talk(&session);
        failed = allocations > failing;
        failing = -1;
        bool granted = script_granted(&session, watch, T0);
        if (granted != (lines == 2 || lines == 3)) { /* leased, and not yet taken away */
            fail_msg("allocation %ld, line %zu: granted %d", at, lines, granted);
        }
        if (lines < LINES && !failed) {
            fail_msg("refused without need: %s", session.fault);
        }
        /* And the next connection puts it right. */
        fsw_session_lost(&session);
        script_connect(&session, T0, "e1");
        script_feed(&session, T0, SNAPSHOT(1, 50, ACCESS("true")));
        script_feed(&session, T0, GRANT(0, 50));
        assert_true(script_granted(&session, watch, T0));
        fsw_session_finish(&session);
    }
}

static void a_hello_that_cannot_be_made_is_reported_and_can_be_made_later(void **state)
{
    (void)state;
    bool failed = true;
    for (long at = 0; failed; at++) {
        struct fsw_session session;
        unsigned char *message;
        size_t length;
        fsw_session_init(&session);
        script_watch(&session, "ada");
        fsw_session_opened(&session, T0);
        allocations = 0;
        failing = at;
        enum fsw_outcome outcome = fsw_session_next(&session, T0, 16, &message, &length);
        failed = allocations > failing;
        failing = -1;
        if (outcome == FSW_OK) { /* where only an estimate of its size failed, it is whole all the same */
            json_t *hello = json_loadb((const char *)message + 16, length, 0, NULL);
            assert_int_equal(json_array_size(json_object_get(hello, "watches")), 1);
            json_decref(hello);
        } else {
            assert_true(failed && outcome == FSW_NO_MEMORY);
        }
        free(message);
        fsw_session_lost(&session);
        script_connect(&session, T0, "e1");
        fsw_session_finish(&session);
    }
}

int main(void)
{
    json_set_alloc_funcs(lend, free);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail_once_and_nothing_is_granted_by_it),
        cmocka_unit_test(a_hello_that_cannot_be_made_is_reported_and_can_be_made_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
