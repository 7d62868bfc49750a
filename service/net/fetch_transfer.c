/* SPDX-License-Identifier: Apache-2.0 */
/* One request on a libcurl easy handle: how it is set up, and what its end means. Knows no batch and no
 * source's dialect. */
#include "fetch_internal.h"
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct fs_transfer *transfer = arg;
    size_t length = size * count;
    return fs_buf_add(&transfer->body, bytes, length)
               ? length
               : 0; /* another number than `length` ends the transfer */
}

struct fs_transfer *fs_transfer_create(struct fs_fetch_source *source, struct fs_fetch_batch *batch,
                                       struct fs_exchange *exchange)
{
    struct fs_transfer *transfer = FS_NEW(struct fs_transfer);
    fs_list_init(&transfer->node);
    fs_list_init(&transfer->member);
    transfer->source = source;
    transfer->batch = batch;
    transfer->exchange = exchange;
    transfer->timeout = source->endpoint.timeout;
    return transfer;
}

static void set_blob(CURL *easy, CURLoption option, const struct fs_fetch_file *file)
{
    if (!file->bytes)
        return;
    struct curl_blob blob = {.data = file->bytes, .len = file->length, .flags = CURL_BLOB_COPY};
    curl_easy_setopt(easy, option, &blob);
}

/* Where and with what credentials. */
static void set_peer(CURL *easy, const struct fs_fetch_source *source)
{
    const struct fs_source_endpoint *endpoint = &source->endpoint;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (endpoint->socket_path)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, endpoint->socket_path);
    if (endpoint->loopback) /* an empty name overrides http_proxy and its like */
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    else /* within one machine packing costs more than it saves */
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    set_blob(easy, CURLOPT_CAINFO_BLOB, &source->ca);
    if (source->ca.bytes) /* the system's are not trusted beside it */
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, &source->certificate);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, &source->key);
    if (source->token) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, source->token);
    }
}

static void set_request(CURL *easy, struct fs_transfer *transfer)
{
    const struct fs_exchange *exchange = transfer->exchange;
    char *url = fs_format("%s%s", transfer->source->endpoint.url, exchange->path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    fs_free(url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    transfer->headers = curl_slist_append(NULL, "Expect:"); /* no round trip before a large body */
    if (exchange->body) {
        char *type = fs_format("Content-Type: %s",
                               exchange->content_type ? exchange->content_type : "application/json");
        transfer->headers = curl_slist_append(transfer->headers, type);
        fs_free(type);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body_length);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
}

bool fs_transfer_start(struct fs_fetch *fetch, struct fs_transfer *transfer)
{
    if (transfer->source->trouble[0]) {
        snprintf(transfer->error, sizeof transfer->error, "%s", transfer->source->trouble);
        return false;
    }
    CURL *easy = fetch->idle.count ? fetch->idle.items[--fetch->idle.count] : curl_easy_init();
    if (!easy) {
        snprintf(transfer->error, sizeof transfer->error, "libcurl gave no handle");
        return false;
    }
    curl_easy_reset(easy);
    transfer->easy = easy;
    fs_buf_init(&transfer->body, fetch->response_limit);
    set_peer(easy, transfer->source);
    set_request(easy, transfer);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT,
                     1L); /* a name server that hangs must not hold up the other sources */
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)transfer->timeout);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    fs_list_append(&fetch->running, &transfer->node);
    return curl_multi_add_handle(fetch->multi, easy) == CURLM_OK;
}

struct fs_transfer *fs_transfer_of(CURL *easy)
{
    char *private = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    return (struct fs_transfer *)(void *)private;
}

static void explain(const struct fs_transfer *transfer, CURLcode code, char scratch[200])
{
    const struct fs_source_endpoint *endpoint = &transfer->source->endpoint;
    char duration[32];
    if (!transfer->easy)
        snprintf(scratch, 200, "%.199s", transfer->error);
    else if (code == CURLE_OPERATION_TIMEDOUT)
        snprintf(scratch, 200, "no answer within %s", fs_format_duration(transfer->timeout, duration));
    else if (code == CURLE_COULDNT_CONNECT)
        snprintf(scratch, 200, "cannot connect to %.150s",
                 endpoint->socket_path ? endpoint->socket_path : endpoint->url);
    else if (code == CURLE_COULDNT_RESOLVE_HOST)
        snprintf(scratch, 200, "cannot resolve the host of %.150s", endpoint->url);
    else
        snprintf(scratch, 200, "%.199s", transfer->error[0] ? transfer->error : curl_easy_strerror(code));
}

struct fs_response fs_transfer_response(const struct fs_transfer *transfer, CURLcode code, char scratch[200])
{
    struct fs_response response = {0};
    long status = 0;
    if (transfer->easy)
        curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (transfer->easy && code == CURLE_OK) {
        response.status = status;
        response.body = transfer->body.data;
        response.length = transfer->body.length;
    } else if (transfer->easy && transfer->body.failed) {
        /* The status stands beside the error, so that an adapter can ask for less at once. */
        char size[32];
        snprintf(size, sizeof size, "%zu", transfer->body.limit);
        snprintf(scratch, 200, "the answer is over %s bytes", size);
        response.status = status;
        response.body = "";
        response.error = scratch;
    } else {
        explain(transfer, code, scratch);
        response.error = scratch;
    }
    return response;
}

void fs_transfer_destroy(struct fs_fetch *fetch, struct fs_transfer *transfer)
{
    fs_list_remove(&transfer->node);
    fs_list_remove(&transfer->member);
    if (transfer->easy) {
        curl_multi_remove_handle(fetch->multi,
                                 transfer->easy); /* closes the connection of one that was still running */
        curl_easy_reset(transfer->easy);
        fs_vec_push(&fetch->idle, transfer->easy);
    }
    curl_slist_free_all(transfer->headers);
    fs_buf_finish(&transfer->body);
    fs_exchange_destroy(transfer->exchange);
    fs_free(transfer);
}
