/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How this part ends the process where nothing sensible can go on: no memory, no randomness. Private to
 * service/base; everything else reports a struct fs_err. Needs no memory and takes no lock. Any thread.
 */
#ifndef FS_BASE_FATAL_H
#define FS_BASE_FATAL_H

#include <stddef.h>

/* Writes "flagstaff: REASON" as one line on stderr and aborts. */
_Noreturn void fs_base_fatal(const char *reason);
/* The same for an allocation of `wanted` bytes (SIZE_MAX: more than can be counted). */
_Noreturn void fs_base_out_of_memory(size_t wanted);

#endif
