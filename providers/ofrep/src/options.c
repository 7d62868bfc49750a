/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: the provider's own copy of its options, what the environment adds (OFREP's ADR 0007), and
 * requests made of both.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <openfeature/json.h>
#include <openfeature/memory.h>

#include "ofrep.h"

#define TOKEN_SIZE 8192

char *ofrep_join(const char *a, const char *b, const char *c)
{
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = of_alloc(size);
    if (text != NULL) {
        snprintf(text, size, "%s%s%s", a, b, c);
    }
    return text;
}

static void free_owned(const char *seen)
{
    union {
        const char *seen;
        char *owned;
    } cast = {.seen = seen};
    of_free(cast.owned);
}

static bool copy_option(const char **to, const char *from)
{
    *to = from == NULL ? NULL : ofrep_join(from, "", "");
    return from == NULL || *to != NULL;
}

/* Takes the line. A line break in it would be another header. */
static bool add_line(struct ofrep *ofrep, char *line)
{
    if (line == NULL || strpbrk(line, "\r\n") != NULL) {
        of_free(line);
        return false;
    }
    char **lines = of_alloc((ofrep->line_count + 1) * sizeof *lines);
    if (lines == NULL) {
        of_free(line);
        return false;
    }
    if (ofrep->line_count > 0) {
        memcpy(lines, ofrep->lines, ofrep->line_count * sizeof *lines);
    }
    of_free(ofrep->lines);
    lines[ofrep->line_count++] = line;
    ofrep->lines = lines;
    return true;
}

/* NAME=VALUE,NAME=VALUE */
static bool add_environment(struct ofrep *ofrep, const char *list)
{
    char *copy = list == NULL ? NULL : ofrep_join(list, "", "");
    bool fine = list == NULL || copy != NULL;
    char *rest = copy, *word;
    while (fine && rest != NULL && (word = strsep(&rest, ",")) != NULL) {
        char *equals = strchr(word, '=');
        if (equals != NULL) {
            *equals = '\0';
            fine = add_line(ofrep, ofrep_join(word + strspn(word, " "), ": ", equals + 1));
        }
    }
    of_free(copy);
    return fine;
}

static unsigned environment_number(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;
    unsigned long number = text == NULL ? 0 : strtoul(text, &end, 10);
    return text == NULL || *end != '\0' || number > 3600000 ? 0 : (unsigned)number;
}

static bool is_http(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

bool ofrep_options_copy(struct ofrep *ofrep, const of_ofrep_options *from, const char **problem)
{
    static const of_ofrep_options plain = OF_OFREP_OPTIONS_INIT;
    of_ofrep_options given = {0}, *to = &ofrep->options;
    from = from == NULL ? &plain : from;
    *problem = "start from OF_OFREP_OPTIONS_INIT";
    if (from->size < sizeof from->size) {
        return false;
    }
    memcpy(&given, from, from->size < sizeof given ? from->size : sizeof given);
    const char *url = given.url != NULL ? given.url : getenv("OFREP_ENDPOINT");
    *problem = "url: where the server is, as http://HOST[:PORT][/PATH] or https://";
    if (url == NULL || !is_http(url)) {
        return false;
    }
    *problem = "key_file and key: give one of them";
    if (given.key_file != NULL && given.key != NULL) {
        return false;
    }
    *problem = "ca_file: it cannot be read";
    if (given.ca_file != NULL && access(given.ca_file, R_OK) != 0) {
        return false;
    }
    *to = given;
    to->url = NULL;
    to->headers = NULL;
    unsigned timeout = given.timeout != 0 ? given.timeout : environment_number("OFREP_TIMEOUT_MS");
    to->timeout = timeout != 0 ? timeout : 10000;
    to->poll = given.poll == 0 ? 30000 : given.poll;
    *problem = "out of memory";
    ofrep->base = ofrep_join(url, "", "");
    bool fine = ofrep->base != NULL;
    for (size_t end = fine ? strlen(ofrep->base) : 0; end > 0 && ofrep->base[end - 1] == '/'; end--) {
        ofrep->base[end - 1] = '\0';
    }
    fine = copy_option(&to->key_file, given.key_file) && fine;
    fine = copy_option(&to->ca_file, given.ca_file) && fine;
    fine = copy_option(&to->proxy, given.proxy) && fine;
    fine = fine && add_environment(ofrep, getenv("OFREP_HEADERS"));
    for (size_t i = 0; fine && i < given.header_count; i++) {
        *problem = "headers: each is NAME: VALUE in one line (or memory is short)";
        fine = add_line(ofrep, ofrep_join(given.headers[i], "", ""));
    }
    return fine;
}

void ofrep_options_finish(struct ofrep *ofrep)
{
    free_owned(ofrep->options.key_file);
    free_owned(ofrep->options.ca_file);
    free_owned(ofrep->options.proxy);
    for (size_t i = 0; i < ofrep->line_count; i++) {
        of_free(ofrep->lines[i]);
    }
    of_free(ofrep->lines);
    of_free(ofrep->base);
}

/* --- requests ---------------------------------------------------------------------------------------- */

static bool read_file(const char *path, char *out, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : 1;
    size_t length = 0;
    while (got != 0 && file >= 0 && length < size - 1) {
        got = read(file, out + length, size - 1 - length);
        if (got < 0 && errno != EINTR) {
            break;
        }
        length += got > 0 ? (size_t)got : 0;
    }
    if (file >= 0) {
        close(file);
    }
    while (length > 0 && strchr(" \t\r\n", out[length - 1]) != NULL) {
        length--;
    }
    out[length] = '\0';
    return got == 0;
}

char *ofrep_token(const struct ofrep *ofrep, const char **problem)
{
    static const char scheme[] = "Authorization: Bearer ";
    const of_ofrep_options *options = &ofrep->options;
    char text[sizeof scheme + TOKEN_SIZE];
    char *token = text + sizeof scheme - 1;
    *problem = "out of memory";
    if (options->key == NULL && options->key_file == NULL) {
        return ofrep_join("", "", "");
    }
    memcpy(text, scheme, sizeof scheme);
    bool fine = options->key != NULL ? options->key(options->user, token, TOKEN_SIZE)
                                     : read_file(options->key_file, token, TOKEN_SIZE);
    fine = fine && token[0] != '\0' && strpbrk(token, "\r\n") == NULL;
    if (!fine) {
        *problem = options->key != NULL ? "there is no token now" : "the key file cannot be read";
    }
    char *line = fine ? ofrep_join(text, "", "") : NULL;
    explicit_bzero(text, sizeof text);
    return line;
}

void ofrep_token_free(char *token)
{
    if (token != NULL) {
        explicit_bzero(token, strlen(token));
        of_free(token);
    }
}

struct http_request *ofrep_request(const struct ofrep *ofrep, const char *path, char *body, const char *token,
                                   const char **problem)
{
    char *url = ofrep_join(ofrep->base, path, "");
    struct http_request *request = url == NULL ? NULL : http_request_new(url);
    of_free(url);
    *problem = "out of memory";
    if (request == NULL) {
        of_free(body);
        return NULL;
    }
    request->body = body;
    request->timeout = ofrep->options.timeout;
    bool fine = http_request_header(request, "Content-Type: application/json") &&
                http_request_header(request, "Accept: application/json") &&
                http_request_header(request, "Expect:");
    for (size_t i = 0; fine && i < ofrep->line_count; i++) {
        fine = http_request_header(request, ofrep->lines[i]);
    }
    if (!fine || (token[0] != '\0' && !http_request_header(request, token))) {
        http_request_free(request);
        return NULL;
    }
    return request;
}

char *ofrep_body(const of_context *context)
{
    char *json = of_context_to_json(context);
    char *body = json == NULL ? NULL : ofrep_join("{\"context\":", json, "}");
    of_free(json);
    return body;
}
