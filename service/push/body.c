/* SPDX-License-Identifier: Apache-2.0 */
/* A view's part of a snapshot or delta, without the watch's number. See push/body.h. */
#include "push/body.h"

#include <stdlib.h>
#include "push/frame.h"

#define BODY_LIMIT                                                                                           \
    (64 * 1024 * 1024) /* a part holds at most 128 flags, whose values have limits of their own */

static void add_head(struct fs_buf *out, const struct fs_view_state *state)
{
    fs_buf_addf(out, "\"view\":\"%s\",\"revision\":%llu,", state->view, (unsigned long long)state->revision);
    if (state->dropped) {
        char *dropped = json_dumps(state->dropped, JSON_COMPACT);
        fs_buf_addf(out, "\"dropped\":%s,", dropped);
        free(dropped);
    }
    if (state->once)
        fs_buf_adds(out, "\"once\":true,");
    if (state->more)
        fs_buf_adds(out, "\"more\":true,");
}

static void add_removed(struct fs_buf *out, const struct fs_view_state *state)
{
    fs_buf_adds(out, "\"removed\":[");
    for (size_t i = 0; i < state->removed_count; i++) {
        if (i)
            fs_buf_addc(out, ',');
        fs_buf_add_json_string(out, state->removed[i], strlen(state->removed[i]));
    }
    fs_buf_addc(out, ']');
}

static void add_flags(struct fs_buf *out, const struct fs_view_state *state)
{
    fs_buf_adds(out, "\"flags\":[");
    for (size_t i = 0; i < state->flag_count; i++) {
        const struct fs_cause *cause = state->flags[i].cause;
        struct fs_wire_cause wire = {.kind = fs_cause_kind_name(cause->kind),
                                     .entry = cause->count ? cause->entries[0] : 0,
                                     .time = cause->time};
        if (i)
            fs_buf_addc(out, ',');
        fs_frame_add_flag(out, state->flags[i].flag, state->flags[i].evaluation, &wire);
    }
    fs_buf_addc(out, ']');
}

struct fs_blob *fs_frame_body(const struct fs_view_state *state)
{
    struct fs_buf out;
    fs_buf_init(&out, BODY_LIMIT);
    if (state->snapshot)
        add_head(&out, state);
    if (state->removed_count)
        add_removed(&out, state);
    if (state->snapshot || state->flag_count || !state->removed_count) {
        if (state->removed_count)
            fs_buf_addc(&out, ',');
        add_flags(&out, state);
    }
    fs_buf_addc(&out, '}');
    struct fs_blob *body = fs_blob_copy(out.data, out.length);
    fs_buf_finish(&out);
    return body;
}
