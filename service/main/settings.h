/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration to the daemon's options. */
#ifndef FS_MAIN_SETTINGS_H
#define FS_MAIN_SETTINGS_H

#include "config/config.h"
#include "daemon.h"

#define FS_FLAGS_ASKED 1024  /* keys that one watch may ask for */
#define FS_SEND_BYTES  65536 /* of a frame to a client, above which it is split */

/* Fills in all but `data`, which may have to be made up. Borrows from the configuration. */
void fs_settings_read(const struct fs_config *config, struct fs_daemon_options *out);

#endif
