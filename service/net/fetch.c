/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fetch thread itself: commands come in by one queue, which wakes curl_multi_poll; replies go out by the
 * core's inbox. Owns the adapters and the multi handle; no other thread touches them. Must not know what any
 * source says: that is the adapters'.
 */
#include "fetch_internal.h"
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/log.h"
#include "base/thread.h"

#define CONNECTIONS_DEFAULT    4
#define RESPONSE_LIMIT_DEFAULT (8u << 20)
#define PROBE_INTERVAL_DEFAULT 1000 /* ms */
#define COMMANDS               4096
#define POLL_LONGEST           1000 /* ms */
#define CACHED_CONNECTIONS     256L

enum command_kind { COMMAND_ADD, COMMAND_QUERIES, COMMAND_ASK, COMMAND_PROBE, COMMAND_RELOAD, COMMAND_STOP };

struct command {
    struct fs_message message;
    enum command_kind kind;
    unsigned index;
    struct fs_fetch_source *source; /* ADD */
    struct fs_fetch_batch *batch;   /* ASK */
    size_t count;                   /* QUERIES */
    char **texts;                   /* QUERIES: kinds, then queries */
};

/* ---- any thread ---- */

static void source_destroy(struct fs_fetch_source *source)
{
    if (!source)
        return;
    if (source->type->destroy)
        source->type->destroy(source->self);
    fs_fetch_secrets_finish(source);
    fs_source_endpoint_finish(&source->endpoint);
    fs_free(source->name);
    fs_free(source);
}

static void command_destroy(struct fs_message *message)
{
    struct command *command = (struct command *)(void *)message;
    source_destroy(command->source);
    fs_fetch_batch_destroy(command->batch);
    for (size_t i = 0; i < 2 * command->count; i++)
        fs_free(command->texts[i]);
    fs_free(command->texts);
    fs_free(command);
}

static struct command *command_create(enum command_kind kind, unsigned index)
{
    struct command *command = FS_NEW(struct command);
    fs_list_init(&command->message.node);
    command->message.destroy = command_destroy;
    command->kind = kind;
    command->index = index;
    return command;
}

static void send_command(struct fs_fetch *fetch, struct command *command)
{
    if (!fs_queue_push_always(fetch->commands, &command->message))
        command_destroy(&command->message);
}

void fs_fetch_add_source(struct fs_fetch *fetch, unsigned index, const char *name,
                         const struct fs_source_type *type, void *self,
                         const struct fs_source_endpoint *endpoint)
{
    struct command *command = command_create(COMMAND_ADD, index);
    struct fs_fetch_source *source = command->source = FS_NEW(struct fs_fetch_source);
    source->index = index;
    source->name = fs_strdup(name);
    source->type = type;
    source->self = self;
    fs_source_endpoint_copy(&source->endpoint, endpoint);
    fs_list_init(&source->waiting);
    send_command(fetch, command);
}

void fs_fetch_set_queries(struct fs_fetch *fetch, unsigned index, const char *const *kinds,
                          const char *const *queries, size_t count)
{
    struct command *command = command_create(COMMAND_QUERIES, index);
    command->texts = fs_calloc(2 * count + 1, sizeof *command->texts);
    command->count = count;
    for (size_t i = 0; i < count; i++) {
        command->texts[i] = fs_strdup(kinds[i]);
        command->texts[count + i] = fs_strdup(queries[i]);
    }
    send_command(fetch, command);
}

void fs_fetch_ask(struct fs_fetch *fetch, unsigned index, const struct fs_asked *batch, size_t count,
                  uint64_t token)
{
    struct command *command = command_create(COMMAND_ASK, index);
    command->batch = fs_fetch_batch_create(index, batch, count, token);
    send_command(fetch, command);
}

void fs_fetch_probe(struct fs_fetch *fetch, unsigned index)
{
    send_command(fetch, command_create(COMMAND_PROBE, index));
}

void fs_fetch_reload(struct fs_fetch *fetch)
{
    send_command(fetch, command_create(COMMAND_RELOAD, 0));
}

/* ---- the fetch thread ---- */

static struct fs_fetch_source *find_source(struct fs_fetch *fetch, unsigned index)
{
    for (size_t i = 0; i < fetch->sources.count; i++)
        if (fetch->sources.items[i]->index == index)
            return fetch->sources.items[i];
    return NULL;
}

static int64_t now_ms(struct fs_fetch *fetch)
{
    return fs_clock_now(&fetch->clock).mono;
}

static void finish_transfer(struct fs_fetch *fetch, struct fs_transfer *transfer, CURLcode code);

static void ask_adapter(struct fs_fetch *fetch, struct fs_fetch_batch *batch)
{
    batch->asked = true;
    batch->source->type->ask(batch->source->self, batch->items, batch->count, &batch->out);
    fs_fetch_batch_settle(fetch, batch);
}

/* The source's first probe has ended: what waited for it is asked. */
static void ask_waiting(struct fs_fetch *fetch, struct fs_fetch_source *source)
{
    source->probed = true;
    FS_LIST_EACH(&fetch->batches, node)
    {
        struct fs_fetch_batch *batch = FS_CONTAINER(node, struct fs_fetch_batch, node);
        if (batch->source == source && !batch->asked)
            ask_adapter(fetch, batch);
    }
}

static void reply_probe(struct fs_fetch *fetch, struct fs_fetch_source *source, const struct fs_probe *probe)
{
    struct fs_fetch_message *message = fs_fetch_message_create(FS_FETCH_PROBE, source->index);
    message->probe = *probe;
    message->sent = source->probe_sent;
    message->received = fs_clock_nanos();
    fs_fetch_reply(fetch, message);
    if (!source->probed)
        ask_waiting(fetch, source);
}

static void probe_step(struct fs_fetch *fetch, struct fs_fetch_source *source)
{
    source->probe_steps++;
    source->probe = fs_transfer_create(source, NULL, source->type->probe(source->self));
    int64_t left = fetch->probe_patience - (fs_clock_nanos() - source->probe_sent) / 1000000;
    if (source->probe->timeout > left)
        source->probe->timeout = left > 1 ? left : 1; /* 0 would be for ever */
    if (!fs_transfer_start(fetch, source->probe))
        finish_transfer(fetch, source->probe, CURLE_FAILED_INIT);
}

static void start_probe(struct fs_fetch *fetch, struct fs_fetch_source *source)
{
    if (source->probe)
        return;
    source->probe_steps = 0;
    source->probe_sent = fs_clock_nanos();
    struct fs_probe alive = {.alive = true};
    if (source->type->probe)
        probe_step(fetch, source);
    else
        reply_probe(fetch, source, &alive);
}

static void finish_probe(struct fs_fetch *fetch, struct fs_transfer *transfer,
                         const struct fs_response *response)
{
    struct fs_fetch_source *source = transfer->source;
    struct fs_probe probe = {0};
    source->type->read_probe(source->self, transfer->exchange, response, &probe);
    source->probe = NULL;
    fs_transfer_destroy(fetch, transfer);
    bool unfinished = !probe.alive && !probe.error[0];
    if (unfinished && source->probe_steps < FS_FETCH_PROBE_STEPS) {
        probe_step(fetch, source);
        return;
    }
    if (unfinished)
        snprintf(probe.error, sizeof probe.error, "the probe came to no end");
    reply_probe(fetch, source, &probe);
}

static void finish_transfer(struct fs_fetch *fetch, struct fs_transfer *transfer, CURLcode code)
{
    char scratch[200];
    struct fs_response response = fs_transfer_response(transfer, code, scratch);
    struct fs_fetch_source *source = transfer->source;
    struct fs_fetch_batch *batch = transfer->batch;
    if (!batch) {
        finish_probe(fetch, transfer, &response);
        return;
    }
    source->running -= transfer->easy != NULL;
    if (response.status)
        source->heard = now_ms(fetch);
    source->type->respond(source->self, batch->items, batch->count, transfer->exchange, &response,
                          &batch->out);
    fs_transfer_destroy(fetch, transfer);
    fs_fetch_batch_settle(fetch, batch);
}

/* Fills the source's connections from its line of waiting requests. */
static void start_waiting(struct fs_fetch *fetch, struct fs_fetch_source *source)
{
    while (source->running < fetch->connections && !fs_list_empty(&source->waiting)) {
        struct fs_transfer *transfer = FS_CONTAINER(source->waiting.next, struct fs_transfer, node);
        fs_list_remove(&transfer->node);
        if (!transfer->batch->sent)
            transfer->batch->sent = fs_clock_nanos();
        bool started = fs_transfer_start(fetch, transfer);
        source->running += transfer->easy != NULL;
        if (!started)
            finish_transfer(fetch, transfer, CURLE_FAILED_INIT);
    }
}

static void run_ask(struct fs_fetch *fetch, struct fs_fetch_batch *batch)
{
    batch->started = now_ms(fetch);
    batch->source = find_source(fetch, batch->index);
    fs_list_append(&fetch->batches, &batch->node);
    if (!batch->source) {
        fs_fetch_batch_end(fetch, batch, "there is no such source");
        return;
    }
    if (batch->source->probed)
        ask_adapter(fetch, batch);
}

static void run_queries(struct fs_fetch *fetch, const struct command *command)
{
    struct fs_fetch_source *source = find_source(fetch, command->index);
    if (!source || !source->type->set_queries)
        return;
    const char **texts = fs_calloc(2 * command->count + 1, sizeof *texts);
    for (size_t i = 0; i < 2 * command->count; i++)
        texts[i] = command->texts[i];
    source->type->set_queries(source->self, texts, texts + command->count, command->count);
    fs_free(texts);
}

static void run_probe(struct fs_fetch *fetch, unsigned index)
{
    struct fs_fetch_source *source = find_source(fetch, index);
    if (source) {
        start_probe(fetch, source);
        return;
    }
    struct fs_fetch_message *message = fs_fetch_message_create(FS_FETCH_PROBE, index);
    snprintf(message->probe.error, sizeof message->probe.error, "there is no such source");
    fs_fetch_reply(fetch, message);
}

static void run_command(struct fs_fetch *fetch, struct command *command)
{
    struct fs_fetch_source *source = command->source;
    switch (command->kind) {
    case COMMAND_ADD:
        command->source = NULL;
        fs_vec_push(&fetch->sources, source);
        fs_fetch_secrets_load(source);
        start_probe(fetch, source);
        break;
    case COMMAND_QUERIES:
        run_queries(fetch, command);
        break;
    case COMMAND_ASK: {
        struct fs_fetch_batch *batch = command->batch;
        command->batch = NULL;
        run_ask(fetch, batch);
        break;
    }
    case COMMAND_PROBE:
        run_probe(fetch, command->index);
        break;
    case COMMAND_RELOAD:
        for (size_t i = 0; i < fetch->sources.count; i++)
            fs_fetch_secrets_load(fetch->sources.items[i]);
        break;
    case COMMAND_STOP:
        fetch->stopping = true;
        break;
    }
}

static void run_commands(struct fs_fetch *fetch)
{
    struct fs_list list;
    fs_list_init(&list);
    fs_queue_pop_all(fetch->commands, &list);
    FS_LIST_EACH(&list, node)
    {
        struct command *command = (struct command *)(void *)FS_CONTAINER(node, struct fs_message, node);
        fs_list_remove(node);
        run_command(fetch, command);
        command_destroy(&command->message);
    }
}

static void run_finished(struct fs_fetch *fetch)
{
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(fetch->multi, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result; /* the message dies with its handle's removal */
        finish_transfer(fetch, fs_transfer_of(message->easy_handle), code);
    }
}

/* Ends batches whose patience is over. Returns the ms until the next one's is. */
static int64_t expire(struct fs_fetch *fetch)
{
    int64_t now = now_ms(fetch), next = now + POLL_LONGEST;
    FS_LIST_EACH(&fetch->batches, node)
    {
        struct fs_fetch_batch *batch = FS_CONTAINER(node, struct fs_fetch_batch, node);
        int64_t expiry = fs_fetch_batch_expiry(batch);
        if (expiry <= now)
            fs_fetch_batch_end(fetch, batch, "no answer within the source's timeout");
        else if (expiry < next)
            next = expiry;
    }
    return next - now;
}

static void finish_all(struct fs_fetch *fetch)
{
    FS_LIST_EACH(&fetch->batches, node)
    fs_fetch_batch_end(fetch, FS_CONTAINER(node, struct fs_fetch_batch, node), "the daemon is stopping");
    FS_LIST_EACH(&fetch->running, node) /* probes */
    fs_transfer_destroy(fetch, FS_CONTAINER(node, struct fs_transfer, node));
    for (size_t i = 0; i < fetch->sources.count; i++)
        source_destroy(fetch->sources.items[i]);
    for (size_t i = 0; i < fetch->idle.count; i++)
        curl_easy_cleanup(fetch->idle.items[i]);
    fs_vec_finish(&fetch->sources);
    fs_vec_finish(&fetch->idle);
}

static void *run(void *arg)
{
    struct fs_fetch *fetch = arg;
    while (!fetch->stopping) {
        int running = 0;
        run_commands(fetch);
        curl_multi_perform(fetch->multi, &running);
        run_finished(fetch);
        int64_t wait = expire(fetch);
        for (size_t i = 0; i < fetch->sources.count; i++)
            start_waiting(fetch, fetch->sources.items[i]);
        if (!fetch->stopping)
            curl_multi_poll(fetch->multi, NULL, 0, (int)wait, NULL);
    }
    finish_all(fetch);
    return NULL;
}

/* ---- start and stop ---- */

static void wake(void *arg)
{
    struct fs_fetch *fetch = arg;
    curl_multi_wakeup(fetch->multi);
}

static void init_libcurl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* All steps of a probe end a little before the next is due, or two would count as one. */
static int64_t probe_patience(int64_t interval)
{
    int64_t every = interval ? interval : PROBE_INTERVAL_DEFAULT;
    return every - every / 10;
}

struct fs_fetch *fs_fetch_start(const struct fs_fetch_options *options, struct fs_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_libcurl);
    struct fs_fetch *fetch = FS_NEW(struct fs_fetch);
    fetch->inbox = options->inbox;
    fetch->connections = options->connections ? options->connections : CONNECTIONS_DEFAULT;
    fetch->response_limit = options->response_limit ? options->response_limit : RESPONSE_LIMIT_DEFAULT;
    fetch->probe_patience = probe_patience(options->probe_interval);
    fetch->clock = fs_clock_system();
    fs_list_init(&fetch->batches);
    fs_list_init(&fetch->running);
    fetch->multi = curl_multi_init();
    fetch->commands = fs_queue_create(COMMANDS, wake, fetch);
    if (fetch->multi) {
        curl_multi_setopt(fetch->multi, CURLMOPT_MAXCONNECTS, CACHED_CONNECTIONS);
        if (fs_thread_start(&fetch->thread, "fetch", run, fetch) == 0)
            return fetch;
    }
    fs_queue_destroy(fetch->commands);
    curl_multi_cleanup(fetch->multi);
    fs_free(fetch);
    fs_fail(err, FS_ERR_GENERAL, "the fetch thread cannot be started");
    return NULL;
}

void fs_fetch_stop(struct fs_fetch *fetch)
{
    if (!fetch)
        return;
    send_command(fetch, command_create(COMMAND_STOP, 0));
    pthread_join(fetch->thread, NULL);
    fs_queue_destroy(fetch->commands);
    curl_multi_cleanup(fetch->multi);
    fs_free(fetch);
}
