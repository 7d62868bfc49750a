/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OPA adapter and the fetch thread without a daemon around them, for tests/system/test_opa_fetch.py.
 * Reads one JSON command a line:
 * {"source": ENTRY, "queries": [[KIND, QUERY], ...]} (first), {"queries": ...}, {"ask": [[KIND, QUERY, INPUT,
 * SUBJECT], ...]}, {"probe": true},
 * {"reload": true}, {"module": [QUERY, ...]}. Writes one JSON reply a line; the first command and "probe"
 * reply with the probe's outcome.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "core/json.h"
#include "net/fetch.h"
#include "sources/opa.h"
#include "sources/registry.h"

#define QUESTIONS 4096

static void print(json_t *reply)
{
    char *text = json_dumps(reply, JSON_COMPACT | JSON_ENCODE_ANY);
    puts(text);
    fflush(stdout);
    free(text);
    json_decref(reply);
}

static void die(const char *what)
{
    fprintf(stderr, "opa_fetch_tool: %s\n", what);
    exit(1);
}

static struct fs_fetch_message *receive(struct fs_queue *inbox, enum fs_fetch_kind kind)
{
    for (;;) {
        if (!fs_queue_wait(inbox, 60000))
            die("nothing came");
        struct fs_fetch_message *message = fs_fetch_message_from(fs_queue_pop(inbox));
        if (message->kind == kind)
            return message;
        fs_fetch_message_destroy(message);
    }
}

static void print_probe(struct fs_queue *inbox)
{
    struct fs_fetch_message *message = receive(inbox, FS_FETCH_PROBE);
    print(json_pack("{s:b, s:s?, s:s}", "alive", message->probe.alive, "revision", message->probe.revision,
                    "error", message->probe.error));
    fs_fetch_message_destroy(message);
}

static void print_answers(struct fs_queue *inbox)
{
    struct fs_fetch_message *message = receive(inbox, FS_FETCH_ANSWERS);
    json_t *reply = json_array();
    for (size_t i = 0; i < message->count; i++) {
        const struct fs_answer *answer = &message->answers[i];
        json_array_append_new(reply, json_pack("{s:s, s:O?, s:s?, s:s?, s:s?}", "state",
                                               fs_answer_state_name(answer->state), "value", answer->value,
                                               "revision", answer->revision, "decision", answer->decision_id,
                                               "error", answer->error));
    }
    fs_fetch_message_destroy(message);
    print(reply);
}

static void set_queries(struct fs_fetch *fetch, const json_t *queries)
{
    const char *kinds[64], *texts[64];
    size_t count = json_array_size(queries);
    if (count > 64)
        die("too many queries");
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(queries, i);
        kinds[i] = json_string_value(json_array_get(pair, 0));
        texts[i] = json_string_value(json_array_get(pair, 1));
    }
    fs_fetch_set_queries(fetch, 0, kinds, texts, count);
}

static void ask(struct fs_fetch *fetch, const json_t *questions)
{
    static struct fs_asked batch[QUESTIONS];
    size_t count = json_array_size(questions);
    if (count > QUESTIONS)
        die("too many questions");
    for (size_t i = 0; i < count; i++) {
        const json_t *question = json_array_get(questions, i);
        batch[i] = (struct fs_asked){
            .id = i,
            .kind = json_string_value(json_array_get(question, 0)),
            .query = json_string_value(json_array_get(question, 1)),
            .input = fs_json_canonical_text(json_array_get(question, 2), 1 << 20, &batch[i].input_length),
            .subject = json_string_value(json_array_get(question, 3))};
        batch[i].input_length = strlen(batch[i].input);
    }
    fs_fetch_ask(fetch, 0, batch, count, 1);
    for (size_t i = 0; i < count; i++)
        fs_free((char *)(uintptr_t)batch[i].input);
}

static void add_source(struct fs_fetch *fetch, const json_t *options)
{
    struct fs_mistakes mistakes = {0};
    struct fs_source_endpoint endpoint;
    const struct fs_source_type *type = fs_source_type_find("opa");
    void *self = type->create("opa", options, &mistakes);
    if (!self || !fs_source_endpoint_read("opa", options, &endpoint, &mistakes))
        die(mistakes.list.items[0].text);
    fs_fetch_add_source(fetch, 0, "opa", type, self, &endpoint);
    fs_source_endpoint_finish(&endpoint);
}

static void print_module(const json_t *queries)
{
    const char *texts[64];
    size_t count = json_array_size(queries);
    if (count > 64)
        die("too many queries");
    for (size_t i = 0; i < count; i++)
        texts[i] = json_string_value(json_array_get(queries, i));
    char *module = fs_opa_module(NULL, texts, count);
    print(json_string(module));
    fs_free(module);
}

static void run(struct fs_fetch *fetch, struct fs_queue *inbox, const json_t *command)
{
    if (json_object_get(command, "source"))
        add_source(fetch, json_object_get(command, "source"));
    if (json_object_get(command, "queries"))
        set_queries(fetch, json_object_get(command, "queries"));
    if (json_object_get(command, "source"))
        print_probe(inbox);
    if (json_object_get(command, "reload"))
        fs_fetch_reload(fetch);
    if (json_object_get(command, "module"))
        print_module(json_object_get(command, "module"));
    if (json_object_get(command, "probe")) {
        fs_fetch_probe(fetch, 0);
        print_probe(inbox);
    }
    if (json_object_get(command, "ask")) {
        ask(fetch, json_object_get(command, "ask"));
        print_answers(inbox);
    }
}

int main(void)
{
    struct fs_err err = {0};
    struct fs_queue *inbox = fs_queue_create(64, NULL, NULL);
    struct fs_fetch *fetch = fs_fetch_start(&(struct fs_fetch_options){.inbox = inbox}, &err);
    if (!fetch)
        die(err.text);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        json_t *command = json_loads(line, 0, NULL);
        if (!command)
            die("a command that is no JSON");
        run(fetch, inbox, command);
        json_decref(command);
    }
    free(line);
    fs_fetch_stop(fetch);
    fs_queue_destroy(inbox);
    return 0;
}
