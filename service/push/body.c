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
}

#define END_ROOM 32 /* what ends a body */

/* Is it too long since its last item was added? Then that one is taken back, from `before` on. */
static bool take_back(struct fs_buf *out, const struct fs_view_state *state, size_t before)
{
    if (!state->limit || out->length + END_ROOM <= state->limit)
        return false;
    out->length = before;
    out->data[before] = 0;
    return true;
}

static size_t add_removed(struct fs_buf *out, const struct fs_view_state *state)
{
    size_t i = 0;
    fs_buf_adds(out, "\"removed\":[");
    for (; i < state->removed_count; i++) {
        size_t before = out->length;
        if (i)
            fs_buf_addc(out, ',');
        fs_buf_add_json_string(out, state->removed[i], strlen(state->removed[i]));
        if (i && take_back(out, state, before))
            break;
    }
    fs_buf_addc(out, ']');
    return i;
}

/* `alone`: nothing else is in the body that could go without the first flag. */
static size_t add_flags(struct fs_buf *out, const struct fs_view_state *state, bool alone)
{
    size_t i = 0;
    fs_buf_adds(out, "\"flags\":[");
    for (; i < state->flag_count; i++) {
        const struct fs_cause *cause = state->flags[i].cause;
        struct fs_wire_cause wire = {.kind = fs_cause_kind_name(cause->kind),
                                     .entry = cause->count ? cause->entries[0] : 0,
                                     .time = cause->time};
        size_t before = out->length;
        if (i)
            fs_buf_addc(out, ',');
        fs_frame_add_flag(out, state->flags[i].flag, state->flags[i].evaluation, &wire);
        if ((i || !alone) && take_back(out, state, before))
            break;
    }
    fs_buf_addc(out, ']');
    return i;
}

struct fs_blob *fs_frame_body(const struct fs_view_state *state, struct fs_taken *taken)
{
    struct fs_buf out;
    *taken = (struct fs_taken){0};
    fs_buf_init(&out, BODY_LIMIT);
    if (state->snapshot)
        add_head(&out, state);
    if (state->removed_count)
        taken->removed = add_removed(&out, state);
    bool room = taken->removed == state->removed_count;
    if (state->snapshot || (state->flag_count && room) || !state->removed_count) {
        if (state->removed_count)
            fs_buf_addc(&out, ',');
        taken->flags = add_flags(&out, state, !state->removed_count && !state->dropped);
    }
    if (state->snapshot && (state->more || taken->flags < state->flag_count))
        fs_buf_adds(&out, ",\"more\":true");
    fs_buf_addc(&out, '}');
    struct fs_blob *body = fs_blob_copy(out.data, out.length);
    fs_buf_finish(&out);
    return body;
}
