/* SPDX-License-Identifier: Apache-2.0 */
/* The data directory; see directory.h. */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"

static bool fail_errno(struct fs_err *err, const char *path, const char *doing)
{
    int error = errno;
    enum fs_err_code code =
        error == ENOSPC || error == EDQUOT || error == EIO ? FS_ERR_UNAVAILABLE : FS_ERR_CONFIG;
    return fs_fail(err, code, "%s: cannot %s: %s", path, doing, strerror(error));
}

char *fs_directory_path(const char *directory, const char *name)
{
    return fs_format("%s/%s", directory, name);
}

bool fs_directory_make(const char *directory, struct fs_err *err)
{
    char *path = fs_strdup(directory);
    bool made = true;
    for (char *at = path + 1; *path && made; at++) {
        char saved = *at;
        if (saved && saved != '/')
            continue;
        *at = 0;
        if (mkdir(path, 0700) == 0)
            made = fs_directory_sync(path, err);
        else if (errno != EEXIST)
            made = fail_errno(err, path, "make the data directory");
        *at = saved;
        if (!saved)
            break;
    }
    struct stat st;
    if (made && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
        made = fs_fail(err, FS_ERR_CONFIG, "%s: the data directory is no directory", directory);
    fs_free(path);
    return made;
}

static bool fail_locked(int lock, const char *directory, struct fs_err *err)
{
    char text[24] = "";
    ssize_t got = pread(lock, text, sizeof text - 1, 0);
    text[got > 0 ? strcspn(text, "\n") : 0] = 0;
    return fs_fail(err, FS_ERR_GENERAL,
                   "%s: process %s uses this data directory: stop it, or give this one another (--data)",
                   directory, *text ? text : "(unknown)");
}

int fs_directory_lock(const char *directory, struct fs_err *err)
{
    char *path = fs_directory_path(directory, FS_DIRECTORY_LOCK);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
        fail_errno(err, path, "open the lock");
        goto out;
    }
    bool taken = flock(lock, LOCK_EX | LOCK_NB) == 0;
    if (!taken && errno == EWOULDBLOCK)
        fail_locked(lock, directory, err);
    else if (!taken)
        fail_errno(err, path, "lock");
    if (taken && (ftruncate(lock, 0) != 0 || dprintf(lock, "%ld\n", (long)getpid()) < 0))
        taken = fail_errno(err, path, "write to the lock");
    if (!taken) {
        close(lock);
        lock = -1;
    }
out:
    fs_free(path);
    return lock;
}

void fs_directory_unlock(int lock)
{
    if (lock < 0)
        return;
    /* The file stays: removing it would let two processes hold locks on two files of one name. */
    if (ftruncate(lock, 0) != 0) {
        /* An old number in a lock that nobody holds misleads nobody. */
    }
    close(lock);
}

bool fs_directory_sync(const char *file, struct fs_err *err)
{
    const char *slash = strrchr(file, '/');
    char *directory = slash ? fs_strndup(file, slash == file ? 1 : (size_t)(slash - file)) : fs_strdup(".");
    int handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = handle >= 0 && fsync(handle) == 0;
    if (!synced)
        fail_errno(err, directory, "write the directory to disk");
    if (handle >= 0)
        close(handle);
    fs_free(directory);
    return synced;
}

bool fs_directory_touch(const char *directory, const char *name, bool *made, struct fs_err *err)
{
    char *path = fs_directory_path(directory, name);
    bool fine = true;
    int handle = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made)
        *made = handle >= 0;
    if (handle >= 0) {
        close(handle);
        fine = fs_directory_sync(path, err);
    } else if (errno != EEXIST) {
        fine = fail_errno(err, path, "make");
    }
    fs_free(path);
    return fine;
}

bool fs_directory_empty(const char *file)
{
    struct stat st;
    return stat(file, &st) == 0 && st.st_size == 0;
}

bool fs_directory_write(const char *file, const void *bytes, size_t length, struct fs_err *err)
{
    int handle = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (handle < 0)
        return fail_errno(err, file, "make");
    errno = ENOSPC; /* what a short write means */
    bool written = write(handle, bytes, length) == (ssize_t)length && fsync(handle) == 0;
    if (!written) {
        fail_errno(err, file, "write");
        unlink(file);
    }
    close(handle);
    return written && fs_directory_sync(file, err);
}

static bool read_key(int handle, const char *path, struct fs_sha256 *out, struct fs_err *err)
{
    struct stat st;
    if (fstat(handle, &st) != 0)
        return fail_errno(err, path, "read");
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return fs_fail(err, FS_ERR_CONFIG, "%s: others may read the audit key: chmod 600 it", path);
    if (st.st_size != FS_SHA256_SIZE || read(handle, out->bytes, FS_SHA256_SIZE) != FS_SHA256_SIZE)
        return fs_fail(err, FS_ERR_CONFIG, "%s: this is no audit key (%d bytes are wanted)", path,
                       FS_SHA256_SIZE);
    return true;
}

bool fs_directory_has_room(const char *directory, int64_t bytes)
{
    char *path = fs_directory_path(directory, "room.new");
    int handle = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool room = handle >= 0 && posix_fallocate(handle, 0, (off_t)bytes) == 0;
    if (handle >= 0) {
        close(handle);
        unlink(path);
    }
    fs_free(path);
    return room;
}

/* Under the lock; a crash leaves no key or a whole one. */
static bool make_key(const char *path, struct fs_sha256 *out, struct fs_err *err)
{
    char *draft = fs_format("%s.new", path);
    fs_random(out->bytes, FS_SHA256_SIZE);
    unlink(draft);
    bool fine = fs_directory_write(draft, out->bytes, FS_SHA256_SIZE, err);
    if (fine && rename(draft, path) != 0)
        fine = fail_errno(err, path, "make");
    fine = fine && fs_directory_sync(path, err);
    fs_free(draft);
    return fine;
}

bool fs_directory_key(const char *directory, bool make, struct fs_sha256 *out, struct fs_err *err)
{
    char *path = fs_directory_path(directory, FS_DIRECTORY_KEY);
    bool fine = false;
    int handle = open(path, O_RDONLY | O_CLOEXEC);
    if (handle >= 0) {
        fine = read_key(handle, path, out, err);
        close(handle);
    } else if (errno == ENOENT && make) {
        fine = make_key(path, out, err);
    } else if (errno == ENOENT) {
        fs_fail(err, FS_ERR_CONFIG, "%s is missing: restore it from where the backup is (FILE.key)", path);
    } else {
        fail_errno(err, path, "read");
    }
    fs_free(path);
    return fine;
}
