/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a server sends, a session stays whole: frames of the transcripts with bytes changed, cut and
 * doubled, fed in any order. What is looked for is what the sanitizers see, and that nothing is granted
 * without a lease. TEST_DEPTH=deep plays more rounds. The seed is fixed; the round is told on failure.
 */
#include "script.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 512

static char *frames[FRAMES];
static size_t frame_count;
static uint64_t chance = 20261124;

static uint64_t draw(uint64_t below)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return chance % below;
}

static int collect(void **state)
{
    (void)state;
    glob_t found;
    char *line = NULL;
    size_t room = 0;
    assert_int_equal(glob(FLAGSTAFF_ROOT "/docs/protocol/transcripts/*.jsonl", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *file = fopen(found.gl_pathv[i], "r");
        assert_non_null(file);
        while (getline(&line, &room, file) > 0) {
            json_t *json = json_loads(line, 0, NULL), *frame = json_object_get(json, "frame");
            if (frame != NULL && line[8] == 's' && frame_count < FRAMES) { /* {"dir":"server" */
                frames[frame_count++] = json_dumps(frame, JSON_COMPACT);
            }
            json_decref(json);
        }
        fclose(file);
    }
    free(line);
    globfree(&found);
    assert_true(frame_count > 50);
    return 0;
}

static int discard(void **state)
{
    (void)state;
    while (frame_count > 0) {
        free(frames[--frame_count]);
    }
    return 0;
}

/* A frame with up to four small damages; the caller frees it. */
static char *damaged(size_t *length)
{
    static const char bits[] = "{}[]\",:0123456789-.eEtfn\\u \xff\x80";
    const char *from = frames[draw(frame_count)];
    size_t size = strlen(from);
    char *text = malloc(2 * size + 1);
    memcpy(text, from, size);
    for (uint64_t left = draw(5); left > 0; left--) {
        size_t at = draw(size), some = draw(size - at) + 1;
        switch (draw(4)) {
        case 0:
            text[at] = bits[draw(sizeof bits - 1)];
            break;
        case 1:
            text[at] = (char)draw(256);
            break;
        case 2:
            size = at + 1;
            break;
        default:
            if (size + some <= 2 * strlen(from)) {
                memmove(text + at + some, text + at, size - at);
                size += some;
            }
        }
    }
    *length = size;
    return text;
}

static void play(long round)
{
    struct fsw_session session;
    fsw_session_init(&session);
    struct fsw_watch *watch = script_watch(&session, "ada");
    fsw_session_opened(&session, 0);
    for (int i = 0; i < 40; i++) {
        size_t length;
        unsigned char *message;
        char *text = i == 0 ? strdup(WELCOME("e1")) : damaged(&length);
        length = i == 0 ? strlen(text) : length;
        if (fsw_session_receive(&session, text, length, i, 0) != 0) {
            fsw_session_lost(&session);
            fsw_session_opened(&session, i);
        }
        free(text);
        do {
            assert_int_equal(fsw_session_next(&session, i, 16, &message, &length), FSW_OK);
            free(message);
        } while (message != NULL);
        if (script_standing(&session, watch, "billing-export", i) == FSW_FRESH &&
            !(session.leased_once && session.lease.end > i)) {
            fail_msg("round %ld: fresh without a lease", round);
        }
    }
    fsw_session_finish(&session);
}

static void nothing_that_a_server_sends_breaks_a_session(void **state)
{
    (void)state;
    const char *depth = getenv("TEST_DEPTH");
    long rounds = depth != NULL && strcmp(depth, "deep") == 0 ? 40000 : 1500;
    for (long round = 0; round < rounds; round++) {
        play(round);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_that_a_server_sends_breaks_a_session, collect, discard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
