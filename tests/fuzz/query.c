/* SPDX-License-Identifier: Apache-2.0 */
/* A request's query: the value of a parameter is text, or there is none. */
#include "fuzz.h"
#include "net/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fs_str rest = fuzz_text(data, size), name = {0};
    fuzz_line(&rest, &name);
    struct fs_http_request request = {.query = fuzz_copy(rest)};
    char *wanted = fuzz_copy(name), *value = fs_http_query(&request, wanted);
    FUZZ_HOLDS(!value || fs_utf8_valid(value, strlen(value)));
    FUZZ_HOLDS(!value || strlen(value) <= rest.len);
    fs_server_route_is_open("GET", wanted);
    fs_free(value);
    fs_free(wanted);
    fs_free(request.query);
    return 0;
}
