/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of clients into structs (docs/protocol/flagstaff.v1.schema.json, `client`): every member of the
 * schema is checked, every other ignored. What a fault says is what its client is told. Pure; any thread.
 */
#include <inttypes.h>
#include <string.h>
#include "base/err.h"
#include "core/json.h"
#include "push/frame.h"

#define INTEGER_MAX INT64_C(9007199254740991)
#define WATCH_MAX   INT64_C(4294967295)
#define KEY_MAX     255
#define DEPTH_MAX   64 /* of a whole frame; the context's own limit is checked by itself */

struct reading {
    const struct fs_frame_limits *limits;
    struct fs_frame_fault *fault;
    const char *type;
};

static size_t or_else(size_t value, size_t otherwise)
{
    return value ? value : otherwise;
}

static bool bad(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool bad(struct reading *r, const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->fault->code = "bad_frame";
    r->fault->close = 4400;
    snprintf(r->fault->message, sizeof r->fault->message, "%s%s%s", r->type ? r->type : "",
             r->type ? ": " : "", text);
    return false;
}

/* A limit passed by one watch ends that watch; within hello, where no watch is there yet, it ends the
 * connection. */
static bool over(struct reading *r, const char *limit, uint64_t watch, const char *format, size_t most)
{
    bool alone = strcmp(r->type, "watch") == 0 && watch;
    r->fault->code = "limit";
    r->fault->limit = limit;
    r->fault->watch = alone ? watch : 0;
    r->fault->close = alone ? 0 : 4429;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(r->fault->message, sizeof r->fault->message, format, most);
#pragma GCC diagnostic pop
    return false;
}

static bool read_integer(struct reading *r, const json_t *object, const char *name, int64_t least,
                         int64_t most, uint64_t *out)
{
    const json_t *value = json_object_get(object, name);
    if (!value)
        return bad(r, "the member '%s' is missing, an integer from %" PRId64, name, least);
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return bad(r, "the member '%s' must be an integer from %" PRId64 " to %" PRId64, name, least, most);
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static const char *read_text(struct reading *r, const json_t *object, const char *name, size_t most)
{
    const json_t *value = json_object_get(object, name);
    size_t length = json_string_length(value);
    if (!json_is_string(value) || length == 0 || length > most) {
        bad(r, "the member '%s' must be a text of 1 to %zu bytes", name, most);
        return NULL;
    }
    if (strlen(json_string_value(value)) != length) {
        bad(r, "the member '%s' holds U+0000", name);
        return NULL;
    }
    return json_string_value(value);
}

static bool read_flags(struct reading *r, const json_t *list, struct fs_watch_request *watch)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count == 0)
        return bad(r, "'flags' must be a list with at least one key");
    size_t most = or_else(r->limits->flags, 256);
    if (count > most)
        return over(r, "flags", watch->watch, "a watch may name at most %zu flags", most);
    watch->flags = fs_calloc(count + 1, sizeof *watch->flags);
    for (size_t i = 0; i < count; i++) {
        const json_t *key = json_array_get(list, i);
        size_t length = json_string_length(key);
        if (!json_is_string(key) || length == 0 || length > KEY_MAX ||
            strlen(json_string_value(key)) != length)
            return bad(r, "flags[%zu] must be a text of 1 to %d bytes", i, KEY_MAX);
        watch->flags[i] = fs_strdup(json_string_value(key));
    }
    return true;
}

static bool read_watch(struct reading *r, const json_t *object, struct fs_watch_request *watch)
{
    if (!json_is_object(object))
        return bad(r, "a watch must be an object");
    if (!read_integer(r, object, "watch", 1, WATCH_MAX, &watch->watch))
        return false;
    json_t *context = json_object_get(object, "context");
    if (!json_is_object(context))
        return bad(r, "watch %" PRIu64 ": the member 'context' must be an object", watch->watch);
    size_t most = or_else(r->limits->context_bytes, 8192);
    if (json_dumpb(context, NULL, 0, JSON_COMPACT) > most)
        return over(r, "contextBytes", watch->watch, "a context may have at most %zu bytes in compact JSON",
                    most);
    most = or_else(r->limits->context_depth, 8);
    if (fs_json_depth(context) > most)
        return over(r, "contextDepth", watch->watch, "a context may be nested at most %zu deep", most);
    watch->context = json_incref(context);
    const json_t *once = json_object_get(object, "once");
    if (once && !json_is_boolean(once))
        return bad(r, "watch %" PRIu64 ": the member 'once' must be true or false", watch->watch);
    watch->once = json_is_true(once);
    const json_t *flags = json_object_get(object, "flags");
    return !flags || read_flags(r, flags, watch);
}

static bool is_list(struct reading *r, const json_t *list, size_t count, size_t most)
{
    if (!json_is_array(list))
        return bad(r, "the member 'watches' must be a list");
    return count <= most || over(r, "watches", 0, "a connection may have at most %zu watches", most);
}

static bool read_watches(struct reading *r, const json_t *list, struct fs_client_frame *frame)
{
    size_t count = json_array_size(list), most = or_else(r->limits->watches, 64);
    if (!is_list(r, list, count, most))
        return false;
    frame->watches = fs_calloc(count + 1, sizeof *frame->watches);
    for (size_t i = 0; i < count; i++) {
        frame->watch_count = i + 1;
        if (!read_watch(r, json_array_get(list, i), &frame->watches[i]))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (frame->watches[j].watch == frame->watches[i].watch)
                return bad(r, "two watches have the id %" PRIu64, frame->watches[i].watch);
        }
    }
    return true;
}

static void finish_watch(struct fs_watch_request *watch)
{
    json_decref(watch->context);
    for (char **flag = watch->flags; flag && *flag; flag++)
        fs_free(*flag);
    fs_free(watch->flags);
    *watch = (struct fs_watch_request){0};
}

/* One that passes a limit is refused by itself, as if it had come alone. Whether ids are free is the core's
 * to say, one by one. */
static bool read_watch_list(struct reading *r, const json_t *list, struct fs_client_frame *frame)
{
    size_t count = json_array_size(list), most = or_else(r->limits->watches, 64);
    if (!is_list(r, list, count, most))
        return false;
    frame->watches = fs_calloc(count + 1, sizeof *frame->watches);
    frame->refused = fs_calloc(count + 1, sizeof *frame->refused);
    for (size_t i = 0; i < count; i++) {
        struct fs_watch_request *watch = &frame->watches[frame->watch_count++];
        if (read_watch(r, json_array_get(list, i), watch))
            continue;
        if (r->fault->close || !r->fault->watch)
            return false;
        finish_watch(watch);
        frame->watch_count--;
        frame->refused[frame->refused_count++] = *r->fault;
        *r->fault = (struct fs_frame_fault){0};
    }
    return true;
}

static bool read_watch_frame(struct reading *r, const json_t *object, struct fs_client_frame *frame)
{
    const json_t *list = json_object_get(object, "watches");
    if (list && json_object_get(object, "watch"))
        return bad(r, "either 'watch' or the list 'watches'");
    if (list)
        return read_watch_list(r, list, frame);
    frame->watches = fs_calloc(1, sizeof *frame->watches);
    frame->watch_count = 1;
    return read_watch(r, object, frame->watches);
}

static bool read_unwatch(struct reading *r, const json_t *object, struct fs_client_frame *frame)
{
    const json_t *list = json_object_get(object, "watches");
    size_t count = list ? json_array_size(list) : 1, most = or_else(r->limits->watches, 64);
    if (list && json_object_get(object, "watch"))
        return bad(r, "either 'watch' or the list 'watches'");
    if (list && !json_is_array(list))
        return bad(r, "the member 'watches' must be a list");
    if (list && count > most)
        return bad(r, "the list 'watches' may have at most %zu ids", most);
    frame->unwatched = fs_calloc(count + 1, sizeof *frame->unwatched);
    frame->unwatched_count = count;
    for (size_t i = 0; list && i < count; i++) {
        const json_t *id = json_array_get(list, i);
        if (!json_is_integer(id) || json_integer_value(id) < 1 || json_integer_value(id) > WATCH_MAX)
            return bad(r, "watches[%zu] must be an integer from 1 to %" PRId64, i, WATCH_MAX);
        frame->unwatched[i] = (uint64_t)json_integer_value(id);
    }
    return list || read_integer(r, object, "watch", 1, WATCH_MAX, frame->unwatched);
}

static bool read_resume(struct reading *r, const json_t *resume, struct fs_client_frame *frame)
{
    if (!json_is_object(resume))
        return bad(r, "the member 'resume' must be an object");
    const char *epoch = read_text(r, resume, "epoch", 64);
    const char *session = read_text(r, resume, "session", 64);
    const json_t *list = json_object_get(resume, "watches");
    if (!epoch || !session || !read_integer(r, resume, "revision", 0, INTEGER_MAX, &frame->revision))
        return false;
    if (!json_is_array(list))
        return bad(r, "the member 'watches' of 'resume' must be a list");
    frame->resumes = true;
    if (strlen(epoch) < sizeof frame->epoch) /* a longer one is none of ours, so "" will not match either */
        memcpy(frame->epoch, epoch, strlen(epoch) + 1);
    if (strlen(session) < sizeof frame->session)
        memcpy(frame->session, session, strlen(session) + 1);
    size_t count = json_array_size(list), most = or_else(r->limits->watches, 64);
    if (count > most)
        return over(r, "watches", 0, "a connection may have at most %zu watches", most);
    frame->resume = fs_calloc(count + 1, sizeof *frame->resume);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        struct fs_resume_watch *watch = &frame->resume[i];
        const char *view = json_is_object(item) ? read_text(r, item, "view", 64) : NULL;
        if (!json_is_object(item))
            return bad(r, "resume.watches[%zu] must be an object", i);
        if (!view || !read_integer(r, item, "watch", 1, WATCH_MAX, &watch->watch))
            return false;
        memcpy(watch->view, view, strlen(view) + 1);
        frame->resume_count = i + 1;
    }
    return true;
}

static bool read_hello(struct reading *r, const json_t *object, struct fs_client_frame *frame)
{
    const char *protocol = read_text(r, object, "protocol", 64);
    if (!protocol)
        return false;
    if (strcmp(protocol, "flagstaff.v1") != 0) {
        r->fault->code = "protocol";
        r->fault->close = 4400;
        snprintf(r->fault->message, sizeof r->fault->message, "flagstaff.v1 is spoken here");
        return false;
    }
    const json_t *client = json_object_get(object, "client");
    if (!json_is_object(client))
        return bad(r, "the member 'client' must be an object with name and version");
    const char *name = read_text(r, client, "name", 64);
    const char *version = name ? read_text(r, client, "version", 64) : NULL;
    if (!version)
        return false;
    frame->client_name = fs_strdup(name);
    frame->client_version = fs_strdup(version);
    const json_t *watches = json_object_get(object, "watches");
    const json_t *resume = json_object_get(object, "resume");
    return (!watches || read_watches(r, watches, frame)) && (!resume || read_resume(r, resume, frame));
}

static bool read_members(struct reading *r, const json_t *object, struct fs_client_frame *frame)
{
    switch (frame->type) {
    case FS_CLIENT_HELLO:
        return read_hello(r, object, frame);
    case FS_CLIENT_WATCH:
        return read_watch_frame(r, object, frame);
    case FS_CLIENT_UNWATCH:
        return read_unwatch(r, object, frame);
    case FS_CLIENT_RENEW:
        return read_integer(r, object, "n", 1, INTEGER_MAX, &frame->n);
    case FS_CLIENT_ACK:
        return read_integer(r, object, "revision", 0, INTEGER_MAX, &frame->revision);
    }
    return false;
}

/* False with the fault of an unknown type, after which the connection goes on. */
static bool read_type(struct reading *r, const json_t *object, enum fs_client_frame_type *out)
{
    static const char *const types[] = {"hello", "watch", "unwatch", "renew", "ack"};
    const char *type = json_is_object(object) ? fs_json_text(object, "type") : NULL;
    if (!type)
        return bad(r, "a frame is a JSON object with the member 'type'");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i]) == 0) {
            *out = (enum fs_client_frame_type)i;
            r->type = types[i];
            return true;
        }
    }
    r->fault->code = "unknown_type";
    snprintf(r->fault->message, sizeof r->fault->message,
             "frames of the type '%.60s' are unknown here: hello, watch, unwatch, renew and ack are known",
             type);
    return false;
}

struct fs_client_frame *fs_client_frame_parse(const char *text, size_t length,
                                              const struct fs_frame_limits *limits,
                                              struct fs_frame_fault *fault)
{
    struct reading r = {limits, fault, NULL};
    struct fs_err err = {0};
    *fault = (struct fs_frame_fault){0};
    json_t *object = fs_json_read(text, length, DEPTH_MAX, &err);
    struct fs_client_frame *frame = FS_NEW(struct fs_client_frame);
    bool ok = object ? read_type(&r, object, &frame->type) && read_members(&r, object, frame)
                     : bad(&r, "%.180s", err.text);
    json_decref(object);
    if (ok)
        return frame;
    fs_client_frame_destroy(frame);
    return NULL;
}

struct fs_client_frame *fs_client_frame_read(const char *text, size_t length,
                                             const struct fs_frame_limits *limits, struct fs_err *err)
{
    struct fs_frame_fault fault;
    struct fs_client_frame *frame = fs_client_frame_parse(text, length, limits, &fault);
    if (!frame)
        fs_fail(err, strcmp(fault.code, "limit") == 0 ? FS_ERR_TOO_LARGE : FS_ERR_INVALID, "%s",
                fault.message);
    return frame;
}

void fs_client_frame_destroy(struct fs_client_frame *frame)
{
    if (!frame)
        return;
    for (size_t i = 0; i < frame->watch_count; i++)
        finish_watch(&frame->watches[i]);
    fs_free(frame->watches);
    fs_free(frame->refused);
    fs_free(frame->unwatched);
    fs_free(frame->resume);
    fs_free(frame->client_name);
    fs_free(frame->client_version);
    fs_free(frame);
}
