/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what OPA tells of itself (https://www.openpolicyagent.org/docs/management-status): 60 kB, of which
 * only who speaks, the active revisions and what could not be loaded matter. A report is no change: it comes
 * after every poll of a bundle; compare revisions.
 */
#include "opa_internal.h"
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "core/json.h"

static void read_error(const json_t *bundles, struct fs_opa_status *out)
{
    json_t *object = (json_t *)(uintptr_t)bundles; /* jansson's iterators want it so; it is only read */
    for (void *at = json_object_iter(object); at && !*out->error; at = json_object_iter_next(object, at)) {
        const json_t *bundle = json_object_iter_value(at);
        const char *code = fs_json_text(bundle, "code"), *message = fs_json_text(bundle, "message");
        char name[41], what[31], text[111];
        if (!code)
            continue;
        fs_opa_line(name, sizeof name, json_object_iter_key(at));
        fs_opa_line(what, sizeof what, code);
        fs_opa_line(text, sizeof text, message ? message : "no message");
        snprintf(out->error, sizeof out->error, "bundle %s: %s: %s", name, what, text);
    }
}

bool fs_opa_status_read(const char *body, size_t length, struct fs_opa_status *out, struct fs_err *err)
{
    memset(out, 0, sizeof *out);
    json_t *report = fs_json_read(body, length, FS_OPA_JSON_DEPTH, err);
    if (!report)
        return fs_fail_in(err, "OPA's status report");
    const json_t *labels = json_object_get(report, "labels"), *bundles = json_object_get(report, "bundles");
    bool valid = json_is_object(labels) && (!bundles || json_is_object(bundles));
    if (valid) {
        out->instance = fs_strdup(fs_json_text(labels, "id"));
        out->revision = fs_opa_bundles_text(bundles, "active_revision");
        read_error(bundles, out);
    }
    json_decref(report);
    return valid ||
           fs_fail(err, FS_ERR_INVALID, "OPA's status report: expected an object with labels and bundles");
}

void fs_opa_status_finish(struct fs_opa_status *status)
{
    if (!status)
        return;
    fs_free(status->instance);
    fs_free(status->revision);
    memset(status, 0, sizeof *status);
}
