/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session against docs/protocol/transcripts: it says what the client says there, word for word, and holds
 * what is expected there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

struct replay {
    struct fsw_session session;
    int64_t now;
    int expectations;
    const char *place; /* for messages */
};

static void say(struct replay *replay, const json_t *expected)
{
    unsigned char *message;
    size_t length;
    assert_int_equal(fsw_session_next(&replay->session, replay->now, 0, &message, &length), FSW_OK);
    if (message == NULL) {
        fail_msg("%s: nothing to say", replay->place);
    }
    json_t *said = json_loadb((const char *)message, length, 0, NULL);
    if (!json_equal(said, expected)) {
        fail_msg("%s: said %.*s", replay->place, (int)length, (const char *)message);
    }
    json_decref(said);
    free(message);
}

static struct fsw_watch *handle(struct replay *replay, json_int_t id)
{
    for (size_t i = 0; i < replay->session.watch_count; i++) {
        struct fsw_watch *watch = replay->session.watches[i];
        if (watch->id == id && !watch->removed) {
            return watch;
        }
    }
    return NULL;
}

/* Makes the watch that the transcript's client asks for; false where it has it already. */
static bool make(struct replay *replay, const json_t *request)
{
    json_int_t id = json_integer_value(json_object_get(request, "watch"));
    if (handle(replay, id) != NULL) {
        return false;
    }
    replay->session.last_id = (uint32_t)id - 1;
    struct fsw_watch *watch = fsw_session_add(
        &replay->session, json_deep_copy(json_object_get(request, "context")),
        json_deep_copy(json_object_get(request, "flags")), json_is_true(json_object_get(request, "once")));
    fsw_watch_unref(watch); /* the list's reference is enough here */
    return true;
}

static void client_frame(struct replay *replay, const json_t *frame)
{
    const char *type = json_string_value(json_object_get(frame, "type"));
    const json_t *list = json_object_get(frame, "watches");
    if (strcmp(type, "hello") == 0) {
        for (size_t i = 0; i < json_array_size(json_object_get(frame, "watches")); i++) {
            make(replay, json_array_get(json_object_get(frame, "watches"), i));
        }
        fsw_session_opened(&replay->session, replay->now);
    } else if (strcmp(type, "watch") == 0 && list != NULL) {
        for (size_t i = 0; i < json_array_size(list); i++) {
            assert_true(make(replay, json_array_get(list, i)));
        }
    } else if (strcmp(type, "watch") == 0 && !make(replay, frame)) {
        return; /* a mistake that this client cannot make */
    } else if (strcmp(type, "unwatch") == 0 && list != NULL) {
        for (size_t i = 0; i < json_array_size(list); i++) {
            fsw_session_remove(&replay->session, handle(replay, json_integer_value(json_array_get(list, i))));
        }
    } else if (strcmp(type, "unwatch") == 0) {
        struct fsw_watch *watch = handle(replay, json_integer_value(json_object_get(frame, "watch")));
        if (watch == NULL) {
            return; /* the same */
        }
        fsw_session_remove(&replay->session, watch);
    } else if (strcmp(type, "renew") == 0) {
        replay->now = replay->session.lease.next;
    }
    say(replay, frame);
}

static void check_watch(struct replay *replay, json_int_t id, const json_t *expected)
{
    const struct fsw_watch *watch = handle(replay, id);
    assert_non_null(watch);
    assert_int_equal(fsw_table_count(watch->table), json_object_size(expected));
    for (size_t i = 0; i < fsw_table_count(watch->table); i++) {
        struct fsw_result result;
        const char *key = fsw_table_at(watch->table, i)->key;
        const json_t *want = json_object_get(expected, key);
        bool found = fsw_session_get(&replay->session, watch, key, replay->now, &result);
        if (json_is_null(want)) {
            assert_false(found);
        } else {
            assert_true(found);
            const struct fsw_value *value = &result.value;
            bool fine = json_is_boolean(want)   ? json_is_true(want) == value->as.boolean
                        : json_is_string(want)  ? strcmp(json_string_value(want), value->as.string) == 0
                        : json_is_integer(want) ? json_integer_value(want) == value->as.integer
                        : json_is_real(want)    ? !(json_real_value(want) < value->as.number ||
                                                 json_real_value(want) > value->as.number)
                                                : json_equal(want, value->as.object) == 1;
            if (!fine) {
                fail_msg("%s: watch %d, %s", replay->place, (int)id, key);
            }
        }
        fsw_result_clear(&result);
    }
}

static void expectation(struct replay *replay, json_t *expect)
{
    const struct fsw_session *session = &replay->session;
    const json_t *lease = json_object_get(expect, "lease");
    replay->expectations++;
    assert_string_equal(session->epoch, json_string_value(json_object_get(expect, "epoch")));
    assert_int_equal(session->revision, json_integer_value(json_object_get(expect, "revision")));
    assert_int_equal(fsw_lease_runs(&session->lease, replay->now), json_is_integer(lease));
    if (json_is_integer(lease) && session->open) {
        assert_int_equal(session->lease.granted, json_integer_value(lease));
    }
    size_t held = 0;
    for (size_t i = 0; i < session->watch_count; i++) {
        const struct fsw_watch *watch = session->watches[i];
        held += !watch->removed && watch->table != NULL && !watch->once;
    }
    json_t *watches = json_object_get(expect, "watches"), *flags;
    assert_int_equal(held, json_object_size(watches));
    const char *id;
    json_object_foreach(watches, id, flags)
    {
        check_watch(replay, strtoll(id, NULL, 10), flags);
    }
}

static void line(struct replay *replay, const json_t *json)
{
    const char *side = json_string_value(json_object_get(json, "dir"));
    json_t *frame = json_object_get(json, "frame"), *expect = json_object_get(json, "expect");
    if (frame != NULL && strcmp(side, "client") == 0) {
        client_frame(replay, frame);
    } else if (frame != NULL) {
        char *text = json_dumps(frame, 0);
        replay->now++;
        if (fsw_session_receive(&replay->session, text, strlen(text), replay->now, 0) != 0) {
            fail_msg("%s: %s", replay->place, replay->session.fault);
        }
        free(text);
    } else if (expect != NULL) {
        expectation(replay, expect);
    } else if (json_object_get(json, "close") != NULL) {
        fsw_session_lost(&replay->session);
    }
}

static void replay_file(const char *path)
{
    char *text = NULL, place[512];
    size_t room = 0, number = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    struct replay replay = {.now = 1000, .place = place};
    fsw_session_init(&replay.session);
    replay.session.client_name = "example";
    replay.session.client_version = "1.0.0";
    while (getline(&text, &room, file) > 0) {
        snprintf(place, sizeof place, "%s:%zu", strrchr(path, '/') + 1, ++number);
        json_t *json = json_loads(text, 0, NULL);
        assert_non_null(json);
        line(&replay, json);
        json_decref(json);
    }
    assert_true(replay.expectations > 0);
    fsw_session_finish(&replay.session);
    free(text);
    fclose(file);
}

static void every_transcript_is_said_and_held_as_it_stands(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob(FLAGSTAFF_ROOT "/docs/protocol/transcripts/*.jsonl", 0, NULL, &found), 0);
    assert_true(found.gl_pathc > 20);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (strstr(found.gl_pathv[i], "22-bad-frame") == NULL) { /* its client makes mistakes on purpose */
            replay_file(found.gl_pathv[i]);
        }
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transcript_is_said_and_held_as_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
