/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames for boards: cells into bytes (docs/protocol/flagstaff.board.v1.schema.json, `server`). A row is an
 * array; in a snapshot its texts are numbers of a dictionary that the frame brings along, since ten thousand
 * rows have few different ones. Pure; any thread.
 */
#include "push/board.h"

#include <string.h>
#include "base/map.h"
#include "value_text.h"

#define FRAME_MAX ((size_t)256 * 1024 * 1024) /* of one row with a huge value; rows are cut far below */
#define PART_SIZE 65536                       /* of a frame with rows */
#define PART_ROOM 256                         /* what stands around them */

/* The texts of one frame; `texts` NULL: they stand in the rows themselves. */
struct dictionary {
    struct fs_map numbers; /* text -> its number and one */
    struct fs_buf *texts;
    size_t count;
};

static void add_text(struct fs_buf *out, struct dictionary *dictionary, const char *text)
{
    if (!text) {
        fs_buf_adds(out, "null");
        return;
    }
    if (!dictionary) {
        fs_buf_add_json_string(out, text, strlen(text));
        return;
    }
    uintptr_t number = (uintptr_t)fs_map_gets(&dictionary->numbers, text);
    if (!number) {
        number = ++dictionary->count;
        fs_map_sets(&dictionary->numbers, text, (void *)number);
        if (number > 1)
            fs_buf_addc(dictionary->texts, ',');
        fs_buf_add_json_string(dictionary->texts, text, strlen(text));
    }
    fs_buf_addu(out, number - 1);
}

static void add_comma_text(struct fs_buf *out, struct dictionary *dictionary, const char *text)
{
    fs_buf_addc(out, ',');
    add_text(out, dictionary, text);
}

static void add_row(struct fs_buf *out, struct dictionary *dictionary, const struct fs_feed_row *row)
{
    static const char *const states[] = {"watched", "streamed", "seen"};
    const struct fs_evaluation *value = row->value;
    const struct fs_cause *cause = row->cause;
    const json_t *shown = value->value;
    const char *variant = value->variant ? value->variant : "";
    if (!shown && row->flag->access) { /* as clients are told it */
        shown = fs_push_safe_value(row->flag);
        variant = fs_push_safe_variant(row->flag);
    }
    fs_buf_addc(out, '[');
    fs_buf_addu(out, row->cell);
    add_comma_text(out, dictionary, row->subject);
    add_comma_text(out, dictionary, row->hash);
    add_comma_text(out, dictionary, row->flag->key);
    add_comma_text(out, dictionary, variant);
    fs_buf_addc(out, ',');
    if (shown)
        fs_push_add_value(out, row->flag->type, shown);
    else
        fs_buf_adds(out, "null");
    add_comma_text(out, dictionary, fs_reason_name(value->reason));
    add_comma_text(out, dictionary, row->source);
    add_comma_text(out, dictionary, fs_cause_kind_name(cause ? cause->kind : FS_CAUSE_WATCH));
    fs_buf_addc(out, ',');
    if (cause && cause->count)
        fs_buf_addu(out, cause->entries[0]);
    else
        fs_buf_adds(out, "null");
    fs_buf_addf(out, ",%lld,%lld,%llu,%u,%u", (long long)(cause ? cause->time : 0), (long long)row->changed,
                (unsigned long long)row->revision, row->acked, row->watching);
    add_comma_text(out, dictionary, states[row->state]);
    add_comma_text(out, dictionary, *value->detail ? value->detail : NULL);
    add_comma_text(out, dictionary, row->cause_text ? row->cause_text : "");
    fs_buf_addc(out, ']');
}

/* As many rows as fit beside `around` bytes. How many. */
static size_t add_rows(struct fs_buf *out, struct dictionary *dictionary, const struct fs_feed_frame *frame,
                       size_t around)
{
    size_t taken = 0;
    for (; taken < frame->row_count; taken++) {
        size_t before = out->length, texts = dictionary ? dictionary->texts->length : 0;
        if (taken)
            fs_buf_addc(out, ',');
        add_row(out, dictionary, &frame->rows[taken]);
        size_t length = out->length + around + (dictionary ? dictionary->texts->length : 0);
        if (!taken || length <= PART_SIZE)
            continue;
        out->length = before; /* too much: its texts go with it */
        out->data[before] = 0;
        if (dictionary) {
            dictionary->texts->length = texts;
            dictionary->texts->data[texts] = 0;
        }
        break;
    }
    return taken;
}

static void add_view(struct fs_buf *out, const struct fs_feed_frame *frame)
{
    fs_buf_addf(out, ",\"id\":%llu", (unsigned long long)frame->view);
}

/* all: the rows that were offered are in the frame, and no further ones follow. */
static void add_revision(struct fs_buf *out, const struct fs_feed_frame *frame, uint64_t revision, bool all)
{
    fs_buf_addf(out, ",\"revision\":%llu,\"total\":%llu", (unsigned long long)revision,
                (unsigned long long)frame->total);
    if (all && frame->whole)
        fs_buf_adds(out, ",\"whole\":true");
}

static size_t snapshot(struct fs_buf *out, const struct fs_feed_frame *frame)
{
    struct fs_buf rows, texts;
    fs_buf_init(&rows, FRAME_MAX);
    fs_buf_init(&texts, FRAME_MAX);
    struct dictionary dictionary = {.texts = &texts};
    fs_map_init(&dictionary.numbers);
    size_t taken = add_rows(&rows, &dictionary, frame, PART_ROOM);
    fs_map_finish(&dictionary.numbers, NULL);
    add_view(out, frame);
    if (frame->first)
        fs_buf_adds(out, ",\"first\":true");
    add_revision(out, frame, frame->revision, !frame->more && taken == frame->row_count);
    fs_buf_adds(out, ",\"dict\":[");
    fs_buf_add(out, texts.data, texts.length);
    fs_buf_adds(out, "],\"rows\":[");
    fs_buf_add(out, rows.data, rows.length);
    fs_buf_addc(out, ']');
    if (frame->more || taken < frame->row_count)
        fs_buf_adds(out, ",\"more\":true");
    fs_buf_finish(&rows);
    fs_buf_finish(&texts);
    return taken;
}

static size_t changes(struct fs_buf *out, const struct fs_feed_frame *frame)
{
    add_view(out, frame);
    fs_buf_adds(out, ",\"gone\":[");
    for (size_t i = 0; i < frame->gone_count; i++)
        fs_buf_addf(out, i ? ",%llu" : "%llu", (unsigned long long)frame->gone[i]);
    fs_buf_adds(out, "],\"rows\":[");
    size_t taken = add_rows(out, NULL, frame, PART_ROOM);
    fs_buf_addc(out, ']');
    bool all = taken == frame->row_count;
    add_revision(out, frame, all ? frame->revision : frame->before, all);
    return taken;
}

static void delivered(struct fs_buf *out, const struct fs_feed_frame *frame)
{
    add_view(out, frame);
    fs_buf_adds(out, ",\"cells\":[");
    for (size_t i = 0; i < frame->delivered_count; i++)
        fs_buf_addf(out, i ? ",[%llu,%u,%u]" : "[%llu,%u,%u]", (unsigned long long)frame->delivered[i].cell,
                    frame->delivered[i].acked, frame->delivered[i].watching);
    fs_buf_addc(out, ']');
}

static void add_time(struct fs_buf *out, int64_t time)
{
    char text[32];
    fs_push_add_text(out, "time", fs_format_rfc3339(time, text));
}

static void welcome(struct fs_buf *out, const struct fs_feed_frame *frame, const struct fs_board_extra *extra)
{
    fs_push_add_text(out, "protocol", "flagstaff.board.v1");
    fs_push_add_text(out, "epoch", frame->epoch);
    fs_buf_addf(out, ",\"revision\":%llu", (unsigned long long)frame->revision);
    add_time(out, frame->time);
    fs_push_add_text(out, "version", extra->version);
    fs_buf_addf(out, ",\"limits\":{\"views\":%d,\"rows\":%d}", FS_FEED_VIEWS, FS_FEED_ROWS);
}

static void pulse(struct fs_buf *out, const struct fs_feed_frame *frame, const struct fs_board_extra *extra)
{
    add_time(out, frame->time);
    fs_buf_addf(out, ",\"revision\":%llu,\"subjects\":%zu,\"contexts\":%zu,\"cells\":%zu,\"clients\":%zu",
                (unsigned long long)frame->revision, frame->subjects, frame->contexts, frame->cells,
                frame->clients);
    fs_buf_addf(out, ",\"behind\":%zu,\"flips\":%llu,\"sources\":[", frame->behind,
                (unsigned long long)frame->flips);
    for (size_t i = 0; i < frame->source_count; i++) {
        fs_buf_adds(out, i ? ",{\"name\":" : "{\"name\":");
        add_text(out, NULL, frame->sources[i].name);
        fs_push_add_text(out, "state", frame->sources[i].state);
        fs_buf_addc(out, '}');
    }
    fs_buf_addf(out, "],\"overrides\":%zu,\"journal\":{\"healthy\":%s}", frame->overrides,
                extra->journal_healthy ? "true" : "false");
}

static void error(struct fs_buf *out, const char *code, const char *text, uint64_t view)
{
    fs_push_add_text(out, "code", code);
    fs_push_add_text(out, "text", text);
    if (view)
        fs_buf_addf(out, ",\"id\":%llu", (unsigned long long)view);
}

static struct fs_blob *finish(struct fs_buf *out)
{
    fs_buf_addc(out, '}');
    struct fs_blob *blob = fs_blob_copy(out->data, out->length);
    fs_buf_finish(out);
    return blob;
}

static void start(struct fs_buf *out, const char *type)
{
    fs_buf_init(out, 2 * FRAME_MAX);
    fs_buf_addf(out, "{\"type\":\"%s\"", type);
}

struct fs_blob *fs_board_frame(const struct fs_feed_frame *frame, const struct fs_board_extra *extra,
                               size_t *taken)
{
    static const char *const types[] = {"welcome", "rows",  "changes", "delivered",
                                        "pulse",   "error", "goaway"};
    struct fs_buf out;
    start(&out, types[frame->kind]);
    *taken = 0;
    switch (frame->kind) {
    case FS_FEED_WELCOME:
        welcome(&out, frame, extra);
        break;
    case FS_FEED_ROWS_PART:
        *taken = snapshot(&out, frame);
        break;
    case FS_FEED_CHANGES:
        *taken = changes(&out, frame);
        break;
    case FS_FEED_DELIVERED:
        delivered(&out, frame);
        break;
    case FS_FEED_PULSE:
        pulse(&out, frame, extra);
        break;
    case FS_FEED_ERROR:
        error(&out, frame->code, frame->text, frame->view);
        break;
    case FS_FEED_GOAWAY:
        fs_push_add_text(&out, "code", frame->code);
        fs_buf_addf(&out, ",\"reconnectAfter\":%lld", (long long)frame->reconnect);
        break;
    }
    return finish(&out);
}

struct fs_blob *fs_board_entries(const char *list, size_t length)
{
    struct fs_buf out;
    start(&out, "entries");
    fs_buf_adds(&out, ",\"entries\":");
    fs_buf_add(&out, list, length);
    return finish(&out);
}

struct fs_blob *fs_board_fault(const struct fs_frame_fault *fault)
{
    struct fs_buf out;
    start(&out, "error");
    error(&out, fault->code, fault->message, fault->watch);
    return finish(&out);
}
