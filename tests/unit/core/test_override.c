/* SPDX-License-Identifier: Apache-2.0 */
/* One override: who may order it, what its entry says, what it makes of a flag, and when it makes nothing. */
#include "flag_support.h"
#include "core/override.h"

#define NOW INT64_C(1790000000000)

struct scene {
    struct fs_flagset *set;
    struct fs_credential *author;
    struct fs_override_order order;
    struct fs_err err;
};

static struct fs_credential *author_with(const char *scopes)
{
    struct fs_credential *credential = FS_NEW(struct fs_credential);
    char *list = fs_strdup(scopes), *rest = NULL;
    atomic_init(&credential->references, 1);
    for (char *scope = strtok_r(list, " ", &rest); scope; scope = strtok_r(NULL, " ", &rest))
        assert_true(fs_credential_add_scope(credential, scope));
    fs_free(list);
    return credential;
}

static struct fs_flagset *flags(void)
{
    static const struct plan access = {.decisions = {""}, .safe = "off"},
                             tools = {.type = FS_TYPE_OBJECT,
                                      .variants = "{'all':['a','b'],'few':['a']}",
                                      .safe_value = "[]",
                                      .decisions = {""}},
                             theme = {.type = FS_TYPE_STRING,
                                      .variants = "{'dark':'#000','light':'#fff'}",
                                      .default_variant = "light"},
                             off = {.decisions = {""}, .safe = "off", .disabled = true};
    struct fs_flag *list[] = {plan_flag("door", &access), plan_flag("tools", &tools),
                              plan_flag("theme", &theme), plan_flag("off", &off)};
    return fs_flagset_create(list, 4, NULL);
}

static void finish(struct scene *scene)
{
    fs_override_order_finish(&scene->order);
    fs_flagset_unref(scene->set);
    fs_credential_unref(scene->author);
}

static bool check(struct scene *scene, enum fs_override_kind kind, const char *flag, const char *variant,
                  const char *scopes, int64_t expires)
{
    *scene = (struct scene){.set = flags(), .author = author_with(scopes)};
    scene->order.override = (struct fs_override){.kind = kind,
                                                 .flag = fs_strdup(flag),
                                                 .variant = fs_strdup(variant),
                                                 .author = fs_strdup("k1"),
                                                 .reason = fs_strdup("why not"),
                                                 .expires = expires};
    return fs_override_check(scene->set, &scene->order, scene->author, NOW, &scene->err);
}

struct question {
    enum fs_override_kind kind;
    const char *flag, *variant, *scopes;
    int64_t expires;
    enum fs_err_code code; /* FS_OK: it is allowed */
    const char *says;
};

static void who_may_order_what(void **state)
{
    static const struct question questions[] = {
        {FS_OVERRIDE_KILL, "door", NULL, "operate", 0, FS_OK, ""},
        {FS_OVERRIDE_KILL, "theme", NULL, "operate", NOW + 1, FS_OK, ""},
        {FS_OVERRIDE_KILL, "door", NULL, "read evaluate:any events", 0, FS_ERR_FORBIDDEN, "operate"},
        {FS_OVERRIDE_KILL, "door", NULL, "admin", 0, FS_ERR_FORBIDDEN, "operate"},
        {FS_OVERRIDE_KILL, "dor", NULL, "operate", 0, FS_ERR_NOT_FOUND, "did you mean door?"},
        {FS_OVERRIDE_KILL, "door", NULL, "operate", NOW, FS_ERR_INVALID, "past"},
        {FS_OVERRIDE_KILL, "door", "off", "operate", 0, FS_ERR_INVALID, "a kill has none"},
        {FS_OVERRIDE_FORCE, "door", NULL, "operate", 0, FS_ERR_INVALID, "which one"},
        {FS_OVERRIDE_FORCE, "theme", "drak", "operate", 0, FS_ERR_INVALID, "did you mean dark?"},
        {FS_OVERRIDE_FORCE, "theme", "dark", "operate", 0, FS_OK, ""},
        {FS_OVERRIDE_FORCE, "door", "off", "operate", 0, FS_OK, ""},
        {FS_OVERRIDE_FORCE, "tools", "safe", "operate", 0, FS_OK, ""},
        {FS_OVERRIDE_FORCE, "door", "on", "operate", NOW + 1, FS_ERR_FORBIDDEN, "admin"},
        {FS_OVERRIDE_FORCE, "door", "on", "operate admin", 0, FS_ERR_INVALID, "needs an end"},
        {FS_OVERRIDE_FORCE, "door", "on", "operate admin", NOW + 1, FS_OK, ""},
        {FS_OVERRIDE_FORCE, "tools", "few", "operate", NOW + 1, FS_ERR_FORBIDDEN, "admin"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const struct question *q = &questions[i];
        struct scene scene;
        bool fine = check(&scene, q->kind, q->flag, q->variant, q->scopes, q->expires);
        if (fine != (q->code == FS_OK) || (!fine && scene.err.code != q->code) ||
            (!fine && !strstr(scene.err.text, q->says)))
            fail_msg("question %zu: %s", i, fine ? "allowed" : scene.err.text);
        finish(&scene);
    }
}

static void reasons_and_subjects_have_limits_and_reasons_are_one_plain_line(void **state)
{
    static const char *const bad[] = {"",
                                      "  ",
                                      "two\nlines",
                                      "a \x7f bell",
                                      "c1 \xc2\x9b",
                                      "turned \xe2\x80\xae",
                                      "isolated \xe2\x81\xa7",
                                      "mark \xd8\x9c",
                                      "not \xff UTF-8"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct scene scene;
        assert_true(check(&scene, FS_OVERRIDE_KILL, "door", NULL, "operate", 0));
        fs_free(scene.order.override.reason);
        scene.order.override.reason = fs_strdup(bad[i]);
        assert_false(fs_override_check(scene.set, &scene.order, scene.author, NOW, &scene.err));
        assert_int_equal(scene.err.code, FS_ERR_INVALID);
        finish(&scene);
    }
    struct scene scene;
    assert_true(check(&scene, FS_OVERRIDE_KILL, "door", NULL, "operate", 0));
    fs_free(scene.order.override.reason);
    scene.order.override.reason = fs_alloc(FS_OVERRIDE_REASON + 2);
    memset(scene.order.override.reason, 'x', FS_OVERRIDE_REASON + 1);
    scene.order.override.reason[FS_OVERRIDE_REASON + 1] = 0;
    assert_false(fs_override_check(scene.set, &scene.order, scene.author, NOW, &scene.err));
    assert_int_equal(scene.err.code, FS_ERR_TOO_LARGE);
    scene.order.override.reason[FS_OVERRIDE_REASON] = 0;
    assert_true(fs_override_check(scene.set, &scene.order, scene.author, NOW, &scene.err));
    scene.order.override.subject = fs_strdup("");
    assert_false(fs_override_check(scene.set, &scene.order, scene.author, NOW, &scene.err));
    finish(&scene);
}

static void its_entry_reads_back_as_it_was_ordered(void **state)
{
    struct scene scene;
    size_t length;
    struct fs_override_order back;
    (void)state;
    assert_true(check(&scene, FS_OVERRIDE_FORCE, "door", "on", "operate admin", NOW + 5));
    scene.order.override.subject = fs_strdup("ada");
    scene.order.override.author_name = fs_strdup("ops");
    char *body = fs_override_write(&scene.order, &length);
    assert_true(fs_override_read(body, length, 12, NOW, &back));
    const struct fs_override *o = &back.override;
    assert_false(back.release);
    assert_int_equal(o->kind, FS_OVERRIDE_FORCE);
    assert_string_equal(o->flag, "door");
    assert_string_equal(o->subject, "ada");
    assert_string_equal(o->variant, "on");
    assert_string_equal(o->author, "k1");
    assert_string_equal(o->author_name, "ops");
    assert_string_equal(o->reason, "why not");
    assert_int_equal(o->expires, NOW + 5);
    assert_int_equal(o->time, NOW);
    assert_int_equal(o->entry, 12);
    assert_true(o->may_grant);
    fs_override_order_finish(&back);
    fs_free(body);
    scene.order.release = scene.order.any_kind = true;
    body = fs_override_write(&scene.order, &length);
    assert_true(fs_override_read(body, length, 13, NOW, &back));
    assert_true(back.release);
    assert_true(back.any_kind);
    fs_override_order_finish(&back);
    fs_free(body);
    assert_false(fs_override_read("null", 4, 14, NOW, &back)); /* erased */
    finish(&scene);
}

static void gives(enum fs_override_kind kind, const char *flag, const char *variant, const char *value,
                  const char *variant_given, enum fs_reason reason, bool safe)
{
    struct scene scene;
    struct fs_evaluation given;
    assert_true(check(&scene, kind, flag, variant, "operate admin", NOW + 1));
    const struct fs_flag *of = fs_flagset_find(scene.set, flag);
    assert_null(fs_override_idle(&scene.order.override, of));
    fs_override_evaluate(&scene.order.override, of, &given);
    json_t *expected = value ? json_of(value) : NULL;
    assert_true(expected ? fs_json_equal(given.value, expected) : !given.value);
    assert_int_equal(given.reason, reason);
    assert_int_equal(given.safe, safe);
    if (variant_given)
        assert_string_equal(given.variant, variant_given);
    else
        assert_null(given.variant);
    assert_string_equal(given.override, kind == FS_OVERRIDE_KILL ? "kill" : "force");
    json_decref(expected);
    fs_evaluation_finish(&given);
    finish(&scene);
}

static void a_kill_gives_the_safe_variant_or_nothing_and_a_force_its_variant(void **state)
{
    (void)state;
    gives(FS_OVERRIDE_KILL, "door", NULL, "false", "off", FS_REASON_DISABLED, true);
    gives(FS_OVERRIDE_KILL, "tools", NULL, "[]", "safe", FS_REASON_DISABLED, true);
    gives(FS_OVERRIDE_KILL, "theme", NULL, NULL, NULL, FS_REASON_DISABLED, false);
    gives(FS_OVERRIDE_FORCE, "door", "on", "true", "on", FS_REASON_STATIC, false);
    gives(FS_OVERRIDE_FORCE, "theme", "dark", "'#000'", "dark", FS_REASON_STATIC, false);
    gives(FS_OVERRIDE_FORCE, "tools", "few", "['a']", "few", FS_REASON_STATIC, false);
    gives(FS_OVERRIDE_FORCE, "tools", "safe", "[]", "safe", FS_REASON_STATIC, true);
}

static void what_the_flag_does_not_have_any_more_has_no_effect(void **state)
{
    struct scene scene;
    (void)state;
    assert_true(check(&scene, FS_OVERRIDE_FORCE, "theme", "dark", "operate", 0));
    const struct fs_override *o = &scene.order.override;
    assert_null(fs_override_idle(o, fs_flagset_find(scene.set, "theme")));
    assert_non_null(fs_override_idle(o, NULL));
    assert_non_null(fs_override_idle(o, fs_flagset_find(scene.set, "door")));
    fs_free(scene.order.override.variant);
    scene.order.override.variant = fs_strdup("few"); /* as if the definition had become that one's */
    assert_non_null(strstr(fs_override_idle(o, fs_flagset_find(scene.set, "tools")), "would grant"));
    fs_free(scene.order.override.variant);
    scene.order.override.variant = fs_strdup("on");
    scene.order.override.may_grant = true;
    assert_non_null(strstr(fs_override_idle(o, fs_flagset_find(scene.set, "off")), "disabled"));
    scene.order.override.kind = FS_OVERRIDE_KILL;
    assert_null(fs_override_idle(o, fs_flagset_find(scene.set, "off")));
    finish(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_order_what),
        cmocka_unit_test(reasons_and_subjects_have_limits_and_reasons_are_one_plain_line),
        cmocka_unit_test(its_entry_reads_back_as_it_was_ordered),
        cmocka_unit_test(a_kill_gives_the_safe_variant_or_nothing_and_a_force_its_variant),
        cmocka_unit_test(what_the_flag_does_not_have_any_more_has_no_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
