/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The OpenFeature provider of Flagstaff: flags that follow live access decisions, over `flagstaff.v1`
 * (docs/protocol/README.md), for both paradigms. docs/providers/live.md is the guide.
 *
 * Evaluations read a cache in this process, without a lock. What stands in it is *leased* by the daemon: when
 * the provider cannot be sure any more that it hears changes, access flags resolve to their safe variants
 * (reason ERROR, no error code, `flagstaff.error` in the metadata), other flags keep their value with reason
 * STALE. While nothing is known, the caller's default value rules: choose one that denies.
 *
 * Threads: one of the provider's own, which has all signals blocked. All callbacks below run on it. They
 * should be short, and may shut the API down, which then does not wait for the end of this thread; also where
 * the provider is inside of the multi-provider. fork(): the child's evaluations go on with what is in memory
 * until the lease ends; it hears no changes and learns no new contexts. Make a new provider there.
 *
 * libwebsockets 4.1 has one log for the whole process. The first provider turns it off where it is as the
 * library comes (errors, warnings and notices to stderr). A program that uses libwebsockets itself calls
 * lws_set_log_level() with levels of its own choice: before the first provider (any other set than those
 * three), or after it.
 */
#ifndef FLAGSTAFF_LIVE_PROVIDER_H
#define FLAGSTAFF_LIVE_PROVIDER_H

#include <openfeature/provider.h>

OF_BEGIN_DECLS

/** What becomes of the attributes of a context that are not in of_live_options::watch_on (dynamic paradigm).
 */
typedef enum of_live_others {
    /** They are left out: the flags are those of the attributes in `watch_on` alone. */
    OF_LIVE_OTHERS_IGNORED = 0,
    /** A context that has any is evaluated by the daemon each time, and the evaluation waits for it. The
       answer is of its moment and not leased. */
    OF_LIVE_OTHERS_EVALUATED = 1
} of_live_others;

/** How much a line of the log matters. */
typedef enum of_live_level {
    OF_LIVE_LOG_ERROR = 0,
    OF_LIVE_LOG_WARNING = 1,
    OF_LIVE_LOG_INFO = 2,
    OF_LIVE_LOG_DEBUG = 3
} of_live_level;

/** Start from #OF_LIVE_OPTIONS_INIT. Everything is copied. */
typedef struct of_live_options {
    /** sizeof(of_live_options), so that the structure can grow. */
    size_t size;
    /** `ws://HOST[:PORT]` or `wss://`, also written `http://` and `https://`; NULL: `ws://127.0.0.1:8080`. */
    const char *url;
    /** A file with the API key or token, read for each connection; NULL: none. */
    const char *key_file;
    /**
     * Instead of a file: writes the key or token, NUL-terminated, to `out`, for each connection. False where
     * there is none now; then it is asked again later.
     */
    bool (*key)(void *user, char *out, size_t size);
    /** Handed to `key` and `log`. */
    void *user;
    /** PEM with the authorities to trust instead of the system's; NULL: those. */
    const char *ca_file;
    /** HOST:PORT of an HTTP proxy; NULL: none, whatever the environment says. */
    const char *proxy;
    /** The provider is for an of_static_api: one context, which is the API's. */
    bool static_context;
    /** How long `init` and a change of the static context wait for the daemon, in ms; 0: 5000. */
    unsigned start_timeout;
    /** How long an evaluation waits for values that are not known yet, in ms. 0: not at all. */
    unsigned wait;
    /**
     * Dynamic paradigm: the attributes by which contexts are told apart and watched, `watch_on_count` of
     * them, besides the targeting key, which always is (it may be named). NULL: that alone. Attributes with
     * many values (an address, a time) do not belong here.
     */
    const char *const *watch_on;
    /** How many. */
    size_t watch_on_count;
    /** With #OF_LIVE_OTHERS_EVALUATED `wait` must not be 0. */
    of_live_others others;
    /**
     * Contexts that are watched at one time; the one least recently used gives way. 0: 1000. It should be
     * more than are in use, and no more than the daemon's `limits.watches` (10000). Those that wait for their
     * first values keep their place, so that there may be a quarter more for a moment. Measured: 5,000 new
     * contexts have their values within 0.7 s (docs/providers/live.md).
     */
    size_t max_watches;
    /** The keys of the flags to watch, `flag_count` of them; NULL: all that the credential may see. */
    const char *const *flags;
    /** How many. */
    size_t flag_count;
    /** The longest pause between two attempts to connect, in ms; 0: 30000. Pauses are drawn at random and
     * grow up to it. */
    unsigned reconnect_max;
    /** Details carry `flagstaff.cause`, `flagstaff.entry` and `flagstaff.time` in their metadata. */
    bool causes;
    /** Shown to the daemon's operators; NULL: "openfeature-live" and the version of this library. */
    const char *client_name;
    /** NULL: the version of this library. */
    const char *client_version;
    /** For lines that people read; never has secrets or values in it. NULL: nobody is told. */
    void (*log)(void *user, of_live_level level, const char *text);
    /**
     * Two files of PEM, both or neither: the certificate to show to a daemon that asks for one
     * (`tls.clientCa`), with its chain, and its key, without a passphrase. Read when the provider is made:
     * for a renewed certificate make a new one.
     */
    const char *client_certificate;
    /** See `client_certificate`. */
    const char *client_key;
} of_live_options;

/** Options with everything as it is when left out, for C and C++. */
#define OF_LIVE_OPTIONS_INIT                                                                                 \
    {                                                                                                        \
        sizeof(of_live_options), NULL, NULL, NULL, NULL, NULL, NULL, false, 0, 0, NULL, 0,                   \
            OF_LIVE_OTHERS_IGNORED, 0, NULL, 0, 0, false, NULL, NULL, NULL, NULL, NULL                       \
    }

/**
 * Makes a provider. It connects when it is registered.
 * @param options NULL: as #OF_LIVE_OPTIONS_INIT
 * @param problem why there is none, NUL-terminated and cut to `problem_size` bytes; may be NULL
 * @return owned by the caller; NULL where the options cannot be used or memory is short. Any thread.
 */
OF_API OF_MUST_USE of_provider *of_live_provider_new(const of_live_options *options, char *problem,
                                                     size_t problem_size);

/** Figures of a provider. */
typedef struct of_live_stats {
    /** sizeof(of_live_stats), set by the caller. */
    size_t size;
    /** Connections tried. */
    uint64_t attempts;
    /** Connections that came about. */
    uint64_t connections;
    /** Connections that continued where the last one ended. */
    uint64_t resumed;
    /** Snapshots that came. */
    uint64_t snapshots;
    /** Deltas that came. */
    uint64_t deltas;
    /** Acknowledgements that were sent. */
    uint64_t acknowledgements;
    /** The revision that the cache stands at. */
    uint64_t revision;
    /** The newest revision that was acknowledged. */
    uint64_t acknowledged;
    /** ms until the lease ends; 0: it is over, or there was none. */
    int64_t lease_left;
    /** Contexts watched now. */
    uint64_t watches;
    /** Contexts that gave way to others so far. */
    uint64_t evicted;
} of_live_stats;

/** Fills stats; false when the provider is none of of_live_provider_new() or is not started. Any thread. */
OF_API bool of_live_provider_stats(of_provider *provider, of_live_stats *stats);

OF_END_DECLS

#endif
