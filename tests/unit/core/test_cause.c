/* SPDX-License-Identifier: Apache-2.0 */
/* Causes in words: what an entry said, what came of it at the source, and what is said where neither is
 * known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "core/cause.h"

static void says(const struct fs_cause_parts *parts, const char *expected)
{
    struct fs_buf text;
    fs_buf_init(&text, 4096);
    fs_cause_say(&text, parts);
    assert_string_equal(text.data, expected);
    fs_buf_finish(&text);
}

static void a_cause_is_one_short_sentence(void **state)
{
    (void)state;
    const struct {
        struct fs_cause_parts parts;
        const char *text;
    } cases[] = {
        {{"event", 12, 0, "policy 4f2c at opa", "opa", "denied"}, "policy 4f2c at opa \u2192 denied"},
        {{"event", 12, 0, "facts from /hr: risk=high", NULL, NULL}, "facts from /hr: risk=high"},
        {{"event", 12, 0, "facts from /hr: risk=high", "opa", "denied"},
         "facts from /hr: risk=high \u2192 opa: denied"},
        {{"event", 12, 2, "recompute from /hr", "opa", "allowed"},
         "recompute from /hr and 2 more \u2192 opa: allowed"},
        {{"event", 12, 0, NULL, "opa", "no answer"}, "event 12 \u2192 opa: no answer"},
        {{"event", 0, 0, NULL, NULL, NULL}, "an event"},
        {{"override", 12, 0, "operator ada: INC-4711", "opa", "allowed"}, "operator ada: INC-4711"},
        {{"override", 12, 0, NULL, NULL, NULL}, "override 12"},
        {{"timer", 12, 0, "facts from /hr: risk=high", NULL, NULL}, "has run out: facts from /hr: risk=high"},
        {{"timer", 0, 0, NULL, NULL, NULL}, "its time had come"},
        {{"revalidate", 0, 0, NULL, "opa", "denied"}, "opa was asked again \u2192 denied"},
        {{"revalidate", 0, 0, NULL, NULL, NULL}, "looked at again"},
        {{"source-lost", 0, 0, NULL, "opa", NULL}, "opa was lost"},
        {{"source-back", 0, 0, NULL, "opa", "allowed"}, "opa is back \u2192 allowed"},
        {{"config", 3, 0, NULL, NULL, NULL}, "flags were loaded"},
        {{"watch", 0, 0, NULL, "opa", "allowed"}, "first asked for \u2192 opa: allowed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        says(&cases[i].parts, cases[i].text);
}

static void an_entry_says_what_happened_by_its_body(void **state)
{
    (void)state;
    const struct {
        enum fs_entry_kind kind;
        const char *body, *words;
    } cases[] = {
        {FS_ENTRY_EVENT,
         "{\"source\":\"urn:x\",\"facts\":[{\"subject\":\"ada\",\"fact\":\"risk\",\"value\":\"high\"}]}",
         "facts from urn:x: risk=high"},
        {FS_ENTRY_EVENT,
         "{\"source\":\"/"
         "hr\",\"facts\":[{\"subject\":\"ada\",\"fact\":\"a\"},{\"subject\":\"ada\",\"fact\":\"b\",\"value\":"
         "[1]}]}",
         "facts from /hr: a removed, b=[1]"},
        {FS_ENTRY_EVENT, "{\"source\":\"/hr\",\"recompute\":{}}", "recompute from /hr"},
        {FS_ENTRY_SOURCE, "{\"source\":\"opa\",\"what\":\"revision\",\"revision\":\"4f2c\"}",
         "policy 4f2c at opa"},
        {FS_ENTRY_OVERRIDE,
         "{\"action\":\"set\",\"author\":\"k1\",\"authorName\":\"ada\",\"reason\":\"INC-1\"}",
         "operator ada: INC-1"},
        {FS_ENTRY_OVERRIDE, "{\"action\":\"release\",\"author\":\"k1\",\"reason\":\"over\"}",
         "operator k1 released it: over"},
        {FS_ENTRY_EVENT, "", NULL},
        {FS_ENTRY_TICK, "{\"changes\":[]}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *words = fs_entry_words(cases[i].kind, cases[i].body, strlen(cases[i].body));
        if (cases[i].words)
            assert_string_equal(words, cases[i].words);
        else
            assert_null(words);
        fs_free(words);
    }
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    struct fs_buf body;
    fs_buf_init(&body, 2000);
    fs_buf_adds(&body, "{\"source\":\"");
    for (size_t i = 0; i < 300; i++)
        fs_buf_adds(&body, "\u00e9");
    fs_buf_adds(&body, "\",\"recompute\":{}}");
    char *words = fs_entry_words(FS_ENTRY_EVENT, body.data, body.length);
    fs_buf_finish(&body);
    assert_true(strlen(words) < 120);
    json_t *text = json_string(words); /* refuses what is no UTF-8 */
    assert_non_null(text);
    json_decref(text);
    fs_free(words);
}

static void an_outcome_is_what_the_source_said(void **state)
{
    (void)state;
    json_t *yes = json_true(), *no = json_false(), *list = json_array();
    assert_string_equal(fs_cause_outcome("value", yes), "allowed");
    assert_string_equal(fs_cause_outcome("value", no), "denied");
    assert_string_equal(fs_cause_outcome("value", list), "answered");
    assert_string_equal(fs_cause_outcome("undefined", NULL), "denied");
    assert_string_equal(fs_cause_outcome("bad", NULL), "a bad answer");
    assert_string_equal(fs_cause_outcome("none", NULL), "no answer");
    assert_null(fs_cause_outcome("value", NULL));
    assert_null(fs_cause_outcome(NULL, NULL));
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cause_is_one_short_sentence),
        cmocka_unit_test(an_entry_says_what_happened_by_its_body),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(an_outcome_is_what_the_source_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
