/* SPDX-License-Identifier: Apache-2.0 */
/* The fault point journal.commit (base/fault.h): enospc, io, ms:N (a slow disk). */
#ifndef FS_JOURNAL_FAULTS_H
#define FS_JOURNAL_FAULTS_H

#include <stdbool.h>
#include "base/err.h"

/* Called once before each COMMIT. false: the commit is to fail with `err`. */
bool fs_journal_fault(struct fs_err *err);

#endif
