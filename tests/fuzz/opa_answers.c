/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an OPA answers: lines "STATUS BODY", given to the adapter's requests in turn, the probe's first; when
 * they are used up the server is gone. Whatever it says, each question is settled once, and the adapter ends.
 * The questions do not change, so a corpus knows what the module is called.
 */
#include "fuzz.h"
#include "core/source.h"
#include "sources/opa.h"

#define QUESTIONS 4

struct run {
    struct fs_source_out out; /* first */
    struct fs_str rest;
    int settled[QUESTIONS];
};

static void settle(struct fs_source_out *out, size_t index, struct fs_answer *answer)
{
    struct run *run = (struct run *)(void *)out;
    FUZZ_HOLDS(index < QUESTIONS && run->settled[index]++ == 0);
    FUZZ_HOLDS((answer->state == FS_ANSWER_VALUE) == (answer->value != NULL));
    FUZZ_HOLDS(!answer->error || fuzz_is_line(answer->error));
    fs_answer_finish(answer);
}

static struct fs_response next(struct run *run)
{
    struct fs_str line;
    uint64_t status;
    if (!fuzz_line(&run->rest, &line))
        return (struct fs_response){.error = "connection refused"};
    size_t digits = line.len < 3 ? line.len : 3, skip = line.len < 4 ? line.len : 4;
    if (!fs_parse_u64((struct fs_str){line.ptr, digits}, &status))
        return (struct fs_response){.error = "timed out"};
    return (struct fs_response){.status = (long)status, .body = line.ptr + skip, .length = line.len - skip};
}

static void probe(struct run *run, void *opa)
{
    for (int step = 0; step < 2; step++) {
        struct fs_probe probe = {0};
        struct fs_exchange *exchange = fs_source_opa.probe(opa);
        struct fs_response response = next(run);
        fs_source_opa.read_probe(opa, exchange, &response, &probe);
        FUZZ_HOLDS(fuzz_is_line(probe.error));
        fs_free(probe.revision);
        fs_exchange_destroy(exchange);
        if (probe.alive || probe.error[0])
            return;
    }
}

static void ask(struct run *run, void *opa)
{
    static const char input[] = "{\"user\":\"ada\"}";
    struct fs_asked batch[QUESTIONS] = {{.kind = "path", .query = "app/rbac/allow"},
                                        {.kind = "path", .query = "app/rbac/allow"},
                                        {.kind = "path", .query = "app/tools"},
                                        {.kind = "users", .query = "app/us_users"}};
    for (size_t i = 0; i < QUESTIONS; i++) {
        batch[i].id = i + 1, batch[i].subject = "ada";
        batch[i].input = input, batch[i].input_length = sizeof input - 1;
    }
    memset(run->settled, 0, sizeof run->settled);
    fs_source_opa.ask(opa, batch, QUESTIONS, &run->out);
    for (int exchanges = 0; !fs_list_empty(&run->out.exchanges); exchanges++) {
        FUZZ_HOLDS(exchanges < 64);
        struct fs_exchange *exchange = FS_CONTAINER(run->out.exchanges.next, struct fs_exchange, node);
        struct fs_response response = next(run);
        fs_list_remove(&exchange->node);
        fs_source_opa.respond(opa, batch, QUESTIONS, exchange, &response, &run->out);
        fs_exchange_destroy(exchange);
    }
    for (size_t i = 0; i < QUESTIONS; i++)
        FUZZ_HOLDS(run->settled[i] == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = {"path", "path", "users"};
    static const char *const queries[] = {"app/rbac/allow", "app/tools", "app/us_users"};
    struct run run = {.rest = fuzz_text(data, size)};
    json_t *options =
        json_pack("{s:s,s:s,s:s}", "type", "opa", "url", "http://127.0.0.1:8181", "revisionPath", "rev");
    void *opa = fs_source_opa.create("opa", options, NULL);
    FUZZ_HOLDS(opa);
    fs_list_init(&run.out.exchanges);
    run.out.answer = settle;
    fs_source_opa.set_queries(opa, kinds, queries, 3);
    for (int round = 0; round < 3; round++) {
        probe(&run, opa);
        ask(&run, opa);
    }
    fs_source_opa.destroy(opa);
    json_decref(options);
    return 0;
}
