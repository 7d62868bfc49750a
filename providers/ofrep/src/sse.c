/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse.c: see sse.h.
 */
#include "sse.h"

#include <stdint.h>
#include <string.h>
#include <openfeature/memory.h>

void sse_init(struct sse *sse, void (*event)(void *user, const char *data, size_t length), void *user)
{
    memset(sse, 0, sizeof *sse);
    sse->event = event;
    sse->user = user;
}

void sse_finish(struct sse *sse)
{
    of_free(sse->line);
    of_free(sse->data);
    memset(sse, 0, sizeof *sse);
}

static bool add(char **to, size_t *length, size_t *room, const char *bytes, size_t count)
{
    if (*length + count > SSE_EVENT_MAX) {
        return false;
    }
    if (*length + count + 1 > *room) {
        size_t size = (*length + count + 1) * 2;
        char *larger = of_alloc(size);
        if (larger == NULL) {
            return false;
        }
        if (*length > 0) {
            memcpy(larger, *to, *length);
        }
        of_free(*to);
        *to = larger;
        *room = size;
    }
    memcpy(*to + *length, bytes, count);
    *length += count;
    (*to)[*length] = '\0';
    return true;
}

static void dispatch(struct sse *sse)
{
    if (sse->has_data) {
        sse->event(sse->user, sse->data, sse->data_length);
    }
    sse->data_length = 0;
    sse->has_data = false;
}

static bool end_line(struct sse *sse)
{
    const char *line = sse->line;
    size_t length = sse->line_length;
    sse->line_length = 0;
    if (length == 0) {
        dispatch(sse);
        return true;
    }
    if (!sse->begun && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        length -= 3;
    }
    sse->begun = true;
    if (length < 4 || memcmp(line, "data", 4) != 0 || (length > 4 && line[4] != ':')) {
        return true;
    }
    size_t skip = length > 5 && line[5] == ' ' ? 6 : length > 4 ? 5 : 4;
    if (sse->has_data && !add(&sse->data, &sse->data_length, &sse->data_room, "\n", 1)) {
        return false;
    }
    sse->has_data = true;
    return add(&sse->data, &sse->data_length, &sse->data_room, line + skip, length - skip);
}

bool sse_feed(struct sse *sse, const char *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        if (sse->after_cr && bytes[at] == '\n') {
            sse->after_cr = false;
            at++;
            continue;
        }
        sse->after_cr = false;
        size_t end = at;
        while (end < length && bytes[end] != '\n' && bytes[end] != '\r') {
            end++;
        }
        if (end > at && !add(&sse->line, &sse->line_length, &sse->line_room, bytes + at, end - at)) {
            return false;
        }
        if (end < length) {
            sse->after_cr = bytes[end] == '\r';
            if (!end_line(sse)) {
                return false;
            }
            end++;
        }
        at = end;
    }
    return true;
}
