/* SPDX-License-Identifier: Apache-2.0 */
/* flagstaff watch: what the connection's side (watch.c) and the printing side (watch_print.c) share. */
#ifndef FS_CLI_WATCH_INTERNAL_H
#define FS_CLI_WATCH_INTERNAL_H

#include <pthread.h>
#include <wire/wire.h>
#include "cli_internal.h"

struct watching {
    struct fs_cli_call *call;
    size_t subject_width;
    bool *seen;            /* of each subject: its first snapshot has come; owned */
    pthread_t main;        /* is told by SIGTERM when there is nothing to go on with */
    enum fs_err_code code; /* why it ended; read by main once the client is gone */
    char text[300];
    char message[300]; /* of the last state, which is not said twice */
};

/* The client's callbacks: on its thread, one at a time. `watch_user` is the subject. */
void fs_watch_print_change(void *user, const struct fsw_change *change);
void fs_watch_print_state(void *user, const struct fsw_state_info *info);
void fs_watch_print_error(void *user, const struct fsw_watch_error *error);
/* Ends the program with this error. */
void fs_watch_end(struct watching *watching, enum fs_err_code code, const char *text);

#endif
