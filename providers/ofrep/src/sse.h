/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse.h: reads an event stream (WHATWG HTML, "Server-sent events") from pieces of any size. Pure. Takes lines
 * that end with LF, CR or CRLF; fields other than data are of no use here. An event larger than the limit
 * ends the stream.
 */
#ifndef OFREP_SSE_H
#define OFREP_SSE_H

#include <stdbool.h>
#include <stddef.h>

#define SSE_EVENT_MAX ((size_t)64 * 1024)

struct sse {
    char *line, *data; /* what has come of the line and of the event */
    size_t line_length, line_room, data_length, data_room;
    bool after_cr, begun, has_data;
    void (*event)(void *user, const char *data, size_t length);
    void *user;
};

/* event is called for each event that has data. */
void sse_init(struct sse *sse, void (*event)(void *user, const char *data, size_t length), void *user);
void sse_finish(struct sse *sse);
/* False without memory, or where an event is too large: the stream cannot be read further. */
bool sse_feed(struct sse *sse, const char *bytes, size_t length);

#endif
