/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a daemon is made of, read from its configuration before anything starts. `serve` goes on from here,
 * `serve --check-config` ends here: there is no second opinion of what is right.
 */
#ifndef FS_MAIN_PREPARE_H
#define FS_MAIN_PREPARE_H

#include "base/mistakes.h"
#include "daemon.h"

struct fs_prepared_source {
    void *self; /* of its type; NULL: taken */
    struct fs_source_endpoint endpoint;
};

struct fs_preparation {
    /* The built-in source, and those of the configuration. Owned; NULL: taken. Names are borrowed. */
    struct fs_flagfile_source *known;
    struct fs_prepared_source *sources; /* of each of `known` */
    size_t source_count;
    struct fs_mappings *mappings;  /* owned; NULL: taken */
    struct fs_flag_reading *flags; /* likewise */
};

/* Reads and opens what the options name, and adds all that is wrong to `mistakes`, with FILE:LINE:COLUMN
 * where it comes from the file. What serve starts with all the same is told to `warn`. Makes and changes
 * nothing outside. False: something is wrong. Finish in either case. */
bool fs_prepare(struct fs_preparation *out, const struct fs_daemon_options *options,
                const struct fs_config *config, void (*warn)(const char *text), struct fs_mistakes *mistakes);
void fs_preparation_finish(struct fs_preparation *preparation); /* accepts NULL and zeroed */

#endif
