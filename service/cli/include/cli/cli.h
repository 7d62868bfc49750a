/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: which command, its options, --help, and the commands that talk to a daemon over HTTP and
 * the websocket, as any client could. It starts no daemon and opens no journal: `serve` and `verify` are
 * parsed here and run elsewhere.
 */
#ifndef FS_CLI_CLI_H
#define FS_CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>
#include "base/err.h"
#include "config/config.h"
#include "core/source.h"

struct fs_cli_call {
    struct fs_config config; /* its member `command` says which */
    bool done;               /* nothing is left to do: --help, --print-config, ... were answered */
    int status;              /* of a call that is done */
    FILE *out, *err;         /* borrowed: data goes to the one, words to the other */
    char *const *environment;
    bool reader_gone; /* private: nobody reads `out` any more, which is how a pipe ends */
    /* The type of source of this name, for `check --config`. Whoever knows the types sets it between parse
     * and run; NULL: names of sources are not checked. */
    const struct fs_source_type *(*source_type)(const char *name);
    /* Works on the keys of a data directory on which no daemon runs (`keys --data`): the request as it would
     * go to /v1/keys, the answer's status and body (new reference), or NULL with err. `create`: a directory
     * without a journal gets one, instead of an error. Set like source_type.
     */
    json_t *(*keys_locally)(const char *data, bool create, const char *method, const char *path,
                            const char *body, int *status, struct fs_err *err);
};

/* From main()'s arguments. Prints what was asked for (--help, --version, --print-config) and then sets
 * `done`. False with `err`: unknown command or option, wrong configuration. Finish the call in either case.
 */
bool fs_cli_parse(struct fs_cli_call *call, int argc, char *const *argv, char *const *environment,
                  struct fs_err *err);
/* The same with other places than stdout and stderr, for tests. */
bool fs_cli_parse_to(struct fs_cli_call *call, int argc, char *const *argv, char *const *environment,
                     FILE *out, FILE *errors, struct fs_err *err);
/* Runs every command but serve and verify. Says on call->err what went wrong; returns the exit status
 * (base/err.h). */
int fs_cli_run(struct fs_cli_call *call);
void fs_cli_call_finish(struct fs_cli_call *call); /* accepts NULL and zeroed */

/* --help of one command, of all (a list), and docs/command-line.md. */
void fs_cli_help(enum fs_command command, struct fs_buf *out);
void fs_cli_overview(struct fs_buf *out);
void fs_cli_document(struct fs_buf *out);

#endif
