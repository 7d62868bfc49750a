/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of boards into structs (docs/protocol/flagstaff.board.v1.schema.json, `client`): every member of the
 * schema is checked, every other ignored. What a fault says is what the board is told. Pure; any thread.
 */
#include "push/board.h"

#include <inttypes.h>
#include <string.h>
#include "base/err.h"
#include "core/json.h"

#define INTEGER_MAX INT64_C(9007199254740991)
#define ID_MAX      INT64_C(4294967295)
#define TEXT_MAX    1024
#define DEPTH_MAX   8

/* `close` 0: the connection goes on. */
static bool bad(struct fs_frame_fault *fault, int close, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool bad(struct fs_frame_fault *fault, int close, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(fault->message, sizeof fault->message, format, args);
    va_end(args);
    fault->code = "bad_frame";
    fault->close = close;
    return false;
}

static bool read_integer(const json_t *object, const char *name, int64_t least, int64_t most, uint64_t *out,
                         struct fs_frame_fault *fault)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return bad(fault, 0, "the member '%s' must be an integer from %" PRId64 " to %" PRId64, name, least,
                   most);
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_condition(const json_t *filter, const char *name, char **out, struct fs_frame_fault *fault)
{
    const json_t *value = json_object_get(filter, name);
    if (!value)
        return true;
    const char *text = json_string_value(value);
    if (!text || json_string_length(value) > TEXT_MAX)
        return bad(fault, 0, "filter.%s must be a text of at most %d bytes", name, TEXT_MAX);
    *out = *text ? fs_strdup(text) : NULL;
    return true;
}

static bool read_filter(const json_t *filter, struct fs_feed_filter *out, struct fs_frame_fault *fault)
{
    if (filter && !json_is_object(filter))
        return bad(fault, 0, "the member 'filter' must be an object");
    return read_condition(filter, "q", &out->q, fault) &&
           read_condition(filter, "subject", &out->subject, fault) &&
           read_condition(filter, "flag", &out->flag, fault) &&
           read_condition(filter, "variant", &out->variant, fault) &&
           read_condition(filter, "reason", &out->reason, fault) &&
           read_condition(filter, "source", &out->source, fault);
}

static bool read_sort(const json_t *object, enum fs_feed_sort *out, struct fs_frame_fault *fault)
{
    static const char *const names[] = {"changed", "subject", "flag"};
    const json_t *value = json_object_get(object, "sort");
    const char *name = value ? json_string_value(value) : names[0];
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]))
            continue;
        *out = (enum fs_feed_sort)i;
        return true;
    }
    return bad(fault, 0, "the member 'sort' is one of changed, subject and flag");
}

static bool read_since(const json_t *since, struct fs_feed_wish *out, struct fs_frame_fault *fault)
{
    if (!since || json_is_null(since))
        return true;
    const char *epoch = json_is_object(since) ? fs_json_text(since, "epoch") : NULL;
    if (!epoch)
        return bad(fault, 0, "the member 'since' must be an object with epoch and revision");
    if (!read_integer(since, "revision", 0, INTEGER_MAX, &out->since, fault))
        return false;
    out->resumes = strlen(epoch) < sizeof out->epoch; /* a longer one is none of ours */
    if (out->resumes)
        memcpy(out->epoch, epoch, strlen(epoch) + 1);
    return true;
}

static bool read_view(const json_t *object, struct fs_feed_wish *out, struct fs_frame_fault *fault)
{
    uint64_t limit = 1000;
    if (json_object_get(object, "limit") && !read_integer(object, "limit", 1, FS_FEED_ROWS, &limit, fault))
        return false;
    out->limit = (size_t)limit;
    return read_filter(json_object_get(object, "filter"), &out->filter, fault) &&
           read_sort(object, &out->sort, fault) && read_since(json_object_get(object, "since"), out, fault);
}

static bool read_members(const json_t *object, struct fs_board_request *out, struct fs_frame_fault *fault)
{
    const char *type = json_is_object(object) ? fs_json_text(object, "type") : NULL;
    if (!type)
        return bad(fault, 4400, "a frame is a JSON object with the member 'type'");
    bool view = !strcmp(type, "view"), unview = !strcmp(type, "unview");
    if (view || unview) {
        out->type = view ? FS_BOARD_VIEW : FS_BOARD_UNVIEW;
        if (!read_integer(object, "id", 1, ID_MAX, &out->view.id, fault))
            return false;
        fault->watch = out->view.id;
        return unview || read_view(object, &out->view, fault);
    }
    if (!strcmp(type, "entries")) {
        out->type = FS_BOARD_ENTRIES;
        out->on = json_is_true(json_object_get(object, "on"));
        return json_is_boolean(json_object_get(object, "on")) ||
               bad(fault, 0, "the member 'on' must be true or false");
    }
    bad(fault, 0, "frames of the type '%.60s' are unknown here: view, unview and entries are known", type);
    fault->code = "unknown_type";
    return false;
}

struct fs_board_request *fs_board_read(const char *text, size_t length, struct fs_frame_fault *fault)
{
    struct fs_err err = {0};
    *fault = (struct fs_frame_fault){0};
    json_t *object = fs_json_read(text, length, DEPTH_MAX, &err);
    struct fs_board_request *request = FS_NEW(struct fs_board_request);
    bool fine = object ? read_members(object, request, fault) : bad(fault, 4400, "%.180s", err.text);
    json_decref(object);
    if (fine)
        return request;
    fs_board_request_destroy(request);
    return NULL;
}

void fs_board_request_destroy(struct fs_board_request *request)
{
    if (!request)
        return;
    fs_feed_filter_finish(&request->view.filter);
    fs_free(request);
}
