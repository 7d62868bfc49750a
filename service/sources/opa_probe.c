/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does OPA live, is it ready, and at which revision? Two steps, since no one request tells both:
 * /health?bundles stays an error until each bundle was activated once, and provenance, which /health does not
 * give, names the revisions. After the first step the outcome is "not alive, no error": the probe goes on,
 * and probe() gives the second (the fetch thread makes it at once).
 */
#include "opa_internal.h"
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "core/json.h"

#define DOCUMENT_LIMIT (1u << 20)

struct fs_exchange *fs_opa_probe(void *self)
{
    struct fs_opa *opa = self;
    struct fs_buf path;
    fs_buf_init(&path, FS_OPA_REQUEST_LIMIT);
    enum fs_opa_tag tag = opa->probing_revision ? FS_OPA_REVISION : FS_OPA_HEALTH;
    opa->probing_revision = false;
    if (tag == FS_OPA_HEALTH) {
        fs_buf_adds(&path, "/health?bundles=true");
    } else if (opa->revision_path) {
        fs_buf_adds(&path, "/v1/data/");
        fs_opa_path_url(&path, opa->revision_path);
        fs_buf_adds(&path, FS_OPA_QUERY);
    } else { /* a constant: nothing of the policy is evaluated */
        fs_buf_addf(&path, "/v1/data/%s/batch/version" FS_OPA_QUERY, opa->module_id);
    }
    return fs_opa_exchange(tag, "GET", &path, NULL);
}

static void read_health(struct fs_opa *opa, const struct fs_response *response, struct fs_probe *out)
{
    char text[120] = "";
    if (response->status == 200) {
        opa->probing_revision = true;
        return;
    }
    if (response->status == 0) {
        fs_opa_line(out->error, sizeof out->error, response->error ? response->error : "no answer");
        return;
    }
    struct fs_err err = {0};
    json_t *body =
        fs_json_read(response->body ? response->body : "", response->length, FS_OPA_JSON_DEPTH, &err);
    const char *why = fs_json_text(body, "error");
    why = why ? why : fs_json_text(body, "message");
    fs_opa_line(text, sizeof text, why ? why : "no reason given");
    snprintf(out->error, sizeof out->error, "/health?bundles answered %ld: %s", response->status, text);
    if (response->status == 500)
        opa->ready = false;
    json_decref(body);
}

static bool read_document(struct fs_opa *opa, const struct fs_opa_reading *reading, struct fs_probe *out)
{
    if (!opa->revision_path)
        return true;
    if (!reading->result) {
        opa->ready = false;
        snprintf(out->error, sizeof out->error,
                 "the document at revisionPath is undefined: the data is not loaded");
        return false;
    }
    char *text = fs_json_canonical_text(reading->result, DOCUMENT_LIMIT, NULL);
    if (!text) {
        snprintf(out->error, sizeof out->error, "the document at revisionPath is over %u bytes",
                 DOCUMENT_LIMIT);
        return false;
    }
    if (!opa->data_revision || strcmp(opa->data_revision, text) != 0)
        opa->generation++;
    fs_free(opa->data_revision);
    opa->data_revision = text;
    return true;
}

static void read_revision(struct fs_opa *opa, const struct fs_response *response, struct fs_probe *out)
{
    struct fs_opa_reading reading;
    fs_opa_read(response, &reading);
    if (reading.outcome != FS_OPA_FINE) {
        fs_opa_line(out->error, sizeof out->error, reading.error);
    } else if (read_document(opa, &reading, out)) {
        fs_free(opa->bundles);
        opa->bundles = fs_strdup(reading.bundles);
        opa->ready = true;
        opa->singles -= opa->singles > 0;
        out->alive = true;
        out->revision = fs_opa_revision(opa, reading.revision);
    }
    fs_opa_reading_finish(&reading);
}

void fs_opa_read_probe(void *self, const struct fs_exchange *exchange, const struct fs_response *response,
                       struct fs_probe *out)
{
    memset(out, 0, sizeof *out);
    if (exchange->tag == FS_OPA_HEALTH)
        read_health(self, response, out);
    else
        read_revision(self, response, out);
}
