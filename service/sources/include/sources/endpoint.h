/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a source's entry in the configuration that concern the connection and not the kind of
 * source. They are read here and nowhere else: an adapter's create() calls fs_source_endpoint_read() to
 * validate them and drops the result, the fetch thread (service/net) calls it to use them. No file is opened
 * here. Pure; any thread.
 */
#ifndef FS_SOURCES_ENDPOINT_H
#define FS_SOURCES_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/mistakes.h"

#define FS_SOURCE_TIMEOUT_DEFAULT 1000 /* ms */

struct fs_source_endpoint {
    char *url;              /* base URL without a slash at its end; "http://localhost" for a Unix socket */
    char *socket_path;      /* of a unix:///... URL, else NULL */
    char *token_file;       /* bearer token, read by the fetch thread; NULL: none */
    char *ca_file;          /* PEM; NULL: the system's */
    char *certificate_file; /* PEM, for mutual TLS; NULL: none */
    char *key_file;         /* PEM; NULL: none */
    int64_t timeout;        /* ms for each exchange */
    int64_t revalidate; /* ms; -1: not said. Not the fetch thread's: it lies here because every entry may have
                           it */
    bool loopback;      /* the host is this machine: no proxy stands between */
};

/* Reads `type`, `url`, `timeout`, `tokenFile`, `caFile`, `certificateFile`, `keyFile` and `revalidate`;
 * leaves all other members alone. `name` is the source's, for errors. False with all that is wrong added
 * to `mistakes` (which member, what was expected); `out` is then empty. Finish with
 * fs_source_endpoint_finish(). */
bool fs_source_endpoint_read(const char *name, const json_t *options, struct fs_source_endpoint *out,
                             struct fs_mistakes *mistakes);
void fs_source_endpoint_copy(struct fs_source_endpoint *out, const struct fs_source_endpoint *endpoint);
void fs_source_endpoint_finish(struct fs_source_endpoint *endpoint); /* accepts NULL and zeroed */

/* True when each member of `options` is one of the endpoint's or one of `own` (NULL-terminated); else false
 * with a mistake for each stranger, which names it and what was probably meant. */
bool fs_source_members_known(const char *name, const json_t *options, const char *const *own,
                             struct fs_mistakes *mistakes);

#endif
