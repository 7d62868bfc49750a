/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points: named places where a test can make the real daemon fail (a full disk, a slow commit, a hung
 * core). Set by the environment FLAGSTAFF_FAULTS="journal.commit=enospc:3,core.hang=ms:5000" and only where
 * the build has FLAGSTAFF_FAULT_POINTS (dev, asan, tsan; the release build compiles them to constants). Each
 * point counts its calls from the moment it is set; after the value, ":N" arms it from the N-th call, ":N-M"
 * for a range, nothing for always. A value "ms:NUMBER" keeps its number: "ms:5000:2" is "ms:5000" from the
 * second call.
 */
#ifndef FS_BASE_FAULT_H
#define FS_BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef FLAGSTAFF_FAULT_POINTS
/* What stands after '=' (without a range) when the point is armed for this call, else NULL. Borrowed, lives
 * for ever. Any thread. */
const char *fs_fault(const char *point);
/* Sets a point from a test program ("enospc:3", "ms:50:1-2"), its count starts anew; NULL value clears it.
 * Any thread. */
void fs_fault_set(const char *point, const char *value);
#else
static inline const char *fs_fault(const char *point)
{
    (void)point;
    return 0;
}
#endif
/* Waits for as long as a value of the form "ms:NUMBER" says. False: it is none (or NULL). Any thread. */
bool fs_fault_wait(const char *value);
/* Reads FLAGSTAFF_FAULTS. False with the offending word in `bad` (64 bytes) where it is malformed, or set in
 * a build without fault points. */
bool fs_fault_setup(const char *text, char bad[64]);

#endif
