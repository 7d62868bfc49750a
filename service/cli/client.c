/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the daemon with libcurl: one at a time, no redirects, no retries, the daemon's own words in
 * errors. */
#include <curl/curl.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include "base/alloc.h"
#include "base/digest.h"
#include "cli_internal.h"

#define ANSWER_MAX (64 * 1024 * 1024)
#define KEY_MAX    4096

void fs_reply_finish(struct fs_reply *reply)
{
    fs_free(reply->text);
    json_decref(reply->json);
    memset(reply, 0, sizeof *reply);
}

void fs_percent_encode(struct fs_buf *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                     strchr("-._~", *p);
        if (plain)
            fs_buf_addc(out, (char)*p);
        else
            fs_buf_addf(out, "%%%02X", *p);
    }
}

void fs_query_add(struct fs_buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    fs_buf_addf(path, "%c%s=", strchr(path->data, '?') ? '&' : '?', name);
    fs_percent_encode(path, value);
}

void fs_query_option(struct fs_buf *path, const struct fs_config *config, enum fs_option_id id)
{
    const char *text = fs_config_text(config, id);
    char number[32];
    snprintf(number, sizeof number, "%" PRId64, fs_config_number(config, id));
    if (fs_config_said(config, id))
        fs_query_add(path, fs_option(id)->name, text ? text : number);
}

/* What can stand in a header's line. */
static bool is_key(struct fs_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f)
            return false;
    return text.len > 0;
}

bool fs_client_key(const struct fs_cli_call *call, char **key, struct fs_err *err)
{
    const char *path = fs_config_text(&call->config, FS_OPT_KEY_FILE),
               *text = fs_config_text(&call->config, FS_OPT_KEY);
    char bytes[KEY_MAX + 1];
    *key = NULL;
    if (!path) {
        if (text && !is_key(fs_str_from(text)))
            return fs_fail(err, FS_ERR_CONFIG,
                           "FLAGSTAFF_KEY: expected an API key, without blanks and line breaks");
        *key = fs_strdup(text);
        return true;
    }
    FILE *file = fopen(path, "rb");
    if (!file)
        return fs_fail(err, FS_ERR_CONFIG, "%s: %m", path);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    bool fine = !ferror(file) && length <= KEY_MAX;
    if (fclose(file) != 0 || !fine)
        return fs_fail(err, FS_ERR_CONFIG, "%s: it cannot be read, or is no key's file", path);
    struct fs_str trimmed = fs_str_trim((struct fs_str){bytes, length});
    bool whole = is_key(trimmed);
    if (whole)
        *key = fs_strndup(trimmed.ptr, trimmed.len);
    fs_wipe(bytes, sizeof bytes);
    return whole || fs_fail(err, FS_ERR_CONFIG, "%s: expected one line with an API key", path);
}

char *fs_client_url(const struct fs_cli_call *call, struct fs_err *err)
{
    const char *url = fs_config_text(&call->config, FS_OPT_URL);
    const char *scheme = strstr(url, "://");
    bool http = strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
    if (!http || !scheme[3] || strpbrk(url, "?# \t")) {
        fs_fail(err, FS_ERR_USAGE, "--url: expected http://HOST:PORT or https://HOST:PORT, not %.100s", url);
        return NULL;
    }
    if (memchr(scheme + 3, '@', strcspn(scheme + 3, "/"))) {
        fs_fail(err, FS_ERR_USAGE, "--url: no user or password in it; keys come from --key-file");
        return NULL;
    }
    size_t length = strlen(url);
    while (url[length - 1] == '/')
        length--;
    return fs_strndup(url, length);
}

static size_t take(char *bytes, size_t size, size_t count, void *arg)
{
    (void)size; /* 1, says libcurl */
    return fs_buf_add(arg, bytes, count) ? count : 0;
}

/* What the daemon says went wrong: our form, or OFREP's. */
static bool explain(const struct fs_cli_call *call, const struct fs_reply *reply, struct fs_err *err)
{
    static const struct {
        const char *name;
        enum fs_err_code code;
    } known[] = {
#define X(code, name, http, exit_status, meaning) {name, code},
        FS_ERR_MAP(X)
#undef X
    };
    const json_t *error = json_object_get(reply->json, "error");
    const char *name = json_string_value(json_object_get(error, "code")),
               *text = json_string_value(json_object_get(error, "message"));
    if (!text)
        text = json_string_value(json_object_get(reply->json, "errorDetails"));
    enum fs_err_code code = FS_ERR_GENERAL;
    for (size_t i = sizeof known / sizeof *known - 1; i > 0;
         i--) /* of those with one status the first counts */
        if (name ? strcmp(known[i].name, name) == 0 : fs_err_http(known[i].code) == reply->status)
            code = known[i].code;
    bool keyless =
        !fs_config_said(&call->config, FS_OPT_KEY_FILE) && !fs_config_said(&call->config, FS_OPT_KEY);
    const char *hint = code == FS_ERR_UNAUTHENTICATED && keyless ? "; give a key with --key-file" : "";
    if (text)
        return fs_fail(err, code, "%s%s", text, hint);
    return fs_fail(err, code, "the daemon answered with HTTP status %ld%s", reply->status, hint);
}

#define PATIENCE_US 3000000

/* What libcurl calls about once a second while nothing comes. */
struct waiting {
    const struct fs_cli_call *call;
    const char *words; /* NULL: none, or they are said */
    CURL *curl;
};

static int wait_on(void *arg, curl_off_t total, curl_off_t now, curl_off_t to_send, curl_off_t sent)
{
    struct waiting *waiting = arg;
    curl_off_t taken = 0;
    (void)total, (void)now, (void)to_send, (void)sent;
    if (!waiting->words || curl_easy_getinfo(waiting->curl, CURLINFO_TOTAL_TIME_T, &taken) != CURLE_OK ||
        taken < PATIENCE_US)
        return 0;
    fprintf(waiting->call->err, "flagstaff %s: %s\n", fs_command_name(waiting->call->config.command),
            waiting->words);
    waiting->words = NULL;
    return 0;
}

static bool is_loopback(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    return strncmp(host, "127.", 4) == 0 || strncasecmp(host, "localhost", 9) == 0 ||
           strncmp(host, "[::1]", 5) == 0;
}

static void set_up(CURL *curl, const struct fs_cli_call *call, const struct fs_request *request,
                   const char *url, struct fs_buf *body)
{
    int64_t timeout = fs_config_number(&call->config, FS_OPT_TIMEOUT);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "flagstaff-cli/" FLAGSTAFF_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->wait < 0 ? 0L : (long)(timeout + request->wait));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (is_loopback(url)) /* whatever proxy the environment names */
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (fs_config_text(&call->config, FS_OPT_CA_FILE)) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, fs_config_text(&call->config, FS_OPT_CA_FILE));
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* the system's are not trusted beside it */
    }
    if (request->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
}

static struct curl_slist *make_headers(const struct fs_request *request, const char *key)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    char *line =
        fs_format("Content-Type: %s", request->content_type ? request->content_type : "application/json");
    if (request->body)
        headers = curl_slist_append(headers, line);
    fs_free(line);
    if (!key)
        return headers;
    line = fs_format("Authorization: Bearer %s", key);
    headers = curl_slist_append(headers, line);
    fs_wipe(line, strlen(line));
    fs_free(line);
    return headers;
}

static bool perform(const struct fs_cli_call *call, const struct fs_request *request, const char *base,
                    const char *key, struct fs_reply *reply, struct fs_err *err)
{
    CURL *curl = curl_easy_init();
    struct fs_buf body;
    char why[CURL_ERROR_SIZE] = "";
    if (!curl)
        return fs_fail(err, FS_ERR_GENERAL, "libcurl cannot be used");
    char *url = fs_format("%s%s", base, request->path);
    struct waiting waiting = {call, request->patience, curl};
    struct curl_slist *headers = make_headers(request, key);
    fs_buf_init(&body, ANSWER_MAX);
    set_up(curl, call, request, url, &body);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, request->patience ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, wait_on);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &waiting);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
    reply->text = fs_buf_take(&body, &reply->length);
    fs_buf_finish(&body);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    fs_free(url);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return fs_fail(err, FS_ERR_TIMEOUT, "no answer from %s in time (%s)", base, why);
    if (code == CURLE_SSL_CONNECT_ERROR && strcasestr(why, "wrong version number"))
        return fs_fail(err, FS_ERR_UNREACHABLE, "%s does not speak TLS (%s): is it http:// and not https://?",
                       base, why);
    if (code != CURLE_OK)
        return fs_fail(err, FS_ERR_UNREACHABLE,
                       "no daemon can be reached at %s (%s); is it running? flagstaff serve", base,
                       *why ? why : curl_easy_strerror(code));
    return true;
}

static bool ask_locally(const struct fs_cli_call *call, const struct fs_request *request,
                        struct fs_reply *reply, struct fs_err *err)
{
    int status = 0;
    reply->json = call->keys_locally(fs_config_text(&call->config, FS_OPT_DATA),
                                     fs_config_true(&call->config, FS_OPT_CREATE), request->method,
                                     request->path, request->body, &status, err);
    reply->status = status;
    return reply->json && (status / 100 == 2 || explain(call, reply, err));
}

bool fs_client_ask(const struct fs_cli_call *call, const struct fs_request *request, struct fs_reply *reply,
                   struct fs_err *err)
{
    char *key = NULL, *base = NULL;
    bool fine = false;
    memset(reply, 0, sizeof *reply);
    if (call->config.command == FS_COMMAND_KEYS &&
        call->config.values[FS_OPT_DATA].origin == FS_ORIGIN_ARGUMENT && call->keys_locally)
        return ask_locally(call, request, reply, err);
    if (!fs_client_key(call, &key, err))
        goto out;
    base = fs_client_url(call, err);
    if (!base || !perform(call, request, base, key, reply, err))
        goto out;
    if (reply->text)
        reply->json = json_loadb(reply->text, reply->length, JSON_DECODE_ANY, NULL);
    fine = reply->status / 100 == 2 || explain(call, reply, err);
out:
    if (key)
        fs_wipe(key, strlen(key));
    fs_free(key);
    fs_free(base);
    return fine;
}

bool fs_client_get(const struct fs_cli_call *call, const char *path, struct fs_reply *reply,
                   struct fs_err *err)
{
    struct fs_request request = {.method = "GET", .path = path};
    if (!fs_client_ask(call, &request, reply, err))
        return false;
    return reply->json || fs_fail(err, FS_ERR_GENERAL, "the daemon's answer is no JSON: is %s a Flagstaff?",
                                  fs_config_text(&call->config, FS_OPT_URL));
}
