/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The one list of errors: the eight codes of the OpenFeature specification (types.md, "Error Code"),
 * which are all that an evaluation can show, and those of setting things up, which start at 64.
 */
#ifndef OPENFEATURE_ERROR_H
#define OPENFEATURE_ERROR_H

#include <openfeature/export.h>

OF_BEGIN_DECLS

/** What went wrong; 0 is nothing. */
typedef enum of_error {
    /** Nothing went wrong. */
    OF_OK = 0,
    /** The value was resolved before the provider was initialised. */
    OF_ERROR_PROVIDER_NOT_READY = 1,
    /** No such flag. */
    OF_ERROR_FLAG_NOT_FOUND = 2,
    /** Data, such as a flag configuration, could not be parsed. */
    OF_ERROR_PARSE_ERROR = 3,
    /** The flag's value is not of the type that was asked for. */
    OF_ERROR_TYPE_MISMATCH = 4,
    /** The provider needs a targeting key and the context has none. */
    OF_ERROR_TARGETING_KEY_MISSING = 5,
    /** The context does not meet the provider's requirements. */
    OF_ERROR_INVALID_CONTEXT = 6,
    /** The provider cannot recover. */
    OF_ERROR_PROVIDER_FATAL = 7,
    /** Anything else. */
    OF_ERROR_GENERAL = 8,

    /** Setting up: memory ran out. */
    OF_ERROR_NO_MEMORY = 64,
    /** Setting up: an argument is NULL or out of range. */
    OF_ERROR_INVALID_ARGUMENT = 65,
    /** Setting up: no thread could be started. */
    OF_ERROR_NO_THREAD = 66,
    /** Setting up: it did not happen in the time given. It may still happen. */
    OF_ERROR_TIMED_OUT = 67,
    /** A value, context or provider that others hold too cannot be changed any more. */
    OF_ERROR_SHARED = 68,
    /** Lists and objects are nested too deeply. */
    OF_ERROR_TOO_DEEP = 69,
    /** A domain-scoped provider is bound to another domain already (specification 1.1.8.1). */
    OF_ERROR_ALREADY_BOUND = 70,
    /** The provider belongs to another API object (specification 1.8.4). */
    OF_ERROR_OTHER_API = 71,
    /** The provider is still being shut down, and the caller is inside of an evaluation that it waits for. */
    OF_ERROR_BUSY = 72
} of_error;

/**
 * The name of an error as the specification writes it, such as `FLAG_NOT_FOUND`.
 * @return a constant string; `GENERAL` for a number that is not in the list. Any thread.
 */
OF_API const char *of_error_name(of_error error);

OF_END_DECLS

#endif
