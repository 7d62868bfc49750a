/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Flags from environment variables, for containers and local work. The flag `new-checkout` is the variable
 * `FLAG_NEW_CHECKOUT`: the prefix, then the key in upper case with `_` for everything that is no letter or
 * digit.
 *
 * A boolean is `true`, `on`, `yes`, `1` or `false`, `off`, `no`, `0` in any case; numbers and objects are
 * JSON; a string is the text itself. Text that is not of the type asked for is a TYPE_MISMATCH.
 *
 * The environment is read when the provider is made and when it is told to, never while a flag is evaluated,
 * because getenv() is not safe against setenv() in another thread.
 */
#ifndef OPENFEATURE_PROVIDERS_ENV_H
#define OPENFEATURE_PROVIDERS_ENV_H

#include <openfeature/provider.h>

OF_BEGIN_DECLS

/** The prefix that is used when none is given. */
#define OF_ENV_PREFIX "FLAG_"

/**
 * Makes a provider of the variables that begin with a prefix.
 * @param prefix copied; NULL for #OF_ENV_PREFIX
 * @return owned by the caller; NULL when there is no memory
 */
OF_API OF_MUST_USE of_provider *of_env_provider_new(const char *prefix);

/**
 * Reads the environment again; when something is different, PROVIDER_CONFIGURATION_CHANGED is emitted
 * (without a list of flags, since a key cannot be told from its variable). Not while another thread changes
 * the environment.
 * @param provider made by of_env_provider_new()
 * @return #OF_OK, #OF_ERROR_INVALID_ARGUMENT, #OF_ERROR_NO_MEMORY; after an error nothing has changed
 */
OF_API of_error of_env_provider_reload(of_provider *provider);

OF_END_DECLS

#endif
