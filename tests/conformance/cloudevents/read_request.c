/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP request on standard input, what service/events reads out of it as JSON on standard output:
 * {"events": [{"attributes", "data"}]} or {"error": {"code", "http", "text"}}. The bridge between the
 * CloudEvents suites and the C code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/vec.h"
#include "core/json.h"
#include "events/cloudevents.h"

struct request {
    char *text;
    size_t length;
    struct fs_events_request events;
    FS_VEC(struct fs_events_header) headers;
};

static void read_input(struct request *request)
{
    struct fs_buf input;
    char bytes[4096];
    size_t got;
    fs_buf_init(&input, 1 << 24);
    while ((got = fread(bytes, 1, sizeof bytes, stdin)) > 0)
        fs_buf_add(&input, bytes, got);
    request->text = fs_buf_take(&input, &request->length);
    fs_buf_finish(&input);
}

/* Cuts the lines of the header apart, in place. */
static bool split(struct request *request)
{
    char *line = strstr(request->text, "\r\n");
    for (line = line ? line + 2 : NULL; line && strncmp(line, "\r\n", 2) != 0;) {
        char *end = strstr(line, "\r\n"), *colon = strchr(line, ':');
        if (!end || !colon || colon > end)
            return false;
        *end = *colon = 0;
        char *value = colon + 1 + strspn(colon + 1, " ");
        fs_vec_push(&request->headers, ((struct fs_events_header){line, value}));
        if (strcasecmp(line, "content-type") == 0)
            request->events.content_type = value;
        line = end + 2;
    }
    if (!line)
        return false;
    request->events.body = line + 2;
    request->events.length = request->length - (size_t)(line + 2 - request->text);
    request->events.headers = request->headers.items;
    request->events.header_count = request->headers.count;
    return true;
}

static json_t *show(const struct request *request)
{
    struct fs_events_limits limits;
    struct fs_cloudevents events;
    struct fs_err err = {0};
    fs_events_limits_init(&limits);
    if (!fs_cloudevents_read(&request->events, &limits, &events, &err))
        return json_pack("{s:{s:s,s:i,s:s}}", "error", "code", fs_err_name(err.code), "http",
                         fs_err_http(err.code), "text", err.text);
    json_t *list = json_array();
    for (size_t i = 0; i < events.count; i++)
        json_array_append_new(list,
                              json_pack("{s:O,s:O?,s:i}", "attributes", events.items[i].attributes, "data",
                                        events.items[i].data, "bytes", (int)events.items[i].byte_count));
    fs_cloudevents_finish(&events);
    return json_pack("{s:o}", "events", list);
}

int main(void)
{
    struct request request = {0};
    read_input(&request);
    if (!split(&request)) {
        fputs("expected an HTTP request on standard input\n", stderr);
        return 2;
    }
    json_t *result = show(&request);
    json_dumpf(result, stdout, JSON_SORT_KEYS | JSON_ENCODE_ANY);
    json_decref(result);
    fs_vec_finish(&request.headers);
    fs_free(request.text);
    return 0;
}
