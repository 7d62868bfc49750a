/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP response of OPA as a struct: which of the outcomes of docs/sources/opa.md it is, its result, its
 * provenance. Knows nothing of batches and questions. Forms of answers:
 * https://www.openpolicyagent.org/docs/rest-api#data-api, #errors.
 */
#include "opa_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/digest.h"
#include "base/str.h"
#include "core/json.h"

#define REVISION_LIMIT (64u << 10)
#define DOCUMENT_SHOWN 64 /* a longer document at revisionPath stands as its hash */

void fs_opa_line(char *out, size_t size, const char *text)
{
    size_t length = 0;
    for (; text[length] && text[length] != '\n' && length + 1 < size; length++)
        out[length] = (unsigned char)text[length] < 0x20 || text[length] == 0x7f ? ' ' : text[length];
    while (length > 0 && ((unsigned char)out[length - 1] == ' ' || out[length - 1] == ':'))
        length--;
    out[length] = 0;
    while (length > 0 && !fs_utf8_valid(out, length)) /* cut within a character */
        out[--length] = 0;
}

/* The first error of evaluation. A cancelled evaluation says nothing of policy or input: OPA stopped or we
 * hung up. */
static const json_t *evaluation_error(const json_t *body)
{
    const json_t *errors = json_object_get(body, "errors");
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *error = json_array_get(errors, i);
        const char *code = fs_json_text(error, "code");
        if (code && strncmp(code, "eval_", 5) == 0 && strcmp(code, "eval_cancel_error") != 0)
            return error;
    }
    return NULL;
}

static void read_failure(long status, const json_t *body, struct fs_opa_reading *out)
{
    const char *code = fs_json_text(body, "code"), *message = fs_json_text(body, "message");
    const json_t *evaluation = status == 500 ? evaluation_error(body) : NULL;
    char text[121] = "", what[41] = "";
    if (evaluation) {
        out->outcome = FS_OPA_EVAL;
        code = fs_json_text(evaluation, "code");
        message = fs_json_text(evaluation, "message");
    } else if (status == 401 || status == 403) {
        out->outcome = FS_OPA_REFUSED;
    } else if ((status == 400 || status == 413) && code) {
        out->outcome = FS_OPA_REJECTED;
    } else {
        out->outcome = FS_OPA_GONE;
    }
    if (message)
        fs_opa_line(text, sizeof text, message);
    if (code)
        fs_opa_line(what, sizeof what, code);
    snprintf(out->error, sizeof out->error, "OPA answered %ld%s%s%s%s", status, *what ? " " : "", what,
             *text ? ": " : "", text);
}

static void read_provenance(struct fs_opa_reading *out)
{
    const json_t *bundles = json_object_get(json_object_get(out->body, "provenance"), "bundles");
    out->bundles = fs_opa_bundles_text(bundles, NULL);
    out->revision = fs_opa_bundles_text(bundles, "revision");
    out->decision_id = fs_json_text(out->body, "decision_id");
}

static void read_success(const struct fs_response *response, struct fs_opa_reading *out)
{
    struct fs_err err = {0};
    if (response->error) { /* cut off, for its size */
        out->outcome = FS_OPA_UNREADABLE;
        fs_opa_line(out->error, sizeof out->error, response->error);
        return;
    }
    out->body = fs_json_read(response->body, response->length, FS_OPA_JSON_DEPTH, &err);
    if (!json_is_object(out->body)) {
        out->outcome = response->length && response->body[0] == '{' ? FS_OPA_UNREADABLE : FS_OPA_GONE;
        char text[151];
        fs_opa_line(text, sizeof text, out->body ? "it is no object" : err.text);
        snprintf(out->error, sizeof out->error, "OPA's answer cannot be read: %s", text);
        return;
    }
    out->outcome = FS_OPA_FINE;
    out->result = json_object_get(out->body, "result");
    const json_t *warning = json_object_get(out->body, "warning");
    if (warning) {
        const char *message = fs_json_text(warning, "message");
        char text[160];
        fs_opa_line(text, sizeof text, message ? message : "no message");
        out->warning = true;
        snprintf(out->error, sizeof out->error, "OPA warns about the request: %s", text);
    }
    read_provenance(out);
}

void fs_opa_read(const struct fs_response *response, struct fs_opa_reading *out)
{
    memset(out, 0, sizeof *out);
    if (response->status == 200) {
        read_success(response, out);
    } else if (response->status == 0) {
        out->outcome = FS_OPA_GONE;
        fs_opa_line(out->error, sizeof out->error, response->error ? response->error : "no answer");
    } else {
        json_t *body =
            fs_json_read(response->body ? response->body : "", response->length, FS_OPA_JSON_DEPTH, NULL);
        read_failure(response->status, body, out);
        json_decref(body);
    }
}

void fs_opa_reading_finish(struct fs_opa_reading *reading)
{
    json_decref(reading->body);
    fs_free(reading->bundles);
    fs_free(reading->revision);
    memset(reading, 0, sizeof *reading);
}

static int by_text(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

char *fs_opa_bundles_text(const json_t *bundles, const char *field)
{
    size_t count = json_object_size(bundles), i = 0;
    const char **names = fs_calloc(count + 1, sizeof *names);
    json_t *object = (json_t *)(uintptr_t)bundles; /* jansson's iterators want it so; it is only read */
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
        names[i++] = json_object_iter_key(at);
    if (count)
        qsort(names, count, sizeof *names, by_text);
    bool declared = !field;
    struct fs_buf out;
    fs_buf_init(&out, REVISION_LIMIT);
    for (i = 0; i < count; i++) {
        const char *revision = field ? fs_json_text(json_object_get(bundles, names[i]), field) : NULL;
        declared = declared || (revision && *revision);
        fs_buf_adds(&out, i ? "," : "");
        fs_buf_adds(&out, names[i]);
        if (field) {
            fs_buf_addc(&out, '=');
            fs_buf_adds(&out, revision ? revision : "");
        }
    }
    char *text = declared ? fs_buf_take(&out, NULL) : NULL;
    if (!text && !field)
        text = fs_strdup("");
    fs_buf_finish(&out);
    fs_free(names);
    return text;
}

/* The document's canonical text, or its hash where that is long. */
static char *document_text(const char *path, const char *canonical)
{
    if (strlen(canonical) <= DOCUMENT_SHOWN)
        return fs_format("%s=%s", path, canonical);
    struct fs_sha256 hash = fs_sha256(canonical, strlen(canonical));
    char hex[2 * FS_SHA256_SIZE + 1];
    return fs_format("%s=sha256:%s", path, fs_hex(hash.bytes, 16, hex));
}

char *fs_opa_revision(const struct fs_opa *opa, const char *bundles_revision)
{
    if (!opa->data_revision)
        return fs_strdup(bundles_revision);
    char *document = document_text(opa->revision_path, opa->data_revision);
    if (!bundles_revision)
        return document;
    char *both = fs_format("%s,%s", bundles_revision, document);
    fs_free(document);
    return both;
}

char *fs_opa_answer_revision(const struct fs_opa *opa, const struct fs_exchange *exchange,
                             const struct fs_opa_reading *reading)
{
    const struct fs_opa_carried *carried = exchange->state;
    if (opa->revision_path && carried->generation != opa->generation)
        return NULL;
    return fs_opa_revision(opa, reading->revision);
}
