/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live provider without a network: what the wire would write is written by the test. Options, contexts,
 * leases, and every allocation failing in turn.
 */
#include "support.h"

#include "live.h"
#include "wire/flag.h"

#define FLAGS(door, list)                                                                                    \
    "[{\"key\":\"door\",\"type\":\"boolean\",\"value\":" door                                                \
    ",\"variant\":\"v\",\"reason\":\"TARGETING_MATCH\",\"metadata\":{\"owner\":\"ops\"},\"safe\":{"          \
    "\"value\":false,"                                                                                       \
    "\"variant\":\"off\"}},{\"key\":\"list\",\"type\":\"object\",\"value\":" list                            \
    ",\"variant\":\"v\",\"reason\":\"STATIC\"},{\"key\":\"none\",\"type\":\"string\",\"reason\":"            \
    "\"DISABLED\"},"                                                                                         \
    "{\"key\":\"name\",\"type\":\"string\",\"value\":\"n\",\"variant\":\"v\",\"reason\":\"STATIC\"}]"

static const struct fsw_table *wire_table(const char *flags)
{
    const struct fsw_table *table = NULL;
    json_t *json = json_loads(flags, 0, NULL);
    assert_non_null(json);
    assert_int_equal(fsw_table_edit(NULL, NULL, json, &table), FSW_OK);
    json_decref(json);
    return table;
}

static of_provider *make(const of_live_options *options)
{
    char problem[200] = "";
    of_provider *provider = of_live_provider_new(options, problem, sizeof problem);
    if (provider == NULL) {
        assert_true(strlen(problem) > 0);
    }
    return provider;
}

/* As if init had been, without the thread. */
static of_provider *make_started(const of_live_options *options)
{
    of_provider *provider = make(options);
    if (provider != NULL) {
        ((struct live *)of_provider_self(provider))->started = true;
    }
    return provider;
}

/* As the wire does when a revision is complete. False without memory. */
static bool apply(struct live *live, struct live_entry *entry, const char *flags)
{
    const struct fsw_table *table = wire_table(flags);
    void *built = live_mirror.build(live, entry, table);
    if (built != NULL) {
        live_mirror.put(live, entry, built);
    }
    fsw_table_unref(table);
    return built != NULL;
}

static struct live_entry *entry_of(struct live *live, const of_context *context)
{
    struct live_key key;
    assert_true(live_key_make(&key, live, context));
    struct live_entry *entry = live_map_find(atomic_load(&live->map), &key);
    of_free(key.heap);
    return entry;
}

static of_error resolve(of_provider *provider, const char *key, of_type type, const of_context *context,
                        of_resolution *resolution)
{
    const of_flag_value otherwise = {.integer = 0};
    memset(resolution, 0, sizeof *resolution);
    return of_provider_resolve(provider, key, type, &otherwise, context, resolution);
}

static void options_that_cannot_be_used_are_refused_with_the_reason(void **state)
{
    (void)state;
    const char *const one[] = {"x"};
    const of_live_options bad[] = {
        {.size = sizeof(of_live_options), .url = "gopher://x"},
        {.size = sizeof(of_live_options), .watch_on_count = 1},
        {.size = sizeof(of_live_options), .flag_count = 1},
        {.size = sizeof(of_live_options), .others = OF_LIVE_OTHERS_EVALUATED},
        {.size = sizeof(of_live_options),
         .others = OF_LIVE_OTHERS_EVALUATED,
         .wait = 1,
         .static_context = true},
        {.size = sizeof(of_live_options), .ca_file = "/nowhere/ca.pem", .url = "wss://x"},
        {.size = sizeof(of_live_options), .client_certificate = "/dev/null", .url = "wss://x"},
        {.size = sizeof(of_live_options),
         .client_certificate = "/nowhere/cert.pem",
         .client_key = "/nowhere/key.pem",
         .url = "wss://x"},
        {.size = sizeof(of_live_options), /* there, and no PEM */
         .client_certificate = "/dev/null",
         .client_key = "/dev/null",
         .url = "wss://x"},
        {.size = 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(make(&bad[i]));
    }
    char named[300];
    assert_null(of_live_provider_new(&bad[0], named, sizeof named));
    assert_non_null(strstr(named, "gopher://x"));
    assert_non_null(strstr(named, "http://"));
    static const char *const none[] = {"x", NULL}, *const empty[] = {""};
    const of_live_options nameless[] = {
        {.size = sizeof(of_live_options), .watch_on = none, .watch_on_count = 2},
        {.size = sizeof(of_live_options), .watch_on = empty, .watch_on_count = 1},
        {.size = sizeof(of_live_options), .flags = none, .flag_count = 2},
        {.size = sizeof(of_live_options), .flags = empty, .flag_count = 1},
    };
    for (size_t i = 0; i < sizeof nameless / sizeof nameless[0]; i++) {
        char problem[200];
        assert_null(of_live_provider_new(&nameless[i], problem, sizeof problem));
        assert_non_null(strstr(problem, "NULL or empty"));
    }
    const of_live_options good = {.size = sizeof good,
                                  .url = "https://x:1/y",
                                  .watch_on = one,
                                  .watch_on_count = 1,
                                  .flags = one,
                                  .flag_count = 1};
    of_provider *provider = make(&good);
    assert_non_null(provider);
    of_live_stats stats = {.size = sizeof stats};
    assert_false(of_live_provider_stats(provider, &stats));
    assert_false(of_live_provider_stats(NULL, &stats));
    const of_provider_methods methods = {.size = sizeof methods, .name = "flagstaff-live"};
    of_provider *other = of_provider_new(&methods, NULL); /* of the same name, and no more than that */
    assert_false(of_live_provider_stats(other, &stats));
    of_provider_unref(other);
    of_provider_unref(provider);
}

static void keys_tell_contexts_apart_by_kind_and_value_of_what_is_watched_on(void **state)
{
    (void)state;
    const char *const on[] = {OF_TARGETING_KEY, "plan"};
    const of_live_options options = {.size = sizeof options, .watch_on = on, .watch_on_count = 2};
    of_provider *provider = make(&options);
    struct live *live = of_provider_self(provider);
    of_context *contexts[5];
    struct live_key keys[5];
    for (int i = 0; i < 5; i++) {
        contexts[i] = of_context_new("ada");
    }
    (void)of_context_set_string(contexts[1], "plan", "1");
    (void)of_context_set_int(contexts[2], "plan", 1);
    (void)of_context_set_string(contexts[3], "plan", "");
    char long_text[1000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    (void)of_context_set_string(contexts[4], "plan", long_text);
    (void)of_context_set_string(contexts[0], "ip", "left out");
    for (int i = 0; i < 5; i++) {
        assert_true(live_key_make(&keys[i], live, contexts[i]));
        for (int j = 0; j < i; j++) {
            assert_false(keys[i].length == keys[j].length &&
                         memcmp(keys[i].bytes, keys[j].bytes, keys[i].length) == 0);
        }
    }
    for (int i = 0; i < 5; i++) {
        of_free(keys[i].heap);
        of_context_unref(contexts[i]);
    }
    of_provider_unref(provider);
}

static void values_are_read_leased_then_safe_then_leased_again(void **state)
{
    (void)state;
    of_provider *provider = make_started(NULL);
    struct live *live = of_provider_self(provider);
    of_context *ada = of_context_new("ada");
    of_resolution r;
    assert_int_equal(resolve(provider, "door", OF_TYPE_BOOL, ada, &r), OF_ERROR_PROVIDER_NOT_READY);
    of_resolution_clear(&r);
    struct live_entry *entry = entry_of(live, ada);
    assert_true(apply(live, entry, FLAGS("true", "[1]")));

    assert_int_equal(resolve(provider, "door", OF_TYPE_BOOL, ada, &r), OF_OK);
    assert_false(r.value.boolean);
    assert_string_equal(r.reason, "ERROR"); /* a snapshot that no lease covers yet */
    of_resolution_clear(&r);

    live_mirror.lease(live, entry, live_boottime() + 3600000);
    assert_int_equal(resolve(provider, "door", OF_TYPE_BOOL, ada, &r), OF_OK);
    assert_true(r.value.boolean);
    assert_string_equal(r.reason, "TARGETING_MATCH");
    of_resolution_clear(&r);
    assert_int_equal(resolve(provider, "none", OF_TYPE_STRING, ada, &r), OF_OK);
    assert_string_equal(r.reason, "DISABLED");
    of_resolution_clear(&r);

    live_mirror.lease(live, entry, 0);
    assert_int_equal(resolve(provider, "door", OF_TYPE_BOOL, ada, &r), OF_OK);
    assert_false(r.value.boolean);
    assert_string_equal(r.variant, "off");
    assert_string_equal(of_value_as_string(of_value_get(r.metadata, "owner"), ""), "ops");
    assert_non_null(of_value_get(r.metadata, "flagstaff.error"));
    of_resolution_clear(&r);
    assert_int_equal(resolve(provider, "name", OF_TYPE_STRING, ada, &r), OF_OK);
    assert_string_equal(r.reason, "STALE");
    assert_string_equal(r.value.string.data, "n");
    of_resolution_clear(&r);

    assert_true(apply(live, entry, FLAGS("false", "[]")));
    live_mirror.put(live, entry, NULL); /* the daemon refuses the context */
    assert_int_equal(resolve(provider, "name", OF_TYPE_STRING, ada, &r), OF_ERROR_PROVIDER_NOT_READY);
    of_resolution_clear(&r);
    of_context_unref(ada);
    of_provider_unref(provider);
}

/* A flag that is an object, with so many lists in each other as its value, and as its safe one. */
static char *nested(const char *key, int value, int safe)
{
    static char text[1000];
    char lists[2][400];
    for (int i = 0; i < 2; i++) {
        int depth = i == 0 ? value : safe;
        memset(lists[i], '[', (size_t)depth);
        memset(lists[i] + depth, ']', (size_t)depth);
        lists[i][2 * depth] = '\0';
    }
    snprintf(
        text, sizeof text,
        "[{\"key\":\"%s\",\"type\":\"object\",\"value\":%s,\"variant\":\"v\",\"reason\":\"STATIC\"%s%s%s},"
        "{\"key\":\"name\",\"type\":\"string\",\"value\":\"n\",\"variant\":\"v\",\"reason\":\"STATIC\"}]",
        key, lists[0], safe > 0 ? ",\"safe\":{\"variant\":\"off\",\"value\":" : "", lists[1],
        safe > 0 ? "}" : "");
    return text;
}

static void a_value_that_is_nested_too_deeply_costs_no_other_flag_its_values(void **state)
{
    (void)state;
    of_provider *provider = make_started(NULL);
    struct live *live = of_provider_self(provider);
    of_context *ada = of_context_new("ada");
    of_resolution r;
    (void)resolve(provider, "deep", OF_TYPE_OBJECT, ada, &r);
    of_resolution_clear(&r);
    struct live_entry *entry = entry_of(live, ada);
    static const struct {
        int value, safe;
        of_error error;
        const char *variant;
    } cases[] = {
        {OF_VALUE_MAX_DEPTH, 0, OF_OK, "v"},
        {OF_VALUE_MAX_DEPTH + 1, 0, OF_ERROR_PARSE_ERROR, NULL},
        {OF_VALUE_MAX_DEPTH + 1, 1, OF_OK, "off"},
        {1, OF_VALUE_MAX_DEPTH + 1, OF_OK, "v"},
        {OF_VALUE_MAX_DEPTH + 1, OF_VALUE_MAX_DEPTH + 1, OF_ERROR_PARSE_ERROR, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(apply(live, entry, nested("deep", cases[i].value, cases[i].safe)));
        live_mirror.lease(live, entry, live_boottime() + 3600000);
        assert_int_equal(resolve(provider, "name", OF_TYPE_STRING, ada, &r), OF_OK);
        of_resolution_clear(&r);
        assert_int_equal(resolve(provider, "deep", OF_TYPE_OBJECT, ada, &r), cases[i].error);
        if (cases[i].error == OF_OK) {
            assert_string_equal(r.variant, cases[i].variant);
            assert_int_equal(of_value_length(r.value.object), cases[i].variant[0] == 'v' && i == 0);
            assert_int_equal(of_value_get(r.metadata, "flagstaff.error") != NULL, i == 2);
        }
        of_resolution_clear(&r);
    }
    live_mirror.lease(live, entry, 0);
    assert_int_equal(resolve(provider, "deep", OF_TYPE_OBJECT, ada, &r), OF_ERROR_PARSE_ERROR);
    of_resolution_clear(&r);
    of_context_unref(ada);
    of_provider_unref(provider);
}

static void a_client_that_gives_up_is_an_error_and_one_that_is_ended_is_not(void **state)
{
    (void)state;
    of_provider *provider = make_started(NULL);
    struct live *live = of_provider_self(provider);
    const struct fsw_state_info ready = {.state = FSW_READY, .message = ""},
                                closed = {.state = FSW_CLOSED, .message = ""};
    live_on_state(live, &ready);
    assert_int_equal(live->announced, LIVE_READY);
    live->closing = true;
    live_on_state(live, &closed);
    assert_int_equal(live->announced, LIVE_READY);
    live->closing = false;
    live_on_state(live, &closed);
    assert_int_equal(live->announced, LIVE_ERROR);
    of_provider_unref(provider);
}

static unsigned changes;

static void count_changes(void *user, of_provider *provider, const of_provider_event *event)
{
    (void)user, (void)provider;
    changes += event->type == OF_EVENT_CONFIGURATION_CHANGED;
}

static void the_fall_of_values_with_the_lease_is_told_whatever_the_status_was(void **state)
{
    (void)state;
    of_provider *provider = make_started(NULL);
    struct live *live = of_provider_self(provider);
    const struct fsw_state_info ready = {.state = FSW_READY, .message = ""},
                                over = {.state = FSW_LEASE_OVER, .message = ""};
    assert_int_equal(of_provider_adopt(provider, count_changes, NULL), OF_OK);
    changes = 0;
    live->announced = LIVE_ERROR; /* as after a change of context that failed */
    live_on_state(live, &over);
    assert_int_equal(changes, 1);
    live_on_state(live, &over);
    assert_int_equal(changes, 1);
    live_on_state(live, &ready);
    assert_int_equal(changes, 2);
    live->starting = true; /* while the context changes, which tells it at its end */
    live_on_state(live, &over);
    assert_int_equal(changes, 2);
    pthread_mutex_lock(&live->lock);
    live->starting = false;
    live_announce(live);
    ofo_unlock(&live->outbox);
    assert_int_equal(changes, 3);
    of_provider_release(provider);
    of_provider_unref(provider);
}

static void a_resolution_outlives_the_table_and_the_provider(void **state)
{
    (void)state;
    of_provider *provider = make_started(NULL);
    struct live *live = of_provider_self(provider);
    of_context *ada = of_context_new("ada");
    of_resolution r, list;
    (void)resolve(provider, "name", OF_TYPE_STRING, ada, &r);
    of_resolution_clear(&r);
    struct live_entry *entry = entry_of(live, ada);
    assert_true(apply(live, entry, FLAGS("true", "[1]")));
    live_mirror.lease(live, entry, live_boottime() + 3600000);
    assert_int_equal(resolve(provider, "name", OF_TYPE_STRING, ada, &r), OF_OK);
    assert_int_equal(resolve(provider, "list", OF_TYPE_OBJECT, ada, &list), OF_OK);
    assert_true(apply(live, entry, "[]"));
    of_provider_unref(provider);
    assert_string_equal(r.value.string.data, "n");
    assert_int_equal(of_value_length(list.value.object), 1);
    of_resolution_clear(&r);
    of_resolution_clear(&list);
    of_context_unref(ada);
}

static void evaluations_take_no_lock_and_allocate_nothing(void **state)
{
    (void)state;
    of_provider *provider = make_started(NULL);
    struct live *live = of_provider_self(provider);
    of_context *ada = of_context_new("ada");
    of_resolution r;
    (void)resolve(provider, "door", OF_TYPE_BOOL, ada, &r);
    of_resolution_clear(&r);
    struct live_entry *entry = entry_of(live, ada);
    assert_true(apply(live, entry, FLAGS("true", "[1]")));
    live_mirror.lease(live, entry, live_boottime() + 3600000);
    pthread_mutex_lock(&live->lock); /* who wanted it would wait for ever */
    long before = heap_count();
    failing_set(0, false);
    for (int i = 0; i < 200; i++) {
        bool leased = i < 100;
        if (i == 100) {
            live_mirror.lease(live, entry, 0);
        }
        assert_int_equal(resolve(provider, "door", OF_TYPE_BOOL, ada, &r), OF_OK);
        assert_int_equal(r.value.boolean, leased);
        of_resolution_clear(&r);
        assert_int_equal(resolve(provider, "name", OF_TYPE_STRING, ada, &r), OF_OK);
        assert_string_equal(r.reason, leased ? "STATIC" : "STALE");
        of_resolution_clear(&r);
        assert_int_equal(resolve(provider, "list", OF_TYPE_OBJECT, ada, &r), OF_OK);
        of_resolution_clear(&r);
        assert_int_equal(resolve(provider, "no such flag", OF_TYPE_BOOL, ada, &r), OF_ERROR_FLAG_NOT_FOUND);
        of_resolution_clear(&r);
    }
    assert_int_equal(failing_count(), 0);
    assert_int_equal(heap_count(), before);
    pthread_mutex_unlock(&live->lock);
    of_context_unref(ada);
    of_provider_unref(provider);
}

static void scenario(void)
{
    of_live_options options = OF_LIVE_OPTIONS_INIT;
    options.max_watches = 2;
    options.causes = true;
    of_provider *provider = make_started(&options);
    if (provider == NULL) {
        return;
    }
    struct live *live = of_provider_self(provider);
    const char *const names[] = {"ada", "bo", "cy"};
    static const of_type types[] = {OF_TYPE_BOOL, OF_TYPE_OBJECT, OF_TYPE_STRING, OF_TYPE_STRING};
    static const char *const keys[] = {"door", "list", "name", "none"};
    for (int n = 0; n < 3; n++) {
        of_context *context = of_context_new(names[n]);
        of_resolution r;
        (void)resolve(provider, "door", OF_TYPE_BOOL, context, &r);
        assert_false(r.value.boolean);
        of_resolution_clear(&r);
        struct live_entry *entry = context == NULL ? NULL : entry_of(live, context);
        for (int i = 0; entry != NULL && i < 2; i++) {
            if (apply(live, entry,
                      i == 0 ? FLAGS("true", "{\"a\":{\"b\":[1,\"x\"]}}") : FLAGS("true", "[]"))) {
                live_mirror.lease(live, entry, i == 0 ? live_boottime() + 3600000 : 0);
            }
            for (int k = 0; k < 4; k++) {
                bool leased = atomic_load(&entry->gate.until) != 0;
                of_error error = resolve(provider, keys[k], types[k], context, &r);
                assert_true(error != OF_OK || k != 0 || r.value.boolean == leased);
                of_resolution_clear(&r);
            }
        }
        of_context_unref(context);
    }
    of_provider_unref(provider);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    failing_install();
    failing_torture(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail), /* first: it brings its allocator */
        cmocka_unit_test(options_that_cannot_be_used_are_refused_with_the_reason),
        cmocka_unit_test(keys_tell_contexts_apart_by_kind_and_value_of_what_is_watched_on),
        cmocka_unit_test(values_are_read_leased_then_safe_then_leased_again),
        cmocka_unit_test(a_value_that_is_nested_too_deeply_costs_no_other_flag_its_values),
        cmocka_unit_test(a_client_that_gives_up_is_an_error_and_one_that_is_ended_is_not),
        cmocka_unit_test(evaluations_take_no_lock_and_allocate_nothing),
        cmocka_unit_test(the_fall_of_values_with_the_lease_is_told_whatever_the_status_was),
        cmocka_unit_test(a_resolution_outlives_the_table_and_the_provider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
