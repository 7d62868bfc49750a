/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this part share: cmocka, and a request in one line. */
#ifndef FS_TESTS_EVENTS_TESTING_H
#define FS_TESTS_EVENTS_TESTING_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include "base/str.h"
#include "core/json.h"
#include "events/cloudevents.h"

#define RUN(tests) cmocka_run_group_tests((tests), NULL, NULL)
#define STRUCTURED "application/cloudevents+json"
#define BATCH      "application/cloudevents-batch+json"
#define NOW        INT64_C(1796000000000) /* 2026-11-29 */
#define DAY        INT64_C(86400000)

static inline struct fs_events_options some_options(const struct fs_mappings *mappings)
{
    struct fs_events_options options = {
        .mappings = mappings, .credential = "k1", .now = NOW, .dedup = 7 * DAY};
    fs_events_limits_init(&options.limits);
    return options;
}

static inline bool read_events(const char *content_type, const char *body,
                               const struct fs_events_options *options, struct fs_events *out,
                               struct fs_err *err)
{
    struct fs_events_request request = {.content_type = content_type, .body = body, .length = strlen(body)};
    return fs_events_read(&request, options, out, err);
}

/* Expects a refusal with this code whose text has this in it. */
static inline void refuses(const char *content_type, const char *body, enum fs_err_code code,
                           const char *text)
{
    struct fs_events_options options = some_options(NULL);
    struct fs_events events;
    struct fs_err err = {0};
    bool taken = read_events(content_type, body, &options, &events, &err);
    if (taken || err.code != code || !strstr(err.text, text))
        print_error("%s\n  gave: %d %s\n  wanted: %d %s\n", body, err.code, err.text, code, text);
    assert_false(taken);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, text));
    assert_null(events.items);
}

/* "{"specversion":"1.0","id":"1","source":"/s","type":TYPE, REST}" */
#define EVENT(type, rest)                                                                                    \
    "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"" type "\"" rest "}"

#endif
