/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request for each question, where OPA's own authorization or a bundle leaves no room for a module. One
 * question of each query goes ahead: where OPA refuses it, thousands like it need not be refused one by one.
 */
#include "opa_internal.h"
#include <string.h>
#include "base/alloc.h"

static struct fs_exchange *single_exchange(const struct fs_asked *batch, const size_t *question)
{
    const struct fs_asked *asked = &batch[*question];
    struct fs_buf path, body;
    fs_buf_init(&path, FS_OPA_REQUEST_LIMIT);
    fs_buf_init(&body, FS_OPA_REQUEST_LIMIT);
    fs_buf_adds(&path, "/v1/data/");
    fs_opa_path_url(&path, asked->query);
    fs_buf_adds(&path, FS_OPA_QUERY);
    fs_buf_adds(&body, "{\"input\":");
    fs_buf_add(&body, asked->input, asked->input_length);
    fs_buf_addc(&body, '}');
    struct fs_exchange *exchange = fs_opa_exchange(FS_OPA_SINGLE, "POST", &path, &body);
    fs_opa_exchange_asks(exchange, (struct fs_opa_some){question, 1});
    return exchange;
}

void fs_opa_ask_singly(struct fs_opa *opa, const struct fs_asked *batch, struct fs_opa_some questions,
                       struct fs_source_out *out)
{
    size_t *grouped = fs_opa_grouped(batch, questions);
    for (size_t start = 0; start < questions.count;) {
        size_t length = fs_opa_group_length(batch, grouped, start, questions.count);
        struct fs_exchange *exchange = single_exchange(batch, &grouped[start]);
        fs_opa_carry(opa, exchange, (struct fs_opa_some){grouped + start + 1, length - 1}, 0);
        fs_list_append(&out->exchanges, &exchange->node);
        start += length;
    }
    fs_free(grouped);
}

static void ask_followers(struct fs_opa *opa, const struct fs_asked *batch, struct fs_opa_some questions,
                          struct fs_source_out *out)
{
    for (size_t i = 0; i < questions.count; i++) {
        struct fs_exchange *exchange = single_exchange(batch, &questions.items[i]);
        fs_opa_carry(opa, exchange, (struct fs_opa_some){NULL, 0}, 0);
        fs_list_append(&out->exchanges, &exchange->node);
    }
}

static void settle_fine(struct fs_opa *opa, const struct fs_exchange *exchange,
                        struct fs_opa_reading *reading, struct fs_source_out *out)
{
    size_t question = exchange->questions[0];
    if (reading->warning) {
        fs_opa_settle(out, question, FS_ANSWER_BAD, reading->error);
        return;
    }
    if (!fs_opa_trusts(opa, reading, reading->error)) {
        fs_opa_settle(out, question, FS_ANSWER_NONE, reading->error);
        return;
    }
    char *revision = fs_opa_answer_revision(opa, exchange, reading);
    if (reading->result)
        fs_opa_settle_value(out, question, reading->result, revision, fs_strdup(reading->decision_id));
    else
        fs_opa_settle_undefined(out, question, revision, fs_strdup(reading->decision_id));
    fs_free(revision);
}

void fs_opa_read_single(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                        const struct fs_response *response, struct fs_source_out *out)
{
    size_t question = exchange->questions[0];
    struct fs_opa_some followers = fs_opa_carried(exchange);
    struct fs_opa_reading reading;
    fs_opa_read(response, &reading);
    switch (reading.outcome) {
    case FS_OPA_FINE:
        settle_fine(opa, exchange, &reading, out);
        ask_followers(opa, batch, followers, out);
        break;
    case FS_OPA_EVAL:
    case FS_OPA_REJECTED:
        fs_opa_settle(out, question, FS_ANSWER_BAD, reading.error);
        ask_followers(opa, batch, followers, out);
        break;
    case FS_OPA_UNREADABLE:
        fs_opa_settle(out, question, FS_ANSWER_NONE, reading.error);
        ask_followers(opa, batch, followers, out);
        break;
    case FS_OPA_REFUSED: /* it is our credential that OPA does not like, not our module: do not hold that
                            against the module for long */
        if (opa->singles > 1)
            opa->singles = 1;
        fs_opa_settle(out, question, FS_ANSWER_NONE, reading.error);
        fs_opa_settle_all(out, followers, FS_ANSWER_NONE, reading.error);
        break;
    case FS_OPA_GONE:
        fs_opa_settle(out, question, FS_ANSWER_NONE, reading.error);
        fs_opa_settle_all(out, followers, FS_ANSWER_NONE, reading.error);
        break;
    }
    fs_opa_reading_finish(&reading);
}
