/* SPDX-License-Identifier: Apache-2.0 */
/* The core thread: waits for messages or the next moment that is due, hands each to whom it concerns, and
 * turns the engine. */
#include "base/alloc.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/vec.h"
#include "daemon.h"
#include <stdlib.h>
#include <time.h>

#define FLAG_CHECK_MS 1000 /* how often flag files are looked at for changes */

struct fs_time fs_daemon_now(const struct fs_daemon *daemon)
{
    return fs_clock_now(&daemon->clock);
}

static void take_frame(struct fs_daemon *daemon, uint64_t connection, const struct fs_client_frame *frame,
                       struct fs_time now)
{
    struct fs_engine *engine = daemon->engine;
    if (frame->type == FS_CLIENT_HELLO) {
        struct fs_hello hello = {.client_name = frame->client_name,
                                 .client_version = frame->client_version,
                                 .resumes = frame->resumes,
                                 .epoch = frame->epoch,
                                 .session = frame->session,
                                 .revision = frame->revision,
                                 .watch_count = frame->watch_count};
        fs_engine_hello(engine, connection, &hello, now);
    }
    for (size_t i = 0; i < frame->watch_count; i++) {
        const struct fs_watch_request *wanted = &frame->watches[i];
        struct fs_watch_wish wish = {.watch = wanted->watch,
                                     .context = wanted->context,
                                     .flags = (const char *const *)wanted->flags,
                                     .once = wanted->once,
                                     .of_hello = frame->type == FS_CLIENT_HELLO};
        for (size_t r = 0; r < frame->resume_count; r++)
            if (frame->resume[r].watch == wanted->watch)
                wish.resume_view = frame->resume[r].view;
        fs_engine_watch(engine, connection, &wish, now);
    }
    for (size_t i = 0; i < frame->unwatched_count; i++)
        fs_engine_unwatch(engine, connection, frame->unwatched[i], now);
    if (frame->type == FS_CLIENT_RENEW)
        fs_engine_renew(engine, connection, frame->n, now);
    else if (frame->type == FS_CLIENT_ACK)
        fs_engine_ack(engine, connection, frame->revision, now);
}

/* The door has said goaway and closes: the engine has to know that nothing of this key counts any more. */
static void revoke(struct fs_daemon *daemon, const char *key)
{
    char *ticket = fs_format("ticket:%s", key);
    fs_ofrep_streams_revoke(daemon, key);
    fs_engine_goaway(daemon->engine, key, "revoked", "the key was revoked", 0, 0, 4401);
    fs_engine_goaway(daemon->engine, ticket, "revoked", "the key was revoked", 0, 0, 4401);
    fs_free(ticket);
}

static void take_net(struct fs_daemon *daemon, struct fs_net_message *message)
{
    struct fs_time now = fs_daemon_now(daemon);
    switch (message->kind) {
    case FS_NET_REQUEST:
        fs_api_request(daemon, message);
        break;
    case FS_NET_OPENED:
        if (message->is_board)
            fs_board_opened(daemon, message->connection, now);
        else
            fs_engine_connect(daemon->engine, message->connection, message->credential, message->address,
                              false, now);
        break;
    case FS_NET_FRAME:
        if (message->board)
            fs_board_take(daemon, message->connection, message->board, now);
        else
            take_frame(daemon, message->connection, message->frame, now);
        break;
    case FS_NET_SENT:
        fs_engine_sent(daemon->engine, message->connection, message->count, now);
        fs_feed_sent(daemon->engine, message->connection, message->count, now);
        break;
    case FS_NET_CLOSED:
        fs_engine_disconnect(daemon->engine, message->connection, now);
        fs_board_closed(daemon, message->connection, now);
        fs_receipt_stream_closed(daemon, message->connection);
        fs_waiting_forget(daemon, message->connection);
        break;
    case FS_NET_REVOKED:
        revoke(daemon, message->text);
        break;
    }
}

static void take_fetched(struct fs_daemon *daemon, struct fs_fetch_message *message)
{
    struct fs_time now = fs_daemon_now(daemon);
    if (message->kind == FS_FETCH_PROBE) {
        fs_engine_probed(daemon->engine, message->source, message->probe.alive, message->probe.revision,
                         message->probe.error, now);
        return;
    }
    fs_histogram_add(&daemon->source_seconds[message->source],
                     (double)(message->received - message->sent) / 1e9);
    fs_engine_answered(daemon->engine, message->token, message->answers, message->count, now);
    memset(message->answers, 0, message->count * sizeof *message->answers); /* taken over */
}

/* Waits for the door, which has them: on the worker's thread. */
static void reload_tls(void *server)
{
    struct fs_err err;
    if (!fs_server_reload_tls(server, &err))
        FS_LOG_ERROR("serve", "certificates are not reloaded", "error", err.text);
}

static void take_notice(struct fs_daemon *daemon, struct fs_notice *notice)
{
    switch (notice->kind) {
    case FS_NOTICE_STOP:
        fs_daemon_stop(daemon);
        break;
    case FS_NOTICE_RELOAD:
        FS_LOG_INFO("serve", "reloading flags, secrets and certificates");
        fs_daemon_check_flags(daemon, true);
        fs_fetch_reload(daemon->fetch);
        if (!fs_worker_do(daemon->worker, reload_tls, daemon->server))
            FS_LOG_ERROR("serve", "certificates are not reloaded", "error", "too much to do: try again");
        break;
    case FS_NOTICE_FLAGS:
        fs_daemon_flags_read(daemon, notice->flags);
        break;
    case FS_NOTICE_ENTRIES:
        fs_boards_read(daemon, notice->tail);
        notice->tail = NULL;
        break;
    case FS_NOTICE_COMMITS:
        for (size_t i = 0; i < notice->count; i++)
            fs_daemon_committed(daemon, &notice->commits[i]);
        break;
    }
}

static void dispatch(struct fs_daemon *daemon, struct fs_message *message)
{
    struct fs_notice *notice = fs_notice_from(message);
    struct fs_fetch_message *fetched = notice ? NULL : fs_fetch_message_from(message);
    if (notice) {
        take_notice(daemon, notice);
        fs_notice_destroy(notice);
    } else if (fetched) {
        take_fetched(daemon, fetched);
        fs_fetch_message_destroy(fetched);
    } else {
        take_net(daemon, FS_CONTAINER(message, struct fs_net_message, message));
        message->destroy(message);
    }
}

void fs_daemon_stop(struct fs_daemon *daemon)
{
    if (daemon->draining) { /* told twice: somebody is in a hurry */
        daemon->end_at = fs_daemon_now(daemon).mono;
        return;
    }
    daemon->draining = true;
    daemon->end_at = fs_daemon_now(daemon).mono + daemon->options->drain;
    FS_LOG_INFO("serve", "draining: clients get time to leave; a second signal ends it at once", "ms",
                fs_log_int(daemon->options->drain));
    fs_server_drain(daemon->server);
    /* Clients have until end_at to open their next connection; those that stay are closed then. */
    fs_engine_goaway(daemon->engine, NULL, "drain", "the service is going away", daemon->options->drain, 500,
                     0);
    fs_feed_goaway(daemon->engine, "drain", 500, 1001);
    fs_engine_receipts_give_up(daemon->engine, fs_daemon_now(daemon));
    fs_engine_searches_give_up(daemon->engine, fs_daemon_now(daemon));
}

/* Nobody is connected or waits for an answer any more, or the time is over. */
static bool is_drained(struct fs_daemon *daemon)
{
    struct fs_engine_counts counts;
    if (!daemon->draining)
        return false;
    if (fs_daemon_now(daemon).mono >= daemon->end_at) {
        fs_engine_end(daemon->engine, 1001);
        return true;
    }
    fs_engine_count(daemon->engine, &counts);
    return !counts.connections && !counts.streams && !fs_journal_waiting(daemon->journal) &&
           !daemon->waiting.count && !fs_queue_length(daemon->inbox);
}

void fs_daemon_run(struct fs_daemon *daemon)
{
    while (!is_drained(daemon)) {
        struct fs_time now = fs_daemon_now(daemon);
        int64_t due = fs_engine_next(daemon->engine);
        int64_t check = daemon->flags_checked + FLAG_CHECK_MS;
        int64_t demo = fs_demo_turn(daemon), receipts = fs_receipt_streams_turn(daemon);
        int64_t boards = fs_boards_turn(daemon);
        due = check < due ? check : due;
        due = demo < due ? demo : due;
        due = receipts < due ? receipts : due;
        due = boards < due ? boards : due;
        if (daemon->draining && due > now.mono + 20)
            due = now.mono + 20;
        fs_queue_wait(daemon->inbox, due > now.mono ? due - now.mono : 0);
        struct fs_list messages;
        fs_list_init(&messages);
        fs_queue_pop_all(daemon->inbox, &messages);
        FS_LIST_EACH(&messages, node)
        {
            fs_list_remove(node);
            dispatch(daemon, FS_CONTAINER(node, struct fs_message, node));
        }
        fs_fault_wait(
            fs_fault("core.hang")); /* a core that hangs must not stretch a lease: tests make it hang here */
        fs_engine_turn(daemon->engine, fs_daemon_now(daemon));
        fs_daemon_overrides_changed(daemon);
        if (daemon->start_due && fs_daemon_now(daemon).mono >= daemon->start_due)
            fs_daemon_append_start(daemon);
        if (fs_daemon_now(daemon).mono >= check) {
            fs_daemon_check_flags(daemon, false);
            fs_ofrep_streams_expire(daemon);
        }
    }
}
