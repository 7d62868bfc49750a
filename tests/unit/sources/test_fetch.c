/* SPDX-License-Identifier: Apache-2.0 */
/* The fetch thread's promises (net/fetch.h), over real sockets and a source of the test's own. */
#include "fetch_echo.h"
#include "fetch_server.h"
#include "net/fetch.h"
#include <fcntl.h>
#include "base/buf.h"

/* ---- the bench ---- */

struct bench {
    struct server server;
    struct fs_queue *inbox;
    struct fs_fetch *fetch;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int held, held_most; /* requests to /hold at the moment, and the most at once */
    int release;         /* let /hold go when so many have arrived */
    int arrived;
    bool probed; /* the second step was answered */
    bool probes_hang;
    bool asked_too_early;
    char authorization[128]; /* of the last request */
};

static void remember_authorization(struct bench *bench, const char *head)
{
    const char *found = strcasestr(head, "\r\nAuthorization: ");
    size_t length = found ? strcspn(found + 17, "\r") : 0;
    snprintf(bench->authorization, sizeof bench->authorization, "%.*s", (int)length, found ? found + 17 : "");
}

static void hold(struct bench *bench)
{
    bench->held++;
    bench->arrived++;
    bench->held_most = bench->held > bench->held_most ? bench->held : bench->held_most;
    pthread_cond_broadcast(&bench->changed);
    while (bench->arrived < bench->release)
        pthread_cond_wait(&bench->changed, &bench->lock);
    bench->held--;
}

static void handle(struct server *server, const char *head, const char *body, struct server_reply *reply)
{
    struct bench *bench = server->arg;
    const char *path = strchr(head, ' ') + 1;
    pthread_mutex_lock(&bench->lock);
    remember_authorization(bench, head);
    reply->body = "fine";
    if (strncmp(path, "/probe-first ", 13) == 0) {
    } else if (strncmp(path, "/probe-second ", 14) == 0) {
        reply->body = "r1";
        bench->probed = true;
    } else {
        bench->asked_too_early = bench->asked_too_early || !bench->probed;
    }
    if (strncmp(path, "/hang ", 6) == 0 || (bench->probes_hang && strncmp(path, "/probe-second ", 14) == 0))
        reply->hang = true;
    else if (strncmp(path, "/hold ", 6) == 0)
        hold(bench);
    else if (strncmp(path, "/large ", 7) == 0)
        reply->filler = 4096;
    else if (strncmp(path, "/status-500 ", 12) == 0)
        reply->status = 500;
    else if (strncmp(path, "/moved ", 7) == 0)
        reply->status = 302, reply->header = "Location: /fine\r\n";
    else if (strncmp(path, "/echo ", 6) == 0)
        reply->body = strcmp(body, "{\"a\":1}") == 0 ? "as sent" : "something else";
    pthread_mutex_unlock(&bench->lock);
}

static void bench_start(struct bench *bench, const char *socket_path)
{
    memset(bench, 0, sizeof *bench);
    pthread_mutex_init(&bench->lock, NULL);
    pthread_cond_init(&bench->changed, NULL);
    server_start(&bench->server, socket_path, handle, bench);
    bench->inbox = fs_queue_create(16, NULL, NULL);
    struct fs_fetch_options options = {.inbox = bench->inbox, .response_limit = 1024};
    struct fs_err err;
    bench->fetch = fs_fetch_start(&options, &err);
    assert_non_null(bench->fetch);
}

static void bench_add(struct bench *bench, unsigned index, const char *url, int64_t timeout,
                      const char *token_file)
{
    char text[128];
    snprintf(text, sizeof text, "http://127.0.0.1:%u", bench->server.port);
    json_t *options = json_pack("{s:s, s:s*}", "url", url ? url : text, "tokenFile", token_file);
    struct fs_source_endpoint endpoint;
    assert_true(fs_source_endpoint_read("echo", options, &endpoint, NULL));
    endpoint.timeout = timeout;
    fs_fetch_add_source(bench->fetch, index, "echo", &echo, echo_create("echo", NULL, NULL), &endpoint);
    fs_source_endpoint_finish(&endpoint);
    json_decref(options);
}

static struct fs_fetch_message *bench_pop(struct bench *bench)
{
    assert_true(fs_queue_wait(bench->inbox, 30000));
    struct fs_fetch_message *message = fs_fetch_message_from(fs_queue_pop(bench->inbox));
    assert_non_null(message);
    return message;
}

static struct fs_fetch_message *bench_pop_kind(struct bench *bench, enum fs_fetch_kind kind)
{
    struct fs_fetch_message *message = bench_pop(bench);
    while (message->kind != kind) {
        fs_fetch_message_destroy(message);
        message = bench_pop(bench);
    }
    return message;
}

static void bench_ask(struct bench *bench, unsigned index, size_t count, const char *const *queries,
                      uint64_t token)
{
    struct fs_asked batch[32] = {0};
    assert_true(count <= 32);
    for (size_t i = 0; i < count; i++) {
        const char *input = strcmp(queries[i], "echo") == 0 ? "{\"a\":1}" : "";
        batch[i] = (struct fs_asked){
            .id = i, .kind = "path", .query = queries[i], .input = input, .input_length = strlen(input)};
    }
    fs_fetch_ask(bench->fetch, index, batch, count, token);
}

static void bench_stop(struct bench *bench)
{
    fs_fetch_stop(bench->fetch);
    fs_queue_destroy(bench->inbox);
    server_stop(&bench->server);
    pthread_mutex_destroy(&bench->lock);
    pthread_cond_destroy(&bench->changed);
}

/* ---- promises ---- */

static void a_batch_comes_back_whole_in_its_order_with_its_token(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_add(&bench, 3, NULL, 10000, NULL);
    bench_ask(&bench, 3, 3, (const char *[]){"fine", "status-500", "echo"}, 77);
    struct fs_fetch_message *message = bench_pop_kind(&bench, FS_FETCH_ANSWERS);
    assert_int_equal(message->source, 3);
    assert_int_equal(message->token, 77);
    assert_int_equal(message->count, 3);
    assert_int_equal(message->answers[0].state, FS_ANSWER_VALUE);
    assert_int_equal(message->answers[1].state, FS_ANSWER_NONE);
    assert_string_equal(message->answers[1].error, "status 500");
    assert_string_equal(json_string_value(message->answers[2].value), "as sent");
    assert_true(message->received >= message->sent);
    fs_fetch_message_destroy(message);
    bench_stop(&bench);
}

static void an_empty_batch_and_an_unknown_source_are_answered_too(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_ask(&bench, 9, 1, (const char *[]){"fine"}, 1);
    struct fs_fetch_message *message = bench_pop(&bench);
    assert_int_equal(message->answers[0].state, FS_ANSWER_NONE);
    fs_fetch_message_destroy(message);
    fs_fetch_probe(bench.fetch, 9);
    message = bench_pop(&bench);
    assert_false(message->probe.alive);
    fs_fetch_message_destroy(message);
    bench_add(&bench, 0, NULL, 10000, NULL);
    bench_ask(&bench, 0, 0, NULL, 2);
    message = bench_pop_kind(&bench, FS_FETCH_ANSWERS);
    assert_int_equal(message->token, 2);
    assert_int_equal(message->count, 0);
    fs_fetch_message_destroy(message);
    bench_stop(&bench);
}

static void what_a_hanging_source_leaves_open_is_none_and_what_came_is_kept(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_add(&bench, 0, NULL, 150, NULL);
    bench_ask(&bench, 0, 3, (const char *[]){"hang", "fine", "hang"}, 1);
    struct fs_fetch_message *message = bench_pop_kind(&bench, FS_FETCH_ANSWERS);
    assert_int_equal(message->answers[0].state, FS_ANSWER_NONE);
    assert_non_null(strstr(message->answers[0].error, "no answer within"));
    assert_int_equal(message->answers[1].state, FS_ANSWER_VALUE);
    assert_int_equal(message->answers[2].state, FS_ANSWER_NONE);
    fs_fetch_message_destroy(message);
    bench_stop(&bench);
}

static void a_line_that_outlasts_the_timeout_ends_none_the_less(void **state)
{
    (void)state;
    struct bench bench;
    const char *queries[32];
    for (size_t i = 0; i < 32; i++)
        queries[i] = "hang";
    bench_start(&bench, NULL);
    bench_add(&bench, 0, NULL, 100, NULL);
    bench_ask(&bench, 0, 32, queries, 1);
    struct fs_fetch_message *message = bench_pop_kind(&bench, FS_FETCH_ANSWERS);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(message->answers[i].state, FS_ANSWER_NONE);
    fs_fetch_message_destroy(message);
    assert_true(bench.server.requests < 20); /* not one after the other, each with a timeout of its own */
    bench_stop(&bench);
}

static void a_hung_source_holds_up_no_other(void **state)
{
    (void)state;
    struct bench bench, other;
    bench_start(&bench, NULL);
    bench_start(&other, NULL);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", other.server.port);
    bench_add(&bench, 0, NULL, 60000, NULL);
    bench_add(&bench, 1, url, 60000, NULL);
    bench_ask(&bench, 0, 5, (const char *[]){"hang", "hang", "hang", "hang", "fine"}, 1);
    bench_ask(&bench, 1, 1, (const char *[]){"fine"}, 2);
    struct fs_fetch_message *message = bench_pop_kind(&bench, FS_FETCH_ANSWERS);
    assert_int_equal(message->token, 2);
    assert_int_equal(message->answers[0].state, FS_ANSWER_VALUE);
    fs_fetch_message_destroy(message);
    fs_fetch_probe(bench.fetch, 0); /* nor its own probe */
    message = bench_pop_kind(&bench, FS_FETCH_PROBE);
    fs_fetch_message_destroy(message);
    bench_stop(&bench);
    bench_stop(&other);
}

static void stopping_answers_what_is_open(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_add(&bench, 0, NULL, 60000, NULL);
    fs_fetch_message_destroy(bench_pop_kind(&bench, FS_FETCH_PROBE));
    bench_ask(&bench, 0, 2, (const char *[]){"hang", "hang"}, 5);
    fs_fetch_stop(bench.fetch);
    bench.fetch = NULL;
    struct fs_fetch_message *message = bench_pop(&bench);
    assert_int_equal(message->token, 5);
    assert_int_equal(message->answers[1].state, FS_ANSWER_NONE);
    fs_fetch_message_destroy(message);
    bench_stop(&bench);
}

static void a_source_is_probed_before_anything_is_asked(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_add(&bench, 0, NULL, 10000, NULL);
    bench_ask(&bench, 0, 1, (const char *[]){"fine"}, 1);
    struct fs_fetch_message *message = bench_pop(&bench);
    assert_int_equal(message->kind, FS_FETCH_PROBE);
    assert_true(message->probe.alive);
    assert_string_equal(message->probe.revision, "r1");
    fs_fetch_message_destroy(message);
    message = bench_pop(&bench);
    assert_int_equal(message->answers[0].state, FS_ANSWER_VALUE);
    fs_fetch_message_destroy(message);
    pthread_mutex_lock(&bench.lock);
    assert_false(bench.asked_too_early);
    pthread_mutex_unlock(&bench.lock);
    bench_stop(&bench);
}

static void a_probe_does_not_hang_for_as_long_as_an_answer_may(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench.probes_hang = true;
    bench_add(&bench, 0, NULL, 100000, NULL); /* longer than anybody waits here */
    struct fs_fetch_message *message = bench_pop(&bench);
    assert_int_equal(message->kind, FS_FETCH_PROBE);
    assert_false(message->probe.alive);
    assert_non_null(strstr(message->probe.error, "no answer within"));
    fs_fetch_message_destroy(message);
    bench_stop(&bench);
}

static void at_most_four_requests_of_a_source_run_at_once(void **state)
{
    (void)state;
    struct bench bench;
    const char *queries[12];
    for (size_t i = 0; i < 12; i++)
        queries[i] = "hold";
    bench_start(&bench, NULL);
    bench.release = 4;
    bench_add(&bench, 0, NULL, 20000, NULL);
    bench_ask(&bench, 0, 12, queries, 1);
    struct fs_fetch_message *message = bench_pop_kind(&bench, FS_FETCH_ANSWERS);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(message->answers[i].state, FS_ANSWER_VALUE);
    fs_fetch_message_destroy(message);
    assert_int_equal(bench.held_most, 4);
    bench_stop(&bench);
}

static void connections_are_kept(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_add(&bench, 0, NULL, 10000, NULL);
    for (uint64_t i = 0; i < 10; i++) {
        bench_ask(&bench, 0, 1, (const char *[]){"fine"}, i);
        fs_fetch_message_destroy(bench_pop_kind(&bench, FS_FETCH_ANSWERS));
    }
    assert_true(atomic_load(&bench.server.connections) <= 2);
    bench_stop(&bench);
}

static void an_answer_over_the_limit_is_cut_off_and_says_so(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_add(&bench, 0, NULL, 10000, NULL);
    bench_ask(&bench, 0, 1, (const char *[]){"large"}, 1);
    struct fs_fetch_message *message = bench_pop_kind(&bench, FS_FETCH_ANSWERS);
    assert_int_equal(message->answers[0].state, FS_ANSWER_NONE);
    assert_string_equal(message->answers[0].error, "the answer is over 1024 bytes");
    fs_fetch_message_destroy(message);
    bench_stop(&bench);
}

static void redirections_are_not_followed(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_add(&bench, 0, NULL, 10000, NULL);
    bench_ask(&bench, 0, 1, (const char *[]){"moved"}, 1);
    struct fs_fetch_message *message = bench_pop_kind(&bench, FS_FETCH_ANSWERS);
    assert_string_equal(message->answers[0].error, "status 302");
    fs_fetch_message_destroy(message);
    bench_stop(&bench);
}

static void a_refused_connection_is_no_answer_and_no_life(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    int reserved = socket(AF_INET, SOCK_STREAM, 0); /* bound and not listening: refuses */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_int_equal(bind(reserved, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(reserved, (struct sockaddr *)&address, &length), 0);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", ntohs(address.sin_port));
    bench_add(&bench, 0, url, 10000, NULL);
    struct fs_fetch_message *message = bench_pop(&bench);
    assert_false(message->probe.alive);
    assert_non_null(strstr(message->probe.error, "cannot connect to http://127.0.0.1:"));
    fs_fetch_message_destroy(message);
    bench_ask(&bench, 0, 1, (const char *[]){"fine"}, 1);
    message = bench_pop(&bench);
    assert_int_equal(message->answers[0].state, FS_ANSWER_NONE);
    fs_fetch_message_destroy(message);
    close(reserved);
    bench_stop(&bench);
}

static void write_file(const char *path, const char *text)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    close(descriptor);
}

static void ask_fine(struct bench *bench, enum fs_answer_state wanted, const char *authorization)
{
    bench_ask(bench, 0, 1, (const char *[]){"fine"}, 1);
    struct fs_fetch_message *message = bench_pop_kind(bench, FS_FETCH_ANSWERS);
    assert_int_equal(message->answers[0].state, wanted);
    if (wanted == FS_ANSWER_NONE) {
        assert_non_null(strstr(message->answers[0].error, "tokenFile"));
        assert_null(strstr(message->answers[0].error, "canary"));
    }
    fs_fetch_message_destroy(message);
    pthread_mutex_lock(&bench->lock);
    assert_string_equal(bench->authorization, authorization);
    pthread_mutex_unlock(&bench->lock);
}

static void the_token_comes_from_its_file_and_is_read_again_on_reload(void **state)
{
    (void)state;
    struct bench bench;
    char path[] = "/tmp/flagstaff-token-XXXXXX";
    close(mkstemp(path));
    write_file(path, "  canary-one\n");
    bench_start(&bench, NULL);
    bench_add(&bench, 0, NULL, 10000, path);
    ask_fine(&bench, FS_ANSWER_VALUE, "Bearer canary-one");
    write_file(path, "canary-two");
    ask_fine(&bench, FS_ANSWER_VALUE, "Bearer canary-one");
    fs_fetch_reload(bench.fetch);
    ask_fine(&bench, FS_ANSWER_VALUE, "Bearer canary-two");
    write_file(path, "canary three\r\nX-Forged: 1");
    fs_fetch_reload(bench.fetch);
    ask_fine(&bench, FS_ANSWER_NONE, "Bearer canary-two"); /* nothing was sent */
    unlink(path);
    fs_fetch_reload(bench.fetch);
    ask_fine(&bench, FS_ANSWER_NONE, "Bearer canary-two");
    bench_stop(&bench);
}

static void no_proxy_stands_before_loopback(void **state)
{
    (void)state;
    struct bench bench;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    bench_start(&bench, NULL);
    bench_add(&bench, 0, NULL, 10000, NULL);
    ask_fine(&bench, FS_ANSWER_VALUE, "");
    bench_stop(&bench);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

static void a_unix_socket_is_asked_like_any_other(void **state)
{
    (void)state;
    struct bench bench;
    char folder[] = "/tmp/flagstaff-socket-XXXXXX", path[64], url[80];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    snprintf(url, sizeof url, "unix://%s", path);
    bench_start(&bench, path);
    bench_add(&bench, 0, url, 10000, NULL);
    ask_fine(&bench, FS_ANSWER_VALUE, "");
    bench_stop(&bench);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_comes_back_whole_in_its_order_with_its_token),
        cmocka_unit_test(an_empty_batch_and_an_unknown_source_are_answered_too),
        cmocka_unit_test(what_a_hanging_source_leaves_open_is_none_and_what_came_is_kept),
        cmocka_unit_test(a_line_that_outlasts_the_timeout_ends_none_the_less),
        cmocka_unit_test(a_hung_source_holds_up_no_other),
        cmocka_unit_test(stopping_answers_what_is_open),
        cmocka_unit_test(a_source_is_probed_before_anything_is_asked),
        cmocka_unit_test(a_probe_does_not_hang_for_as_long_as_an_answer_may),
        cmocka_unit_test(at_most_four_requests_of_a_source_run_at_once),
        cmocka_unit_test(connections_are_kept),
        cmocka_unit_test(an_answer_over_the_limit_is_cut_off_and_says_so),
        cmocka_unit_test(redirections_are_not_followed),
        cmocka_unit_test(a_refused_connection_is_no_answer_and_no_life),
        cmocka_unit_test(the_token_comes_from_its_file_and_is_read_again_on_reload),
        cmocka_unit_test(no_proxy_stands_before_loopback),
        cmocka_unit_test(a_unix_socket_is_asked_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
