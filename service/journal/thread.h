/* SPDX-License-Identifier: Apache-2.0 */
/* Starting one of the journal's threads. */
#ifndef FS_JOURNAL_THREAD_H
#define FS_JOURNAL_THREAD_H

#include <string.h>
#include "base/err.h"
#include "base/thread.h"

static inline bool fs_journal_thread(pthread_t *thread, const char *name, void *(*run)(void *),
                                     void *argument, struct fs_err *err)
{
    int failed = fs_thread_start(thread, name, run, argument);
    return !failed || fs_fail(err, FS_ERR_GENERAL, "journal: cannot start a thread: %s", strerror(failed));
}

#endif
