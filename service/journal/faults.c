/* SPDX-License-Identifier: Apache-2.0 */
/* The fault point journal.commit; see faults.h. */
#include "faults.h"

#include <string.h>
#include "base/fault.h"

bool fs_journal_fault(struct fs_err *err)
{
    const char *value = fs_fault("journal.commit");
    if (!value)
        return true;
    if (strcmp(value, "enospc") == 0)
        return fs_fail(err, FS_ERR_UNAVAILABLE, "journal: the disk is full (fault point)");
    if (strcmp(value, "io") == 0)
        return fs_fail(err, FS_ERR_UNAVAILABLE, "journal: the disk failed (fault point)");
    if (fs_fault_wait(value))
        return true;
    return fs_fail(err, FS_ERR_GENERAL, "journal.commit knows enospc, io and ms:N, not '%s'", value);
}
