/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything at once: readers, context changes, provider swaps, handlers, snapshots that are retired, and
 * shutdown. What each reader must always see is a value of the flag or the default; the rest is for the
 * thread sanitizer to say.
 */
#include "support.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READERS = 8, ROUNDS = 150, FLAG_OLD = 1, FLAG_NEW = 2 };

static of_api *api;
static atomic_bool stop;
static atomic_long evaluations;

/* A provider that reads a snapshot without a lock, and replaces it all the time. */
struct snapshot {
    of_retired retired; /* first */
    int64_t value;
    int64_t copy; /* always the same as value; spoiled when freed */
};

struct swapper {
    of_provider *provider;
    _Atomic(struct snapshot *) now;
};

static void free_snapshot(of_retired *retired)
{
    struct snapshot *snapshot = (struct snapshot *)(void *)retired;
    snapshot->value = -1;
    free(snapshot);
}

static void replace(struct swapper *swapper, int64_t value)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    assert_non_null(snapshot);
    snapshot->value = value;
    snapshot->copy = value;
    snapshot = atomic_exchange(&swapper->now, snapshot);
    if (snapshot != NULL)
        of_provider_retire(swapper->provider, &snapshot->retired, free_snapshot);
}

static of_error resolve_int(void *self, const char *key, int64_t default_value, const of_context *context,
                            of_resolution *resolution)
{
    struct swapper *swapper = self;
    const struct snapshot *snapshot = atomic_load(&swapper->now);
    (void)key;
    (void)default_value;
    (void)context;
    if (snapshot->value != snapshot->copy)
        abort();
    resolution->value.integer = snapshot->value;
    return OF_OK;
}

static of_error swapper_init(void *self, of_provider *provider, const of_context *context, const char *domain)
{
    (void)self;
    (void)context;
    (void)domain;
    of_provider_emit_ready(provider);
    return OF_OK;
}

static void swapper_destroy(void *self)
{
    struct swapper *swapper = self;
    free(atomic_load(&swapper->now));
    free(swapper);
}

static struct swapper *swapper_new(void)
{
    static const of_provider_methods methods = {.size = sizeof methods,
                                                .name = "swapper",
                                                .init = swapper_init,
                                                .destroy = swapper_destroy,
                                                .resolve_int = resolve_int};
    struct swapper *swapper = calloc(1, sizeof *swapper);
    assert_non_null(swapper);
    swapper->provider = of_provider_new(&methods, swapper);
    assert_non_null(swapper->provider);
    replace(swapper, FLAG_OLD);
    return swapper;
}

static void *reader(void *client)
{
    while (!atomic_load(&stop)) {
        int64_t value = of_client_get_int(client, "flag", 0, NULL, NULL);
        of_details details;
        if (value < 0 || value > FLAG_NEW)
            abort();
        (void)of_client_int_details(client, "flag", 0, NULL, NULL, &details);
        if (details.value.integer < 0 || details.value.integer > FLAG_NEW)
            abort();
        of_details_clear(&details);
        (void)of_client_status(client);
        atomic_fetch_add_explicit(&evaluations, 1, memory_order_relaxed);
    }
    return NULL;
}

static void *swap_providers(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        struct swapper *swapper = swapper_new();
        (void)of_api_set_provider(api, i % 2 == 0 ? NULL : "domain", swapper->provider);
        for (int j = 0; j < 10; j++)
            replace(swapper, j % 2 == 0 ? FLAG_NEW : FLAG_OLD);
        of_provider_unref(swapper->provider);
    }
    return NULL;
}

static void *change_settings(void *client)
{
    for (int i = 0; i < ROUNDS * 2; i++) {
        of_context *context = i % 3 == 0 ? NULL : of_context_new("ada");
        (void)of_api_set_context(api, context);
        (void)of_client_set_context(client, context);
        of_context_unref(context);
    }
    return NULL;
}

static void *add_and_remove_handlers(void *client)
{
    static struct box box;
    box_init(&box);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t one = of_api_on(api, OF_EVENT_READY, box_handler, &box, NULL);
        uint64_t two = of_client_on(client, OF_EVENT_READY, box_handler, &box, NULL);
        of_client_off(client, two);
        of_api_off(api, one);
    }
    return NULL;
}

static void *make_clients(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        of_client *client = of_api_client(api, i % 2 == 0 ? "domain" : "other");
        (void)of_client_get_int(client, "flag", 0, NULL, NULL);
        of_client_unref(client);
    }
    return NULL;
}

static void readers_see_only_whole_values_while_everything_changes(void **state)
{
    (void)state;
    pthread_t readers[READERS], changers[4];
    atomic_store(&stop, false);
    api = of_api_new();
    of_client *client = of_api_client(api, "domain"), *other = of_api_client(api, NULL);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, reader, i % 2 == 0 ? client : other), 0);
    assert_int_equal(pthread_create(&changers[0], NULL, swap_providers, NULL), 0);
    assert_int_equal(pthread_create(&changers[1], NULL, change_settings, client), 0);
    assert_int_equal(pthread_create(&changers[2], NULL, add_and_remove_handlers, client), 0);
    assert_int_equal(pthread_create(&changers[3], NULL, make_clients, NULL), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(changers[i], NULL), 0);
    of_api_shutdown(api); /* with the readers still at it */
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    assert_true(atomic_load(&evaluations) > 0);
    assert_int_equal(of_client_get_int(client, "flag", 0, NULL, NULL), 0);
    of_client_unref(client);
    of_client_unref(other);
    of_api_unref(api);
}

/* Two providers that take each other's place, from two threads, in two domains: each is started and shut down
 * in turn. */
static struct probe *rivals[2];

static void *swap_rivals(void *domain)
{
    for (int i = 0; i < ROUNDS; i++)
        (void)of_api_set_provider_and_wait(api, domain, rivals[i % 2]->provider, PATIENCE_MS);
    return NULL;
}

static void providers_can_be_set_again_and_again_from_two_threads(void **state)
{
    (void)state;
    pthread_t threads[2];
    char one[] = "one", two[] = "two";
    api = of_api_new();
    rivals[0] = probe_new("first", PROBE_PLAIN);
    rivals[1] = probe_new("second", PROBE_PLAIN);
    of_client *client = of_api_client(api, "one");
    assert_int_equal(pthread_create(&threads[0], NULL, swap_rivals, one), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, swap_rivals, two), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(of_client_status(client), OF_STATUS_READY);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    of_client_unref(client);
    of_api_unref(api);
    for (int i = 0; i < 2; i++) {
        int inits = atomic_load(&rivals[i]->inits);
        await_count(&rivals[i]->shutdowns, inits);
        probe_free(rivals[i]);
    }
}

/* As a sandbox may: from here on membarrier(2) fails, so the library has to do without. */
static void forbid_membarrier(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        fail_msg("no seccomp filter");
    assert_int_equal(syscall(SYS_membarrier, 0, 0, 0), -1);
}

/* "early": before the library is used; "late": when it counts on the call already. */
static void membarrier_may_be_forbidden(void **state)
{
    (void)state;
    const char *when = getenv("FORBID_MEMBARRIER");
    if (when == NULL)
        return;
    if (strcmp(when, "late") == 0)
        readers_see_only_whole_values_while_everything_changes(NULL);
    forbid_membarrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(membarrier_may_be_forbidden),
        cmocka_unit_test(readers_see_only_whole_values_while_everything_changes),
        cmocka_unit_test(providers_can_be_set_again_and_again_from_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
