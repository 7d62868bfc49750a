/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The in-memory provider (specification, Appendix A): flags that the program gives, for tests and small uses.
 * Reading takes no lock and allocates nothing; an update replaces the flags as a whole.
 */
#ifndef OPENFEATURE_PROVIDERS_MEMORY_H
#define OPENFEATURE_PROVIDERS_MEMORY_H

#include <openfeature/provider.h>

OF_BEGIN_DECLS

/**
 * Chooses a variant by the context. Runs on the threads that evaluate.
 * @return the name of a variant, valid until the next call on this thread or longer; NULL or "" for none, and
 *         then the default variant applies with reason DEFAULT
 */
typedef const char *(*of_memory_evaluator)(void *user, const of_context *context);

/** One flag. Everything is copied or counted by the functions below. */
typedef struct of_memory_flag {
    /** sizeof(of_memory_flag), so that the structure can grow; in an array the same in all. */
    size_t size;
    /** The key of the flag. */
    const char *key;
    /** An object from the names of variants to their values. */
    const of_value *variants;
    /** NULL: the caller's default value applies, with reason DEFAULT. */
    const char *default_variant;
    /** The caller's default value applies, with reason DISABLED. */
    bool disabled;
    /** NULL for a flag without targeting. */
    of_memory_evaluator evaluator;
    /** Handed to the evaluator; must live as long as the provider. */
    void *user;
    /** An object of booleans, strings and numbers, or NULL. */
    const of_value *metadata;
} of_memory_flag;

/**
 * Makes an in-memory provider.
 * @param flags may be NULL when `count` is 0; of two with one key the last one counts
 * @return owned by the caller; NULL when there is no memory, or a flag has no key or no object of variants
 */
OF_API OF_MUST_USE of_provider *of_memory_provider_new(const of_memory_flag *flags, size_t count);

/**
 * Replaces all flags, and emits PROVIDER_CONFIGURATION_CHANGED with the keys of the old and the new ones. Any
 * thread.
 * @param provider made by of_memory_provider_new()
 * @return #OF_OK, #OF_ERROR_INVALID_ARGUMENT, #OF_ERROR_NO_MEMORY; after an error nothing has changed
 */
OF_API of_error of_memory_provider_replace(of_provider *provider, const of_memory_flag *flags, size_t count);

/**
 * Adds or replaces one flag, and emits PROVIDER_CONFIGURATION_CHANGED with its key. Any thread.
 * @return as of_memory_provider_replace()
 */
OF_API of_error of_memory_provider_put(of_provider *provider, const of_memory_flag *flag);

/** Removes one flag, and emits PROVIDER_CONFIGURATION_CHANGED with its key when it was there. Any thread. */
OF_API of_error of_memory_provider_remove(of_provider *provider, const char *key);

/**
 * Makes a flag of two variants `on` (true) and `off` (false), for the common case, and puts it as
 * of_memory_provider_put() does.
 */
OF_API of_error of_memory_provider_put_bool(of_provider *provider, const char *key, bool on);

OF_END_DECLS

#endif
