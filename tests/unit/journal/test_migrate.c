/* SPDX-License-Identifier: Apache-2.0 */
/* A journal that an older version wrote, of each schema that there was: it is migrated, verifies, knows the
 * events again that it knew, and a person is erased from it like from any other. */
#include "bench_journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include "base/str.h"
#include "chain.h"
#include "database.h"
#include "schema.h"

/* A journal as that version left it. */
struct old {
    sqlite3 *db;
    struct fs_sha256 key, hash;
    uint64_t number;
    int version;
};

static void sql(struct old *old, const char *format, ...)
{
    va_list values;
    char *message = NULL;
    va_start(values, format);
    char *text = sqlite3_vmprintf(format, values);
    va_end(values);
    if (sqlite3_exec(old->db, text, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", text, message);
    sqlite3_free(text);
}

static const char *hex(const struct fs_sha256 *digest, char out[65])
{
    return fs_hex(digest->bytes, FS_SHA256_SIZE, out);
}

/* An entry with its place in the chain; `subject`: whom its body names, where that is noted. */
static void append(struct old *old, const char *kind, const char *body, const char *subject)
{
    unsigned char room[1000];
    char one[65], other[65], seal[65];
    memcpy(room + FS_CHAIN_ROOM, body, strlen(body));
    struct fs_sha256 body_hash = fs_chain_body(&old->key, ++old->number, room, strlen(body));
    int64_t time = INT64_C(1800000000000);
    old->hash = fs_chain_next(&old->hash, old->number, kind, time, &body_hash);
    struct fs_sha256 head = fs_chain_seal(&old->key, "head", old->number, &old->hash);
    sql(old, "INSERT INTO entries VALUES (%llu, %Q, %lld, x'%s', x'%s')", old->number, kind, time,
        hex(&body_hash, one), hex(&old->hash, other));
    sql(old, "INSERT INTO bodies VALUES (%llu, %Q)", old->number, body);
    sql(old, "UPDATE ends SET number = %llu, hash = x'%s', seal = x'%s' WHERE role = 'head'", old->number,
        hex(&old->hash, one), hex(&head, seal));
    if (subject && old->version >= 3)
        sql(old, "INSERT INTO mentions VALUES (%Q, %llu)", subject, old->number);
}

static struct fs_identity identity_of(const char *id)
{
    struct fs_identity identity = {.set = true, .key = fs_sha256(id, strlen(id))};
    identity.content = fs_sha256("content", 7);
    return identity;
}

#define FACTS(who) "{\"facts\":[{\"fact\":\"n\",\"subject\":\"" who "\",\"value\":1}]}"

/* What versions told in bodies before there were texts. */
static void append_in_clear(struct old *old)
{
    append(old, "answers",
           "{\"answers\":[{\"input\":\"{\\\"user\\\":\\\"anna\\\"}\",\"kind\":\"path\",\"subject\":\"\"}]}",
           old->version >= 3 ? "" : NULL);
    append(old, "tick",
           "{\"changes\":[{\"contexts\":[\"c1\"]}],\"contexts\":{\"c1\":{\"actor\":{\"key\":\"anna\"},"
           "\"targetingKey\":\"bo\"}}}",
           old->version >= 3 ? "bo" : NULL);
    sql(old, "INSERT INTO cells VALUES ('bo', %llu, 'export', 'c1')", old->number);
}

static void append_texts(struct old *old)
{
    static const char *const texts[] = {"{\"targetingKey\":\"anna\"}",
                                        "{\"actor\":{\"key\":\"anna\"},\"targetingKey\":\"bo\"}", "carl"};
    static const char *const subjects[] = {"anna", "bo", "carl"};
    const struct fs_sha256 secret = fs_chain_secret(&old->key);
    char names[3][65];
    for (size_t i = 0; i < 3; i++)
        fs_entry_text_name(secret.bytes, texts[i], strlen(texts[i]), names[i]);
    char *body =
        fs_format("{\"changes\":[{\"contexts\":[\"%s\",\"%s\",\"%s\"]}]}", names[0], names[1], names[2]);
    append(old, "tick", body, NULL);
    append(old, "erasure", "{\"subject\":\"x\"}", NULL);
    for (size_t i = 0; i < 3; i++)
        sql(old, "INSERT INTO texts VALUES (%Q, %Q, %llu, %Q)", names[i], subjects[i], old->number - 1,
            texts[i]);
    sql(old, "DELETE FROM texts WHERE subject = 'carl'"); /* that erasure's doing */
    fs_free(body);
}

/* Two events, of which the first was erased, and all else that there was. */
static void make_old(struct bench *bench, int version)
{
    struct old old = {.version = version};
    struct fs_err err = {0};
    char key[65], content[65];
    char *file = fs_format("%s/journal.db", bench->directory);
    char *key_file = fs_format("%s/audit.key", bench->directory);
    if (access(key_file, F_OK)) { /* nor is there a directory */
        bench_open(bench);
        bench_close(bench);
    }
    int handle = open(key_file, O_RDONLY);
    assert_int_equal(read(handle, old.key.bytes, FS_SHA256_SIZE), FS_SHA256_SIZE);
    close(handle);
    handle = open(file, O_WRONLY | O_TRUNC);
    close(handle);
    old.db = fs_database_open(file, FS_DATABASE_WRITE, &err);
    assert_non_null(old.db);
    assert_true(fs_schema_migrate(old.db, fs_schema_steps, (size_t)version, &old.key, &err));
    sql(&old, "PRAGMA secure_delete=OFF");
    append(&old, "event", FACTS("dora"), "dora");
    append(&old, "event", FACTS("anna"), "anna");
    append_in_clear(&old);
    if (version >= 3)
        append_texts(&old);
    append(&old, "event", FACTS("bo"), "bo");
    struct fs_identity identity = identity_of("anna-1");
    sql(&old, "INSERT INTO identities VALUES (x'%s', x'%s', 2, %lld)", hex(&identity.key, key),
        hex(&identity.content, content), INT64_C(1800000000000));
    sql(&old, "UPDATE bodies SET body = NULL WHERE number = 1");
    fs_database_close(old.db);
    fs_free(key_file);
    fs_free(file);
}

static bool file_holds(struct bench *bench, const char *name, const void *bytes, size_t length)
{
    char *path = fs_format("%s/%s", bench->directory, name);
    int handle = open(path, O_RDONLY);
    struct stat st = {0};
    bool found = false;
    fs_free(path);
    if (handle < 0)
        return false;
    assert_int_equal(fstat(handle, &st), 0);
    char *text = fs_alloc((size_t)st.st_size + 1);
    assert_int_equal(read(handle, text, (size_t)st.st_size), st.st_size);
    found = memmem(text, (size_t)st.st_size, bytes, length) != NULL;
    fs_free(text);
    close(handle);
    return found;
}

static bool tells_of(struct bench *bench, const void *bytes, size_t length)
{
    return file_holds(bench, "journal.db", bytes, length) ||
           file_holds(bench, "journal.db-wal", bytes, length);
}

static void every_older_schema_is_migrated_and_verifies(void **state)
{
    struct bench *bench = *state;
    for (int version = 1; version <= 4; version++) {
        make_old(bench, version);
        bench_open(bench);
        struct fs_verdict verdict = bench_verify(bench);
        if (verdict.bad)
            fail_msg("schema %d: %s", version, verdict.text);
        assert_int_equal(verdict.erased, 1); /* what was erased before, an entry tells now */
        assert_int_equal(bench_event(bench, "{}").number, verdict.last + 1);
        bench_close(bench);
        assert_int_equal(bench_verify(bench).bad, 0);
    }
}

static void an_event_that_an_older_version_took_is_a_repeat(void **state)
{
    struct bench *bench = *state;
    for (int version = 1; version <= 4; version++) {
        struct fs_identity identity = identity_of("anna-1");
        make_old(bench, version);
        bench_open(bench);
        struct fs_draft draft = bench_draft(bench, FACTS("anna"), 0);
        draft.identity = identity;
        struct fs_commit commit = bench_append(bench, &draft);
        assert_int_equal(commit.result, FS_COMMIT_DUPLICATE);
        assert_int_equal(commit.number, 2);
        draft.identity.content = fs_sha256("other", 5);
        assert_int_equal(bench_append(bench, &draft).result, FS_COMMIT_CONFLICT);
        bench_close(bench);
    }
}

/* An id may name a person, and its plain digest would confirm that guess. */
static void identities_are_digests_that_nobody_can_make_without_the_key(void **state)
{
    struct bench *bench = *state;
    struct fs_identity old = identity_of("anna-1"), new = identity_of("anna-2");
    make_old(bench, 4);
    assert_true(tells_of(bench, old.key.bytes, FS_SHA256_SIZE));
    bench_open(bench);
    struct fs_draft draft = bench_draft(bench, "{}", 0);
    draft.identity = new;
    bench_append(bench, &draft);
    bench_close(bench);
    assert_false(tells_of(bench, old.key.bytes, FS_SHA256_SIZE));
    assert_false(tells_of(bench, old.content.bytes, FS_SHA256_SIZE));
    assert_false(tells_of(bench, new.key.bytes, FS_SHA256_SIZE));
}

static void nothing_that_was_deleted_before_is_left_in_the_file(void **state)
{
    struct bench *bench = *state;
    for (int version = 1; version <= 4; version++) {
        make_old(bench, version);
        assert_true(tells_of(bench, "dora", 4));
        bench_open(bench);
        bench_close(bench);
        /* Who was erased up to now may be named still, but nowhere in what is free. */
        bench_sql(bench, "PRAGMA secure_delete=ON; DELETE FROM mentions WHERE subject = 'dora'");
        assert_false(tells_of(bench, "dora", 4));
    }
}

static void a_person_is_erased_from_what_older_versions_wrote(void **state)
{
    struct bench *bench = *state;
    for (int version = 1; version <= 4; version++) {
        struct fs_erased erased;
        struct fs_err err = {0};
        make_old(bench, version);
        bench_open(bench);
        assert_true(fs_journal_erase(bench->journal, "anna", fs_journal_last(bench->journal), &erased, &err));
        assert_int_equal(erased.bodies, 3);
        assert_int_equal(erased.texts, version >= 3 ? 2 : 0);
        bench_close(bench);
        if (tells_of(bench, "anna", 4))
            fail_msg("schema %d: the file still tells of her", version);
        assert_true(tells_of(bench, "bo", 2));
        assert_int_equal(bench_verify(bench).bad, 0);
    }
}

/* A new seal must not hide that the old one did not fit. */
static void what_does_not_fit_its_seal_is_not_sealed_anew(void **state)
{
    struct bench *bench = *state;
    static const char *const deeds[] = {
        "UPDATE ends SET hash = zeroblob(32) WHERE role = 'head'",
        "UPDATE ends SET hash = zeroblob(32), seal = zeroblob(32) WHERE role = 'base'",
    };
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        struct fs_err err = {0};
        make_old(bench, 4);
        bench_sql(bench, deeds[i]);
        assert_null(fs_journal_open(&bench->options, &err));
        assert_int_equal(err.code, FS_ERR_DIFFERS);
        assert_non_null(strstr(err.text, "audit key"));
    }
    make_old(bench, 4);
    bench_sql(bench, "INSERT INTO facts VALUES ('eve', 'tier', 1, 1, 0, '1', NULL)");
    bench_open(bench);
    bench_close(bench);
    assert_int_not_equal(bench_verify(bench).bad, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_older_schema_is_migrated_and_verifies),
        TEST(an_event_that_an_older_version_took_is_a_repeat),
        TEST(identities_are_digests_that_nobody_can_make_without_the_key),
        TEST(nothing_that_was_deleted_before_is_left_in_the_file),
        TEST(a_person_is_erased_from_what_older_versions_wrote),
        TEST(what_does_not_fit_its_seal_is_not_sealed_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
