/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that a source's connection needs: bearer token, CA, client certificate and key. Read when the
 * source is added and on SIGHUP, held as bytes (libcurl compares them, so that a renewed certificate gets a
 * new connection), wiped when let go. Contents reach no log and no error.
 */
#include "fetch_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/str.h"

#define TOKEN_LIMIT (16u << 10)
#define PEM_LIMIT   (4u << 20)

static void file_finish(struct fs_fetch_file *file)
{
    if (file->bytes)
        fs_wipe(file->bytes, file->length);
    fs_free(file->bytes);
    memset(file, 0, sizeof *file);
}

/* false with errno. */
static bool read_all(int descriptor, char *bytes, size_t size, size_t *length)
{
    *length = 0;
    while (*length < size) {
        ssize_t got = read(descriptor, bytes + *length, size - *length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            return true;
        *length += (size_t)got;
    }
    errno = EFBIG;
    return false;
}

/* The whole file, with a NUL behind it. false with errno. */
static bool file_read(const char *path, size_t limit, struct fs_fetch_file *out)
{
    struct fs_fetch_file room = {.bytes = NULL};
    memset(out, 0, sizeof *out);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    room.bytes = fs_alloc(limit + 1);
    bool done = read_all(descriptor, room.bytes, limit + 1, &room.length);
    int error = errno;
    close(descriptor);
    if (done) {
        out->bytes = fs_strndup(room.bytes, room.length);
        out->length = room.length;
    }
    file_finish(&room);
    errno = error;
    return done;
}

static void load_pem(struct fs_fetch_source *source, const char *member, const char *path,
                     struct fs_fetch_file *file)
{
    file_finish(file);
    if (path && !file_read(path, PEM_LIMIT, file))
        snprintf(source->trouble, sizeof source->trouble, "%s cannot be read: %s", member, strerror(errno));
}

/* The text without the white space around it; what cannot stand in a header is refused. */
static bool token_clean(struct fs_fetch_file *file)
{
    struct fs_str text = fs_str_trim((struct fs_str){file->bytes, file->length});
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= 0x20 || (unsigned char)text.ptr[i] >= 0x7f)
            return false;
    if (text.len == 0)
        return false;
    memmove(file->bytes, text.ptr, text.len);
    file->bytes[text.len] = 0;
    return true;
}

static void load_token(struct fs_fetch_source *source)
{
    struct fs_fetch_file file;
    if (source->token)
        fs_wipe(source->token, strlen(source->token));
    fs_free(source->token);
    source->token = NULL;
    if (!source->endpoint.token_file)
        return;
    if (!file_read(source->endpoint.token_file, TOKEN_LIMIT, &file)) {
        snprintf(source->trouble, sizeof source->trouble, "tokenFile cannot be read: %s", strerror(errno));
        return;
    }
    if (token_clean(&file))
        source->token = fs_strdup(file.bytes);
    else
        snprintf(source->trouble, sizeof source->trouble,
                 "tokenFile holds no token: expected one line of visible ASCII");
    file_finish(&file);
}

void fs_fetch_secrets_load(struct fs_fetch_source *source)
{
    source->trouble[0] = 0;
    load_pem(source, "caFile", source->endpoint.ca_file, &source->ca);
    load_pem(source, "certificateFile", source->endpoint.certificate_file, &source->certificate);
    load_pem(source, "keyFile", source->endpoint.key_file, &source->key);
    load_token(source);
    if (source->trouble[0])
        FS_LOG_ERROR("source", "cannot be asked", "source", source->name, "why", source->trouble);
}

void fs_fetch_secrets_finish(struct fs_fetch_source *source)
{
    file_finish(&source->ca);
    file_finish(&source->certificate);
    file_finish(&source->key);
    if (source->token)
        fs_wipe(source->token, strlen(source->token));
    fs_free(source->token);
    source->token = NULL;
}
