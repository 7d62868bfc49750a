/* SPDX-License-Identifier: Apache-2.0 */
/* Starting one of the journal's threads: signals blocked (they are the main thread's), with a name for
 * debuggers. */
#ifndef FS_JOURNAL_THREAD_H
#define FS_JOURNAL_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include "base/err.h"

static inline bool fs_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *argument,
                                   struct fs_err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return fs_fail(err, FS_ERR_GENERAL, "journal: cannot start a thread: %s", strerror(failed));
    pthread_setname_np(*thread, name);
    return true;
}

#endif
