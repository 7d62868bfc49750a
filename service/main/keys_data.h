/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a data directory on which no daemon runs. */
#ifndef FS_MAIN_KEYS_DATA_H
#define FS_MAIN_KEYS_DATA_H

#include <jansson.h>
#include "base/err.h"

/* As fs_cli_call.keys_locally wants it. NULL with `err`: no journal lies there and none is to be
 * made (`create`), another process holds the directory's lock (named),
 * or it cannot be opened. */
json_t *fs_keys_in_directory(const char *data, bool create, const char *method, const char *path,
                             const char *body, int *status, struct fs_err *err);

#endif
