/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many questions in one request, by the module that opa_module.c writes. Each item bears its place in the
 * exchange as its key, so an answer cannot slip to its neighbour. The version in each answer says whether the
 * module is there; an error is halved until its culprit stands alone.
 */
#include "opa_internal.h"
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/log.h"
#include "core/json.h"

/* How many questions from the first on go into one request. */
static size_t chunk_length(const struct fs_asked *batch, const size_t *questions, size_t count)
{
    size_t items = 0, bytes = 0;
    while (items < count && items < FS_OPA_CHUNK_ITEMS) {
        bytes += batch[questions[items]].input_length;
        if (items > 0 && bytes > FS_OPA_CHUNK_BYTES)
            break;
        items++;
    }
    return items;
}

/* {"input":{"items":{RULE:{"0":INPUT,"1":INPUT},RULE:{"2":INPUT}}}}; questions of one query stand together.
 */
static struct fs_exchange *chunk_exchange(const struct fs_opa *opa, const struct fs_asked *batch,
                                          struct fs_opa_some questions)
{
    struct fs_buf path, body;
    fs_buf_init(&path, FS_OPA_REQUEST_LIMIT);
    fs_buf_init(&body, FS_OPA_REQUEST_LIMIT);
    fs_buf_addf(&path, "/v1/data/%s/batch" FS_OPA_QUERY, opa->module_id);
    fs_buf_adds(&body, "{\"input\":{\"items\":{");
    for (size_t start = 0; start < questions.count;) {
        size_t length = fs_opa_group_length(batch, questions.items, start, questions.count);
        const char *rule = fs_map_gets(&opa->module.rules, batch[questions.items[start]].query);
        fs_buf_addf(&body, "%s\"%s\":{", start ? "," : "", rule);
        for (size_t i = start; i < start + length; i++) {
            const struct fs_asked *asked = &batch[questions.items[i]];
            fs_buf_addf(&body, "%s\"%zu\":", i > start ? "," : "", i);
            fs_buf_add(&body, asked->input, asked->input_length);
        }
        fs_buf_addc(&body, '}');
        start += length;
    }
    fs_buf_adds(&body, "}}}");
    struct fs_exchange *exchange = fs_opa_exchange(FS_OPA_BATCH, "POST", &path, &body);
    fs_opa_exchange_asks(exchange, questions);
    return exchange;
}

void fs_opa_ask_batched(struct fs_opa *opa, const struct fs_asked *batch, struct fs_opa_some questions,
                        int attempt, struct fs_source_out *out)
{
    size_t *grouped = fs_opa_grouped(batch, questions);
    for (size_t start = 0; start < questions.count;) {
        size_t length = chunk_length(batch, grouped + start, questions.count - start);
        size_t behind = start + length;
        /* While nobody knows whether the module is there, the first chunk finds out and the rest waits for
         * it. */
        struct fs_opa_some rest = {grouped + behind, opa->installed ? 0 : questions.count - behind};
        struct fs_exchange *exchange =
            chunk_exchange(opa, batch, (struct fs_opa_some){grouped + start, length});
        fs_opa_carry(opa, exchange, rest, attempt);
        fs_list_append(&out->exchanges, &exchange->node);
        start = behind + rest.count;
    }
    fs_free(grouped);
}

/* The exchange's own questions and those that it carried, as one owned array. */
static struct fs_opa_some all_of(const struct fs_exchange *exchange, size_t **owned)
{
    struct fs_opa_some carried = fs_opa_carried(exchange);
    size_t *all = fs_calloc(exchange->question_count + carried.count + 1, sizeof *all);
    if (exchange->question_count)
        memcpy(all, exchange->questions, exchange->question_count * sizeof *all);
    if (carried.count)
        memcpy(all + exchange->question_count, carried.items, carried.count * sizeof *all);
    *owned = all;
    return (struct fs_opa_some){all, exchange->question_count + carried.count};
}

static void install(struct fs_opa *opa, struct fs_opa_some questions, int attempt, struct fs_source_out *out)
{
    struct fs_buf path, body;
    fs_buf_init(&path, FS_OPA_REQUEST_LIMIT);
    fs_buf_init(&body, FS_OPA_REQUEST_LIMIT);
    fs_buf_addf(&path, "/v1/policies/%s", opa->module_id);
    fs_buf_add(&body, opa->module.text, opa->module.length);
    struct fs_exchange *exchange = fs_opa_exchange(FS_OPA_INSTALL, "PUT", &path, &body);
    fs_opa_carry(opa, exchange, questions, attempt);
    fs_list_append(&out->exchanges, &exchange->node);
}

/* The answer does not come from our module: put it there and ask again; never a denial. */
static void module_missing(struct fs_opa *opa, const struct fs_asked *batch,
                           const struct fs_exchange *exchange, bool gone, struct fs_source_out *out)
{
    size_t *owned = NULL;
    struct fs_opa_some all = all_of(exchange, &owned);
    int attempt = fs_opa_attempt(exchange);
    /* A server that lost our module may have lost its data with it. Where a document tells that, the next
     * probe reads it. */
    if (gone && opa->installed && opa->revision_path)
        opa->ready = false;
    opa->installed = false;
    if (attempt < FS_OPA_ATTEMPTS) {
        install(opa, all, attempt + 1, out);
    } else {
        fs_opa_forbid_module(
            opa, "another version of it keeps replacing it: does a second daemon use the same module name?");
        fs_opa_ask_paths(opa, batch, all, attempt, out);
    }
    fs_free(owned);
}

void fs_opa_read_install(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                         const struct fs_response *response, struct fs_source_out *out)
{
    struct fs_opa_some questions = fs_opa_carried(exchange);
    struct fs_opa_reading reading;
    fs_opa_read(response, &reading);
    if (response->status == 200) {
        FS_LOG_INFO("source", "module put into OPA", "source", opa->name, "version", opa->module.version);
        opa->installed = true;
        opa->told_singles = false;
        fs_opa_ask_paths(opa, batch, questions, fs_opa_attempt(exchange), out);
    } else if (response->status == 0 || response->status >= 500) {
        fs_opa_settle_all(out, questions, FS_ANSWER_NONE, reading.error);
    } else {
        fs_opa_forbid_module(opa, reading.error);
        fs_opa_ask_paths(opa, batch, questions, fs_opa_attempt(exchange), out);
    }
    fs_opa_reading_finish(&reading);
}

/* Each half is asked anew, and what was carried goes its own way. (Flags may have changed meanwhile: the
 * halves are of the module of now.) */
static void halve(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                  struct fs_source_out *out)
{
    size_t half = exchange->question_count / 2;
    struct fs_opa_some first = {exchange->questions, half};
    struct fs_opa_some second = {exchange->questions + half, exchange->question_count - half};
    int attempt = fs_opa_attempt(exchange);
    fs_opa_ask_paths(opa, batch, first, attempt, out);
    fs_opa_ask_paths(opa, batch, second, attempt, out);
    fs_opa_ask_paths(opa, batch, fs_opa_carried(exchange), attempt, out);
}

static void settle_item(struct fs_source_out *out, size_t question, const json_t *values, size_t place,
                        const struct fs_opa_reading *reading, const char *revision)
{
    char key[24];
    snprintf(key, sizeof key, "%zu", place);
    const json_t *value = json_object_get(values, key);
    char *id = reading->decision_id ? fs_format("%s#%zu", reading->decision_id, place) : NULL;
    if (value)
        fs_opa_settle_value(out, question, value, revision, id);
    else
        fs_opa_settle_undefined(out, question, revision, id);
}

/* Is there an object of values for each rule asked, with keys of these questions and no other? */
static bool complete(const struct fs_opa *opa, const struct fs_asked *batch,
                     const struct fs_exchange *exchange, const json_t *result)
{
    for (size_t start = 0; start < exchange->question_count;) {
        size_t length = fs_opa_group_length(batch, exchange->questions, start, exchange->question_count);
        const char *rule = fs_map_gets(&opa->module.rules, batch[exchange->questions[start]].query);
        const json_t *values = rule ? json_object_get(result, rule) : NULL;
        if (!json_is_object(values))
            return false;
        size_t known = 0;
        for (size_t i = start; i < start + length; i++) {
            char key[24];
            snprintf(key, sizeof key, "%zu", i);
            known += json_object_get(values, key) != NULL;
        }
        if (known != json_object_size(values))
            return false;
        start += length;
    }
    return true;
}

static void settle_batch(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                         const struct fs_opa_reading *reading, struct fs_source_out *out)
{
    struct fs_opa_some questions = {exchange->questions, exchange->question_count};
    if (reading->warning) {
        fs_opa_settle_all(out, questions, FS_ANSWER_BAD, reading->error);
        return;
    }
    if (!complete(opa, batch, exchange, reading->result)) {
        fs_opa_settle_all(out, questions, FS_ANSWER_BAD, "OPA's answer to the batch is partial");
        return;
    }
    char *revision = fs_opa_answer_revision(opa, exchange, reading);
    for (size_t i = 0; i < questions.count; i++) {
        const char *rule = fs_map_gets(&opa->module.rules, batch[questions.items[i]].query);
        settle_item(out, questions.items[i], json_object_get(reading->result, rule), i, reading, revision);
    }
    fs_free(revision);
}

static void read_fine(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                      struct fs_opa_reading *reading, struct fs_source_out *out)
{
    struct fs_opa_some questions = {exchange->questions, exchange->question_count};
    const char *version = fs_json_text(reading->result, "version");
    if (!fs_opa_trusts(opa, reading, reading->error)) {
        fs_opa_settle_all(out, questions, FS_ANSWER_NONE, reading->error);
        fs_opa_settle_all(out, fs_opa_carried(exchange), FS_ANSWER_NONE, reading->error);
    } else if (!version || strcmp(version, opa->module.version) != 0) {
        module_missing(opa, batch, exchange, !reading->result, out);
    } else {
        opa->installed = true;
        settle_batch(opa, batch, exchange, reading, out);
        fs_opa_ask_paths(opa, batch, fs_opa_carried(exchange), fs_opa_attempt(exchange), out);
    }
}

void fs_opa_read_batched(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                         const struct fs_response *response, struct fs_source_out *out)
{
    struct fs_opa_some questions = {exchange->questions, exchange->question_count};
    struct fs_opa_reading reading;
    fs_opa_read(response, &reading);
    bool alone = questions.count == 1;
    if (reading.outcome == FS_OPA_FINE) {
        read_fine(opa, batch, exchange, &reading, out);
    } else if (reading.outcome == FS_OPA_REFUSED) {
        size_t *owned = NULL;
        struct fs_opa_some all = all_of(exchange, &owned);
        fs_opa_forbid_module(opa, reading.error);
        fs_opa_ask_paths(opa, batch, all, fs_opa_attempt(exchange), out);
        fs_free(owned);
    } else if (reading.outcome == FS_OPA_GONE) {
        fs_opa_settle_all(out, questions, FS_ANSWER_NONE, reading.error);
        fs_opa_settle_all(out, fs_opa_carried(exchange), FS_ANSWER_NONE, reading.error);
    } else if (alone) {
        fs_opa_settle_all(out, questions,
                          reading.outcome == FS_OPA_UNREADABLE ? FS_ANSWER_NONE : FS_ANSWER_BAD,
                          reading.error);
        fs_opa_ask_paths(opa, batch, fs_opa_carried(exchange), fs_opa_attempt(exchange), out);
    } else {
        halve(opa, batch, exchange, out);
    }
    fs_opa_reading_finish(&reading);
}
