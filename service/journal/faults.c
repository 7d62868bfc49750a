/* SPDX-License-Identifier: Apache-2.0 */
/* The fault point journal.commit; see faults.h. */
#include "faults.h"

#include <string.h>
#include <time.h>
#include "base/fault.h"
#include "base/str.h"

bool fs_journal_fault(struct fs_err *err)
{
    const char *value = fs_fault("journal.commit");
    uint64_t ms;
    if (!value)
        return true;
    if (strcmp(value, "enospc") == 0)
        return fs_fail(err, FS_ERR_UNAVAILABLE, "journal: the disk is full (fault point)");
    if (strcmp(value, "io") == 0)
        return fs_fail(err, FS_ERR_UNAVAILABLE, "journal: the disk failed (fault point)");
    if (strncmp(value, "ms:", 3) == 0 && fs_parse_u64(fs_str_from(value + 3), &ms)) {
        struct timespec pause = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
        nanosleep(&pause, NULL);
        return true;
    }
    return fs_fail(err, FS_ERR_GENERAL, "journal.commit knows enospc, io and ms:N, not '%s'", value);
}
