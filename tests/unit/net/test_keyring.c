/* SPDX-License-Identifier: Apache-2.0 */
/* API keys: made once, kept as a hash, found by the whole secret or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "net/keyring.h"

static json_t *described(const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    return object;
}

/* A document with one key of this description. */
static json_t *document_with(const char *description, char key[80])
{
    struct fs_err err = {0};
    json_t *document = json_object(), *object = described(description);
    if (!fs_keyring_add(document, object, 5000, key, &err))
        fail_msg("%s", err.text);
    json_decref(object);
    return document;
}

static struct fs_keyring *keyring_of(const json_t *document)
{
    struct fs_err err = {0};
    struct fs_keyring *keyring = fs_keyring_create(document, &err);
    if (!keyring)
        fail_msg("%s", err.text);
    return keyring;
}

static void a_new_key_is_found_with_all_that_was_said_of_it(void **state)
{
    char key[80], id[9];
    (void)state;
    json_t *document = document_with(
        "{\"name\":\"shop\",\"scopes\":[\"evaluate\",\"facts:risk\",\"tickets\"],\"subject\":\"ada\","
        "\"actor\":{\"key\":\"agent-1\"},\"attributes\":{\"plan\":\"gold\"},\"mayAdd\":[\"locale\"],"
        "\"eventTypes\":[\"com.example.*\"],\"origin\":\"https://shop.example\"}",
        key);
    assert_int_equal(strlen(key), 10 + 8 + 1 + 43);
    assert_memory_equal(key, "flagstaff_", 10);
    struct fs_keyring *keyring = keyring_of(document);
    struct fs_credential *credential = fs_keyring_find(keyring, key, 0);
    assert_non_null(credential);
    memcpy(id, key + 10, 8);
    id[8] = 0;
    assert_string_equal(credential->id, id);
    assert_string_equal(credential->name, "shop");
    assert_string_equal(credential->subject, "ada");
    assert_string_equal(credential->origin, "https://shop.example");
    assert_string_equal(json_string_value(json_object_get(credential->actor, "key")), "agent-1");
    assert_string_equal(json_string_value(json_object_get(credential->attributes, "plan")), "gold");
    assert_string_equal(credential->may_add[0], "locale");
    assert_null(credential->may_add[1]);
    assert_string_equal(credential->event_types[0], "com.example.*");
    assert_true(fs_credential_may(credential, FS_SCOPE_EVALUATE));
    assert_true(fs_credential_may(credential, FS_SCOPE_TICKETS));
    assert_false(fs_credential_may(credential, FS_SCOPE_ADMIN));
    assert_true(fs_credential_may_write_fact(credential, "risk"));
    assert_false(fs_credential_may_write_fact(credential, "tier"));
    fs_keyring_destroy(keyring); /* the credential outlives the ring */
    assert_string_equal(credential->name, "shop");
    fs_credential_unref(credential);
    json_decref(document);
}

static void the_document_holds_no_secret(void **state)
{
    char key[80];
    (void)state;
    json_t *document = document_with("{\"scopes\":[\"read\"]}", key);
    char *text = json_dumps(document, 0);
    assert_null(strstr(text, key + 19));
    const json_t *entry = json_array_get(json_object_get(document, "keys"), 0);
    assert_int_equal(json_string_length(json_object_get(entry, "hash")), 64);
    assert_int_equal(json_integer_value(json_object_get(entry, "created")), 5000);
    free(text);
    json_decref(document);
}

static void any_other_text_is_not_found(void **state)
{
    char key[80], other[80];
    (void)state;
    json_t *document = document_with("{\"scopes\":[\"read\"]}", key);
    struct fs_keyring *keyring = keyring_of(document);
    for (size_t i = 0; i < strlen(key); i++) { /* one character changed, anywhere */
        memcpy(other, key, sizeof other);
        other[i] = other[i] == 'x' ? 'y' : 'x';
        assert_null(fs_keyring_find(keyring, other, 0));
    }
    for (size_t i = 0; i < strlen(key); i++) { /* and every beginning of it */
        memcpy(other, key, sizeof other);
        other[i] = 0;
        assert_null(fs_keyring_find(keyring, other, 0));
    }
    char *longer = fs_format("%sA", key);
    assert_null(fs_keyring_find(keyring, longer, 0));
    fs_free(longer);
    fs_keyring_destroy(keyring);
    json_decref(document);
}

static void two_keys_differ_and_each_finds_its_own(void **state)
{
    char first[80], second[80];
    struct fs_err err = {0};
    (void)state;
    json_t *document = document_with("{\"name\":\"one\",\"scopes\":[\"read\"]}", first);
    json_t *object = described("{\"name\":\"two\",\"scopes\":[\"admin\"]}");
    assert_true(fs_keyring_add(document, object, 0, second, &err));
    json_decref(object);
    assert_string_not_equal(first, second);
    struct fs_keyring *keyring = keyring_of(document);
    struct fs_credential *one = fs_keyring_find(keyring, first, 0),
                         *two = fs_keyring_find(keyring, second, 0);
    assert_string_equal(one->name, "one");
    assert_string_equal(two->name, "two");
    fs_credential_unref(one);
    fs_credential_unref(two);
    fs_keyring_destroy(keyring);
    json_decref(document);
}

static void a_revoked_key_is_gone(void **state)
{
    char key[80], id[9] = "";
    (void)state;
    json_t *document = document_with("{\"scopes\":[\"read\"]}", key);
    memcpy(id, key + 10, 8);
    assert_false(fs_keyring_revoke(document, "nobody00"));
    struct fs_keyring *before = keyring_of(document);
    assert_true(fs_keyring_has(before, id));
    assert_true(fs_keyring_revoke(document, id));
    assert_false(fs_keyring_revoke(document, id));
    struct fs_keyring *after = keyring_of(document);
    assert_false(fs_keyring_has(after, id));
    assert_true(fs_keyring_empty(after));
    assert_null(fs_keyring_find(after, key, 0));
    fs_keyring_destroy(before);
    fs_keyring_destroy(after);
    json_decref(document);
}

static void a_key_is_good_until_the_moment_it_expires(void **state)
{
    char key[80];
    (void)state;
    json_t *document = document_with("{\"scopes\":[\"read\"],\"expires\":\"2026-11-24T08:00:00Z\"}", key);
    struct fs_keyring *keyring = keyring_of(document);
    int64_t end = INT64_C(1795507200000);
    struct fs_credential *credential = fs_keyring_find(keyring, key, end - 1);
    assert_non_null(credential);
    assert_true(credential->expires == end);
    fs_credential_unref(credential);
    assert_null(fs_keyring_find(keyring, key, end));
    fs_keyring_destroy(keyring);
    json_decref(document);
}

static void no_document_and_no_keys_make_an_empty_ring(void **state)
{
    (void)state;
    struct fs_keyring *none = fs_keyring_create(NULL, NULL);
    assert_true(fs_keyring_empty(none));
    assert_null(fs_keyring_find(none, "flagstaff_abcdefgh_0123456789012345678901234567890123456789012", 0));
    fs_keyring_destroy(none);
    json_t *document = described("{\"keys\":[]}");
    struct fs_keyring *empty = fs_keyring_create(document, NULL);
    assert_true(fs_keyring_empty(empty));
    fs_keyring_destroy(empty);
    json_decref(document);
    fs_keyring_destroy(NULL);
}

static void a_description_that_is_wrong_says_what(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{}", "scopes"},
        {"{\"scopes\":[]}", "scopes"},
        {"{\"scopes\":[\"fly\"]}", "'fly'"},
        {"{\"scopes\":[7]}", "scopes[0]"},
        {"{\"scopes\":[\"evaluate\"]}", "needs a subject"},
        {"{\"scopes\":[\"read\"],\"actor\":\"x\"}", "actor"},
        {"{\"scopes\":[\"read\"],\"attributes\":[]}", "attributes"},
        {"{\"scopes\":[\"read\"],\"mayAdd\":\"x\"}", "mayAdd"},
        {"{\"scopes\":[\"read\"],\"mayAdd\":[1]}", "mayAdd[0]"},
        {"{\"scopes\":[\"read\"],\"expires\":\"soon\"}", "expires"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fs_err err = {0};
        char key[80] = "untouched";
        json_t *document = json_object(), *object = described(cases[i].text);
        assert_false(fs_keyring_add(document, object, 0, key, &err));
        assert_non_null(strstr(err.text, cases[i].says));
        assert_string_equal(key, "untouched");
        assert_int_equal(json_array_size(json_object_get(document, "keys")), 0);
        json_decref(object);
        json_decref(document);
    }
}

static void a_damaged_document_is_refused(void **state)
{
    static const char *const documents[] = {
        "{\"keys\":[{}]}",
        "{\"keys\":[{\"id\":\"a\",\"scopes\":[\"read\"],\"hash\":\"00\"}]}",
        "{\"keys\":[{\"id\":\"a\",\"scopes\":[\"read\"],\"hash\":"
        "\"zz00000000000000000000000000000000000000000000000000000000000000\"}]}",
        "{\"keys\":[{\"id\":\"a\",\"scopes\":[],\"hash\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"}]}",
        "{\"keys\":[{\"id\":\"a\",\"scopes\":[\"read\"],\"hash\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"},"
        "{\"id\":\"a\",\"scopes\":[\"read\"],\"hash\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"}]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        struct fs_err err = {0};
        json_t *document = described(documents[i]);
        assert_null(fs_keyring_create(document, &err));
        assert_non_null(strstr(err.text, "keys["));
        json_decref(document);
    }
}

static void a_description_with_what_nobody_knows_or_can_be_is_an_error(void **state)
{
    static const struct {
        const char *description, *error;
    } wrong[] = {
        {"{\"scopes\":[\"read\"],\"subjct\":\"ada\"}", "subjct is not known here: did you mean 'subject'?"},
        {"{\"scopes\":[\"read\"],\"expires\":1}", "expires: that is past: give a later time"},
        {"{\"scopes\":[\"read\"],\"hash\":\"00\"}", "hash is not known here"},
        {"{\"scopes\":[\"read\"],\"name\":5}", "name must be a text"},
        {"{\"scopes\":[\"evaluate:any\"],\"subject\":[\"ada\"]}", "subject must be a text"},
        {"{\"scopes\":[\"evaluate:any\"],\"origin\":\"\"}", "origin must be a text"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct fs_err err = {0};
        char key[80];
        json_t *document = json_object(), *object = described(wrong[i].description);
        assert_false(fs_keyring_add(document, object, 1000, key, &err));
        assert_int_equal(err.code, FS_ERR_INVALID);
        assert_non_null(strstr(err.text, wrong[i].error));
        json_decref(object);
        json_decref(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_key_is_found_with_all_that_was_said_of_it),
        cmocka_unit_test(the_document_holds_no_secret),
        cmocka_unit_test(any_other_text_is_not_found),
        cmocka_unit_test(two_keys_differ_and_each_finds_its_own),
        cmocka_unit_test(a_revoked_key_is_gone),
        cmocka_unit_test(a_key_is_good_until_the_moment_it_expires),
        cmocka_unit_test(no_document_and_no_keys_make_an_empty_ring),
        cmocka_unit_test(a_description_that_is_wrong_says_what),
        cmocka_unit_test(a_damaged_document_is_refused),
        cmocka_unit_test(a_description_with_what_nobody_knows_or_can_be_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
