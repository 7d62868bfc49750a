/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are the names in the server's options such as can ever fit? Hosts and Origins are compared as a whole with
 * what clients send, so one that is written otherwise would lock out whom it is to let in, without a word.
 */
#include <string.h>
#include "server_internal.h"

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

/* "name", "name:port", "[::1]:port". Says what is wrong with it, or NULL. */
static const char *why_no_host(const char *host)
{
    bool brackets = *host == '[';
    size_t length = brackets ? 1 + strspn(host + 1, "0123456789abcdefABCDEF:.") : strspn(host, NAME_LETTERS);
    uint64_t port = 0;
    if (brackets && (length < 3 || host[length++] != ']'))
        return "an IPv6 address in brackets ends with ']'";
    if (!length)
        return "it names no host";
    if (!host[length])
        return NULL;
    if (host[length] == '/')
        return "there is no path in it, nor a '/' at its end";
    if (host[length] != ':')
        return "a name has letters, digits, '.', '-' and '_'; an IPv6 address stands in brackets";
    if (!fs_parse_u64(fs_str_from(host + length + 1), &port) || port == 0 || port > 65535)
        return "its port is no number from 1 to 65535";
    return NULL;
}

/* As browsers send it: RFC 6454, section 6.2. */
static const char *why_no_origin(const char *origin)
{
    bool tls = strncmp(origin, "https://", 8) == 0;
    if (!tls && strncmp(origin, "http://", 7) != 0)
        return "it begins with http:// or https://";
    const char *host = origin + (tls ? 8 : 7), *why = why_no_host(host);
    if (why)
        return why;
    if (strpbrk(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        return "browsers send it in lower case";
    if (fs_str_ends_with(fs_str_from(host), tls ? FS_STR(":443") : FS_STR(":80")))
        return "browsers leave out the port that the scheme implies";
    return NULL;
}

static void check_list(const char *const *list, const char *option, const char *(*why_not)(const char *),
                       const char *expected, struct fs_mistakes *mistakes)
{
    for (size_t i = 0; list && list[i]; i++) {
        const char *why = why_not(list[i]);
        if (why)
            fs_mistake_new(mistakes, FS_ERR_CONFIG, "%s[%zu]: %.120s: expected %s; %s", option, i, list[i],
                           expected, why);
    }
}

bool fs_server_check(const struct fs_server_options *options, struct fs_mistakes *mistakes)
{
    size_t before = mistakes->list.count;
    int64_t ignored;
    const char *url = options->public_url, *why = url ? why_no_origin(url) : NULL;
    check_list(options->hosts, "hosts", why_no_host, "a name such as flags.example.com, or one with its port",
               mistakes);
    check_list(options->origins, "origins", why_no_origin, "an origin such as https://app.example.com",
               mistakes);
    if (why)
        fs_mistake_new(mistakes, FS_ERR_CONFIG,
                       "publicUrl: %.120s: expected scheme and host, such as https://flags.example.com; %s",
                       url, why);
    if (options->tls_certificate && options->tls_key)
        fs_tls_check(options->tls_certificate, options->tls_key, options->tls_client_ca, &ignored, mistakes);
    return mistakes->list.count == before;
}
