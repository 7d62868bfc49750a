/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.c: how changes of files are noticed. A path is followed as the kernel follows it, and each name on
 * the way is watched in its directory: the file itself, which editors replace by a rename, each symbolic
 * link, which Kubernetes and deployment tools turn, and each directory, which may be swapped. Files are not
 * watched themselves: a replaced one would be lost.
 */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openfeature/memory.h>

enum { LINKS = 40, SETTLE_MS = 20, BUSY_MS = 100 };

/* What can put another thing in the place of a name, whatever it is; and besides, that a file was written. */
static const uint32_t REPLACED = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                                 IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR | IN_MASK_ADD;
static const uint32_t WRITTEN = IN_CLOSE_WRITE;

/* --- the names that matter --------------------------------------------------------------------------- */

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = of_alloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

/* Room for one more; false without memory, and nothing is changed. */
static bool grow(void **items, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return true;
    }
    size_t more = *room == 0 ? 16 : *room * 2;
    void *grown = of_alloc(more * size);
    if (grown == NULL) {
        return false;
    }
    if (count > 0) {
        memcpy(grown, *items, count * size);
    }
    of_free(*items);
    *items = grown;
    *room = more;
    return true;
}

static bool add_directory(struct watch *watch, int wd, const char *path)
{
    for (size_t i = 0; i < watch->directory_count; i++) {
        if (watch->wds[i] == wd) {
            return true;
        }
    }
    size_t room = watch->directory_room;
    void *wds = watch->wds, *paths = watch->directories;
    bool fine = grow(&wds, watch->directory_count, &room, sizeof *watch->wds);
    watch->wds = wds;
    room = watch->directory_room;
    fine = fine && grow(&paths, watch->directory_count, &room, sizeof *watch->directories);
    watch->directories = paths;
    char *copy = fine ? copy_text(path) : NULL;
    if (copy == NULL) {
        return false;
    }
    watch->directory_room = room;
    watch->wds[watch->directory_count] = wd;
    watch->directories[watch->directory_count++] = copy;
    return true;
}

/* Watches a name in a directory; NULL: every name of a flag file. Adds to what is watched there already. */
static bool add_name(struct watch *watch, const char *directory, const char *name, uint32_t events)
{
    int wd = inotify_add_watch(watch->fd, directory, events);
    if (wd < 0) {
        return errno == ENOENT || errno == ENOTDIR; /* went away just now, which its own directory tells */
    }
    void *names = watch->names;
    bool fine = grow(&names, watch->name_count, &watch->name_room, sizeof *watch->names);
    watch->names = names;
    char *copy = name == NULL || !fine ? NULL : copy_text(name);
    if (!fine || (name != NULL && copy == NULL)) {
        return false;
    }
    watch->names[watch->name_count++] = (struct watched){wd, copy};
    return add_directory(watch, wd, directory);
}

/* --- following a path -------------------------------------------------------------------------------- */

struct walk {
    char at[PATH_MAX];   /* a directory, reached without links */
    char rest[PATH_MAX]; /* what is to be walked from there */
};

static bool join(char out[PATH_MAX], const char *a, const char *b)
{
    const char *slash = a[0] == '\0' || a[strlen(a) - 1] == '/' || b[0] == '\0' ? "" : "/";
    int length = snprintf(out, PATH_MAX, "%s%s%s", a, slash, b);
    return length >= 0 && length < PATH_MAX;
}

/* Takes the first name off the rest; false where there is none. */
static bool next_name(struct walk *walk, char name[NAME_MAX + 1])
{
    const char *from = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(from, "/");
    if (length == 0 || length > NAME_MAX) {
        return false;
    }
    memcpy(name, from, length);
    name[length] = '\0';
    from += length;
    from += strspn(from, "/");
    memmove(walk->rest, from, strlen(from) + 1);
    return true;
}

static void go_up(struct walk *walk)
{
    char *slash = strrchr(walk->at, '/');
    if (slash != NULL) {
        slash[slash == walk->at ? 1 : 0] = '\0';
    }
}

static bool turn_into(struct walk *walk, const char *link)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length <= 0) {
        return false;
    }
    target[length] = '\0';
    if (!join(rest, target, walk->rest)) {
        return false;
    }
    memcpy(walk->rest, rest, sizeof rest);
    if (target[0] == '/') {
        memcpy(walk->at, "/", 2);
    }
    return true;
}

/* False where it cannot be watched whole; that it does not lead to a file is no reason. */
static bool follow(struct watch *watch, const char *path)
{
    struct walk walk = {.at = "/"};
    char name[NAME_MAX + 1], next[PATH_MAX];
    struct stat found;
    if (!join(walk.rest, path, "")) {
        return false;
    }
    for (int links = 0; links < LINKS && next_name(&walk, name);) {
        if (strcmp(name, ".") == 0) {
            continue;
        }
        if (strcmp(name, "..") == 0) {
            go_up(&walk);
            continue;
        }
        if (!join(next, walk.at, name)) {
            return false;
        }
        bool there = lstat(next, &found) == 0;
        bool link = there && S_ISLNK(found.st_mode);
        bool passage = there && !link && walk.rest[0] != '\0';
        bool file = !link && walk.rest[0] == '\0'; /* directories and links are never written */
        errno = 0;
        if (!add_name(watch, walk.at, name, file ? REPLACED | WRITTEN : REPLACED) &&
            !(passage && errno == EACCES)) {
            return false; /* a directory that may not be read is passed through unwatched */
        }
        if (link && !turn_into(&walk, next)) {
            return errno == ENOENT || errno == EINVAL;
        }
        links += link ? 1 : 0;
        if (!link) {
            memcpy(walk.at, next, sizeof next);
        }
        if (!there) {
            break;
        }
    }
    return true;
}

static bool is_flag_file(const char *name)
{
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    size_t length = strlen(name);
    for (size_t i = 0; name[0] != '.' && i < sizeof endings / sizeof endings[0]; i++) {
        size_t size = strlen(endings[i]);
        if (length > size && strcmp(name + length - size, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Calls for a path, or for each flag file where it is a directory. */
static bool each_file(const char *path, bool (*call)(void *user, const char *file), void *user)
{
    char file[PATH_MAX];
    bool fine = true;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return call(user, path);
    }
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (is_flag_file(entry->d_name) && join(file, path, entry->d_name)) {
            fine = call(user, file) && fine;
        }
    }
    closedir(directory);
    return fine;
}

static bool follow_file(void *user, const char *file)
{
    return follow(user, file);
}

static bool follow_path(struct watch *watch, const char *path)
{
    struct stat found;
    bool fine = follow(watch, path);
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode)) {
        fine = add_name(watch, path, NULL, REPLACED | WRITTEN) && each_file(path, follow_file, watch) && fine;
    }
    return fine;
}

/* --- polling ----------------------------------------------------------------------------------------- */

static bool look_at(void *user, const char *file)
{
    uint64_t *sum = user, hash = UINT64_C(14695981039346656037);
    struct stat found = {0};
    (void)stat(file, &found);
    const uint64_t facts[] = {found.st_dev, found.st_ino, (uint64_t)found.st_size,
                              (uint64_t)found.st_mtim.tv_sec, (uint64_t)found.st_mtim.tv_nsec};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        hash = (hash ^ facts[i]) * UINT64_C(1099511628211);
        hash ^= hash >> 29;
    }
    for (const char *at = file; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    }
    *sum += hash; /* whatever order they come in */
    return true;
}

static uint64_t look(const of_file_options *options)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < options->path_count; i++) {
        (void)each_file(options->paths[i], look_at, &sum);
    }
    return sum;
}

/* --- watching ---------------------------------------------------------------------------------------- */

void watch_open(struct watch *watch, const of_file_options *options)
{
    memset(watch, 0, sizeof *watch);
    watch->fd = options->changes == OF_FILE_CHANGES_AUTO ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
    bool fine = watch->fd >= 0;
    for (size_t i = 0; fine && i < options->path_count; i++) {
        fine = follow_path(watch, options->paths[i]);
    }
    if (!fine) {
        watch_close(watch);
    }
    watch->seen = watch->look = watch->fd >= 0 ? 0 : look(options);
}

void watch_close(struct watch *watch)
{
    if (watch->fd >= 0) {
        (void)close(watch->fd);
    }
    for (size_t i = 0; i < watch->name_count; i++) {
        of_free(watch->names[i].name);
    }
    for (size_t i = 0; i < watch->directory_count; i++) {
        of_free(watch->directories[i]);
    }
    of_free(watch->names);
    of_free(watch->directories);
    of_free(watch->wds);
    memset(watch, 0, sizeof *watch);
    watch->fd = -1;
}

/* A file that was made a moment ago is being written, and its end will be told; a link has no such end. */
static bool is_whole(const struct watch *watch, int wd, const char *name)
{
    char path[PATH_MAX];
    struct stat found;
    for (size_t i = 0; i < watch->directory_count; i++) {
        if (watch->wds[i] == wd && join(path, watch->directories[i], name)) {
            return lstat(path, &found) != 0 || !S_ISREG(found.st_mode) || found.st_nlink > 1;
        }
    }
    return true;
}

static bool matters(const struct watch *watch, const struct inotify_event *event)
{
    if ((event->mask & (IN_Q_OVERFLOW | IN_MOVE_SELF | IN_DELETE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0) {
        return true;
    }
    for (size_t i = 0; event->len > 0 && i < watch->name_count; i++) {
        const struct watched *one = &watch->names[i];
        if (one->wd == event->wd &&
            (one->name == NULL ? is_flag_file(event->name) : strcmp(one->name, event->name) == 0)) {
            return (event->mask & IN_CREATE) == 0 || is_whole(watch, event->wd, event->name);
        }
    }
    return false;
}

/* Reads what there is to read; true where something of it matters. */
static bool read_events(const struct watch *watch)
{
    union {
        struct inotify_event first;
        char bytes[8192];
    } buffer;
    bool found = false;
    for (ssize_t got; (got = read(watch->fd, buffer.bytes, sizeof buffer.bytes)) > 0;) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const void *)(buffer.bytes + at);
            found = matters(watch, event) || found;
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
    return found;
}

/* True where it looks otherwise than when it was read, and no more otherwise than at the last look. */
static bool looks_new(struct watch *watch, const of_file_options *options)
{
    uint64_t now = look(options);
    bool settled = now == watch->look;
    watch->look = now;
    return settled && now != watch->seen;
}

bool watch_wait(struct watch *watch, const of_file_options *options, int stop)
{
    struct pollfd ends[] = {{stop, POLLIN, 0}, {watch->fd, POLLIN, 0}}; /* poll() skips what is -1 */
    int pause = watch->fd >= 0 ? -1 : (int)(options->poll > INT_MAX ? INT_MAX : options->poll);
    for (;;) {
        int count = poll(ends, 2, pause);
        if (count > 0 && ends[0].revents != 0) {
            return false;
        }
        if (count > 0 && read_events(watch)) {
            /* Who changes one thing mostly changes more. */
            return poll(ends, 1, SETTLE_MS) <= 0;
        }
        /* What others do in the directory, as in /tmp, wakes no more often than that. */
        if (count > 0 && poll(ends, 1, BUSY_MS) > 0) {
            return false;
        }
        if (count == 0 && looks_new(watch, options)) {
            return true;
        }
    }
}
