/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.h: short words for talking to a session in tests: feed it a frame, read what it says, read a flag.
 */
#ifndef TESTS_WIRE_SCRIPT_H
#define TESTS_WIRE_SCRIPT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "session.h"

#define LEASE 30000
#define T0    5000

/* A flag "a": boolean with safe value false; or "t": a string that is no access flag. */
#define ACCESS(VALUE)                                                                                        \
    "{\"key\":\"a\",\"type\":\"boolean\",\"value\":" VALUE ",\"variant\":\"v\",\"reason\":\"STATIC\","       \
    "\"safe\":{\"value\":false,\"variant\":\"off\"}}"
#define PLAIN(VALUE)                                                                                         \
    "{\"key\":\"t\",\"type\":\"string\",\"value\":\"" VALUE "\",\"variant\":\"v\",\"reason\":\"STATIC\"}"
#define SNAPSHOT(WATCH, REVISION, FLAGS)                                                                     \
    "{\"type\":\"snapshot\",\"watch\":" #WATCH ",\"view\":\"v" #WATCH "\",\"revision\":" #REVISION           \
    ",\"flags\":[" FLAGS "]}"
#define DELTA(REVISION, WATCHES) "{\"type\":\"delta\",\"revision\":" #REVISION ",\"watches\":[" WATCHES "]}"
#define OPEN_DELTA(REVISION, WATCHES)                                                                        \
    "{\"type\":\"delta\",\"revision\":" #REVISION ",\"more\":true,\"watches\":[" WATCHES "]}"
#define CHANGED(WATCH, FLAGS) "{\"watch\":" #WATCH ",\"flags\":[" FLAGS "]}"
#define GRANT(N, REVISION)    "{\"type\":\"lease\",\"n\":" #N ",\"revision\":" #REVISION ",\"duration\":30000}"
#define WELCOME(EPOCH)                                                                                       \
    "{\"type\":\"welcome\",\"protocol\":\"flagstaff.v1\",\"session\":\"s\",\"epoch\":\"" EPOCH               \
    "\",\"lease\":30000,\"limits\":{\"frame\":65536}}"

/* Adds a watch of subject; its reference is the list's. */
struct fsw_watch *script_watch(struct fsw_session *session, const char *subject);
/* Feeds a frame that must be taken. */
void script_feed(struct fsw_session *session, int64_t now, const char *frame);
/* Feeds one that must be refused. */
void script_refused(struct fsw_session *session, int64_t now, const char *frame);
/* What the session says next must be this, or nothing (NULL). */
void script_says(struct fsw_session *session, int64_t now, const char *frame);
/* The type of what it says next ("" for nothing); the frame in *frame where that is not NULL. */
const char *script_said(struct fsw_session *session, int64_t now, json_t **frame);
/* Opens a connection, says hello, and takes welcome. */
void script_connect(struct fsw_session *session, int64_t now, const char *epoch);
/* How a flag stands, and whether "a" is true. */
enum fsw_standing script_standing(const struct fsw_session *session, const struct fsw_watch *watch,
                                  const char *key, int64_t now);
bool script_granted(const struct fsw_session *session, const struct fsw_watch *watch, int64_t now);

struct talk {
    struct fsw_session session;
    struct fsw_watch *ada;
};

/* A session with one watch, connected, with "a" true and "t" "x" at revision 40, leased until T0 + LEASE. */
int script_leased(void **state);
int script_over(void **state);

#endif
