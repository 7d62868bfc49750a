/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h: HTTP requests on a thread of its own with one libcurl multi handle. Knows nothing of OFREP or
 * OpenFeature but their allocator. A request belongs to whoever made it until it is submitted, then to the
 * thread, which hands it to its `done` and frees it.
 */
#ifndef OFREP_HTTP_H
#define OFREP_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#define HTTP_ANSWER_MAX ((size_t)16 << 20)

struct http;

struct http_request {
    struct http_request *next;
    CURL *easy;
    struct curl_slist *headers;
    char *body;       /* NULL: GET */
    unsigned timeout; /* ms; 0: none, and it is taken for dead when nothing came for `silence` seconds */
    unsigned silence;
    atomic_bool cancelled;
    /* the answer */
    CURLcode code;
    long status; /* 0: none came */
    char error[CURL_ERROR_SIZE];
    char *answer; /* NUL-terminated; NULL: empty */
    size_t length, room;
    char etag[256];
    int64_t retry_after; /* seconds; -1: not said */
    bool is_json, is_stream;
    /* Streams: the answer's pieces, instead of `answer`; false ends it. */
    bool (*piece)(void *user, const char *bytes, size_t length);
    /* On the thread, once; the request is freed after it. */
    void (*done)(struct http_request *request);
    void *user;
    uint64_t tag; /* of whoever made it */
};

struct http_setup {
    const char *ca_file, *proxy; /* borrowed as long as the thread runs */
    /* On the thread, before it waits: what is due; returns ms until it is to be called again. */
    int (*tick)(void *user);
    void *user;
};

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t http_now(void);

/* A request for url; NULL without memory. */
struct http_request *http_request_new(const char *url);
/* Adds `NAME: VALUE`; false without memory. */
bool http_request_header(struct http_request *request, const char *header);
void http_request_free(struct http_request *request);

/* NULL without memory or thread. */
struct http *http_start(const struct http_setup *setup);
/* Takes the request over. Any thread. */
void http_submit(struct http *http, struct http_request *request);
/* Ends a request that was submitted: done is called with code CURLE_ABORTED_BY_CALLBACK. Any thread, while
 * the request is known not to be done. */
void http_cancel(struct http *http, struct http_request *request);
/* Has tick called. Any thread. */
void http_wake(struct http *http);
/* Whether this is its thread. */
bool http_is_own_thread(const struct http *http);
/* Ends the thread; requests that run are done with an error. Not on the thread. NULL is fine. */
void http_stop(struct http *http);

#endif
