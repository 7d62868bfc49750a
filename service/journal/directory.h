/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data directory: its lock, the audit key, the names of its files and their modes (0700, 0600).
 * Knows nothing of SQLite.
 */
#ifndef FS_JOURNAL_DIRECTORY_H
#define FS_JOURNAL_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/err.h"

#define FS_DIRECTORY_DATABASE "journal.db"
#define FS_DIRECTORY_LOCK     "lock"
#define FS_DIRECTORY_KEY      "audit.key"

/* "directory/name"; owned by the caller. */
char *fs_directory_path(const char *directory, const char *name);
/* Makes the directory and those above it where they are missing. */
bool fs_directory_make(const char *directory, struct fs_err *err);
/* Takes the lock and writes this process's id into it. The file descriptor, or -1 with `err`, which names the
 * process that has it. */
int fs_directory_lock(const char *directory, struct fs_err *err);
/* Gives it up. Accepts -1. */
void fs_directory_unlock(int lock);
/* Makes an empty file with mode 0600 if it is missing, and makes the name durable. `made` tells (may be
 * NULL). */
bool fs_directory_touch(const char *directory, const char *name, bool *made, struct fs_err *err);
/* The file has no bytes. */
bool fs_directory_empty(const char *file);
/* The disk has room for `bytes` more: tried with a file that is removed again. */
bool fs_directory_has_room(const char *directory, int64_t bytes);
/* The key of the audit chain. `make`: draws one where the file is missing. A file that others may read, or of
 * the wrong length, is an error. */
bool fs_directory_key(const char *directory, bool make, struct fs_sha256 *out, struct fs_err *err);
/* Writes a new file with mode 0600, onto the disk. It must not exist. */
bool fs_directory_write(const char *file, const void *bytes, size_t length, struct fs_err *err);
/* fsync(2) of the directory that holds `file`: the name itself is then durable. */
bool fs_directory_sync(const char *file, struct fs_err *err);

#endif
