/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * API objects that share nothing with the global one (specification 1.8): for tests, for libraries that
 * evaluate flags of their own, for several programs in one process. Most programs want of_api_global()
 * instead; that is why this header is not part of openfeature.h.
 */
#ifndef OPENFEATURE_ISOLATED_H
#define OPENFEATURE_ISOLATED_H

#include <openfeature/api.h>
#include <openfeature/static.h>

OF_BEGIN_DECLS

/** @return an API object owned by the caller, NULL when there is no memory */
OF_API OF_MUST_USE of_api *of_api_new(void);
/** Takes a further reference. Cannot fail; NULL gives NULL. */
OF_API of_api *of_api_ref(of_api *api);
/**
 * Gives up a reference; the last one shuts the API down. Clients keep theirs. NULL and the global one are
 * fine.
 */
OF_API void of_api_unref(of_api *api);

/** @return an API object of the static paradigm owned by the caller, NULL when there is no memory */
OF_API OF_MUST_USE of_static_api *of_static_api_new(void);
/** As of_api_ref(). */
OF_API of_static_api *of_static_api_ref(of_static_api *api);
/** As of_api_unref(). */
OF_API void of_static_api_unref(of_static_api *api);

OF_END_DECLS

#endif
