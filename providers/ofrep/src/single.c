/* SPDX-License-Identifier: Apache-2.0 */
/*
 * single.c: the dynamic paradigm: one request for each evaluation, which waits for it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openfeature/json.h>
#include <openfeature/memory.h>

#include "ofrep.h"

/* One question, shared by who asked and the http thread; whoever lets go last frees it. Under the provider's
 * lock. */
struct question {
    struct ofrep *ofrep;
    unsigned refs;
    bool done;
    of_error error; /* with item NULL */
    struct item *item;
    char text[300];
};

static void question_unref(struct question *question)
{
    if (--question->refs == 0) {
        item_unref(question->item);
        of_free(question);
    }
}

enum {
    LONGEST_KEY = 4096
}; /* servers and proxies take addresses of some 8 KB, and each byte may become three */

/* 200 has the flag; 400 and 404 may have its error. */
static void read_answer(struct question *question, const struct http_request *request)
{
    of_value *json = NULL;
    if (request->is_json && request->answer != NULL) {
        (void)of_value_from_json(request->answer, request->length, &json, NULL);
    }
    const char *code = of_value_as_string(of_value_get(json, "errorCode"), NULL);
    bool usable = request->status == 200 || (code != NULL && request->status >= 400);
    question->item = usable ? item_new(json) : NULL;
    if (question->item == NULL) {
        question->error = ofrep_failure(request, question->text, sizeof question->text);
    }
    of_value_unref(json);
}

static void on_done(struct http_request *request)
{
    struct question *question = request->user;
    struct ofrep *ofrep = question->ofrep;
    pthread_mutex_lock(&ofrep->lock);
    read_answer(question, request);
    ofrep_heed(ofrep, request);
    question->done = true;
    pthread_cond_broadcast(&ofrep->news);
    question_unref(question);
    pthread_mutex_unlock(&ofrep->lock);
}

static struct http_request *make_request(struct ofrep *ofrep, const char *key, const of_context *context,
                                         const char **problem)
{
    char *escaped = curl_easy_escape(NULL, key, (int)strlen(key));
    /* As a segment of a path, `.` and `..` would go elsewhere. */
    const char *segment = strcmp(key, ".") == 0 ? "%2E" : strcmp(key, "..") == 0 ? "%2E%2E" : escaped;
    char *path = escaped == NULL ? NULL : ofrep_join("/ofrep/v1/evaluate/flags/", segment, "");
    char *body = path == NULL ? NULL : ofrep_body(context);
    struct http_request *request = NULL;
    *problem = "out of memory";
    char *token = body == NULL ? NULL : ofrep_token(ofrep, problem);
    if (token != NULL) {
        request = ofrep_request(ofrep, path, body, token, problem);
    } else {
        of_free(body);
    }
    ofrep_token_free(token);
    curl_free(escaped);
    of_free(path);
    return request;
}

static of_error fail(of_resolution *resolution, of_error error, const char *constant)
{
    resolution->error_message = constant;
    return error;
}

/* With the lock: whether a question may be put now. */
static const char *obstacle(const struct ofrep *ofrep)
{
    return ofrep->http == NULL || ofrep->closing ? "the provider is not started"
           : http_now() < ofrep->not_before      ? "the server asked not to be asked for a while"
                                                 : NULL;
}

of_error single_resolve(struct ofrep *ofrep, const char *key, of_type type, const of_flag_value *otherwise,
                        const of_context *context, of_resolution *resolution)
{
    const char *problem;
    if (ofrep_forked(ofrep)) {
        return fail(resolution, OF_ERROR_PROVIDER_NOT_READY,
                    "this process is a fork of the one that started it");
    }
    if (key[0] == '\0') {
        return fail(resolution, OF_ERROR_FLAG_NOT_FOUND, "the flag's key is empty: there is no such flag");
    }
    if (strlen(key) > LONGEST_KEY) {
        return fail(resolution, OF_ERROR_GENERAL,
                    "the flag's key is longer than the 4096 bytes that fit into a request's address");
    }
    struct question *question = of_alloc(sizeof *question);
    struct http_request *request = question == NULL ? NULL : make_request(ofrep, key, context, &problem);
    if (request == NULL) {
        of_free(question);
        return fail(resolution, OF_ERROR_GENERAL, question == NULL ? "out of memory" : problem);
    }
    memset(question, 0, sizeof *question);
    question->ofrep = ofrep;
    question->refs = 2;
    request->done = on_done;
    request->user = question;
    pthread_mutex_lock(&ofrep->lock);
    problem = obstacle(ofrep);
    if (problem != NULL) {
        of_error error = ofrep->http == NULL ? OF_ERROR_PROVIDER_NOT_READY : OF_ERROR_GENERAL;
        pthread_mutex_unlock(&ofrep->lock);
        http_request_free(request);
        of_free(question);
        return fail(resolution, error, problem);
    }
    ofrep->inside++;
    http_submit(ofrep->http, request);
    while (!question->done) {
        pthread_cond_wait(&ofrep->news, &ofrep->lock); /* libcurl keeps the time */
    }
    of_error error = question->error;
    if (question->item != NULL && question->item->key[0] != '\0' && strcmp(question->item->key, key) != 0) {
        /* A server or proxy that takes an encoded slash for a slash may have gone elsewhere. */
        error = fail(resolution, OF_ERROR_GENERAL, "the server answered for another flag than was asked for");
    } else if (question->item != NULL) {
        error = item_answer(question->item, type, otherwise, resolution);
    } else {
        resolution->error_message = of_resolution_text(resolution, question->text);
    }
    question_unref(question);
    if (--ofrep->inside == 0) {
        pthread_cond_broadcast(&ofrep->news);
    }
    pthread_mutex_unlock(&ofrep->lock);
    return error;
}
