/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.c: see script.h.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

struct fsw_watch *script_watch(struct fsw_session *session, const char *subject)
{
    struct fsw_watch *watch =
        fsw_session_add(session, json_pack("{s:s}", "targetingKey", subject), NULL, false);
    assert_non_null(watch);
    fsw_watch_unref(watch);
    return watch;
}

void script_feed(struct fsw_session *session, int64_t now, const char *frame)
{
    if (fsw_session_receive(session, frame, strlen(frame), now, 0) != 0) {
        fail_msg("%s: %s", session->fault, frame);
    }
}

void script_refused(struct fsw_session *session, int64_t now, const char *frame)
{
    if (fsw_session_receive(session, frame, strlen(frame), now, 0) != FSW_CLOSE_BAD_FRAME) {
        fail_msg("taken: %s", frame);
    }
}

static json_t *next(struct fsw_session *session, int64_t now)
{
    unsigned char *message;
    size_t length;
    assert_int_equal(fsw_session_next(session, now, 16, &message, &length), FSW_OK);
    if (message == NULL) {
        return NULL;
    }
    json_t *frame = json_loadb((const char *)message + 16, length, 0, NULL);
    assert_non_null(frame);
    free(message);
    return frame;
}

void script_says(struct fsw_session *session, int64_t now, const char *frame)
{
    json_t *said = next(session, now), *expected = frame == NULL ? NULL : json_loads(frame, 0, NULL);
    if (expected == NULL) {
        assert_null(said);
    } else if (!json_equal(said, expected)) {
        fail_msg("said %s instead of %s", said == NULL ? "nothing" : json_dumps(said, 0), frame);
    }
    json_decref(said);
    json_decref(expected);
}

const char *script_said(struct fsw_session *session, int64_t now, json_t **frame)
{
    static const char *const types[] = {"hello", "watch", "unwatch", "renew", "ack"};
    json_t *said = next(session, now);
    const char *type = said == NULL ? "" : json_string_value(json_object_get(said, "type"));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i]) == 0) {
            type = types[i];
        }
    }
    if (frame != NULL) {
        *frame = said;
    } else {
        json_decref(said);
    }
    return said == NULL ? "" : type;
}

void script_connect(struct fsw_session *session, int64_t now, const char *epoch)
{
    fsw_session_opened(session, now);
    assert_string_equal(script_said(session, now, NULL), "hello");
    json_t *welcome =
        json_pack("{s:s,s:s,s:s,s:s,s:i,s:{s:i}}", "type", "welcome", "protocol", "flagstaff.v1", "session",
                  "s", "epoch", epoch, "lease", LEASE, "limits", "frame", 65536);
    char *text = json_dumps(welcome, 0);
    script_feed(session, now, text);
    free(text);
    json_decref(welcome);
}

enum fsw_standing script_standing(const struct fsw_session *session, const struct fsw_watch *watch,
                                  const char *key, int64_t now)
{
    struct fsw_result result;
    fsw_session_get(session, watch, key, now, &result);
    enum fsw_standing standing = result.standing;
    fsw_result_clear(&result);
    return standing;
}

bool script_granted(const struct fsw_session *session, const struct fsw_watch *watch, int64_t now)
{
    struct fsw_result result;
    bool granted = fsw_session_get(session, watch, "a", now, &result) && result.value.as.boolean;
    fsw_result_clear(&result);
    return granted;
}

int script_leased(void **state)
{
    struct talk *talk = calloc(1, sizeof *talk);
    fsw_session_init(&talk->session);
    talk->ada = script_watch(&talk->session, "ada");
    script_connect(&talk->session, T0, "e1");
    script_feed(&talk->session, T0, SNAPSHOT(1, 40, ACCESS("true") "," PLAIN("x")));
    script_says(&talk->session, T0, "{\"type\":\"ack\",\"revision\":40}");
    script_feed(&talk->session, T0, GRANT(0, 40));
    *state = talk;
    return 0;
}

int script_over(void **state)
{
    struct talk *talk = *state;
    fsw_session_finish(&talk->session);
    free(talk);
    return 0;
}
