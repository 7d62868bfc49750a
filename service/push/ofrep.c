/* SPDX-License-Identifier: Apache-2.0 */
/* OFREP's bodies and ETags. Pure; any thread. */
#include <string.h>
#include "base/digest.h"
#include "base/str.h"
#include "core/json.h"
#include "push/ofrep.h"
#include "value_text.h"

#define DEPTH_MAX 64

json_t *fs_ofrep_context(const char *body, size_t length, const struct fs_frame_limits *limits,
                         const char **code, struct fs_err *err)
{
    size_t bytes = limits->context_bytes ? limits->context_bytes : 8192;
    size_t depth = limits->context_depth ? limits->context_depth : 8;
    json_t *document = length ? fs_json_read(body, length, DEPTH_MAX, err) : json_object();
    json_t *context = NULL;
    *code = "PARSE_ERROR";
    if (!document)
        return NULL;
    *code = "INVALID_CONTEXT";
    json_t *member = json_object_get(document, "context");
    if (!json_is_object(document))
        fs_fail(err, FS_ERR_INVALID, "the body must be an object with the member 'context'");
    else if (member && !json_is_object(member))
        fs_fail(err, FS_ERR_INVALID, "the member 'context' must be an object");
    else if (member && json_dumpb(member, NULL, 0, JSON_COMPACT) > bytes)
        fs_fail(err, FS_ERR_TOO_LARGE, "a context may have at most %zu bytes in compact JSON", bytes);
    else if (member && fs_json_depth(member) > depth)
        fs_fail(err, FS_ERR_TOO_LARGE, "a context may be nested at most %zu deep", depth);
    else
        context = member ? json_incref(member) : json_object();
    json_decref(document);
    return context;
}

static void add_error_members(struct fs_buf *out, const char *key, const char *code, const char *details)
{
    fs_buf_adds(out, "{\"key\":");
    fs_buf_add_json_string(out, key, strlen(key));
    fs_push_add_text(out, "errorCode", code);
    fs_push_add_text(out, "errorDetails", details);
}

/* OpenFeature's metadata are flat: names with commas between. */
static bool add_dropped(struct fs_buf *out, const json_t *dropped, bool first)
{
    if (!json_array_size(dropped))
        return first;
    struct fs_buf names;
    fs_buf_init(&names, 65536);
    for (size_t i = 0; i < json_array_size(dropped); i++)
        fs_buf_addf(&names, i ? ",%s" : "%s", json_string_value(json_array_get(dropped, i)));
    fs_buf_adds(out, first ? "\"flagstaff.dropped\":" : ",\"flagstaff.dropped\":");
    fs_buf_add_json_string(out, names.data, names.length);
    fs_buf_finish(&names);
    return false;
}

/* Codes that OFREP knows for a 400; another is its GENERAL. */
static const char *error_code(enum fs_error_code code)
{
    switch (code) {
    case FS_ERROR_PARSE:
    case FS_ERROR_TARGETING_KEY_MISSING:
    case FS_ERROR_INVALID_CONTEXT:
    case FS_ERROR_FLAG_NOT_FOUND:
        return fs_error_code_name(code);
    default:
        return "GENERAL";
    }
}

static void add_success(struct fs_buf *out, const struct fs_flag *flag,
                        const struct fs_evaluation *evaluation, const json_t *dropped)
{
    const json_t *value = evaluation->value;
    const char *variant = evaluation->variant ? evaluation->variant : "";
    const char *reason = fs_reason_name(evaluation->reason);
    const char *detail = evaluation->detail;
    bool withheld = flag->access && flag->unleased == FS_UNLEASED_SAFE && !evaluation->safe;
    if (flag->access && (!value || withheld)) {
        value = fs_push_safe_value(flag);
        variant = fs_push_safe_variant(flag);
        reason = fs_reason_name(FS_REASON_ERROR);
        detail = withheld ? "over OFREP values have no lease, and the flag says 'unleased: safe'" : detail;
    } else if (flag->access && evaluation->reason == FS_REASON_DISABLED) {
        /* Go's provider gives its caller's default, which may grant, for every answer with reason DISABLED.
         */
        reason = fs_reason_name(FS_REASON_ERROR);
        detail = *detail ? detail : evaluation->override ? "the flag is killed" : "the flag is disabled";
    }
    fs_buf_adds(out, "{\"key\":");
    fs_buf_add_json_string(out, flag->key, strlen(flag->key));
    if (value) {
        fs_push_add_name(out, "value");
        fs_push_add_value(out, flag->type, value);
    }
    fs_push_add_text(out, "reason", reason);
    fs_push_add_text(out, "variant", variant);
    fs_buf_adds(out, ",\"metadata\":{");
    bool first = fs_push_add_metadata(out, flag->metadata, true);
    if (flag->access && !withheld && !evaluation->safe) {
        fs_buf_adds(out, first ? "\"flagstaff.leased\":false" : ",\"flagstaff.leased\":false");
        first = false;
    }
    first = add_dropped(out, dropped, first);
    fs_push_add_own(out, evaluation->override, detail, first);
    fs_buf_adds(out, "}}");
}

int fs_ofrep_add_flag(struct fs_buf *out, const struct fs_flag *flag, const struct fs_evaluation *evaluation,
                      const json_t *dropped)
{
    bool success = flag->access || (evaluation->error == FS_NO_ERROR && evaluation->value);
    if (success) {
        add_success(out, flag, evaluation, dropped);
        return 200;
    }
    bool absent = evaluation->error == FS_NO_ERROR || evaluation->error == FS_ERROR_FLAG_NOT_FOUND;
    const char *details = *evaluation->detail                        ? evaluation->detail
                          : evaluation->reason == FS_REASON_DISABLED ? "the flag is disabled"
                                                                     : "the flag has no value";
    add_error_members(out, flag->key, absent ? "FLAG_NOT_FOUND" : error_code(evaluation->error), details);
    fs_buf_adds(out, ",\"metadata\":{");
    add_dropped(out, dropped, fs_push_add_metadata(out, flag->metadata, true));
    fs_buf_adds(out, "}}");
    return absent ? 404 : 400;
}

int fs_ofrep_add_safe(struct fs_buf *out, const struct fs_flag *flag, const char *why)
{
    struct fs_evaluation safe = {.next_change = INT64_MAX};
    fs_evaluation_safe(&safe, flag, FS_REASON_ERROR);
    snprintf(safe.detail, sizeof safe.detail, "%s", why);
    int status = fs_ofrep_add_flag(out, flag, &safe, NULL);
    fs_evaluation_finish(&safe);
    return status;
}

static void separate(struct fs_buf *out)
{
    if (out->length && out->data[out->length - 1] == '}')
        fs_buf_addc(out, ',');
}

void fs_ofrep_bulk_safe(struct fs_buf *out, const struct fs_flagset *set, bool client_only, const char *why)
{
    fs_ofrep_bulk_begin(out);
    for (size_t i = 0; i < set->count; i++) {
        const struct fs_flag *flag = set->flags[i];
        if (!flag->access || (client_only && flag->visibility != FS_VISIBILITY_CLIENT))
            continue;
        separate(out);
        fs_ofrep_add_safe(out, flag, why);
    }
    fs_ofrep_bulk_end(out, set->metadata, NULL, NULL, 0);
}

void fs_ofrep_bulk_begin(struct fs_buf *out)
{
    fs_buf_adds(out, "{\"flags\":[");
}

void fs_ofrep_bulk_add(struct fs_buf *out, const struct fs_flag *flag, const struct fs_evaluation *evaluation)
{
    separate(out);
    fs_ofrep_add_flag(out, flag, evaluation, NULL);
}

void fs_ofrep_bulk_end(struct fs_buf *out, const json_t *metadata, const json_t *dropped, const char *stream,
                       int inactivity_s)
{
    fs_buf_adds(out, "],\"metadata\":{");
    add_dropped(out, dropped, fs_push_add_metadata(out, metadata, true));
    fs_buf_addc(out, '}');
    if (stream) {
        fs_buf_adds(out, ",\"eventStreams\":[{\"type\":\"sse\"");
        fs_push_add_text(out, "url", stream);
        if (inactivity_s > 0)
            fs_buf_addf(out, ",\"inactivityDelaySec\":%d", inactivity_s);
        fs_buf_adds(out, "}]");
    }
    fs_buf_addc(out, '}');
}

struct fs_blob *fs_ofrep_error(const char *key, const char *code, const char *details)
{
    struct fs_buf out;
    fs_buf_init(&out, 65536);
    add_error_members(&out, key ? key : "", code, details ? details : "");
    fs_buf_adds(&out, ",\"metadata\":{}}");
    struct fs_blob *blob = fs_blob_copy(out.data, out.length);
    fs_buf_finish(&out);
    return blob;
}

struct fs_blob *fs_ofrep_not_found(const char *key)
{
    return fs_ofrep_error(key, "FLAG_NOT_FOUND", "there is no such flag here");
}

const char *fs_ofrep_etag(const void *body, size_t length, char out[FS_OFREP_ETAG_SIZE])
{
    char hex[2 * FS_SHA256_SIZE + 1];
    struct fs_sha256 hash = fs_sha256(body, length);
    snprintf(out, FS_OFREP_ETAG_SIZE, "\"%s\"", fs_hex(hash.bytes, sizeof hash.bytes, hex));
    return out;
}

/* An entity tag without "W/" and quotes. Clients differ in what they send back as a query parameter. */
static struct fs_str opaque(struct fs_str tag)
{
    tag = fs_str_trim(tag);
    if (fs_str_starts_with(tag, FS_STR("W/")))
        tag = (struct fs_str){tag.ptr + 2, tag.len - 2};
    if (tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"')
        tag = (struct fs_str){tag.ptr + 1, tag.len - 2};
    return tag;
}

bool fs_ofrep_unchanged(const char *etag, const char *if_none_match, const char *flag_config_etag)
{
    struct fs_str mine = opaque(fs_str_from(etag));
    if (!if_none_match)
        return false;
    if (flag_config_etag && !fs_str_equal(opaque(fs_str_from(flag_config_etag)), mine))
        return false;
    for (const char *at = if_none_match; *at;) { /* our tags hold no comma */
        size_t length = strcspn(at, ",");
        struct fs_str item = fs_str_trim((struct fs_str){at, length});
        if (fs_str_is(item, "*") || fs_str_equal(opaque(item), mine))
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}
