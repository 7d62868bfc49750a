/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a batch in the fetch thread: copied, asked, settled question by question, delivered once. Knows
 * neither libcurl nor a dialect. */
#include "fetch_internal.h"
#include <string.h>
#include "base/alloc.h"

static void on_answer(struct fs_source_out *out, size_t index, struct fs_answer *answer)
{
    struct fs_fetch_batch *batch = (struct fs_fetch_batch *)(void *)out;
    if (index >= batch->count || batch->settled[index]) { /* an adapter's defect: the first word stands */
        fs_answer_finish(answer);
        return;
    }
    batch->answers[index] = *answer;
    batch->settled[index] = true;
    batch->unsettled--;
}

static size_t text_size(const struct fs_asked *asked)
{
    return strlen(asked->kind) + strlen(asked->query) + asked->input_length +
           (asked->subject ? strlen(asked->subject) : 0) + 4;
}

/* Copies `length` bytes and a NUL to *at and moves it behind them. */
static const char *copy_text(char **at, const char *text, size_t length)
{
    char *copy = *at;
    if (length)
        memcpy(copy, text, length);
    copy[length] = 0;
    *at += length + 1;
    return copy;
}

struct fs_fetch_batch *fs_fetch_batch_create(unsigned index, const struct fs_asked *items, size_t count,
                                             uint64_t token)
{
    struct fs_fetch_batch *batch = FS_NEW(struct fs_fetch_batch);
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += text_size(&items[i]);
    char *at = batch->text = fs_alloc(size);
    batch->items = fs_calloc(count + 1, sizeof *batch->items);
    for (size_t i = 0; i < count; i++) {
        const struct fs_asked *from = &items[i];
        batch->items[i] = (struct fs_asked){
            .id = from->id,
            .kind = copy_text(&at, from->kind, strlen(from->kind)),
            .query = copy_text(&at, from->query, strlen(from->query)),
            .input = copy_text(&at, from->input, from->input_length),
            .input_length = from->input_length,
            .subject = from->subject ? copy_text(&at, from->subject, strlen(from->subject)) : NULL};
    }
    fs_list_init(&batch->node);
    fs_list_init(&batch->transfers);
    fs_list_init(&batch->out.exchanges);
    batch->out.answer = on_answer;
    batch->index = index;
    batch->token = token;
    batch->count = batch->unsettled = count;
    batch->answers = fs_calloc(count + 1, sizeof *batch->answers);
    batch->settled = fs_calloc(count + 1, sizeof *batch->settled);
    return batch;
}

void fs_fetch_batch_destroy(struct fs_fetch_batch *batch)
{
    if (!batch)
        return;
    fs_list_remove(&batch->node);
    FS_LIST_EACH(&batch->out.exchanges, node)
    fs_exchange_destroy(FS_CONTAINER(node, struct fs_exchange, node));
    for (size_t i = 0; batch->answers && i < batch->count; i++)
        fs_answer_finish(&batch->answers[i]);
    fs_free(batch->answers);
    fs_free(batch->settled);
    fs_free(batch->items);
    fs_free(batch->text);
    fs_free(batch);
}

void fs_fetch_batch_settle(struct fs_fetch *fetch, struct fs_fetch_batch *batch)
{
    FS_LIST_EACH(&batch->out.exchanges, node)
    {
        struct fs_exchange *exchange = FS_CONTAINER(node, struct fs_exchange, node);
        fs_list_remove(node);
        struct fs_transfer *transfer = fs_transfer_create(batch->source, batch, exchange);
        fs_list_append(&batch->transfers, &transfer->member);
        fs_list_append(&batch->source->waiting, &transfer->node);
    }
    if (batch->unsettled == 0 || fs_list_empty(&batch->transfers))
        fs_fetch_batch_end(fetch, batch, "the source gave no answer to this question");
}

void fs_fetch_batch_end(struct fs_fetch *fetch, struct fs_fetch_batch *batch, const char *error)
{
    FS_LIST_EACH(&batch->transfers, node)
    {
        struct fs_transfer *transfer = FS_CONTAINER(node, struct fs_transfer, member);
        batch->source->running -= transfer->easy != NULL;
        fs_transfer_destroy(fetch, transfer);
    }
    for (size_t i = 0; i < batch->count; i++)
        if (!batch->settled[i])
            batch->answers[i] = (struct fs_answer){.state = FS_ANSWER_NONE, .error = fs_strdup(error)};
    struct fs_fetch_message *message = fs_fetch_message_create(FS_FETCH_ANSWERS, batch->index);
    message->token = batch->token;
    message->answers = batch->answers;
    message->count = batch->count;
    message->received = fs_clock_nanos();
    message->sent = batch->sent ? batch->sent : message->received;
    batch->answers = NULL;
    fs_fetch_batch_destroy(batch);
    fs_fetch_reply(fetch, message);
}

int64_t fs_fetch_batch_expiry(const struct fs_fetch_batch *batch)
{
    const struct fs_fetch_source *source = batch->source;
    int64_t alive = source->heard > batch->started ? source->heard : batch->started;
    int64_t soft = alive + source->endpoint.timeout,
            hard = batch->started + FS_FETCH_PATIENCE * source->endpoint.timeout;
    return soft < hard ? soft : hard;
}

static void message_destroy(struct fs_message *message)
{
    fs_fetch_message_destroy((struct fs_fetch_message *)(void *)message);
}

struct fs_fetch_message *fs_fetch_message_create(enum fs_fetch_kind kind, unsigned source)
{
    struct fs_fetch_message *message = FS_NEW(struct fs_fetch_message);
    fs_list_init(&message->message.node);
    message->message.destroy = message_destroy;
    message->kind = kind;
    message->source = source;
    return message;
}

struct fs_fetch_message *fs_fetch_message_from(struct fs_message *message)
{
    return message->destroy == message_destroy ? (struct fs_fetch_message *)(void *)message : NULL;
}

void fs_fetch_message_destroy(struct fs_fetch_message *message)
{
    if (!message)
        return;
    for (size_t i = 0; i < message->count; i++)
        fs_answer_finish(&message->answers[i]);
    fs_free(message->answers);
    fs_free(message->probe.revision);
    fs_free(message);
}

void fs_fetch_reply(struct fs_fetch *fetch, struct fs_fetch_message *message)
{
    if (!fs_queue_push_always(fetch->inbox, &message->message))
        fs_fetch_message_destroy(message);
}
