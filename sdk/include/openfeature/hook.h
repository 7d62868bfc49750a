/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Hooks (specification section 4): code that runs before and after an evaluation, and when it fails.
 *
 * A hook is a set of functions and a pointer of its own. It may be added to an API, a client, a provider and
 * the options of one evaluation, and runs on the thread that evaluates, possibly on many threads at once,
 * with no lock held. A hook may evaluate flags itself; nesting is bounded, so that one that calls itself
 * ends.
 */
#ifndef OPENFEATURE_HOOK_H
#define OPENFEATURE_HOOK_H

#include <openfeature/context.h>
#include <openfeature/details.h>

OF_BEGIN_DECLS

/** A hook. Opaque and counted. */
typedef struct of_hook of_hook;

/** What a hook sees of one evaluation. Valid during the call only. */
typedef struct of_hook_context of_hook_context;

/** The stages of a hook. At least one must be there (specification 4.3.1); the others are NULL. */
typedef struct of_hook_methods {
    /** sizeof(of_hook_methods), so that the structure can grow. */
    size_t size;
    /**
     * Before the flag is resolved.
     * @param hints what the options of this evaluation say to hooks; an object, never NULL; not to be changed
     * @param context to return a context that is merged over the existing one (4.3.5): set `*context` to a
     *        reference, which the SDK takes. NULL in the static paradigm, where nothing can be returned.
     * @return other than #OF_OK makes the evaluation give the default value
     */
    of_error (*before)(void *self, of_hook_context *hook_context, const of_value *hints,
                       of_context **context);
    /**
     * After the flag was resolved successfully.
     * @return other than #OF_OK makes the evaluation give the default value
     */
    of_error (*after)(void *self, of_hook_context *hook_context, const of_details *details,
                      const of_value *hints);
    /** When `before`, the resolution or `after` failed. The message may be NULL. */
    void (*error)(void *self, of_hook_context *hook_context, of_error error, const char *message,
                  const of_value *hints);
    /** At the end in every case, with what the caller is going to get. */
    void (*finally)(void *self, of_hook_context *hook_context, const of_details *details,
                    const of_value *hints);
    /**
     * When the last reference to the hook is gone: of a hook that an evaluation was using when the API was
     * shut down, at the end of that evaluation, on its thread. No lock is held by the SDK or by a provider,
     * so it may call the API.
     */
    void (*destroy)(void *self);
} of_hook_methods;

/**
 * Makes a hook.
 * @param methods copied
 * @param self handed to each method; when NULL is returned, `destroy` was not called
 * @return owned by the caller; NULL when no stage is given or there is no memory
 */
OF_API OF_MUST_USE of_hook *of_hook_new(const of_hook_methods *methods, void *self);
/** Takes a further reference. Cannot fail; NULL gives NULL. Any thread. */
OF_API of_hook *of_hook_ref(of_hook *hook);
/** Gives up a reference. NULL is fine. Any thread. */
OF_API void of_hook_unref(of_hook *hook);

/** @name What a hook sees
 * All pointers are borrowed and valid during the call.
 * @{ */
/** The key of the flag. */
OF_API const char *of_hook_context_flag_key(const of_hook_context *hook_context);
/** The type that was asked for. */
OF_API of_type of_hook_context_flag_type(const of_hook_context *hook_context);
/** The caller's default value. */
OF_API const of_flag_value *of_hook_context_default_value(const of_hook_context *hook_context);
/** The merged evaluation context; never NULL. */
OF_API const of_context *of_hook_context_context(const of_hook_context *hook_context);
/** The domain of the client, NULL for the default. */
OF_API const char *of_hook_context_domain(const of_hook_context *hook_context);
/** The name of the provider that is asked. */
OF_API const char *of_hook_context_provider_name(const of_hook_context *hook_context);
/** @} */

/**
 * Keeps something for the later stages of the same hook in the same evaluation (specification 4.6).
 * @param key copied; an earlier value of the same key is destroyed
 * @param destroy called with `data` after the last stage, or at once when this fails; may be NULL
 * @return #OF_OK or #OF_ERROR_NO_MEMORY
 */
OF_API of_error of_hook_context_set_data(of_hook_context *hook_context, const char *key, void *data,
                                         void (*destroy)(void *data));
/** @return what was kept under the key, or NULL */
OF_API void *of_hook_context_data(const of_hook_context *hook_context, const char *key);
/** Says why `before` or `after` is about to fail. Copied, and cut after 255 bytes. */
OF_API void of_hook_context_set_message(of_hook_context *hook_context, const char *message);

OF_END_DECLS

#endif
