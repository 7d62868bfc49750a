/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Transaction context (specification section 3.3, dynamic paradigm only): a context that follows a request
 * through the code that serves it, without being passed along.
 */
#ifndef OPENFEATURE_PROPAGATOR_H
#define OPENFEATURE_PROPAGATOR_H

#include <openfeature/context.h>

OF_BEGIN_DECLS

/** Carries the context of the current transaction. Opaque and counted. */
typedef struct of_propagator of_propagator;

/** What a propagator does. Both are called on the thread that sets or evaluates. */
typedef struct of_propagator_methods {
    /** sizeof(of_propagator_methods), so that the structure can grow. */
    size_t size;
    /** Makes `context` (borrowed, may be NULL) that of the current transaction. */
    of_error (*set)(void *self, const of_context *context);
    /** @return a reference to the context of the current transaction, which the caller ends; NULL for none */
    of_context *(*get)(void *self);
    /** When the last reference is gone; as of_hook_methods::destroy. May be NULL. */
    void (*destroy)(void *self);
} of_propagator_methods;

/**
 * Makes a propagator of your own, for programs where a request moves between threads.
 * @return owned by the caller; NULL when a method is missing or there is no memory
 */
OF_API OF_MUST_USE of_propagator *of_propagator_new(const of_propagator_methods *methods, void *self);
/**
 * Makes the propagator for programs where one thread serves one request at a time: each thread has its
 * context, which is given up when the thread ends.
 * @return owned by the caller; NULL when there is no memory or no thread-specific key
 */
OF_API OF_MUST_USE of_propagator *of_propagator_new_thread_local(void);
/** Takes a further reference. Cannot fail; NULL gives NULL. Any thread. */
OF_API of_propagator *of_propagator_ref(of_propagator *propagator);
/** Gives up a reference. NULL is fine. Any thread. */
OF_API void of_propagator_unref(of_propagator *propagator);

OF_END_DECLS

#endif
