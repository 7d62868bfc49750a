/* SPDX-License-Identifier: Apache-2.0 */
/* The support of the tests: see support.h. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct timespec patience(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += PATIENCE_MS / 1000;
    return at;
}

static void wait_on(pthread_cond_t *changed, pthread_mutex_t *lock)
{
    struct timespec at = patience();
    if (pthread_cond_timedwait(changed, lock, &at) != 0) {
        fprintf(stderr, "a test waited in vain\n");
        abort();
    }
}

void gate_init(struct gate *gate, bool closed)
{
    (void)pthread_mutex_init(&gate->lock, NULL);
    (void)pthread_cond_init(&gate->changed, NULL);
    gate->closed = closed;
    gate->waiting = 0;
}

static void gate_set(struct gate *gate, bool closed)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->closed = closed;
    (void)pthread_cond_broadcast(&gate->changed);
    (void)pthread_mutex_unlock(&gate->lock);
}

void gate_open(struct gate *gate)
{
    gate_set(gate, false);
}

void gate_close(struct gate *gate)
{
    gate_set(gate, true);
}

void gate_pass(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->waiting++;
    (void)pthread_cond_broadcast(&gate->changed);
    while (gate->closed)
        wait_on(&gate->changed, &gate->lock);
    gate->waiting--;
    (void)pthread_mutex_unlock(&gate->lock);
}

void gate_await(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    while (gate->waiting == 0)
        wait_on(&gate->changed, &gate->lock);
    (void)pthread_mutex_unlock(&gate->lock);
}

static atomic_int clock_of_calls;

static of_error probe_init(void *self, of_provider *provider, const of_context *context, const char *domain)
{
    struct probe *probe = self;
    probe->init_order = atomic_fetch_add(&clock_of_calls, 1) + 1;
    (void)pthread_mutex_lock(&probe->lock);
    (void)snprintf(probe->domain, sizeof probe->domain, "%s", domain == NULL ? "(default)" : domain);
    of_context_unref(probe->init_context);
    probe->init_context = of_context_ref(context);
    (void)pthread_mutex_unlock(&probe->lock);
    atomic_fetch_add(&probe->inits, 1);
    gate_pass(&probe->init_gate);
    if (probe->silent)
        return probe->init_result;
    if (probe->init_result != OF_OK)
        return of_provider_emit_error(provider, probe->init_result, "init failed");
    of_provider_emit_ready(provider);
    return OF_OK;
}

static void probe_shutdown(void *self)
{
    struct probe *probe = self;
    gate_pass(&probe->shutdown_gate);
    atomic_fetch_add(&probe->shutdowns, 1);
}

static void probe_destroy(void *self)
{
    struct probe *probe = self;
    atomic_fetch_add(&probe->destroyed, 1);
}

static of_error probe_context_changed(void *self, of_provider *provider, const of_context *before,
                                      const of_context *now)
{
    struct probe *probe = self;
    (void)pthread_mutex_lock(&probe->lock);
    of_context_unref(probe->before);
    of_context_unref(probe->now);
    probe->before = of_context_ref(before);
    probe->now = of_context_ref(now);
    (void)pthread_mutex_unlock(&probe->lock);
    if (probe->reconciling) {
        of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_RECONCILING);
        of_provider_emit(provider, &event);
    }
    atomic_fetch_add(&probe->contexts, 1);
    gate_pass(&probe->context_gate);
    if (probe->context_result != OF_OK)
        return of_provider_emit_error(provider, probe->context_result, "cannot reconcile");
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONTEXT_CHANGED);
    of_provider_emit(provider, &event);
    return OF_OK;
}

static void probe_track(void *self, const char *name, const of_context *context, const of_tracking *details)
{
    struct probe *probe = self;
    (void)pthread_mutex_lock(&probe->lock);
    (void)snprintf(probe->tracked, sizeof probe->tracked, "%s", name);
    of_context_unref(probe->seen);
    probe->seen = of_context_ref(context);
    probe->tracked_value = details != NULL && details->has_value;
    probe->tracked_amount = details == NULL ? 0 : details->value;
    of_value_unref(probe->tracked_fields);
    probe->tracked_fields = details == NULL ? NULL : of_value_ref(details->fields);
    (void)pthread_mutex_unlock(&probe->lock);
    atomic_fetch_add(&probe->tracks, 1);
}

/* Common to all resolvers: notes the call; says how to go on. */
static of_error enter(struct probe *probe, const char *key, const of_context *context,
                      of_resolution *resolution)
{
    atomic_fetch_add(&probe->inside, 1);
    probe->resolve_order = atomic_fetch_add(&clock_of_calls, 1) + 1;
    (void)pthread_mutex_lock(&probe->lock);
    of_context_unref(probe->seen);
    probe->seen = of_context_ref(context);
    (void)pthread_mutex_unlock(&probe->lock);
    atomic_fetch_add(&probe->resolves, 1);
    gate_pass(&probe->resolve_gate);
    of_error error = OF_OK;
    if (strcmp(key, "fails") == 0) {
        resolution->error_message = probe->error_message;
        error = probe->error;
    } else if (strstr(key, "-flag") == NULL) {
        error = OF_ERROR_FLAG_NOT_FOUND;
    }
    resolution->reason = OF_REASON_STATIC;
    atomic_fetch_sub(&probe->inside, 1);
    return error;
}

static of_error probe_bool(void *self, const char *key, bool default_value, const of_context *context,
                           of_resolution *resolution)
{
    struct probe *probe = self;
    (void)default_value;
    of_error error = enter(probe, key, context, resolution);
    if (error != OF_OK)
        return error;
    resolution->value.boolean = true;
    resolution->variant = "on";
    if (strcmp(key, "bare-flag") == 0) {
        resolution->variant = NULL;
        resolution->reason = NULL;
    }
    if (strcmp(key, "metadata-flag") == 0)
        resolution->metadata = probe->metadata;
    if (strcmp(key, "string-flag") == 0)
        return OF_ERROR_TYPE_MISMATCH;
    return OF_OK;
}

static of_error probe_string(void *self, const char *key, const char *default_value,
                             const of_context *context, of_resolution *resolution)
{
    (void)default_value;
    of_error error = enter(self, key, context, resolution);
    if (error != OF_OK)
        return error;
    resolution->value.string.data = "hi";
    resolution->value.string.length = 2;
    resolution->variant = "greeting";
    if (strcmp(key, "null-flag") == 0)
        resolution->value.string.data = NULL;
    if (strcmp(key, "text-flag") == 0) {
        resolution->value.string.data = of_resolution_text(resolution, "made on the spot");
        resolution->value.string.length = strlen("made on the spot");
        resolution->variant = of_resolution_text(resolution, "made too");
        if (resolution->value.string.data == NULL)
            return OF_ERROR_GENERAL;
    }
    return OF_OK;
}

static of_error probe_int(void *self, const char *key, int64_t default_value, const of_context *context,
                          of_resolution *resolution)
{
    (void)default_value;
    of_error error = enter(self, key, context, resolution);
    resolution->value.integer = 10;
    resolution->variant = "ten";
    return error;
}

static of_error probe_double(void *self, const char *key, double default_value, const of_context *context,
                             of_resolution *resolution)
{
    (void)default_value;
    of_error error = enter(self, key, context, resolution);
    resolution->value.number = 0.5;
    resolution->variant = "half";
    return error;
}

static void release_value(void *owner)
{
    of_value_unref(owner);
}

static of_error probe_object(void *self, const char *key, const of_value *default_value,
                             const of_context *context, of_resolution *resolution)
{
    (void)default_value;
    of_error error = enter(self, key, context, resolution);
    if (error != OF_OK)
        return error;
    of_value *value = strcmp(key, "scalar-flag") == 0 ? of_value_int(1) : of_value_object();
    if (value == NULL ||
        (of_value_type(value) == OF_TYPE_OBJECT && of_value_set_int(value, "a", 1) != OF_OK)) {
        of_value_unref(value);
        return OF_ERROR_GENERAL;
    }
    resolution->value.object = value;
    resolution->variant = "template";
    resolution->owner = value;
    resolution->release = release_value;
    return OF_OK;
}

struct probe *probe_new(const char *name, unsigned flags)
{
    struct probe *probe = calloc(1, sizeof *probe);
    assert_non_null(probe);
    gate_init(&probe->init_gate, false);
    gate_init(&probe->resolve_gate, false);
    gate_init(&probe->shutdown_gate, false);
    gate_init(&probe->context_gate, false);
    (void)pthread_mutex_init(&probe->lock, NULL);
    probe->error = OF_ERROR_GENERAL;
    of_provider_methods methods = {.size = sizeof methods, .name = name};
    methods.init = (flags & PROBE_NO_INIT) != 0 ? NULL : probe_init;
    methods.flags = (flags & PROBE_SCOPED) != 0 ? OF_PROVIDER_DOMAIN_SCOPED : 0;
    methods.shutdown = probe_shutdown;
    methods.destroy = probe_destroy;
    methods.resolve_bool = probe_bool;
    methods.resolve_string = probe_string;
    methods.resolve_int = probe_int;
    methods.resolve_double = probe_double;
    methods.resolve_object = probe_object;
    methods.track = (flags & PROBE_NO_TRACK) != 0 ? NULL : probe_track;
    methods.on_context_changed = (flags & PROBE_NO_CONTEXT) != 0 ? NULL : probe_context_changed;
    probe->provider = of_provider_new(&methods, probe);
    return probe;
}

void probe_free(struct probe *probe)
{
    bool made = probe->provider != NULL;
    of_provider_unref(probe->provider);
    if (made)
        await_count(&probe->destroyed, 1);
    of_context_unref(probe->init_context);
    of_context_unref(probe->seen);
    of_context_unref(probe->before);
    of_context_unref(probe->now);
    of_value_unref(probe->tracked_fields);
    of_value_unref(probe->metadata);
    free(probe);
}

static void pause_briefly(int *spent_ms)
{
    const struct timespec pause = {0, 1000 * 1000};
    if (++*spent_ms > PATIENCE_MS) {
        fprintf(stderr, "a test waited in vain\n");
        abort();
    }
    (void)nanosleep(&pause, NULL);
}

void await_count(atomic_int *counter, int value)
{
    for (int spent = 0; atomic_load(counter) < value;)
        pause_briefly(&spent);
}

void await_none(atomic_int *counter)
{
    for (int spent = 0; atomic_load(counter) > 0;)
        pause_briefly(&spent);
}

void await_status(of_client *client, of_provider_status status)
{
    for (int spent = 0; of_client_status(client) != status;)
        pause_briefly(&spent);
}

void box_init(struct box *box)
{
    memset(box, 0, sizeof *box);
    (void)pthread_mutex_init(&box->lock, NULL);
    (void)pthread_cond_init(&box->changed, NULL);
    gate_init(&box->gate, false);
}

static void copy(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from == NULL ? "" : from);
}

void box_handler(void *user, const of_event *event)
{
    struct box *box = user;
    (void)pthread_mutex_lock(&box->lock);
    if (box->count < sizeof box->seen / sizeof box->seen[0]) {
        struct seen *seen = &box->seen[box->count];
        size_t used = 0;
        seen->type = event->type;
        seen->status = event->status;
        seen->error = event->error;
        copy(seen->provider, sizeof seen->provider, event->provider_name);
        copy(seen->domain, sizeof seen->domain, event->domain);
        copy(seen->message, sizeof seen->message, event->message);
        if (event->flags_changed == NULL)
            copy(seen->flags, sizeof seen->flags, "*");
        for (size_t i = 0; event->flags_changed != NULL && i < event->flags_changed_count; i++)
            used += (size_t)snprintf(seen->flags + used, sizeof seen->flags - used, "%s%s", i == 0 ? "" : ",",
                                     event->flags_changed[i]);
    }
    box->count++;
    (void)pthread_cond_broadcast(&box->changed);
    (void)pthread_mutex_unlock(&box->lock);
    gate_pass(&box->gate);
}

void box_destroyed(void *user)
{
    struct box *box = user;
    atomic_fetch_add(&box->destroyed, 1);
}

void box_await(struct box *box, size_t count)
{
    (void)pthread_mutex_lock(&box->lock);
    while (box->count < count)
        wait_on(&box->changed, &box->lock);
    (void)pthread_mutex_unlock(&box->lock);
}

size_t box_count(struct box *box)
{
    (void)pthread_mutex_lock(&box->lock);
    size_t count = box->count;
    (void)pthread_mutex_unlock(&box->lock);
    return count;
}

static atomic_long made, live, fail_at;
static atomic_bool fail_onwards;

static bool fails(void)
{
    long number = atomic_fetch_add(&made, 1) + 1;
    long at = atomic_load(&fail_at);
    return at > 0 && (number == at || (number > at && atomic_load(&fail_onwards)));
}

static void *failing_allocate(void *user, size_t size)
{
    (void)user;
    void *memory = fails() ? NULL : malloc(size);
    if (memory != NULL)
        atomic_fetch_add(&live, 1);
    return memory;
}

static void *failing_reallocate(void *user, void *memory, size_t size)
{
    (void)user;
    void *moved = fails() ? NULL : realloc(memory, size);
    if (moved != NULL && memory == NULL)
        atomic_fetch_add(&live, 1);
    return moved;
}

static void failing_release(void *user, void *memory)
{
    (void)user;
    if (memory != NULL)
        atomic_fetch_sub(&live, 1);
    free(memory);
}

void failing_install(void)
{
    static const of_allocator allocator = {failing_allocate, failing_reallocate, failing_release, NULL};
    assert_int_equal(of_set_allocator(&allocator), OF_OK);
}

void failing_set(long nth, bool onwards)
{
    atomic_store(&fail_at, 0);
    atomic_store(&fail_onwards, onwards);
    atomic_store(&made, 0);
    atomic_store(&fail_at, nth);
}

long failing_count(void)
{
    return atomic_load(&made);
}

long failing_live(void)
{
    return atomic_load(&live);
}

void failing_await_none(void)
{
    for (int spent = 0; failing_live() != 0; spent++) {
        if (spent > 10 * PATIENCE_MS)
            fail_msg("%ld allocations are left", failing_live());
        (void)nanosleep(&(struct timespec){0, 100000}, NULL);
    }
}

void failing_torture(void (*scenario)(void))
{
    failing_set(0, false);
    scenario();
    failing_await_none();
    long count = failing_count();
    assert_true(count > 0);
    print_message("%ld allocations, each failing once alone and once with all after it\n", count);
    for (int onwards = 0; onwards < 2; onwards++) {
        for (long nth = 1; nth <= count + 2; nth++) {
            failing_set(nth, onwards == 1);
            scenario();
            failing_set(0, false);
            failing_await_none();
        }
    }
}
