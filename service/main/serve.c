/* SPDX-License-Identifier: Apache-2.0 */
/* `flagstaff serve`: builds the daemon from its options, in an order in which each part finds what it needs,
 * runs it, and takes it down. */
#include <errno.h> /* program_invocation_name */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/digest.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon.h"
#include "prepare.h"
#include "quick.h"

#define INBOX       65536 /* messages to the core */
#define INBOX_BYTES (64 * 1024 * 1024)

/* Signals arrive on a thread of their own, as messages. */
static void *watch_signals(void *arg)
{
    struct fs_daemon *daemon = arg;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR2); /* our own: the daemon has ended */
    for (int signal; !sigwait(&set, &signal);) {
        if (signal == SIGUSR2)
            return NULL;
        fs_notice_post(daemon->inbox, signal == SIGHUP ? FS_NOTICE_RELOAD : FS_NOTICE_STOP);
    }
    return NULL;
}

static void block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* inherited by all threads that follow */
    signal(SIGPIPE, SIG_IGN);
}

/* Each client is a file: as many as the hard limit allows, since libwebsockets sizes itself by the soft one.
 */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* sd_notify(3) without the library: one datagram to the socket that the environment names. */
static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (address.sun_path[0] == '@')
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, length) < 0)
        FS_LOG_WARN("serve", "the service manager could not be told", "state", state);
    close(fd);
}

static bool restore_fact(void *self, const struct fs_fact_state *fact)
{
    struct fs_daemon *daemon = self;
    fs_engine_restore(daemon->engine, fact);
    return true;
}

/* Signals wait until their thread is there; a long journal must not hold up who ends the daemon meanwhile. */
static bool is_told_to_stop(void)
{
    sigset_t waiting;
    return !sigpending(&waiting) && (sigismember(&waiting, SIGTERM) || sigismember(&waiting, SIGINT));
}

static bool replay_entry(void *self, const struct fs_entry *entry)
{
    struct fs_daemon *daemon = self;
    fs_fault_wait(fs_fault("serve.replay"));
    if (is_told_to_stop()) {
        daemon->interrupted = true;
        return false;
    }
    fs_engine_replay(daemon->engine, entry);
    return true;
}

/* 0 where there is none. False with `err` where it cannot be told. */
static bool read_number(struct fs_journal *journal, const char *name, int64_t *out, struct fs_err *err)
{
    char *text;
    uint64_t number = 0;
    *out = 0;
    if (!fs_journal_get(journal, name, &text, err))
        return false;
    if (text && fs_parse_u64(fs_str_from(text), &number))
        *out = (int64_t)number;
    fs_free(text);
    return true;
}

static bool store_number(struct fs_journal *journal, const char *name, int64_t number, struct fs_err *err)
{
    char *text = fs_format("%lld", (long long)number);
    bool stored = fs_journal_put(journal, name, text, err);
    fs_free(text);
    return stored;
}

static bool open_journal(struct fs_daemon *daemon, struct fs_err *err)
{
    struct fs_journal_options options = {.directory = daemon->options->data,
                                         .dedup_ms = daemon->options->dedup,
                                         .retention_ms = daemon->options->retention,
                                         .clock = daemon->clock,
                                         .committed = fs_notice_commits,
                                         .self = daemon->inbox};
    daemon->journal = fs_journal_open(&options, err);
    if (!daemon->journal)
        return false;
    /* Processes before this one may have granted leases: the moment when the last of these ends stands on
     * disk before the first of ours is granted. */
    int64_t wall = fs_daemon_now(daemon).wall;
    int64_t bound, before;
    if (!read_number(daemon->journal, "lease-bound", &bound, err) ||
        !read_number(daemon->journal, "lease", &before, err))
        return false;
    if (before && wall + before > bound)
        bound = wall + before;
    daemon->options->engine.prior_lease = bound > wall ? bound - wall : 0;
    bool stored = store_number(daemon->journal, "lease-bound", bound, err) &&
                  store_number(daemon->journal, "lease", daemon->options->engine.lease, err);
    return stored;
}

/* Takes what was prepared. */
static void add_sources(struct fs_daemon *daemon, struct fs_preparation *ready)
{
    daemon->sources = ready->known;
    daemon->source_seconds = fs_calloc(ready->source_count, sizeof *daemon->source_seconds);
    fs_engine_add_source(daemon->engine, "builtin", ready->known[0].type, -1);
    for (size_t i = 1; i < ready->source_count; i++) {
        const struct fs_flagfile_source *source = &ready->known[i];
        struct fs_prepared_source *prepared = &ready->sources[i];
        int64_t own = prepared->endpoint.revalidate;
        unsigned index = fs_engine_add_source(daemon->engine, source->name, source->type,
                                              own >= 0 ? own : daemon->options->revalidate);
        fs_fetch_add_source(daemon->fetch, index, source->name, source->type, prepared->self,
                            &prepared->endpoint);
        prepared->self = NULL;
        fs_source_endpoint_finish(&prepared->endpoint);
    }
    daemon->source_count = ready->source_count;
    ready->known = NULL;
    ready->source_count = 0;
}

static bool open_door(struct fs_daemon *daemon, struct fs_err *err)
{
    bool ever;
    struct fs_keyring *keyring = fs_keys_load(daemon->journal, &ever, err);
    if (!keyring)
        return false;
    struct fs_server_options *server = &daemon->options->server;
    server->keyring = keyring;
    server->inbox = daemon->inbox;
    server->clock = daemon->clock;
    server->loopback_operator = !ever;
    server->quick = fs_quick_answer;
    server->overloaded = fs_quick_overloaded;
    server->quick_self = daemon->quick;
    server->version = FLAGSTAFF_VERSION;
    server->epoch = daemon->options->engine.epoch;
    daemon->server = fs_server_start(server, err);
    if (daemon->server && !ever)
        FS_LOG_WARN("serve", "no key was ever made: every caller on this machine is an operator. The first "
                             "`flagstaff keys add` ends that: then every command needs a key");
    return daemon->server != NULL;
}

static void make_epoch(struct fs_engine_options *options)
{
    uint8_t random[8];
    char hex[17];
    fs_random(random, sizeof random);
    snprintf(options->epoch, sizeof options->epoch, "e-%s", fs_hex(random, sizeof random, hex));
    fs_random(options->secret, sizeof options->secret);
}

static bool start(struct fs_daemon *daemon, struct fs_preparation *ready, struct fs_err *err)
{
    struct fs_fetch_options fetch = {.inbox = daemon->inbox,
                                     .probe_interval = daemon->options->engine.probe_interval};
    daemon->worker = fs_worker_start();
    daemon->key_worker = fs_worker_start();
    if (daemon->options->dashboard_dir)
        daemon->board_worker = fs_worker_start();
    if (!daemon->worker || !daemon->key_worker || !daemon->board_worker != !daemon->options->dashboard_dir)
        return fs_fail(err, FS_ERR_GENERAL, "no thread could be started");
    if (!open_journal(daemon, err))
        return false;
    daemon->fetch = fs_fetch_start(&fetch, err);
    if (!daemon->fetch)
        return false;
    daemon->mappings = ready->mappings;
    ready->mappings = NULL;
    fs_journal_secret(daemon->journal, daemon->options->engine.context_rules.secret);
    daemon->quick = fs_quick_create(&daemon->options->engine.context_rules, daemon->clock);
    make_epoch(&daemon->options->engine);
    daemon->options->engine.ports = fs_daemon_ports(daemon);
    daemon->engine = fs_engine_create(&daemon->options->engine, fs_daemon_now(daemon));
    add_sources(daemon, ready);
    if (!fs_journal_facts(daemon->journal, restore_fact, daemon, err) ||
        !fs_journal_overrides(daemon->journal, replay_entry, daemon, err) ||
        !fs_journal_read(daemon->journal, 1, SIZE_MAX, replay_entry, daemon, err))
        return false;
    if (daemon->interrupted)
        return false;
    fs_journal_replayed(daemon->journal);
    daemon->last_entry = fs_journal_last(daemon->journal);
    fs_daemon_first_flags(daemon, ready->flags);
    ready->flags = NULL;
    fs_daemon_overrides_changed(daemon); /* the door answers some flags by itself, as soon as it is open */
    if (!open_door(daemon, err))
        return false;
    fs_daemon_append_start(daemon);
    return true;
}

static void destroy_waiting(void *value)
{
    struct fs_waiting *waiting = value;
    if (waiting->submission && --waiting->submission->waiting == 0)
        fs_submission_destroy(waiting->submission);
    fs_waiting_destroy(waiting);
}

static void destroy_draft(void *value)
{
    struct fs_draft_text *text = value;
    fs_free(text->body);
    fs_free(text);
}

static void take_down(struct fs_daemon *daemon)
{
    fs_worker_stop(daemon->key_worker);
    fs_worker_stop(daemon->worker); /* its jobs answer by the door */
    fs_worker_stop(daemon->board_worker);
    fs_server_stop(daemon->server);
    fs_fetch_stop(daemon->fetch);
    fs_journal_close(daemon->journal);
    fs_queue_close(daemon->inbox);
    fs_engine_destroy(daemon->engine);
    fs_ofrep_finish(daemon);
    fs_receipt_streams_finish(daemon);
    fs_boards_finish(daemon);
    fs_map_finish(&daemon->waiting_requests, NULL);
    fs_map_finish(&daemon->waiting, destroy_waiting);
    fs_map_finish(&daemon->drafts, destroy_draft);
    fs_erasures_finish(daemon);
    fs_flagset_unref(daemon->next_set);
    fs_mappings_destroy(daemon->mappings);
    fs_quick_destroy(daemon->quick);
    fs_free((void *)(uintptr_t)daemon->sources);
    fs_free(daemon->source_seconds);
    fs_queue_destroy(daemon->inbox);
}

/* What a client on this machine connects to; an address of all interfaces is none to connect to. Owned. */
static char *url_here(const struct fs_server_options *server, int port)
{
    const char *host = server->host;
    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0)
        host = "::1";
    bool brackets = strchr(host, ':') != NULL;
    return fs_format("%s://%s%s%s:%d", server->tls_certificate ? "https" : "http", brackets ? "[" : "", host,
                     brackets ? "]" : "", port);
}

static void introduce_demo(const struct fs_daemon *daemon, int port)
{
    const char *me = program_invocation_name, *data = daemon->options->data;
    bool keyless = daemon->options->server.loopback_operator;
    char *url = url_here(&daemon->options->server, port);
    char *more = fs_format("--url %s%s", url, keyless ? "" : " --key-file FILE");
    printf("Flagstaff runs on %s with the demo's flags: open it in a browser. In another terminal:\n\n"
           "  %s watch ada %s\n"
           "  %s why ada billing-export %s\n"
           "  %s trigger --subject ada --fact risk=90 --wait delivered %s\n\n",
           url, me, more, me, more, me, more);
    if (!keyless)
        printf("A key was made in %s before: every command needs one, in FILE.\n", data);
    printf("(--url can be left out where the port is 8080). Ctrl-C ends it.\n"
           "Facts, keys and the journal stay in %s; --data DIRECTORY takes another, and a new one starts "
           "anew.\n",
           data);
    fflush(stdout);
    fs_free(more);
    fs_free(url);
}

static void say_hello(const struct fs_daemon *daemon)
{
    int port = fs_server_port(daemon->server);
    char port_text[16];
    snprintf(port_text, sizeof port_text, "%d", port);
    FS_LOG_INFO("serve", "listening", "address", daemon->options->server.host, "port", port_text, "epoch",
                daemon->options->engine.epoch);
    if (daemon->options->demo)
        introduce_demo(daemon, port);
}

static void log_warning(const char *text)
{
    FS_LOG_WARN("serve", text);
}

static void print_warning(const char *text)
{
    fprintf(stderr, "flagstaff: warning: %s\n", text);
}

size_t fs_serve_check(const struct fs_daemon_options *options, const struct fs_config *config)
{
    struct fs_preparation ready;
    struct fs_mistakes mistakes = {0};
    fs_prepare(&ready, options, config, print_warning, &mistakes);
    for (size_t i = 0; i < mistakes.list.count; i++)
        fprintf(stderr, "flagstaff: %s\n", mistakes.list.items[i].text);
    size_t count = mistakes.list.count;
    fs_preparation_finish(&ready);
    fs_mistakes_finish(&mistakes);
    return count;
}

static bool prepare(struct fs_preparation *ready, const struct fs_daemon_options *options,
                    const struct fs_config *config)
{
    struct fs_mistakes mistakes = {0};
    bool fine = fs_prepare(ready, options, config, log_warning, &mistakes);
    for (size_t i = 0; i < mistakes.list.count; i++)
        FS_LOG_ERROR("serve", mistakes.list.items[i].text);
    fs_mistakes_finish(&mistakes);
    return fine;
}

int fs_serve(struct fs_daemon_options *options, const struct fs_config *config)
{
    struct fs_preparation ready;
    struct fs_daemon daemon = {.options = options, .clock = fs_clock_system()};
    struct fs_err err = {0};
    pthread_t signals;
    if (!prepare(&ready, options, config)) {
        fs_preparation_finish(&ready);
        return fs_err_exit(FS_ERR_CONFIG);
    }
    block_signals();
    raise_file_limit();
    daemon.started = fs_daemon_now(&daemon).wall;
    daemon.inbox = fs_queue_create(INBOX, NULL, NULL);
    fs_queue_limit_bytes(daemon.inbox, INBOX_BYTES);
    fs_map_init(&daemon.waiting);
    fs_map_init(&daemon.waiting_requests);
    fs_map_init(&daemon.drafts);
    fs_map_init(&daemon.erasures);
    fs_map_init(&daemon.streams);
    fs_map_init(&daemon.newest_streams);
    fs_list_init(&daemon.receipt_streams);
    fs_list_init(&daemon.boards);
    bool started = start(&daemon, &ready, &err);
    fs_preparation_finish(&ready);
    if (!started) {
        fs_config_locate(config, &err);
        if (daemon.interrupted)
            FS_LOG_INFO("serve", "told to stop while the journal was read");
        else
            FS_LOG_ERROR("serve", err.text);
        take_down(&daemon);
        return daemon.interrupted ? 0 : fs_err_exit(err.code);
    }
    bool has_signals = !pthread_create(&signals, NULL, watch_signals, &daemon);
    say_hello(&daemon);
    notify("READY=1");
    fs_daemon_run(&daemon);
    notify("STOPPING=1");
    if (has_signals) {
        pthread_kill(signals, SIGUSR2);
        pthread_join(signals, NULL);
    }
    take_down(&daemon);
    FS_LOG_INFO("serve", "ended");
    return 0;
}
