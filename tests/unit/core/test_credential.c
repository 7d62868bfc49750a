/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes: from text, to text, and what they let a credential do. */
#include "rule_support.h"
#include "core/credential.h"

static struct fs_credential *credential_with(const char *const *scopes)
{
    struct fs_credential *credential = FS_NEW(struct fs_credential);
    atomic_init(&credential->references, 1);
    for (; *scopes; scopes++)
        assert_true(fs_credential_add_scope(credential, *scopes));
    return credential;
}

static void scopes_read_back_as_written(void **state)
{
    static const char *const scopes[] = {"evaluate:any", "facts:risk", "facts:tier", "facts:risk",
                                         "status:*",     "admin",      NULL};
    (void)state;
    struct fs_credential *credential = credential_with(scopes);
    char *text = fs_credential_scope_text(credential);
    assert_string_equal(text, "evaluate:any facts:risk facts:tier status:* admin");
    fs_free(text);
    fs_credential_unref(credential);
}

static void a_credential_may_what_its_scopes_say(void **state)
{
    static const char *const scopes[] = {"evaluate", "facts:risk", "status:opa", NULL};
    (void)state;
    struct fs_credential *credential = credential_with(scopes);
    assert_true(fs_credential_may(credential, FS_SCOPE_EVALUATE));
    assert_false(fs_credential_may(credential, FS_SCOPE_EVALUATE_ANY));
    assert_false(fs_credential_may(credential, FS_SCOPE_ADMIN));
    assert_true(fs_credential_may_write_fact(credential, "risk"));
    assert_false(fs_credential_may_write_fact(credential, "tier"));
    assert_false(fs_credential_may_write_fact(credential, "risk2"));
    assert_true(fs_credential_may_report(credential, "opa"));
    assert_false(fs_credential_may_report(credential, "other"));
    fs_credential_unref(credential);
}

static void a_star_is_all_names(void **state)
{
    static const char *const scopes[] = {"facts:*", NULL};
    (void)state;
    struct fs_credential *credential = credential_with(scopes);
    assert_true(fs_credential_may_write_fact(credential, "anything"));
    assert_false(fs_credential_may_report(credential, "opa"));
    fs_credential_unref(credential);
}

static void what_is_no_scope_is_refused(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const bad[] = {
        "", "facts", "facts:", "status", "status:", "evaluate:", "evaluate:all", "Admin", "events:x", "root"};
    (void)state;
    struct fs_credential *credential = credential_with(none);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(fs_credential_add_scope(credential, bad[i]));
    assert_int_equal(credential->scopes, 0);
    char *text = fs_credential_scope_text(credential);
    assert_string_equal(text, "");
    fs_free(text);
    fs_credential_unref(credential);
}

static void the_last_reference_frees(void **state)
{
    static const char *const scopes[] = {"facts:risk", NULL};
    (void)state;
    struct fs_credential *credential = credential_with(scopes);
    credential->id = fs_strdup("k1");
    credential->subject = fs_strdup("jane");
    credential->actor = json_of("{'key':'agent'}");
    credential->attributes = json_of("{'role':'x'}");
    assert_ptr_equal(fs_credential_ref(credential), credential);
    fs_credential_unref(credential);
    assert_string_equal(credential->id, "k1");
    fs_credential_unref(credential);
    fs_credential_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes_read_back_as_written), cmocka_unit_test(a_credential_may_what_its_scopes_say),
        cmocka_unit_test(a_star_is_all_names),         cmocka_unit_test(what_is_no_scope_is_refused),
        cmocka_unit_test(the_last_reference_frees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
