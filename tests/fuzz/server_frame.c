/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that a server sends to the wire client, one on each line; an empty line loses the connection, a line
 * of digits lets that many milliseconds pass. Whatever comes, nothing is fresh without a lease.
 */
#include "fuzz.h"
#include "session.h"

static void drain(struct fsw_session *session, int64_t now)
{
    unsigned char *message;
    size_t length;
    do {
        FUZZ_HOLDS(fsw_session_next(session, now, 16, &message, &length) == FSW_OK);
        free(message);
    } while (message);
    for (struct fsw_event *event; (event = fsw_session_event(session)) != NULL;)
        fsw_event_free(event);
}

static void step(struct fsw_session *session, struct fs_str line, int64_t *now)
{
    uint64_t ms;
    bool lost = line.len == 0;
    if (fs_parse_u64(line, &ms))
        *now += (int64_t)(ms % 100000);
    else if (!lost)
        lost = fsw_session_receive(session, line.ptr, line.len, *now, 1790000000000) != 0;
    int64_t again;
    if (lost || fsw_session_tick(session, *now, &again) == FSW_DROP) {
        fsw_session_lost(session);
        fsw_session_opened(session, *now);
    }
    drain(session, *now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fs_str rest = fuzz_text(data, size), line;
    struct fsw_session session;
    struct fsw_result result;
    int64_t now = 1;
    fsw_session_init(&session);
    struct fsw_watch *watch =
        fsw_session_add(&session, json_pack("{s:s}", "targetingKey", "ada"), NULL, false);
    fsw_session_opened(&session, now);
    for (int i = 0; i < 64 && fuzz_line(&rest, &line); i++) {
        step(&session, line, &now);
        fsw_session_get(&session, watch, "billing-export", now, &result);
        FUZZ_HOLDS(result.standing != FSW_FRESH || fsw_session_leased(&session, watch, now));
        fsw_result_clear(&result);
    }
    fsw_watch_unref(watch);
    fsw_session_finish(&session);
    return 0;
}
