/* SPDX-License-Identifier: Apache-2.0 */
/* What people see of the daemon's answers. */
#include "server.h"

static void shows(const char *const *words, const char *body, const char *expected)
{
    struct server server;
    struct outcome outcome = ask(&server, "200 OK", body, words, NULL);
    if (strcmp(outcome.out, expected) != 0)
        print_error("gave:\n%swanted:\n%s%s\n", outcome.out, expected, outcome.words);
    assert_int_equal(outcome.status, 0);
    assert_string_equal(outcome.out, expected);
    outcome_finish(&outcome);
}

static void why_goes_from_the_value_to_the_clients(void **state)
{
    (void)state;
    shows(WORDS("why", "ada", "f"),
          "{\"subject\":\"ada\",\"flag\":\"f\",\"contextHash\":\"39\",\"context\":{\"targetingKey\":\"ada\"},"
          "\"value\":{\"variant\":\"off\",\"reason\":\"ERROR\",\"safe\":true,\"value\":false,\"detail\":"
          "\"opa is down\"},\"revision\":7,"
          "\"cause\":{\"kind\":\"event\",\"entries\":[12],\"count\":1,\"time\":\"2026-11-24T08:00:00.000Z\"},"
          "\"changed\":\"2026-11-24T08:00:00.010Z\","
          "\"decisions\":[{\"source\":\"opa\",\"kind\":\"path\",\"query\":\"a/"
          "b\",\"state\":\"value\",\"value\":false,\"revision\":\"r1\",\"decision\":\"d1\","
          "\"input\":{\"u\":1}},{\"source\":\"builtin\",\"kind\":\"rule\",\"query\":\"true\",\"missing\":"
          "\"risk\"}],\"facts\":{\"tier\":\"gold\"},"
          "\"clients\":[{\"session\":\"s-1\",\"client\":\"shop\",\"connected\":true,\"acknowledged\":true},"
          "{\"session\":\"s-2\",\"client\":\"till\",\"connected\":true,\"acknowledged\":false},"
          "{\"session\":\"s-3\",\"client\":\"gate\",\"connected\":false,\"acknowledged\":false}]}",
          "f of ada is false (variant off, ERROR, the safe value)\n"
          "  note        opa is down\n"
          "  since       2026-11-24T08:00:00.010Z\n"
          "  revision    7\n"
          "  cause       event 12, 2026-11-24T08:00:00.000Z\n"
          "  decision    opa path a/b: false\n"
          "              revision r1\n"
          "              decision d1\n"
          "              asked with {\"u\":1}\n"
          "  decision    builtin rule true\n"
          "              the fact risk is missing\n"
          "  facts       {\"tier\":\"gold\"}\n"
          "  context     {\"targetingKey\":\"ada\"}\n"
          "              39\n"
          "  clients     shop (s-1) has it\n"
          "              till (s-2) has not acknowledged it\n"
          "              gate (s-3) is disconnected and may still hold an older one\n");
}

#define CHANGE                                                                                               \
    "{\"flag\":\"f\",\"takesAway\":true,\"from\":{\"value\":true},\"to\":{\"value\":false,\"variant\":"      \
    "\"off\",\"reason\":\"TARGETING_MATCH\"},"                                                               \
    "\"cause\":{\"kind\":\"timer\",\"time\":1796000000000,\"count\":1,\"entries\":[11]},\"answers\":[],"     \
    "\"contexts\":[{\"subject\":\"ada\"},"                                                                   \
    "{\"subject\":\"bob\"},{\"subject\":\"eve\"},{\"subject\":\"joe\"}],\"entry\":13,\"revision\":6,"        \
    "\"time\":\"2026-11-24T08:00:00.000Z\"}"

static void why_of_a_past_moment_is_told_from_the_journal(void **state)
{
    (void)state;
    shows(WORDS("why", "ada", "f", "--at", "2026-11-24T09:00:00Z"), CHANGE,
          "f of ada was false (variant off, TARGETING_MATCH)\n"
          "  since       2026-11-24T08:00:00.000Z\n"
          "  entry       13\n"
          "  revision    6\n"
          "  before      true\n"
          "  cause       timer 11, 2026-11-30T00:53:20.000Z\n");
}

static void history_is_a_line_for_each_change(void **state)
{
    (void)state;
    shows(WORDS("history"), "{\"changes\":[" CHANGE "]}",
          "TIME                      ENTRY  SUBJECT                   FLAG  CHANGE         REASON           "
          "CAUSE\n"
          "2026-11-24T08:00:00.000Z  13     ada, bob, eve and 1 more  f     true -> false  TARGETING_MATCH  "
          "timer 11\n");
}

static void lists_have_a_line_for_each(void **state)
{
    (void)state;
    shows(WORDS("sources"),
          "{\"sources\":[{\"name\":\"opa\",\"type\":\"opa\",\"state\":\"down\",\"asked\":3,\"failed\":1,"
          "\"latency\":{\"count\":100,\"buckets\":[{\"leMs\":0.5,\"count\":60},{\"leMs\":1,\"count\":98},"
          "{\"leMs\":null,\"count\":100}]},\"error\":\"re\\u001bfused\"}]}",
          "SOURCE  TYPE  STATE  REVISION  CHANGED  ASKED  FAILED  P50        P99   SINCE  ERROR\n"
          "opa     opa   down   -         -        3      1       <= 0.5 ms  > 1m  -      re\\x1bfused\n");
    shows(WORDS("flags"),
          "{\"flags\":[{\"key\":\"f\",\"type\":\"boolean\",\"enabled\":false,\"access\":true,\"visibility\":"
          "\"client\",\"sources\":[\"opa\",\"builtin\"],"
          "\"file\":\"flags.yaml\",\"line\":3}]}",
          "FLAG  TYPE     STATE     KIND    VISIBILITY  SOURCES       DEFINED IN\n"
          "f     boolean  disabled  access  client      opa, builtin  flags.yaml:3\n");
    shows(WORDS("clients"),
          "{\"clients\":[{\"session\":\"s-1\",\"channel\":\"websocket\",\"client\":\"shop\",\"version\":"
          "\"2\",\"credential\":\"k1\",\"address\":\"::1\","
          "\"state\":\"current\",\"acknowledged\":4,\"watches\":[{\"subject\":\"ada\"}]}]}",
          "SESSION  CLIENT  CHANNEL    STATE    ACKNOWLEDGED  KEY  ADDRESS  LEASE UNTIL  SUBJECTS\n"
          "s-1      shop 2  websocket  current  4             k1   ::1      -            ada\n");
    shows(WORDS("keys", "list"),
          "{\"keys\":[{\"id\":\"k1\",\"name\":\"ops\",\"created\":1796000000000,\"scopes\":[\"read\","
          "\"admin\"]}]}",
          "ID  NAME  SUBJECT  CREATED                   EXPIRES  SCOPES\n"
          "k1  ops   -        2026-11-30T00:53:20.000Z  -        read admin\n");
    shows(WORDS("clients"), "{\"clients\":[]}", "");
}

static void a_receipt_says_where_to_read_why_it_took_so_long(void **state)
{
    (void)state;
    shows(WORDS("trigger", "--subject", "ada", "--fact", "risk=90", "--wait", "delivered"),
          "{\"entry\":8,\"applied\":true,\"complete\":true,\"revision\":4,\"concerned\":1,\"acknowledged\":1,"
          "\"behindCount\":0,\"heldCount\":0,\"safe_at\":\"2026-11-24T08:00:27.000Z\","
          "\"times\":{\"queued\":\"2026-11-24T08:00:00.000Z\"}}",
          "entry 8: complete\n"
          "  revision      4\n"
          "  concerned     1 watch\n"
          "  acknowledged  1\n"
          "  behind        0\n"
          "  held          0\n"
          "  safe at       2026-11-24T08:00:27.000Z\n"
          "                (it waited for an acknowledgement or a lease: see docs/receipts.md)\n"
          "  queued        2026-11-24T08:00:00.000Z\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(why_goes_from_the_value_to_the_clients),
        cmocka_unit_test(why_of_a_past_moment_is_told_from_the_journal),
        cmocka_unit_test(history_is_a_line_for_each_change),
        cmocka_unit_test(lists_have_a_line_for_each),
        cmocka_unit_test(a_receipt_says_where_to_read_why_it_took_so_long),
    };
    return RUN(tests);
}
