/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c: see http.h.
 */
#include "http.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <openfeature/memory.h>

struct http {
    struct http_setup setup;
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t lock;
    struct http_request *submitted; /* newest first */
    bool stopping;
    struct http_request *running; /* the thread's */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

int64_t http_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- requests ---------------------------------------------------------------------------------------- */

struct http_request *http_request_new(const char *url)
{
    pthread_once(&once, init_curl);
    struct http_request *request = of_alloc(sizeof *request);
    if (request == NULL) {
        return NULL;
    }
    memset(request, 0, sizeof *request);
    request->retry_after = -1;
    request->easy = curl_easy_init();
    if (request->easy == NULL || curl_easy_setopt(request->easy, CURLOPT_URL, url) != CURLE_OK) {
        http_request_free(request);
        return NULL;
    }
    return request;
}

bool http_request_header(struct http_request *request, const char *header)
{
    struct curl_slist *headers = curl_slist_append(request->headers, header);
    if (headers != NULL) {
        request->headers = headers;
    }
    return headers != NULL;
}

void http_request_free(struct http_request *request)
{
    if (request != NULL) {
        curl_easy_cleanup(request->easy);
        curl_slist_free_all(request->headers);
        of_free(request->body);
        of_free(request->answer);
        of_free(request);
    }
}

static size_t on_data(char *bytes, size_t size, size_t count, void *user)
{
    struct http_request *request = user;
    size_t length = size * count;
    if (request->piece != NULL && request->is_stream) {
        return request->piece(request->user, bytes, length) ? length : 0;
    }
    if (request->length + length > HTTP_ANSWER_MAX) {
        return 0;
    }
    if (request->length + length + 1 > request->room) {
        size_t room = (request->length + length + 1) * 2;
        char *larger = of_alloc(room);
        if (larger == NULL) {
            return 0;
        }
        if (request->length > 0) {
            memcpy(larger, request->answer, request->length);
        }
        of_free(request->answer);
        request->answer = larger;
        request->room = room;
    }
    memcpy(request->answer + request->length, bytes, length);
    request->length += length;
    request->answer[request->length] = '\0';
    return length;
}

/* The header's value without blanks around it, where it is the one of this name. */
static bool is_header(const char *line, size_t length, const char *name, char *value, size_t size)
{
    size_t skip = strlen(name);
    if (length < skip + 1 || strncasecmp(line, name, skip) != 0 || line[skip] != ':') {
        return false;
    }
    const char *begin = line + skip + 1, *end = line + length;
    while (begin < end && (*begin == ' ' || *begin == '\t')) {
        begin++;
    }
    while (end > begin && strchr(" \t\r\n", end[-1]) != NULL) {
        end--;
    }
    size_t count = (size_t)(end - begin);
    if (count >= size) {
        return false; /* too long to be of use */
    }
    memcpy(value, begin, count);
    value[count] = '\0';
    return true;
}

/* RFC 9110, 10.2.3: seconds, or a date. */
static int64_t read_delay(const char *value)
{
    char *end;
    long long seconds = strtoll(value, &end, 10);
    if (*value >= '0' && *value <= '9' && *end == '\0') {
        return seconds;
    }
    time_t date = curl_getdate(value, NULL);
    return date < 0 ? -1 : date > time(NULL) ? (int64_t)(date - time(NULL)) : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    struct http_request *request = user;
    size_t length = size * count;
    char value[256];
    if (length > 5 &&
        strncasecmp(line, "HTTP/", 5) == 0) { /* another answer begins, such as one behind 100 */
        request->etag[0] = '\0';
        request->retry_after = -1;
        request->is_json = request->is_stream = false;
    } else if (is_header(line, length, "ETag", value, sizeof value)) {
        memcpy(request->etag, value, sizeof value);
    } else if (is_header(line, length, "Retry-After", value, sizeof value)) {
        request->retry_after = read_delay(value);
    } else if (is_header(line, length, "Content-Type", value, sizeof value)) {
        size_t type = strcspn(value, "; \t");
        request->is_json = type >= 4 && strncasecmp(value + type - 4, "json", 4) == 0;
        request->is_stream = type == 17 && strncasecmp(value, "text/event-stream", type) == 0;
    }
    return length;
}

static bool set_up(const struct http *http, struct http_request *request)
{
    CURL *easy = request->easy;
    const struct http_setup *setup = &http->setup;
    bool fine = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PROXY, setup->proxy == NULL ? "" : setup->proxy) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_WRITEDATA, request) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_HEADERDATA, request) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PRIVATE, request) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK && /* flags may be called `..` */
                curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout) == CURLE_OK;
    if (fine && setup->ca_file != NULL) {
        /* Instead of the system's, not beside them: libcurl would go on to look into its own folder. */
        fine = curl_easy_setopt(easy, CURLOPT_CAINFO, setup->ca_file) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
    }
    if (fine && request->silence != 0) {
        fine = curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)request->silence) == CURLE_OK;
    }
    if (fine && request->body != NULL) {
        fine = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK;
    }
    return fine;
}

/* --- the thread -------------------------------------------------------------------------------------- */

/* Off the list, told, and freed. */
static void settle(struct http *http, struct http_request *request, CURLcode code)
{
    for (struct http_request **link = &http->running; *link != NULL; link = &(*link)->next) {
        if (*link == request) {
            *link = request->next;
            break;
        }
    }
    request->code = code;
    (void)curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &request->status);
    (void)curl_multi_remove_handle(http->multi, request->easy);
    if (code != CURLE_OK && request->error[0] == '\0') {
        strncpy(request->error, curl_easy_strerror(code), sizeof request->error - 1);
    }
    request->done(request);
    http_request_free(request);
}

static void begin(struct http *http, struct http_request *request)
{
    request->next = http->running;
    http->running = request;
    if (!set_up(http, request) || curl_multi_add_handle(http->multi, request->easy) != CURLM_OK) {
        settle(http, request, CURLE_OUT_OF_MEMORY);
    }
}

/* Returns whether to go on. */
static bool take_submitted(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    struct http_request *list = http->submitted, *ordered = NULL;
    http->submitted = NULL;
    bool going = !http->stopping;
    pthread_mutex_unlock(&http->lock);
    while (list != NULL) {
        struct http_request *request = list;
        list = request->next;
        request->next = ordered;
        ordered = request;
    }
    while (ordered != NULL) {
        struct http_request *request = ordered;
        ordered = request->next;
        begin(http, request);
    }
    return going;
}

/* Whether any request was done. */
static bool finish_done(struct http *http)
{
    bool any = false;
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;) {
        struct http_request *request = NULL;
        if (message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;
            (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
            settle(http, request, code);
            any = true;
        }
    }
    for (struct http_request *request = http->running, *next; request != NULL; request = next) {
        next = request->next;
        if (request->cancelled) {
            settle(http, request, CURLE_ABORTED_BY_CALLBACK);
            next = http->running; /* done may have changed the list */
            any = true;
        }
    }
    return any;
}

static _Thread_local const struct http *own; /* whose thread this is */

bool http_is_own_thread(const struct http *http)
{
    return http != NULL && own == http;
}

static void *run(void *user)
{
    struct http *http = user;
    own = http;
    while (take_submitted(http)) {
        int running;
        int wait = http->setup.tick == NULL ? 60000 : http->setup.tick(http->setup.user);
        (void)curl_multi_perform(http->multi, &running);
        /* What was done may have made something due. */
        if (!finish_done(http)) {
            (void)curl_multi_poll(http->multi, NULL, 0, wait, NULL);
        }
    }
    while (http->running != NULL) {
        settle(http, http->running, CURLE_ABORTED_BY_CALLBACK);
    }
    return NULL;
}

struct http *http_start(const struct http_setup *setup)
{
    pthread_once(&once, init_curl);
    struct http *http = of_alloc(sizeof *http);
    if (http == NULL) {
        return NULL;
    }
    memset(http, 0, sizeof *http);
    http->setup = *setup;
    http->multi = curl_multi_init();
    pthread_mutex_init(&http->lock, NULL);
    /* Signals are the application's. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool fine = http->multi != NULL && pthread_create(&http->thread, NULL, run, http) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!fine) {
        curl_multi_cleanup(http->multi);
        pthread_mutex_destroy(&http->lock);
        of_free(http);
        return NULL;
    }
    return http;
}

void http_submit(struct http *http, struct http_request *request)
{
    pthread_mutex_lock(&http->lock);
    request->next = http->submitted;
    http->submitted = request;
    pthread_mutex_unlock(&http->lock);
    http_wake(http);
}

void http_cancel(struct http *http, struct http_request *request)
{
    request->cancelled = true;
    http_wake(http);
}

void http_wake(struct http *http)
{
    (void)curl_multi_wakeup(http->multi);
}

void http_stop(struct http *http)
{
    if (http == NULL) {
        return;
    }
    pthread_mutex_lock(&http->lock);
    http->stopping = true;
    pthread_mutex_unlock(&http->lock);
    http_wake(http);
    pthread_join(http->thread, NULL);
    while (http->submitted != NULL) {
        struct http_request *request = http->submitted;
        http->submitted = request->next;
        request->code = CURLE_ABORTED_BY_CALLBACK;
        request->done(request);
        http_request_free(request);
    }
    curl_multi_cleanup(http->multi);
    pthread_mutex_destroy(&http->lock);
    of_free(http);
}
