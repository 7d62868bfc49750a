/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the connection's members of a source's entry. Knows no kind of source and opens nothing. */
#include "sources/endpoint.h"
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "core/json.h"

static const char *const endpoint_members[] = {"type",   "url",     "timeout",         "tokenFile",
                                               "caFile", "keyFile", "certificateFile", "revalidate"};
#define ENDPOINT_MEMBERS (sizeof endpoint_members / sizeof *endpoint_members)
#define OWN_MEMBERS_MAX  16
#define TIMEOUT_MIN      10    /* ms */
#define TIMEOUT_MAX      60000 /* ms */
#define SOCKET_PATH_MAX  107   /* sockaddr_un, with its NUL */

/* Without user information, query or fragment: a secret in a URL would end up in logs and process lists. */
static bool url_text_valid(const char *name, const char *url, struct fs_err *err)
{
    for (const unsigned char *p = (const unsigned char *)url; *p; p++)
        if (*p <= 0x20 || *p == 0x7f || *p == '\\')
            return fs_fail(err, FS_ERR_CONFIG,
                           "sources.%s.url: white space, '\\' and control characters do not belong there",
                           name);
    if (strpbrk(url, "?#"))
        return fs_fail(err, FS_ERR_CONFIG,
                       "sources.%s.url: expected the server's base URL, such as http://127.0.0.1:8181, "
                       "without '?' and '#'",
                       name);
    return true;
}

static bool host_is_loopback(const char *host, size_t length)
{
    struct fs_str text = {host, length};
    if (fs_str_is(text, "localhost") || fs_str_is(text, "[::1]") ||
        fs_str_ends_with(text, FS_STR(".localhost")))
        return true;
    if (!fs_str_starts_with(text, FS_STR("127.")))
        return false;
    for (size_t i = 0; i < length; i++) /* 127.example.com is somebody else's */
        if (host[i] != '.' && (host[i] < '0' || host[i] > '9'))
            return false;
    return true;
}

static bool read_http_url(const char *name, const char *url, struct fs_source_endpoint *out,
                          struct fs_err *err)
{
    const char *host = strstr(url, "://") + 3;
    size_t authority = strcspn(host, "/");
    if (memchr(host, '@', authority))
        return fs_fail(
            err, FS_ERR_CONFIG,
            "sources.%s.url: no user or password in it: put the token into a file and name it as tokenFile",
            name);
    size_t host_length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    if (host_length == 0 || host_length > authority)
        return fs_fail(err, FS_ERR_CONFIG,
                       "sources.%s.url: it names no host: expected http://127.0.0.1:8181 or the like", name);
    const char *port = host + host_length;
    if (*port == ':') {
        uint64_t number = 0;
        struct fs_str digits = {port + 1, authority - host_length - 1};
        if (!fs_parse_u64(digits, &number) || number == 0 || number > 65535)
            return fs_fail(err, FS_ERR_CONFIG, "sources.%s.url: its port is no number from 1 to 65535", name);
    } else if (*port && *port != '/') {
        return fs_fail(err, FS_ERR_CONFIG, "sources.%s.url: '%s' is no URL", name, url);
    }
    out->loopback = host_is_loopback(host, host_length);
    size_t length = strlen(url);
    while (url[length - 1] == '/')
        length--;
    out->url = fs_strndup(url, length);
    return true;
}

static bool read_url(const char *name, const json_t *options, struct fs_source_endpoint *out,
                     struct fs_err *err)
{
    const char *url = fs_json_text(options, "url");
    if (!url)
        return fs_fail(err, FS_ERR_CONFIG,
                       "sources.%s: 'url' is missing or no text: expected http://127.0.0.1:8181 or the like",
                       name);
    if (!url_text_valid(name, url, err))
        return false;
    struct fs_str text = fs_str_from(url);
    if (fs_str_starts_with(text, FS_STR("http://")) || fs_str_starts_with(text, FS_STR("https://")))
        return read_http_url(name, url, out, err);
    if (!fs_str_starts_with(text, FS_STR("unix:///")))
        return fs_fail(err, FS_ERR_CONFIG,
                       "sources.%s.url: '%s' starts neither with http://, https:// nor unix:///", name, url);
    const char *path = url + strlen("unix://");
    if (strlen(path) > SOCKET_PATH_MAX || path[1] == 0)
        return fs_fail(err, FS_ERR_CONFIG, "sources.%s.url: the socket's path has 1 to %d bytes", name,
                       SOCKET_PATH_MAX);
    out->socket_path = fs_strdup(path);
    out->url = fs_strdup("http://localhost");
    out->loopback = true;
    return true;
}

static bool read_duration(const char *name, const json_t *options, const char *member, int64_t *out,
                          struct fs_err *err)
{
    const json_t *value = json_object_get(options, member);
    if (!value)
        return true;
    if (!json_is_string(value) || !fs_parse_duration(fs_str_from(json_string_value(value)), out))
        return fs_fail(err, FS_ERR_CONFIG, "sources.%s.%s: expected a duration such as 500ms or 2s", name,
                       member);
    return true;
}

static bool read_file(const char *name, const json_t *options, const char *member, char **out,
                      struct fs_err *err)
{
    const json_t *value = json_object_get(options, member);
    if (!value)
        return true;
    const char *text = json_string_value(value);
    if (!text || !*text)
        return fs_fail(err, FS_ERR_CONFIG, "sources.%s.%s: expected the path of a file", name, member);
    *out = fs_strdup(text);
    return true;
}

static bool read_timeout(const char *name, const json_t *options, struct fs_source_endpoint *out,
                         struct fs_err *err)
{
    if (!read_duration(name, options, "timeout", &out->timeout, err))
        return false;
    if (out->timeout < TIMEOUT_MIN || out->timeout > TIMEOUT_MAX)
        return fs_fail(err, FS_ERR_CONFIG, "sources.%s.timeout: expected %dms to %ds", name, TIMEOUT_MIN,
                       TIMEOUT_MAX / 1000);
    return true;
}

static bool read_revalidate(const char *name, const json_t *options, struct fs_source_endpoint *out,
                            struct fs_err *err)
{
    if (!read_duration(name, options, "revalidate", &out->revalidate, err))
        return false;
    if (out->revalidate == 0)
        return fs_fail(err, FS_ERR_CONFIG, "sources.%s.revalidate: expected more than 0", name);
    return true;
}

static bool read_members(const char *name, const json_t *options, struct fs_source_endpoint *out,
                         struct fs_mistakes *mistakes)
{
    const struct {
        const char *member;
        char **out;
    } files[] = {{"tokenFile", &out->token_file},
                 {"caFile", &out->ca_file},
                 {"certificateFile", &out->certificate_file},
                 {"keyFile", &out->key_file}};
    struct fs_err err;
    bool all = read_url(name, options, out, &err) || fs_mistake(mistakes, &err);
    if (!read_timeout(name, options, out, &err))
        all = fs_mistake(mistakes, &err);
    if (!read_revalidate(name, options, out, &err))
        all = fs_mistake(mistakes, &err);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!read_file(name, options, files[i].member, files[i].out, &err))
            all = fs_mistake(mistakes, &err);
    if (!json_object_get(options, "certificateFile") != !json_object_get(options, "keyFile"))
        all = fs_mistake_new(mistakes, FS_ERR_CONFIG, "sources.%s: certificateFile and keyFile go together",
                             name);
    return all;
}

bool fs_source_endpoint_read(const char *name, const json_t *options, struct fs_source_endpoint *out,
                             struct fs_mistakes *mistakes)
{
    memset(out, 0, sizeof *out);
    out->timeout = FS_SOURCE_TIMEOUT_DEFAULT;
    out->revalidate = -1;
    if (!json_is_object(options))
        return fs_mistake_new(mistakes, FS_ERR_CONFIG, "sources.%s: expected an object with type and url",
                              name);
    if (read_members(name, options, out, mistakes))
        return true;
    fs_source_endpoint_finish(out);
    return false;
}

void fs_source_endpoint_copy(struct fs_source_endpoint *out, const struct fs_source_endpoint *endpoint)
{
    *out = *endpoint;
    out->url = fs_strdup(endpoint->url);
    out->socket_path = fs_strdup(endpoint->socket_path);
    out->token_file = fs_strdup(endpoint->token_file);
    out->ca_file = fs_strdup(endpoint->ca_file);
    out->certificate_file = fs_strdup(endpoint->certificate_file);
    out->key_file = fs_strdup(endpoint->key_file);
}

void fs_source_endpoint_finish(struct fs_source_endpoint *endpoint)
{
    if (!endpoint)
        return;
    fs_free(endpoint->url);
    fs_free(endpoint->socket_path);
    fs_free(endpoint->token_file);
    fs_free(endpoint->ca_file);
    fs_free(endpoint->certificate_file);
    fs_free(endpoint->key_file);
    memset(endpoint, 0, sizeof *endpoint);
}

bool fs_source_members_known(const char *name, const json_t *options, const char *const *own,
                             struct fs_mistakes *mistakes)
{
    const char *known[ENDPOINT_MEMBERS + OWN_MEMBERS_MAX + 1];
    char where[160];
    size_t count = 0;
    for (; count < ENDPOINT_MEMBERS; count++)
        known[count] = endpoint_members[count];
    for (; *own && count < ENDPOINT_MEMBERS + OWN_MEMBERS_MAX; own++)
        known[count++] = *own;
    known[count] = NULL;
    snprintf(where, sizeof where, "sources.%s.", name);
    return fs_json_all_known(options, known, where, FS_ERR_CONFIG, mistakes);
}
