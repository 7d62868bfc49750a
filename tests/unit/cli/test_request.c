/* SPDX-License-Identifier: Apache-2.0 */
/* What the client commands ask, and how they end. */
#include "server.h"

static json_t *sent(const struct server *server)
{
    const char *end = strstr(server->heard, "\r\n\r\n");
    assert_non_null(end);
    json_t *json = json_loads(end + 4, 0, NULL);
    assert_non_null(json);
    return json;
}

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void get_asks_over_ofrep_and_prints_a_table(void **state)
{
    (void)state;
    struct server server;
    struct outcome outcome = ask(&server, "200 OK",
                                 "{\"flags\":[{\"key\":\"f\",\"value\":true,\"variant\":\"on\",\"reason\":"
                                 "\"TARGETING_MATCH\",\"metadata\":{}},"
                                 "{\"key\":\"g\",\"errorCode\":\"GENERAL\",\"errorDetails\":\"no value\"}]}",
                                 WORDS("get", "ada", "-a", "level=3"), "secret");
    assert_int_equal(outcome.status, 0);
    assert_non_null(strstr(server.heard, "POST /ofrep/v1/evaluate/flags HTTP/1.1\r\n"));
    assert_non_null(strstr(server.heard, "Authorization: Bearer secret\r\n"));
    json_t *body = sent(&server);
    const json_t *context = json_object_get(body, "context");
    assert_string_equal(text(context, "targetingKey"), "ada");
    assert_int_equal(json_integer_value(json_object_get(context, "level")), 3);
    json_decref(body);
    assert_string_equal(outcome.out, "FLAG  VALUE  VARIANT  REASON           NOTE\n"
                                     "f     true   on       TARGETING_MATCH  -\n"
                                     "g     -      -        GENERAL          no value\n");
    outcome_finish(&outcome);
}

static void names_are_encoded_in_paths_and_queries(void **state)
{
    (void)state;
    struct server server;
    struct outcome outcome = ask(&server, "200 OK", "{\"key\":\"a/b\",\"value\":1}",
                                 WORDS("get", "ada", "a/b", "-o", "json"), NULL);
    assert_non_null(strstr(server.heard, "POST /ofrep/v1/evaluate/flags/a%2Fb HTTP"));
    assert_null(strstr(server.heard, "Authorization"));
    json_t *printed = json_loads(outcome.out, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(printed, "value")), 1);
    json_decref(printed);
    outcome_finish(&outcome);
    outcome =
        ask(&server, "200 OK", "{\"changes\":[]}", WORDS("history", "a&b c", "f", "--before", "7"), NULL);
    assert_non_null(strstr(server.heard, "GET /v1/history?subject=a%26b%20c&flag=f&limit=20&before=7 HTTP"));
    outcome_finish(&outcome);
    outcome = ask(&server, "200 OK", "{\"clients\":[]}", WORDS("clients"), NULL);
    assert_non_null(strstr(server.heard, "GET /v1/clients HTTP"));
    outcome_finish(&outcome);
    outcome = ask(&server, "200 OK", "{\"clients\":[],\"next\":12}",
                  WORDS("clients", "--limit", "5", "--after", "7"), NULL);
    assert_non_null(strstr(server.heard, "GET /v1/clients?limit=5&after=7 HTTP"));
    assert_non_null(strstr(outcome.words, "--after 12"));
    outcome_finish(&outcome);
}

static void a_trigger_without_facts_recomputes(void **state)
{
    (void)state;
    struct server server;
    struct outcome outcome = ask(&server, "202 Accepted", "{\"entries\":[{\"entry\":12}]}",
                                 WORDS("trigger", "-s", "ada", "--source", "opa"), NULL);
    json_t *event = sent(&server);
    assert_string_equal(text(event, "type"), "flagstaff.recompute");
    assert_string_equal(text(event, "specversion"), "1.0");
    assert_int_equal(strlen(text(event, "id")), 32);
    assert_non_null(text(event, "time"));
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(json_object_get(event, "data"), "subjects"), 0)),
        "ada");
    assert_non_null(strstr(server.heard, "Content-Type: application/cloudevents+json\r\n"));
    assert_string_equal(outcome.out, "entry 12\n");
    json_decref(event);
    outcome_finish(&outcome);
}

static void a_trigger_with_facts_sets_them_for_each_subject(void **state)
{
    (void)state;
    struct server server;
    struct outcome outcome = ask(&server, "202 Accepted", "{\"entries\":[{\"entry\":12,\"duplicate\":true}]}",
                                 WORDS("trigger", "-s", "ada", "-s", "bob", "--fact", "risk=9", "--remove",
                                       "tier", "--ttl", "15m", "--id", "x"),
                                 NULL);
    json_t *event = sent(&server);
    const json_t *changes = json_object_get(json_object_get(event, "data"), "changes");
    assert_string_equal(text(event, "type"), "flagstaff.facts");
    assert_string_equal(text(event, "id"), "x");
    assert_null(text(event, "time")); /* sent again it must be the same event */
    assert_int_equal(json_array_size(changes), 2);
    assert_string_equal(text(json_array_get(changes, 1), "subject"), "bob");
    assert_string_equal(text(json_array_get(changes, 1), "ttl"), "15m");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json_array_get(changes, 0), "facts"), "risk")), 9);
    assert_non_null(strstr(outcome.out, "known before"));
    json_decref(event);
    outcome_finish(&outcome);
}

static void a_receipt_that_is_not_complete_ends_with_7(void **state)
{
    (void)state;
    struct server server;
    struct outcome outcome =
        ask(&server, "200 OK",
            "{\"entry\":12,\"applied\":true,\"complete\":false,\"revision\":4,\"concerned\":2,"
            "\"acknowledged\":1,\"behindCount\":1,\"heldCount\":0,"
            "\"behind\":[{\"session\":\"s-1\",\"client\":\"shop\",\"subject\":\"ada\"}],\"unresolved\":[{"
            "\"source\":\"opa\",\"query\":\"a/b\",\"error\":\"refused\"}]}",
            WORDS("trigger", "-s", "ada", "--wait", "delivered", "--wait-timeout", "2s"), NULL);
    assert_int_equal(outcome.status, 7);
    assert_non_null(strstr(server.heard, "POST /v1/events?wait=delivered&timeout=2s HTTP"));
    assert_non_null(strstr(outcome.out, "applied, not complete"));
    assert_non_null(strstr(outcome.out, "shop (s-1) for ada"));
    assert_non_null(strstr(outcome.out, "opa a/b: refused"));
    outcome_finish(&outcome);
}

static void a_batch_is_sent_as_one(void **state)
{
    (void)state;
    struct server server;
    char path[64];
    snprintf(path, sizeof path, "/tmp/flagstaff-cli-%d.json", (int)getpid());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("[{\"id\":\"1\"},{\"id\":\"2\"}]", file);
    assert_int_equal(fclose(file), 0);
    struct outcome outcome = ask(&server, "202 Accepted", "{\"entries\":[{\"entry\":1},{\"entry\":2}]}",
                                 WORDS("trigger", path), NULL);
    assert_non_null(strstr(server.heard, "application/cloudevents-batch+json"));
    assert_string_equal(outcome.out, "entry 1\nentry 2\n");
    outcome_finish(&outcome);
    unlink(path);
}

static void a_new_key_is_alone_on_standard_output(void **state)
{
    (void)state;
    struct server server;
    struct outcome outcome = ask(&server, "201 Created", "{\"id\":\"k1\",\"key\":\"flagstaff_k1_s\"}",
                                 WORDS("keys", "add", "--scope", "evaluate", "--subject", "ada", "--actor",
                                       "bot", "--may-add", "locale"),
                                 NULL);
    json_t *body = sent(&server);
    assert_string_equal(text(json_object_get(body, "actor"), "key"), "bot");
    assert_string_equal(text(body, "subject"), "ada");
    assert_string_equal(json_string_value(json_array_get(json_object_get(body, "scopes"), 0)), "evaluate");
    assert_string_equal(json_string_value(json_array_get(json_object_get(body, "mayAdd"), 0)), "locale");
    assert_string_equal(outcome.out, "flagstaff_k1_s\n");
    json_decref(body);
    outcome_finish(&outcome);
    outcome = ask(&server, "200 OK", "{\"revoked\":\"k1\"}", WORDS("keys", "revoke", "k1"), NULL);
    assert_non_null(strstr(server.heard, "DELETE /v1/keys/k1 HTTP"));
    assert_int_equal(outcome.status, 0);
    outcome_finish(&outcome);
}

static void refusals_end_with_the_documented_status_and_the_daemons_words(void **state)
{
    (void)state;
    static const struct {
        const char *status, *body;
        int expected;
        const char *text;
    } cases[] = {{"401 Unauthorized", "{\"error\":{\"code\":\"unauthenticated\",\"message\":\"who?\"}}", 5,
                  "who?; give a key with --key-file"},
                 {"403 Forbidden", "{\"error\":{\"code\":\"forbidden\",\"message\":\"lacks read\"}}", 5,
                  "lacks read\n"},
                 {"404 Not Found", "{\"error\":{\"code\":\"not-found\",\"message\":\"none\"}}", 4, "none"},
                 {"404 Not Found", "{\"errorCode\":\"FLAG_NOT_FOUND\",\"errorDetails\":\"no such flag\"}", 4,
                  "no such flag"},
                 {"503 Service Unavailable", "nonsense", 6, "HTTP status 503"},
                 {"500 Internal Server Error", "{}", 1, "HTTP status 500"},
                 {"302 Found", "", 1, "HTTP status 302"},
                 {"200 OK", "<html>", 1, "is no JSON"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        struct outcome outcome = ask(&server, cases[i].status, cases[i].body, WORDS("flags"), NULL);
        assert_int_equal(outcome.status, cases[i].expected);
        assert_string_equal(outcome.out, "");
        if (!strstr(outcome.words, cases[i].text))
            print_error("%s", outcome.words);
        assert_non_null(strstr(outcome.words, cases[i].text));
        outcome_finish(&outcome);
    }
}

static void nobody_there_ends_with_6(void **state)
{
    (void)state;
    struct outcome outcome = invoke(WORDS("flags", "--url", "http://127.0.0.1:1"), NULL);
    assert_int_equal(outcome.status, 6);
    assert_non_null(strstr(outcome.words, "is it running?"));
    outcome_finish(&outcome);
}

static void the_key_is_read_from_its_file_and_never_printed(void **state)
{
    (void)state;
    struct server server;
    char path[64];
    snprintf(path, sizeof path, "/tmp/flagstaff-cli-%d.key", (int)getpid());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("  canary-key\n", file);
    assert_int_equal(fclose(file), 0);
    struct outcome outcome = ask(&server, "403 Forbidden", "{}", WORDS("flags", "--key-file", path), "other");
    assert_non_null(strstr(server.heard, "Bearer canary-key\r\n"));
    assert_null(strstr(outcome.words, "canary"));
    outcome_finish(&outcome);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("two lines\nX-Evil: 1\n", file);
    assert_int_equal(fclose(file), 0);
    outcome = invoke(WORDS("flags", "--key-file", path), NULL);
    assert_int_equal(outcome.status, 3);
    outcome_finish(&outcome);
    unlink(path);
    outcome = invoke(WORDS("flags"), ((const char *const[]){"FLAGSTAFF_KEY=a\r\nX-Evil: 1", NULL}));
    assert_int_equal(outcome.status, 3);
    outcome_finish(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_asks_over_ofrep_and_prints_a_table),
        cmocka_unit_test(names_are_encoded_in_paths_and_queries),
        cmocka_unit_test(a_trigger_without_facts_recomputes),
        cmocka_unit_test(a_trigger_with_facts_sets_them_for_each_subject),
        cmocka_unit_test(a_receipt_that_is_not_complete_ends_with_7),
        cmocka_unit_test(a_batch_is_sent_as_one),
        cmocka_unit_test(a_new_key_is_alone_on_standard_output),
        cmocka_unit_test(refusals_end_with_the_documented_status_and_the_daemons_words),
        cmocka_unit_test(nobody_there_ends_with_6),
        cmocka_unit_test(the_key_is_read_from_its_file_and_never_printed),
    };
    return RUN(tests);
}
