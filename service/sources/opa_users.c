/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `users`: a rule without input that lists the allowed subjects. It is fetched once for all questions of it,
 * however many subjects they are about, and each is decided by membership: of a set or array of names, or of
 * an object's keys (a key whose value is false or null is no member).
 */
#include "opa_internal.h"
#include <string.h>
#include "base/alloc.h"

void fs_opa_ask_users(struct fs_opa *opa, const struct fs_asked *batch, struct fs_opa_some questions,
                      struct fs_source_out *out)
{
    size_t *grouped = fs_opa_grouped(batch, questions);
    for (size_t start = 0; start < questions.count;) {
        size_t length = fs_opa_group_length(batch, grouped, start, questions.count);
        struct fs_buf path;
        fs_buf_init(&path, FS_OPA_REQUEST_LIMIT);
        fs_buf_adds(&path, "/v1/data/");
        fs_opa_path_url(&path, batch[grouped[start]].query);
        fs_buf_adds(&path, FS_OPA_QUERY);
        struct fs_exchange *exchange = fs_opa_exchange(FS_OPA_USERS, "GET", &path, NULL);
        fs_opa_exchange_asks(exchange, (struct fs_opa_some){grouped + start, length});
        fs_opa_carry(opa, exchange, (struct fs_opa_some){NULL, 0}, 0);
        fs_list_append(&out->exchanges, &exchange->node);
        start += length;
    }
    fs_free(grouped);
}

/* The members, as keys (the values only must not be NULL). false where the document is no list of names. */
static bool read_members(const json_t *document, struct fs_map *members)
{
    if (json_is_array(document)) {
        for (size_t i = 0; i < json_array_size(document); i++) {
            const json_t *item = json_array_get(document, i);
            if (!json_is_string(item))
                return false;
            fs_map_set(members, json_string_value(item), json_string_length(item), members);
        }
        return true;
    }
    json_t *object = (json_t *)(uintptr_t)document; /* jansson's iterators want it so; it is only read */
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const json_t *value = json_object_iter_value(at);
        const char *key = json_object_iter_key(at);
        if (!json_is_false(value) && !json_is_null(value))
            fs_map_set(members, key, strlen(key), members);
    }
    return json_is_object(document);
}

static void settle_members(const struct fs_asked *batch, struct fs_opa_some questions,
                           const struct fs_opa_reading *reading, const char *revision,
                           struct fs_source_out *out)
{
    struct fs_map members;
    fs_map_init_borrowing(&members);
    if (!read_members(reading->result, &members)) {
        fs_opa_settle_all(out, questions, FS_ANSWER_BAD, "the document behind 'users' is no list of names");
    } else {
        for (size_t i = 0; i < questions.count; i++) {
            const char *subject = batch[questions.items[i]].subject;
            bool member = subject && fs_map_gets(&members, subject);
            fs_opa_settle_value(out, questions.items[i], member ? json_true() : json_false(), revision,
                                fs_strdup(reading->decision_id));
        }
    }
    fs_map_finish(&members, NULL);
}

static void settle_fine(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                        struct fs_opa_reading *reading, struct fs_source_out *out)
{
    struct fs_opa_some questions = {exchange->questions, exchange->question_count};
    if (!fs_opa_trusts(opa, reading, reading->error)) {
        fs_opa_settle_all(out, questions, FS_ANSWER_NONE, reading->error);
        return;
    }
    char *revision = fs_opa_answer_revision(opa, exchange, reading);
    if (reading->warning) {
        fs_opa_settle_all(out, questions, FS_ANSWER_BAD, reading->error);
    } else if (reading->result) {
        settle_members(batch, questions, reading, revision, out);
    } else {
        for (size_t i = 0; i < questions.count; i++)
            fs_opa_settle_undefined(out, questions.items[i], revision, fs_strdup(reading->decision_id));
    }
    fs_free(revision);
}

void fs_opa_read_users(struct fs_opa *opa, const struct fs_asked *batch, const struct fs_exchange *exchange,
                       const struct fs_response *response, struct fs_source_out *out)
{
    struct fs_opa_some questions = {exchange->questions, exchange->question_count};
    struct fs_opa_reading reading;
    fs_opa_read(response, &reading);
    if (reading.outcome == FS_OPA_FINE)
        settle_fine(opa, batch, exchange, &reading, out);
    else if (reading.outcome == FS_OPA_EVAL || reading.outcome == FS_OPA_REJECTED)
        fs_opa_settle_all(out, questions, FS_ANSWER_BAD, reading.error);
    else
        fs_opa_settle_all(out, questions, FS_ANSWER_NONE, reading.error);
    fs_opa_reading_finish(&reading);
}
