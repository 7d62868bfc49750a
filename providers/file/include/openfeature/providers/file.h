/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Flags from files in flagd's format (JSON or YAML), evaluated in this process by the same rules as
 * Flagstaff's daemon. docs/providers/file.md is the guide, docs/flag-file.md the format.
 *
 * The files are read whole, all or nothing, when the provider is registered and when one of them changes:
 * one that is written anew or replaced, and a symbolic link that is turned (as Kubernetes does with a
 * ConfigMap), are noticed. Files with an error anywhere change nothing: what was read before goes on to serve
 * and the status is STALE, with FILE:LINE:COLUMN, the key and what is wrong in the event's message, until
 * they are right again. Where nothing was read before, evaluations fail (PROVIDER_NOT_READY).
 *
 * No source is asked and no fact is known here: a flag whose decision needs one resolves to its safe variant,
 * as an access flag without an answer does everywhere (reason ERROR, no error code, `flagstaff.error` in the
 * metadata). Decisions by `rule` are made. A flag with `unleased: safe` gives its safe variant, since nobody
 * can take a value back from this process.
 *
 * Memory: unlike the other providers this one contains parts of the daemon, and these end the process
 * (abort(), after one line on stderr) when an allocation of theirs fails: while files are read, and while a
 * rule is evaluated. The provider's own allocations are survived as everywhere in this library. Do not use it
 * in a process that has to live through exhaustion.
 *
 * Threads: one of the provider's own, which has all signals blocked. `log` runs on it, and on the thread that
 * registers the provider or calls of_file_provider_reload(). Evaluations wait for nobody.
 * fork(): the child's provider answers from what was read, and notices nothing; make a new one there.
 */
#ifndef OPENFEATURE_PROVIDERS_FILE_H
#define OPENFEATURE_PROVIDERS_FILE_H

#include <openfeature/provider.h>

OF_BEGIN_DECLS

/** How the provider learns that files have changed. */
typedef enum of_file_changes {
    /** By inotify(7); by polling where that is not to be had. */
    OF_FILE_CHANGES_AUTO = 0,
    /** By polling, for file systems that others change (NFS). */
    OF_FILE_CHANGES_POLL = 1,
    /** Not at all, but for of_file_provider_reload(). */
    OF_FILE_CHANGES_NONE = 2
} of_file_changes;

/** How much a line of the log matters. */
typedef enum of_file_level {
    OF_FILE_LOG_ERROR = 0,
    OF_FILE_LOG_WARNING = 1,
    OF_FILE_LOG_INFO = 2
} of_file_level;

/** Start from #OF_FILE_OPTIONS_INIT. Everything is copied. */
typedef struct of_file_options {
    /** sizeof(of_file_options), so that the structure can grow. */
    size_t size;
    /**
     * `path_count` paths: each a file, or a directory of which each `*.yaml`, `*.yml` and `*.json` that is
     * not hidden is read. All together are one set of flags. A relative path counts from the directory that
     * is the current one when the provider is made.
     */
    const char *const *paths;
    /** How many. */
    size_t path_count;
    /** How changes are noticed. */
    of_file_changes changes;
    /** How often is polled, in ms; 0: 2000. A change is taken when it was seen twice, so that no half is. */
    unsigned poll;
    /**
     * For lines that people read: each error and warning of the files with FILE:LINE:COLUMN and key, and what
     * was read. NULL: nobody is told. It may evaluate flags, call of_file_provider_reload(), and shut the API
     * down, which then does not wait for the end of this thread; the next start of the provider does.
     */
    void (*log)(void *user, of_file_level level, const char *text);
    /** Handed to `log`. */
    void *user;
} of_file_options;

/** Options with everything as it is when left out, for C and C++. */
#define OF_FILE_OPTIONS_INIT                                                                                 \
    {                                                                                                        \
        sizeof(of_file_options), NULL, 0, OF_FILE_CHANGES_AUTO, 0, NULL, NULL                                \
    }

/**
 * Makes a provider. It reads its files when it is registered; an error in them is that registration's.
 * @param options must have a path
 * @param problem why there is none, NUL-terminated and cut to `problem_size` bytes; may be NULL
 * @return owned by the caller; NULL where the options cannot be used or memory is short. Any thread.
 */
OF_API OF_MUST_USE of_provider *of_file_provider_new(const of_file_options *options, char *problem,
                                                     size_t problem_size);

/**
 * Reads the files now. Emits what a change that was noticed would.
 * @param provider made by of_file_provider_new()
 * @param problem what is wrong with the files, as in the event; may be NULL
 * @return #OF_OK, #OF_ERROR_PARSE_ERROR, #OF_ERROR_PROVIDER_NOT_READY (it is not registered),
 *         #OF_ERROR_INVALID_ARGUMENT, #OF_ERROR_NO_MEMORY; after an error nothing has changed. Any thread.
 */
OF_API of_error of_file_provider_reload(of_provider *provider, char *problem, size_t problem_size);

OF_END_DECLS

#endif
