/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"
#include "base/alloc.h"

static struct fs_credential *with(const char *scope, const char *event_type)
{
    struct fs_credential *credential = FS_NEW(struct fs_credential);
    fs_credential_ref(credential);
    if (scope)
        assert_true(fs_credential_add_scope(credential, scope));
    if (event_type) {
        credential->event_types = fs_calloc(2, sizeof(char *));
        credential->event_types[0] = fs_strdup(event_type);
    }
    return credential;
}

static void permits(struct fs_credential *credential, const struct fs_event *event, bool expected,
                    const char *text)
{
    struct fs_err err = {0};
    struct fs_event *events[1];
    memcpy(events, &event, sizeof event);
    assert_int_equal(fs_events_permitted(events, 1, credential, &err), expected);
    if (!expected) {
        assert_int_equal(err.code, FS_ERR_FORBIDDEN);
        assert_non_null(strstr(err.text, text));
    }
    fs_credential_unref(credential);
}

static char type_recompute[] = "flagstaff.recompute", type_facts[] = "flagstaff.facts",
            type_other[] = "com.example.hr.moved";
static char subject[] = "ada", fact[] = "risk";

static void a_recompute_needs_events_or_operate(void **state)
{
    (void)state;
    const struct fs_event event = {.type = type_recompute, .recompute = true};
    permits(with("events", NULL), &event, true, "");
    permits(with("operate", NULL), &event, true, "");
    permits(with("read", NULL), &event, false, "'events'");
    permits(with("facts:*", "*"), &event, false, "'events'");
}

static void each_fact_needs_its_own_right(void **state)
{
    (void)state;
    struct fs_fact_change changes[] = {{subject, fact, NULL, 0}};
    const struct fs_event event = {.type = type_facts, .facts = changes, .fact_count = 1};
    permits(with("facts:risk", NULL), &event, true, "");
    permits(with("facts:*", NULL), &event, true, "");
    permits(with("facts:tier", NULL), &event, false, "facts:risk");
    permits(with("events", "*"), &event, false, "facts:risk");
}

static void a_mapped_type_needs_a_grant_of_that_type_whatever_else_is_held(void **state)
{
    (void)state;
    struct fs_fact_change changes[] = {{subject, fact, NULL, 0}};
    const struct fs_event event = {.type = type_other, .recompute = true, .facts = changes, .fact_count = 1};
    permits(with(NULL, "com.example.hr.*"), &event, true, "");
    permits(with("events", "com.example.crm.*"), &event, false, "com.example.hr.moved");
    permits(with("facts:*", NULL), &event, false, "com.example.hr.moved");
}

static void of_a_batch_the_event_is_named(void **state)
{
    (void)state;
    struct fs_event recompute = {.type = type_recompute, .recompute = true};
    struct fs_event other = {.type = type_other, .recompute = true};
    struct fs_event *events[] = {&recompute, &other};
    struct fs_credential *credential = with("events", NULL);
    struct fs_err err = {0};
    assert_false(fs_events_permitted(events, 2, credential, &err));
    assert_non_null(strstr(err.text, "event 1"));
    fs_credential_unref(credential);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recompute_needs_events_or_operate),
        cmocka_unit_test(each_fact_needs_its_own_right),
        cmocka_unit_test(a_mapped_type_needs_a_grant_of_that_type_whatever_else_is_held),
        cmocka_unit_test(of_a_batch_the_event_is_named),
    };
    return RUN(tests);
}
