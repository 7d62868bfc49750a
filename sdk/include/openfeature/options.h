/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The options of one evaluation (specification 1.5 and 4.5).
 */
#ifndef OPENFEATURE_OPTIONS_H
#define OPENFEATURE_OPTIONS_H

#include <openfeature/hook.h>

OF_BEGIN_DECLS

/** Hooks and hints for one evaluation. Borrowed during the call. */
typedef struct of_options {
    /** sizeof(of_options), so that the structure can grow. */
    size_t size;
    /** Run besides those of the API, the client and the provider. */
    of_hook *const *hooks;
    /** How many. */
    size_t hook_count;
    /** An object handed to every hook; NULL for none. */
    const of_value *hints;
} of_options;

/** Starts options without hooks and hints. */
#define OF_OPTIONS_INIT                                                                                      \
    {                                                                                                        \
        sizeof(of_options), NULL, 0, NULL                                                                    \
    }

OF_END_DECLS

#endif
