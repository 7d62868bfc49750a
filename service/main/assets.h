/* SPDX-License-Identifier: Apache-2.0 */
/* The board's files. The table is made from dashboards/web by the build (dashboards/web/embed.py); it is
 * empty where Node was missing. */
#ifndef FS_MAIN_ASSETS_H
#define FS_MAIN_ASSETS_H

#include <stddef.h>

struct fs_asset {
    const char *path; /* below /board/, such as "assets/index-1a2b.js"; "index.html" is the page itself */
    const char *type;
    const char *etag;           /* SHA-256 of `bytes`, in the quotes of an entity tag */
    const unsigned char *bytes; /* gzipped */
    size_t length;
};

extern const struct fs_asset fs_assets[];
extern const size_t fs_asset_count;

#endif
