/* SPDX-License-Identifier: Apache-2.0 */
/* A source for the fetch thread's tests: asks GET /QUERY (POST, where there is an input) for each question;
 * 200 is a value, the rest no answer. */
#ifndef FETCH_ECHO_H
#define FETCH_ECHO_H

#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "core/source.h"

static void *echo_create(const char *name, const json_t *options, struct fs_mistakes *mistakes)
{
    (void)name, (void)options, (void)mistakes;
    return FS_NEW(int);
}

static void echo_ask(void *self, const struct fs_asked *batch, size_t count, struct fs_source_out *out)
{
    (void)self;
    for (size_t i = 0; i < count; i++) {
        char *body = batch[i].input_length ? fs_strndup(batch[i].input, batch[i].input_length) : NULL;
        struct fs_exchange *exchange = fs_exchange_create(
            body ? "POST" : "GET", fs_format("/%s", batch[i].query), body, batch[i].input_length);
        exchange->tag = (int)i;
        fs_list_append(&out->exchanges, &exchange->node);
    }
}

static void echo_respond(void *self, const struct fs_asked *batch, size_t count,
                         const struct fs_exchange *exchange, const struct fs_response *response,
                         struct fs_source_out *out)
{
    (void)self, (void)batch, (void)count;
    struct fs_answer answer = {.state = FS_ANSWER_NONE};
    if (response->status == 200 && !response->error) {
        answer.state = FS_ANSWER_VALUE;
        answer.value = json_stringn(response->body, response->length);
    } else {
        answer.error =
            response->error ? fs_strdup(response->error) : fs_format("status %ld", response->status);
    }
    out->answer(out, (size_t)exchange->tag, &answer);
}

/* The probe has two steps. */
static struct fs_exchange *echo_probe(void *self)
{
    int *step = self;
    return fs_exchange_create("GET", fs_strdup(++*step % 2 ? "/probe-first" : "/probe-second"), NULL, 0);
}

static void echo_read_probe(void *self, const struct fs_exchange *exchange,
                            const struct fs_response *response, struct fs_probe *out)
{
    int *step = self;
    memset(out, 0, sizeof *out);
    if (response->status != 200) {
        snprintf(out->error, sizeof out->error, "%.150s", response->error ? response->error : "refused");
        *step = 0;
    } else if (strcmp(exchange->path, "/probe-second") == 0) {
        out->alive = true;
        out->revision = fs_strndup(response->body, response->length);
    }
}

static const char *const echo_kinds[] = {"path", NULL};
static const struct fs_source_type echo = {.name = "echo",
                                           .kinds = echo_kinds,
                                           .create = echo_create,
                                           .destroy = fs_free,
                                           .ask = echo_ask,
                                           .respond = echo_respond,
                                           .probe = echo_probe,
                                           .read_probe = echo_read_probe};

#endif
