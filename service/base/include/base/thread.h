/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that leave signals to the main thread. */
#ifndef FS_BASE_THREAD_H
#define FS_BASE_THREAD_H

#include <pthread.h>

/* Starts `run(argument)` in a thread with all signals blocked and a name for debuggers (at most 15 bytes). 0,
 * or pthread_create()'s error number. */
int fs_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *argument);

#endif
