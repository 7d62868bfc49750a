/* SPDX-License-Identifier: Apache-2.0 */
/* Propagators as counted objects, and the one that keeps a context for each thread. */
#include "core.h"

#include <string.h>

#include "memory_impl.h"

of_propagator *of_propagator_new(const of_propagator_methods *methods, void *self)
{
    struct of_propagator_methods known = {0};
    if (methods == NULL || methods->size < sizeof methods->size)
        return NULL;
    memcpy(&known, methods, methods->size < sizeof known ? methods->size : sizeof known);
    if (known.set == NULL || known.get == NULL)
        return NULL;
    of_propagator *propagator = ofi_zalloc(1, sizeof *propagator);
    if (propagator == NULL)
        return NULL;
    atomic_init(&propagator->refs, 1);
    propagator->methods = known;
    propagator->self = self;
    return propagator;
}

of_propagator *of_propagator_ref(of_propagator *propagator)
{
    if (propagator != NULL)
        atomic_fetch_add_explicit(&propagator->refs, 1, memory_order_relaxed);
    return propagator;
}

void of_propagator_unref(of_propagator *propagator)
{
    if (propagator == NULL || atomic_fetch_sub_explicit(&propagator->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (propagator->methods.destroy != NULL)
        propagator->methods.destroy(propagator->self);
    of_free(propagator);
}

/* The thread-local propagator. A thread's context keeps the state alive, and with it the key, so that the
 * context is given up when the thread ends, also when the propagator is gone by then. */
struct state {
    _Atomic(uint32_t) refs;
    pthread_key_t key;
};

struct carried {
    struct state *state;
    of_context *context;
};

static void state_unref(struct state *state)
{
    if (atomic_fetch_sub(&state->refs, 1) != 1)
        return;
    (void)pthread_key_delete(state->key);
    of_free(state);
}

static void carried_free(void *argument)
{
    struct carried *carried = argument;
    of_context_unref(carried->context);
    state_unref(carried->state);
    of_free(carried);
}

static void clear_own(struct state *state)
{
    struct carried *carried = pthread_getspecific(state->key);
    if (carried == NULL)
        return;
    (void)pthread_setspecific(state->key, NULL);
    carried_free(carried);
}

static of_error thread_local_set(void *self, const of_context *context)
{
    struct state *state = self;
    if (context == NULL) {
        clear_own(state);
        return OF_OK;
    }
    of_context *now = of_context_ref(context);
    struct carried *carried = pthread_getspecific(state->key);
    if (now != NULL && carried == NULL) {
        carried = ofi_zalloc(1, sizeof *carried);
        if (carried != NULL && pthread_setspecific(state->key, carried) != 0) {
            of_free(carried);
            carried = NULL;
        }
        if (carried != NULL) {
            carried->state = state;
            atomic_fetch_add(&state->refs, 1);
        }
    }
    if (now == NULL || carried == NULL) {
        of_context_unref(now);
        return OF_ERROR_NO_MEMORY;
    }
    of_context_unref(carried->context);
    carried->context = now;
    return OF_OK;
}

static of_context *thread_local_get(void *self)
{
    const struct state *state = self;
    const struct carried *carried = pthread_getspecific(state->key);
    return carried == NULL ? NULL : of_context_ref(carried->context);
}

static void thread_local_destroy(void *self)
{
    struct state *state = self;
    clear_own(state);
    state_unref(state);
}

of_propagator *of_propagator_new_thread_local(void)
{
    static const of_propagator_methods methods = {sizeof methods, thread_local_set, thread_local_get,
                                                  thread_local_destroy};
    struct state *state = ofi_zalloc(1, sizeof *state);
    if (state == NULL)
        return NULL;
    if (pthread_key_create(&state->key, carried_free) != 0) {
        of_free(state);
        return NULL;
    }
    atomic_init(&state->refs, 1);
    of_propagator *propagator = of_propagator_new(&methods, state);
    if (propagator == NULL)
        state_unref(state);
    return propagator;
}
