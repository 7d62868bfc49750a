/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OPA adapter on a bench: a batch of questions, the requests that come out, responses made by hand, the
 * answers. No network, no clock.
 */
#ifndef OPA_RIG_H
#define OPA_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "core/json.h"
#include "opa_internal.h"

#define RIG_QUESTIONS 512

struct rig {
    struct fs_source_out out; /* first */
    struct fs_opa *opa;
    struct fs_asked batch[RIG_QUESTIONS];
    char inputs[RIG_QUESTIONS][64];
    char subjects[RIG_QUESTIONS][16];
    size_t count;
    struct fs_answer answers[RIG_QUESTIONS];
    int settled[RIG_QUESTIONS];
};

static inline void rig_answer(struct fs_source_out *out, size_t index, struct fs_answer *answer)
{
    struct rig *rig = (struct rig *)(void *)out;
    assert_true(index < rig->count);
    assert_int_equal(rig->settled[index]++, 0);
    rig->answers[index] = *answer;
}

static inline void rig_init(struct rig *rig, const char *options)
{
    memset(rig, 0, sizeof *rig);
    json_t *json = json_loads(options, 0, NULL);
    assert_non_null(json);
    rig->opa = fs_source_opa.create("opa", json, NULL);
    json_decref(json);
    assert_non_null(rig->opa);
    fs_list_init(&rig->out.exchanges);
    rig->out.answer = rig_answer;
}

static inline struct fs_exchange *rig_next(struct rig *rig)
{
    assert_false(fs_list_empty(&rig->out.exchanges));
    struct fs_exchange *exchange = FS_CONTAINER(rig->out.exchanges.next, struct fs_exchange, node);
    fs_list_remove(&exchange->node);
    return exchange;
}

static inline void rig_forget(struct rig *rig)
{
    for (size_t i = 0; i < rig->count; i++)
        fs_answer_finish(&rig->answers[i]);
    memset(rig->answers, 0, sizeof rig->answers);
    memset(rig->settled, 0, sizeof rig->settled);
    rig->count = 0;
}

static inline void rig_finish(struct rig *rig)
{
    assert_true(fs_list_empty(&rig->out.exchanges));
    rig_forget(rig);
    fs_source_opa.destroy(rig->opa);
}

/* One question; returns its index. Inputs are unlike each other: {"n":INDEX}. */
static inline size_t rig_question(struct rig *rig, const char *kind, const char *query)
{
    size_t i = rig->count++;
    assert_true(i < RIG_QUESTIONS);
    snprintf(rig->inputs[i], sizeof rig->inputs[i], "{\"n\":%zu}", i);
    snprintf(rig->subjects[i], sizeof rig->subjects[i], "user-%zu", i);
    rig->batch[i] = (struct fs_asked){.id = i + 1,
                                      .kind = kind,
                                      .query = query,
                                      .input = rig->inputs[i],
                                      .input_length = strlen(rig->inputs[i]),
                                      .subject = rig->subjects[i]};
    return i;
}

static inline void rig_paths(struct rig *rig, size_t count, const char *const *queries)
{
    const char *kinds[16];
    assert_true(count <= 16);
    for (size_t i = 0; i < count; i++)
        kinds[i] = "path";
    fs_source_opa.set_queries(rig->opa, kinds, queries, count);
}

static inline void rig_ask(struct rig *rig)
{
    fs_source_opa.ask(rig->opa, rig->batch, rig->count, &rig->out);
}

/* Answers the exchange with a status and a body, and ends it. */
static inline void rig_respond(struct rig *rig, struct fs_exchange *exchange, long status, const char *body)
{
    struct fs_response response = {.status = status,
                                   .body = status ? body : NULL,
                                   .length = status ? strlen(body) : 0,
                                   .error = status ? NULL : body};
    fs_source_opa.respond(rig->opa, rig->batch, rig->count, exchange, &response, &rig->out);
    fs_exchange_destroy(exchange);
}

static inline struct fs_probe rig_probe_with(struct rig *rig, long health, const char *health_body,
                                             long status, const char *body)
{
    struct fs_probe probe;
    struct fs_exchange *exchange = fs_source_opa.probe(rig->opa);
    assert_string_equal(exchange->path, "/health?bundles=true");
    struct fs_response response = {.status = health,
                                   .body = health_body,
                                   .length = strlen(health_body),
                                   .error = health ? NULL : health_body};
    fs_source_opa.read_probe(rig->opa, exchange, &response, &probe);
    fs_exchange_destroy(exchange);
    if (probe.alive || probe.error[0])
        return probe;
    exchange = fs_source_opa.probe(rig->opa);
    response = (struct fs_response){
        .status = status, .body = body, .length = strlen(body), .error = status ? NULL : body};
    fs_source_opa.read_probe(rig->opa, exchange, &response, &probe);
    fs_exchange_destroy(exchange);
    return probe;
}

/* A good probe of an OPA with these bundles (a JSON object's text, or NULL for none). */
static inline void rig_ready(struct rig *rig, const char *bundles)
{
    char *body = fs_format("{\"provenance\":{\"version\":\"1.22.2\"%s%s}}", bundles ? ",\"bundles\":" : "",
                           bundles ? bundles : "");
    struct fs_probe probe = rig_probe_with(rig, 200, "{}", 200, body);
    assert_true(probe.alive);
    fs_free(probe.revision);
    fs_free(body);
}

/* An answer of the batch document: version, and for each path its values as JSON text; NULL for `{}`. Two
 * paths at most; the second may be NULL. */
static inline char *rig_batch_body(struct rig *rig, const char *path, const char *values, const char *other,
                                   const char *other_values)
{
    const char *rule = fs_map_gets(&rig->opa->module.rules, path);
    const char *other_rule = other ? fs_map_gets(&rig->opa->module.rules, other) : NULL;
    assert_non_null(rule);
    return fs_format(
        "{\"provenance\":{},\"decision_id\":\"d-1\",\"result\":{\"version\":\"%s\",\"%s\":%s%s%s%s%s}}",
        rig->opa->module.version, rule, values, other ? ",\"" : "", other ? other_rule : "",
        other ? "\":" : "", other ? other_values : "");
}

/* Lets the next request be the module's installation, and has it succeed. */
static inline void rig_installs(struct rig *rig)
{
    struct fs_exchange *exchange = rig_next(rig);
    assert_string_equal(exchange->method, "PUT");
    assert_string_equal(exchange->path, "/v1/policies/flagstaff");
    assert_string_equal(exchange->content_type, "text/plain");
    assert_string_equal(exchange->body, rig->opa->module.text);
    rig_respond(rig, exchange, 200, "{}");
}

#define assert_answer(rig, index, wanted) assert_int_equal((rig)->answers[index].state, (wanted))
#define assert_boolean(rig, index, wanted)                                                                   \
    do {                                                                                                     \
        assert_answer(rig, index, FS_ANSWER_VALUE);                                                          \
        assert_true(json_is_boolean((rig)->answers[index].value));                                           \
        assert_int_equal(json_is_true((rig)->answers[index].value), (wanted));                               \
    } while (0)

#endif
