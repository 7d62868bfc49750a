/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A provider over the OpenFeature Remote Evaluation Protocol, version 0.3, for any server that speaks it
 * (github.com/open-feature/protocol). docs/providers/ofrep.md is the guide.
 *
 * Dynamic paradigm: each evaluation asks the server and waits for it; see of_client_evaluate_async().
 * Static paradigm: all flags of the one context are fetched at once and kept; evaluations read them without a
 * lock. Changes come by the event stream that the server announces, else by polling.
 *
 * OFREP has no leases: what was fetched stays in force while the server cannot be reached (status STALE).
 * Programs that guard something by flags use flagstaff/live_provider.h instead.
 *
 * Threads: one of the provider's own, which has all signals blocked. `key` runs on whichever thread makes a
 * request; it may shut the API down, which then does not wait for the end of the provider's thread; also
 * where the provider is inside of the multi-provider. fork(): the child's provider answers what it holds
 * (static) or nothing, and cannot be started, but where it had not been started, or had ended, before; make a
 * new one there.
 */
#ifndef OPENFEATURE_PROVIDERS_OFREP_H
#define OPENFEATURE_PROVIDERS_OFREP_H

#include <openfeature/provider.h>

OF_BEGIN_DECLS

/** How a static provider learns that flags have changed. */
typedef enum of_ofrep_changes {
    /** By the event stream where the server announces one, else by polling. */
    OF_OFREP_CHANGES_AUTO = 0,
    /** By polling. */
    OF_OFREP_CHANGES_POLL = 1,
    /** Not at all, until the context changes. */
    OF_OFREP_CHANGES_NONE = 2
} of_ofrep_changes;

/** Start from #OF_OFREP_OPTIONS_INIT. Everything is copied. */
typedef struct of_ofrep_options {
    /** sizeof(of_ofrep_options), so that the structure can grow. */
    size_t size;
    /** Where `/ofrep/v1/...` begins, such as `https://flags.example`. NULL: the environment's OFREP_ENDPOINT.
     */
    const char *url;
    /** `NAME: VALUE` for each request, `header_count` of them; the environment's OFREP_HEADERS
     * (`NAME=VALUE,...`) besides. */
    const char *const *headers;
    /** How many. */
    size_t header_count;
    /** A file with a token for `Authorization: Bearer`, read for each request; NULL: none. */
    const char *key_file;
    /** Instead of a file: writes the token, NUL-terminated, to `out`; false where there is none, and no
     * request is made. */
    bool (*key)(void *user, char *out, size_t size);
    /** Handed to `key`. */
    void *user;
    /** PEM with the authorities to trust instead of the system's; NULL: those. */
    const char *ca_file;
    /** A proxy as libcurl writes it; NULL: none, whatever the environment says. */
    const char *proxy;
    /** The provider is for an of_static_api. */
    bool static_context;
    /** How long one request may take, in ms; 0: the environment's OFREP_TIMEOUT_MS, else 10000. */
    unsigned timeout;
    /** Static paradigm: how changes are learnt. */
    of_ofrep_changes changes;
    /** Static paradigm: how often is polled, in ms; 0: 30000. */
    unsigned poll;
} of_ofrep_options;

/** Options with everything as it is when left out, for C and C++. */
#define OF_OFREP_OPTIONS_INIT                                                                                \
    {                                                                                                        \
        sizeof(of_ofrep_options), NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, false, 0,                     \
            OF_OFREP_CHANGES_AUTO, 0                                                                         \
    }

/**
 * Makes a provider.
 * @param options NULL: as #OF_OFREP_OPTIONS_INIT
 * @param problem why there is none, NUL-terminated and cut to `problem_size` bytes; may be NULL
 * @return owned by the caller; NULL where the options cannot be used or memory is short. Any thread.
 */
OF_API OF_MUST_USE of_provider *of_ofrep_provider_new(const of_ofrep_options *options, char *problem,
                                                      size_t problem_size);

OF_END_DECLS

#endif
