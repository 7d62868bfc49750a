/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: the client's own copy of its options, and where the credential comes from.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool copy_text(const char **to, const char *from)
{
    if (from == NULL) {
        *to = NULL;
        return true;
    }
    *to = strdup(from);
    return *to != NULL;
}

static bool short_name(const char *name)
{
    return name == NULL || (name[0] != '\0' && strlen(name) < FSW_NAME_SIZE);
}

bool fsw_options_copy(struct fsw_options *to, const struct fsw_options *from, const char **why)
{
    memset(to, 0, sizeof *to);
    if (from == NULL || from->size < offsetof(struct fsw_options, client_name) || from->version == 0 ||
        from->version > FSW_VERSION) {
        *why = "options: start from FSW_OPTIONS_INIT";
        return false;
    }
    struct fsw_options given = {0};
    memcpy(&given, from, from->size < sizeof given ? from->size : sizeof given);
    if (!short_name(given.client_name) || !short_name(given.client_version)) {
        *why = "options: client_name and client_version have 1 to 64 bytes";
        return false;
    }
    if ((given.client_certificate == NULL) != (given.client_key == NULL)) {
        *why = "options: client_certificate and client_key go together";
        return false;
    }
    *to = given;
    to->url = to->client_name = to->client_version = to->token_file = to->ca_file = to->proxy = NULL;
    to->client_certificate = to->client_key = NULL;
    to->connect_timeout = given.connect_timeout == 0 ? 10000 : given.connect_timeout;
    to->backoff_base = given.backoff_base == 0 ? 100 : given.backoff_base;
    to->backoff_cap = given.backoff_cap == 0 ? 30000 : given.backoff_cap;
    to->max_message = given.max_message == 0 ? (size_t)16 << 20 : given.max_message;
    *why = "out of memory";
    return copy_text(&to->url, given.url) &&
           copy_text(&to->client_name, given.client_name == NULL ? "flagstaff-wire" : given.client_name) &&
           copy_text(&to->client_version, given.client_version == NULL ? "0" : given.client_version) &&
           copy_text(&to->token_file, given.token_file) && copy_text(&to->ca_file, given.ca_file) &&
           copy_text(&to->proxy, given.proxy) &&
           copy_text(&to->client_certificate, given.client_certificate) &&
           copy_text(&to->client_key, given.client_key);
}

static void free_text(const char *text)
{
    union {
        const char *seen;
        char *owned;
    } cast = {.seen = text};
    free(cast.owned);
}

void fsw_options_finish(struct fsw_options *options)
{
    free_text(options->url);
    free_text(options->client_name);
    free_text(options->client_version);
    free_text(options->token_file);
    free_text(options->ca_file);
    free_text(options->proxy);
    free_text(options->client_certificate);
    free_text(options->client_key);
}

static bool read_file(const char *path, char *out, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return false;
    }
    size_t length = 0;
    ssize_t got = 1;
    while (got != 0 && length < size - 1) {
        got = read(file, out + length, size - 1 - length);
        if (got < 0 && errno != EINTR) {
            break;
        }
        length += got > 0 ? (size_t)got : 0;
    }
    close(file);
    out[length] = '\0';
    return got == 0;
}

/* White space around a token is an editor's; within it, or a control character, would be another header. */
static bool trim(char *token)
{
    size_t begin = strspn(token, " \t\r\n"), end = strlen(token);
    while (end > begin && strchr(" \t\r\n", token[end - 1]) != NULL) {
        end--;
    }
    memmove(token, token + begin, end - begin);
    token[end - begin] = '\0';
    for (const char *c = token; *c != '\0'; c++) {
        if (*c <= ' ' || *c == 0x7f) {
            return false;
        }
    }
    return token[0] != '\0';
}

bool fsw_options_token(const struct fsw_options *options, char *out, size_t size, const char **why)
{
    out[0] = '\0';
    if (options->token == NULL && options->token_file == NULL) {
        return true;
    }
    if (options->token != NULL ? !options->token(options->user, out, size)
                               : !read_file(options->token_file, out, size)) {
        *why = options->token != NULL ? "there is no token now"
                                      : "the token file cannot be read, or is too large";
        return false;
    }
    *why = "the token is empty, or has a space or a control character in it";
    return trim(out);
}
