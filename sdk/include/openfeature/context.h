/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The evaluation context (specification section 3): whom a flag is evaluated for, and what else is known.
 *
 * Counted like a value, and like a value only its sole holder can change it: once an API, a client or a
 * propagator holds a context too, it is immutable. of_context_copy() gives one that can be changed.
 */
#ifndef OPENFEATURE_CONTEXT_H
#define OPENFEATURE_CONTEXT_H

#include <openfeature/value.h>

OF_BEGIN_DECLS

/** The field that holds the targeting key. It is a field like any other, but only ever a string without
 * zero bytes. */
#define OF_TARGETING_KEY "targetingKey"

/** An evaluation context. Opaque and counted. */
typedef struct of_context of_context;

/**
 * Makes a context.
 * @param targeting_key the subject of the evaluation, copied; NULL for none
 * @return owned by the caller; NULL when there is no memory
 */
OF_API OF_MUST_USE of_context *of_context_new(const char *targeting_key);
/**
 * Takes a further reference. A context that the SDK hands to providers and hooks may be a merged view of
 * several that lasts for one call: of such a one a copy is made, and NULL means that there was no memory.
 * Of all other contexts it cannot fail. NULL gives NULL. Any thread.
 */
OF_API OF_MUST_USE of_context *of_context_ref(const of_context *context);
/** Gives up a reference; the last one frees. NULL is fine. Any thread. */
OF_API void of_context_unref(of_context *context);
/** A copy with one reference, so one that can be changed. NULL gives an empty context. */
OF_API OF_MUST_USE of_context *of_context_copy(const of_context *context);
/**
 * The fields of both; where both have one, that of `over` counts (specification 3.2.3).
 * @return owned by the caller; NULL when there is no memory
 */
OF_API OF_MUST_USE of_context *of_context_merge(const of_context *under, const of_context *over);

/**
 * Sets a field; the one of the same key is replaced.
 * @param value is taken, whatever is returned
 * @return #OF_ERROR_INVALID_ARGUMENT (also for a targeting key that is no string, or one with a
 *         zero byte in it), #OF_ERROR_SHARED, #OF_ERROR_NO_MEMORY
 */
OF_API of_error of_context_set(of_context *context, const char *key, of_value *value);
/** @name Shorthands of of_context_set()
 * @{ */
/** Sets a field to a value of the type that is in the name. */
OF_API of_error of_context_set_bool(of_context *context, const char *key, bool boolean);
OF_API of_error of_context_set_int(of_context *context, const char *key, int64_t integer);
OF_API of_error of_context_set_double(of_context *context, const char *key, double number);
OF_API of_error of_context_set_string(of_context *context, const char *key, const char *string);
OF_API of_error of_context_set_datetime(of_context *context, const char *key, of_datetime moment);
/** @} */
/** Replaces the targeting key; NULL removes it. */
OF_API of_error of_context_set_targeting_key(of_context *context, const char *targeting_key);

/** @return borrowed from the context, or NULL when there is none */
OF_API const char *of_context_targeting_key(const of_context *context);
/** @return the field, borrowed from the context, or NULL */
OF_API const of_value *of_context_get(const of_context *context, const char *key);
/** How many fields there are, the targeting key among them. */
OF_API size_t of_context_count(const of_context *context);
/** Whether both have the same fields with equal values (of_value_equal()). NULL equals NULL only. */
OF_API bool of_context_equal(const of_context *a, const of_context *b);
/**
 * Walks all fields, the targeting key among them.
 * @param cursor 0 at the start; belongs to the walk
 * @param key set to the key, borrowed; may be NULL
 * @param value set to the value, borrowed; may be NULL
 * @return false at the end
 */
OF_API bool of_context_next(const of_context *context, size_t *cursor, const char **key,
                            const of_value **value);

OF_END_DECLS

#endif
