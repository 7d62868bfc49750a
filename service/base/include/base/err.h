/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: what went wrong, where, and what to do, in one value that travels by out-parameter. Functions
 * return bool or a pointer; false or NULL means that `err` is filled in. One table gives every code its
 * name, its HTTP status and its exit status.
 */
#ifndef FS_BASE_ERR_H
#define FS_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*      code             name on the wire     HTTP exit  meaning */
#define FS_ERR_MAP(X)                                                                                        \
    X(FS_OK, "ok", 200, 0, "no error")                                                                       \
    X(FS_ERR_GENERAL, "general", 500, 1, "something failed")                                                 \
    X(FS_ERR_USAGE, "usage", 400, 2, "the command line is wrong")                                            \
    X(FS_ERR_CONFIG, "invalid-config", 500, 3, "the configuration is wrong")                                 \
    X(FS_ERR_FLAGS, "invalid-flags", 500, 3, "a flag file is wrong")                                         \
    X(FS_ERR_NOT_FOUND, "not-found", 404, 4, "there is no such thing")                                       \
    X(FS_ERR_UNAUTHENTICATED, "unauthenticated", 401, 5, "no credential, or one that is not known")          \
    X(FS_ERR_FORBIDDEN, "forbidden", 403, 5, "the credential does not allow it")                             \
    X(FS_ERR_CSRF, "csrf", 403, 5, "a session's request that is not known to come from our own page")        \
    X(FS_ERR_UNREACHABLE, "unreachable", 502, 6, "a server cannot be reached")                               \
    X(FS_ERR_TIMEOUT, "timeout", 504, 7, "no answer in time")                                                \
    X(FS_ERR_DIFFERS, "differs", 409, 8, "a check found differences")                                        \
    X(FS_ERR_INVALID, "invalid", 400, 2, "the input is malformed")                                           \
    X(FS_ERR_UNSUPPORTED, "unsupported-media-type", 415, 2, "the format is not understood")                  \
    X(FS_ERR_TOO_LARGE, "too-large", 413, 2, "the input is over a limit")                                    \
    X(FS_ERR_LIMIT, "limit", 429, 1, "a limit on how much or how often was hit")                             \
    X(FS_ERR_CONFLICT, "conflict", 409, 1, "the same identity with other content; it is there already")      \
    X(FS_ERR_UNAVAILABLE, "unavailable", 503, 6, "not now: a needed part does not work")                     \
    X(FS_ERR_METHOD, "method-not-allowed", 405, 2, "the resource does not take this method")

enum fs_err_code {
#define X(code, name, http, exit_status, meaning) code,
    FS_ERR_MAP(X)
#undef X
};

const char *fs_err_name(enum fs_err_code code);
int fs_err_http(enum fs_err_code code);
int fs_err_exit(enum fs_err_code code);

struct fs_err {
    enum fs_err_code code;
    char text[480]; /* what, where in the input, what to do next; one line, no secrets */
};

/* Fills in `err` (may be NULL) and returns false, so that `return fs_fail(err, ...)` ends a function. */
bool fs_fail(struct fs_err *err, enum fs_err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "context: " before the text that is there. Returns false. */
bool fs_fail_in(struct fs_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
