/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames from the server: flags and answers into bytes (docs/protocol/flagstaff.v1.schema.json, `server`).
 * Written by hand into a buffer, since one snapshot through a document tree costs some forty times as much.
 * Pure; any thread.
 */
#include <string.h>
#include "base/err.h"
#include "base/str.h"
#include "push/frame.h"
#include "value_text.h"

#define FRAME_MAX ((size_t)64 * 1024 * 1024) /* core splits far below */

static struct fs_blob *blob_of(struct fs_buf *buf)
{
    struct fs_blob *blob = fs_blob_copy(buf->data, buf->length);
    fs_buf_finish(buf);
    return blob;
}

static void add_cause(struct fs_buf *out, const struct fs_wire_cause *cause)
{
    char time[32];
    if (!cause || !cause->kind)
        return;
    fs_buf_adds(out, ",\"cause\":{\"kind\":");
    fs_buf_add_json_string(out, cause->kind, strlen(cause->kind));
    if (cause->entry) {
        fs_buf_adds(out, ",\"entry\":");
        fs_buf_addu(out, cause->entry);
    }
    fs_push_add_text(out, "time", fs_format_rfc3339(cause->time, time));
    fs_buf_addc(out, '}');
}

static void add_metadata(struct fs_buf *out, const json_t *metadata, const char *override, const char *detail)
{
    size_t before = out->length;
    fs_buf_adds(out, ",\"metadata\":{");
    size_t empty = out->length;
    bool first = fs_push_add_metadata(out, metadata, true);
    fs_push_add_own(out, override, detail, first);
    if (!out->failed && out->length == empty) {
        out->length = before; /* nothing to say: no member */
        out->data[before] = 0;
        return;
    }
    fs_buf_addc(out, '}');
}

void fs_frame_add_flag(struct fs_buf *out, const struct fs_flag *flag, const struct fs_evaluation *evaluation,
                       const struct fs_wire_cause *cause)
{
    const json_t *safe = flag->access ? fs_push_safe_value(flag) : NULL;
    const json_t *value = evaluation->value;
    const char *variant = evaluation->variant ? evaluation->variant : "";
    bool failed = !safe && evaluation->error != FS_NO_ERROR;
    if (safe && !value) { /* an access flag has always one */
        value = safe;
        variant = fs_push_safe_variant(flag);
    }
    fs_buf_adds(out, "{\"key\":");
    fs_buf_add_json_string(out, flag->key, strlen(flag->key));
    fs_push_add_text(out, "type", fs_type_name(flag->type));
    if (value && !failed) {
        fs_push_add_name(out, "value");
        fs_push_add_value(out, flag->type, value);
        fs_push_add_text(out, "variant", variant);
    }
    fs_push_add_text(out, "reason", failed ? "ERROR" : fs_reason_name(evaluation->reason));
    add_cause(out, cause);
    add_metadata(out, flag->metadata, evaluation->override, failed ? "" : evaluation->detail);
    if (safe) {
        fs_buf_adds(out, ",\"safe\":{\"value\":");
        fs_push_add_value(out, flag->type, safe);
        fs_push_add_text(out, "variant", fs_push_safe_variant(flag));
        fs_buf_addc(out, '}');
    }
    if (failed) {
        fs_buf_adds(out, ",\"error\":{\"code\":");
        const char *code = fs_error_code_name(evaluation->error);
        fs_buf_add_json_string(out, code, strlen(code));
        fs_push_add_text(out, "message", evaluation->detail);
        fs_buf_addc(out, '}');
    }
    fs_buf_addc(out, '}');
}

static size_t or_else(size_t value, size_t otherwise)
{
    return value ? value : otherwise;
}

struct fs_blob *fs_frame_welcome(const char *session, const char *epoch, int64_t lease_ms,
                                 const struct fs_frame_limits *limits, size_t frame_limit)
{
    struct fs_buf out;
    fs_buf_init(&out, 4096);
    fs_buf_adds(&out, "{\"type\":\"welcome\",\"protocol\":\"flagstaff.v1\"");
    fs_push_add_text(&out, "session", session);
    fs_push_add_text(&out, "epoch", epoch);
    fs_buf_addf(&out, ",\"lease\":%lld,\"limits\":{\"frame\":%zu,\"send\":%zu,\"watches\":%zu,\"flags\":%zu",
                (long long)lease_ms, frame_limit, or_else(limits->send, 65536), or_else(limits->watches, 64),
                or_else(limits->flags, 256));
    fs_buf_addf(&out, ",\"contextBytes\":%zu,\"contextDepth\":%zu,\"rate\":%zu,\"list\":%zu}}",
                or_else(limits->context_bytes, 8192), or_else(limits->context_depth, 8),
                or_else(limits->rate, 1000), or_else(limits->watches, 64));
    return blob_of(&out);
}

struct fs_blob *fs_frame_snapshot(uint64_t watch, const struct fs_blob *body)
{
    struct fs_buf out;
    fs_buf_init(&out, FRAME_MAX);
    fs_buf_adds(&out, "{\"type\":\"snapshot\",\"watch\":");
    fs_buf_addu(&out, watch);
    fs_buf_addc(&out, ',');
    fs_buf_add(&out, body->bytes, body->length);
    return blob_of(&out);
}

struct fs_blob *fs_frame_delta(uint64_t revision, bool more, const struct fs_frame_part *parts, size_t count)
{
    struct fs_buf out;
    fs_buf_init(&out, FRAME_MAX);
    fs_buf_adds(&out, "{\"type\":\"delta\",\"revision\":");
    fs_buf_addu(&out, revision);
    if (more)
        fs_buf_adds(&out, ",\"more\":true");
    fs_buf_adds(&out, ",\"watches\":[");
    for (size_t i = 0; i < count; i++) {
        fs_buf_adds(&out, i ? ",{\"watch\":" : "{\"watch\":");
        fs_buf_addu(&out, parts[i].watch);
        fs_buf_addc(&out, ',');
        fs_buf_add(&out, parts[i].body->bytes, parts[i].body->length);
    }
    fs_buf_adds(&out, "]}");
    return blob_of(&out);
}

struct fs_blob *fs_frame_lease(uint64_t n, uint64_t revision, int64_t duration_ms)
{
    struct fs_buf out;
    fs_buf_init(&out, 256);
    fs_buf_addf(&out, "{\"type\":\"lease\",\"n\":%llu,\"revision\":%llu,\"duration\":%lld}",
                (unsigned long long)n, (unsigned long long)revision, (long long)duration_ms);
    return blob_of(&out);
}

struct fs_blob *fs_frame_fault(const struct fs_frame_fault *fault)
{
    struct fs_buf out;
    fs_buf_init(&out, 8192);
    fs_buf_adds(&out, "{\"type\":\"error\"");
    fs_push_add_text(&out, "code", fault->code);
    if (fault->limit)
        fs_push_add_text(&out, "limit", fault->limit);
    if (fault->watch) {
        fs_buf_adds(&out, ",\"watch\":");
        fs_buf_addu(&out, fault->watch);
    }
    fs_push_add_text(&out, "message", fault->message);
    fs_buf_addc(&out, '}');
    return blob_of(&out);
}

struct fs_blob *fs_frame_error(const char *code, const char *message, uint64_t watch)
{
    struct fs_frame_fault fault = {.code = code, .watch = watch};
    snprintf(fault.message, sizeof fault.message, "%s", message ? message : "");
    return fs_frame_fault(&fault);
}

struct fs_blob *fs_frame_goaway(const char *code, const char *message, int64_t drain_ms, int64_t reconnect_ms)
{
    struct fs_buf out;
    fs_buf_init(&out, 8192);
    fs_buf_adds(&out, "{\"type\":\"goaway\"");
    fs_push_add_text(&out, "code", code);
    if (message && *message)
        fs_push_add_text(&out, "message", message);
    if (drain_ms > 0) {
        fs_buf_adds(&out, ",\"drain\":");
        fs_buf_addi(&out, drain_ms);
    }
    if (reconnect_ms >= 0) {
        fs_buf_adds(&out, ",\"reconnectAfter\":");
        fs_buf_addi(&out, reconnect_ms);
    }
    fs_buf_addc(&out, '}');
    return blob_of(&out);
}
