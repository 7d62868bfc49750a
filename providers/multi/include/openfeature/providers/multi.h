/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The multi-provider (specification, Appendix A): several providers behind one, asked in order by a strategy.
 * For moving from one flag system to another, and for flags that come from more than one place.
 *
 * Each provider inside runs its own hooks with its own context. The status is the first of theirs in the
 * order FATAL, NOT_READY, RECONCILING, ERROR, STALE, READY; it is emitted when it changes. While a context
 * changes only RECONCILING and FATAL are told; how it ended, and the status after it, when all have ended.
 * With a provider inside that is domain-scoped (#OF_PROVIDER_DOMAIN_SCOPED) the whole is.
 * Changes of configuration are passed on. They are started in parallel and shut down one after the other, so
 * a callback of one of them may shut the API down where it may do so outside of a multi-provider. All of an
 * evaluation happens on the thread that evaluates.
 */
#ifndef OPENFEATURE_PROVIDERS_MULTI_H
#define OPENFEATURE_PROVIDERS_MULTI_H

#include <openfeature/provider.h>

OF_BEGIN_DECLS

/** One of the providers inside. */
typedef struct of_multi_entry {
    /** A reference is taken. It must not be registered, nor inside of another multi-provider. */
    of_provider *provider;
    /** NULL: the provider's name, with `_1`, `_2`, ... where several have the same. Copied. */
    const char *name;
} of_multi_entry;

/** What one provider said. Valid during the call. */
typedef struct of_multi_result {
    /** The name that the provider is known by. */
    const char *name;
    /** The provider. */
    of_provider *provider;
    /** #OF_OK, or why there is no value. */
    of_error error;
    /** The value and what belongs to it, when there is no error. */
    const of_resolution *resolution;
    /** Room for members to come; zero. */
    void *reserved_[2];
} of_multi_result;

/** How the answer is found. */
typedef enum of_multi_strategy {
    /** The first that knows the flag: FLAG_NOT_FOUND goes on to the next, any other error is the answer. */
    OF_MULTI_FIRST_MATCH = 0,
    /** The first that has a value: any error goes on to the next. */
    OF_MULTI_FIRST_SUCCESSFUL = 1,
    /**
     * All must agree. If they do not, `on_mismatch` is called and the answer is that of the entry `fallback`.
     */
    OF_MULTI_COMPARISON = 2,
    /** The functions below say how. */
    OF_MULTI_CUSTOM = 3
} of_multi_strategy;

/** Of of_multi_options::choose: no result is good, so the answer is an error that names all. */
#define OF_MULTI_NONE ((size_t)-1)

/**
 * The options of a multi-provider. Zero it, set the size and what is wanted. The functions run on many
 * threads at once.
 */
typedef struct of_multi_options {
    /** sizeof(of_multi_options), so that the structure can grow. */
    size_t size;
    /** How the answer is found. */
    of_multi_strategy strategy;
    /** #OF_MULTI_COMPARISON: the index of the entry whose value counts when they differ. */
    size_t fallback;
    /** #OF_MULTI_COMPARISON: told when values differ; may be NULL. */
    void (*on_mismatch)(void *user, const char *key, of_type type, const of_multi_result *results,
                        size_t count);
    /** @name #OF_MULTI_CUSTOM. Each but `choose` may be NULL, which means yes.
     * @{ */
    /** Whether to ask this provider. */
    bool (*should_evaluate)(void *user, const char *key, of_type type, const of_context *context,
                            const char *name, of_provider_status status);
    /** Whether to go on to the next provider after this result. */
    bool (*should_continue)(void *user, const char *key, of_type type, const of_multi_result *result);
    /** The index of the result that is the answer, or #OF_MULTI_NONE. */
    size_t (*choose)(void *user, const char *key, of_type type, const of_multi_result *results, size_t count);
    /** @} */
    /**
     * Whether this provider gets a tracking event, with any strategy; NULL: all but those NOT_READY or FATAL.
     */
    bool (*should_track)(void *user, const char *event_name, const of_context *context, const char *name,
                         of_provider_status status);
    /** Handed to the functions. */
    void *user;
    /** Called with `user` at the end; may be NULL. Not called when NULL is returned below. */
    void (*destroy)(void *user);
} of_multi_options;

/**
 * Makes a multi-provider, named `multiprovider`.
 * @param entries at least one
 * @param count how many there are
 * @param options copied; NULL for first match
 * @param error why NULL is returned: #OF_ERROR_INVALID_ARGUMENT (also for two given names that are the same),
 *        #OF_ERROR_SHARED for a provider that is in use, #OF_ERROR_NO_MEMORY; may be NULL
 * @return owned by the caller, or NULL
 */
OF_API OF_MUST_USE of_provider *of_multi_provider_new(const of_multi_entry *entries, size_t count,
                                                      const of_multi_options *options, of_error *error);

/**
 * The providers inside, for their metadata.
 * @param name set to the name it is known by, borrowed; may be NULL
 * @return borrowed; NULL beyond the last one
 */
OF_API of_provider *of_multi_provider_at(of_provider *provider, size_t index, const char **name);

OF_END_DECLS

#endif
