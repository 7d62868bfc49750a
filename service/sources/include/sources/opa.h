/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open Policy Agent as a source: `path` (a rule's or package's value for an input) and `users` (a rule that
 * lists the allowed subjects), asked through its Data API (https://www.openpolicyagent.org/docs/rest-api).
 * How and why: docs/sources/opa.md.
 */
#ifndef FS_SOURCES_OPA_H
#define FS_SOURCES_OPA_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "core/source.h"

#define FS_OPA_MODULE_DEFAULT "flagstaff"

extern const struct fs_source_type fs_source_opa;

/* The Rego module by which one request asks many questions of `queries` (those behind `path`; double ones and
 * any order do no harm). `module` is the policy's id and the first part of its package, NULL for the default.
 * Equal sets of queries give equal text. Owned: fs_free(). */
char *fs_opa_module(const char *module, const char *const *queries, size_t count);

/* What matters of a Status report (https://www.openpolicyagent.org/docs/management-status). */
struct fs_opa_status {
    char *instance;  /* labels.id: which OPA speaks; NULL where it does not say */
    char *revision;  /* active revisions of its bundles, in the form of an answer's revision; NULL: none is
                        active yet */
    char error[200]; /* the first bundle that could not be loaded and why; "" where all is well */
};
/* Reads the body of a report. False with `err` where it is none. Finish with fs_opa_status_finish(). Pure;
 * any thread. */
bool fs_opa_status_read(const char *body, size_t length, struct fs_opa_status *out, struct fs_err *err);
void fs_opa_status_finish(struct fs_opa_status *status); /* accepts NULL and zeroed */

#endif
