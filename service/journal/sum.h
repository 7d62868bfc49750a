/* SPDX-License-Identifier: Apache-2.0 */
/* The sum over keyed hashes of the base state's rows: a number modulo 2^256, so that rows can come and go
 * without the others being read (docs/journal.md gives the bytes). Pure; any thread. */
#ifndef FS_JOURNAL_SUM_H
#define FS_JOURNAL_SUM_H

#include "base/buf.h"
#include "base/digest.h"

void fs_sum_add(struct fs_sha256 *sum, const struct fs_sha256 *hash);
void fs_sum_subtract(struct fs_sha256 *sum, const struct fs_sha256 *hash);
/* A text of a row, so that no two rows read alike: LENGTH:BYTES, or -, for NULL. */
void fs_sum_text(struct fs_buf *out, const char *text);

#endif
