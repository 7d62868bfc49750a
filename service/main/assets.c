/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board's files over HTTP: those in the binary, or, for its developers, those of a directory
 * (`dashboardDir`), which a worker of their own reads, so that who looks at them holds up nothing else. The
 * page is `/` for whoever accepts HTML; its files are below /board/, and those with a hash in their name
 * never change.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "assets.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/fault.h"
#include "base/str.h"
#include "daemon.h"

#define FILE_MOST  (16 * 1024 * 1024)
#define FILES_MOST 16 /* in memory or waiting for it, of all connections; a browser asks for six at once */

/* The page runs what comes from here and nothing else, is shown in no frame, and tells nobody where it was.
 * https://www.w3.org/TR/CSP3/ */
#define PAGE_LINES                                                                                           \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "      \
    "data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "      \
    "'none'\r\nReferrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n"

static const char *type_of(const char *path)
{
    static const struct {
        const char *ending, *type;
    } table[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".woff2", "font/woff2"},
        {".json", "application/json"},
    };
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending && i < sizeof table / sizeof *table; i++) {
        if (!strcmp(ending, table[i].ending))
            return table[i].type;
    }
    return "application/octet-stream";
}

/* If-None-Match is "*" or a list of tags, each perhaps with W/ before it: RFC 9110, 13.1.2. */
static bool is_known(const char *if_none_match, const char *etag)
{
    return if_none_match && (!strcmp(if_none_match, "*") || strstr(if_none_match, etag));
}

/* Takes the blob. */
static void reply_file(struct fs_server *server, uint64_t request, const char *if_none_match,
                       const char *type, const char *etag, const char *lines, struct fs_blob *body)
{
    char *headers = fs_format("ETag: %s\r\n%s" PAGE_LINES, etag, lines);
    bool known = is_known(if_none_match, etag);
    if (known) {
        fs_blob_unref(body);
        body = NULL;
    }
    fs_server_reply(server, request, known ? 304 : 200, known ? NULL : type, headers, body);
    fs_free(headers);
}

static void reply_missing(struct fs_server *server, uint64_t request, const char *path)
{
    struct fs_err err;
    if (!strcmp(path, "index.html"))
        fs_fail(&err, FS_ERR_NOT_FOUND,
                "this daemon has no board: it was built without Node, or dashboardDir has no index.html");
    else
        fs_fail(&err, FS_ERR_NOT_FOUND, "the board has no file %.100s", path);
    fs_api_error(server, request, &err);
}

static void reply_asset(struct fs_daemon *daemon, struct fs_net_message *message,
                        const struct fs_asset *asset)
{
    bool hashed = !strncmp(asset->path, "assets/", 7);
    const char *lines = hashed ? "Cache-Control: public, max-age=31536000, immutable\r\n"
                                 "Content-Encoding: gzip\r\n"
                               : "Cache-Control: no-cache\r\nContent-Encoding: gzip\r\n";
    reply_file(daemon->server, message->connection, fs_http_header(message->request, "if-none-match"),
               asset->type, asset->etag, lines, fs_blob_copy(asset->bytes, asset->length));
}

struct reading {
    atomic_int *files;
    struct fs_server *server;
    uint64_t request;
    const char *directory;
    char *path, *if_none_match;
};

static void reading_destroy(struct reading *reading)
{
    fs_free(reading->path);
    fs_free(reading->if_none_match);
    fs_free(reading);
}

/* Nothing above or beside the directory, and nothing hidden in it. */
static bool is_inside(const char *path)
{
    return *path && *path != '/' && *path != '.' && !strstr(path, "/.") && !strchr(path, '%');
}

static struct fs_blob *read_file(int handle)
{
    struct stat about;
    if (fstat(handle, &about) || !S_ISREG(about.st_mode) || about.st_size > FILE_MOST)
        return NULL;
    struct fs_blob *blob = fs_blob_create((size_t)about.st_size);
    for (size_t done = 0; done < blob->length;) {
        ssize_t got = read(handle, blob->bytes + done, blob->length - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            fs_blob_unref(blob);
            return NULL;
        }
        done += (size_t)got;
    }
    return blob;
}

static void read_aside(void *arg)
{
    struct reading *reading = arg;
    fs_fault_wait(fs_fault("board.read")); /* a slow disk */
    char *name = fs_format("%s/%s", reading->directory, reading->path);
    int handle = is_inside(reading->path) ? open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    struct fs_blob *body = handle < 0 ? NULL : read_file(handle);
    if (handle >= 0)
        close(handle);
    if (body) {
        struct fs_sha256 digest = fs_sha256(body->bytes, body->length);
        char etag[2 * FS_SHA256_SIZE + 3] = "\"";
        for (size_t i = 0; i < FS_SHA256_SIZE; i++)
            snprintf(etag + 1 + 2 * i, 4, "%02x\"", digest.bytes[i]);
        reply_file(reading->server, reading->request, reading->if_none_match, type_of(reading->path), etag,
                   "Cache-Control: no-cache\r\n", body);
    } else {
        reply_missing(reading->server, reading->request, reading->path);
    }
    fs_free(name);
    atomic_fetch_sub(reading->files, 1);
    reading_destroy(reading);
}

static void reply_from_directory(struct fs_daemon *daemon, struct fs_net_message *message, const char *path)
{
    struct fs_err err;
    const char *if_none_match = fs_http_header(message->request, "if-none-match");
    struct reading *reading = FS_NEW(struct reading);
    *reading = (struct reading){&daemon->board_files, daemon->server,
                                message->connection,  daemon->options->dashboard_dir,
                                fs_strdup(path),      if_none_match ? fs_strdup(if_none_match) : NULL};
    if (atomic_fetch_add(&daemon->board_files, 1) < FILES_MOST &&
        fs_worker_do(daemon->board_worker, read_aside, reading))
        return;
    atomic_fetch_sub(&daemon->board_files, 1);
    reading_destroy(reading);
    fs_fail(&err, FS_ERR_UNAVAILABLE, "too many files of the board are read at once: try again");
    fs_api_error(daemon->server, message->connection, &err);
}

bool fs_board_is_there(const struct fs_daemon *daemon)
{
    return daemon->options->dashboard_dir || fs_asset_count;
}

void fs_api_board(struct fs_daemon *daemon, struct fs_net_message *message, const char *path)
{
    if (daemon->options->dashboard_dir) {
        reply_from_directory(daemon, message, path);
        return;
    }
    for (size_t i = 0; i < fs_asset_count; i++) {
        if (!strcmp(fs_assets[i].path, path)) {
            reply_asset(daemon, message, &fs_assets[i]);
            return;
        }
    }
    reply_missing(daemon->server, message->connection, path);
}
