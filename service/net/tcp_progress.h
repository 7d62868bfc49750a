/* SPDX-License-Identifier: Apache-2.0 */
/* Two numbers from the kernel. A file of its own, since <linux/tcp.h> and <netinet/tcp.h> exclude one
 * another. */
#ifndef FS_NET_TCP_PROGRESS_H
#define FS_NET_TCP_PROGRESS_H

#include <stdint.h>

/* Bytes that the other end of this TCP socket has acknowledged since it was opened (tcp(7), TCP_INFO); 0
 * where unknown. */
uint64_t fs_tcp_acknowledged(int fd);
/* Bytes that were read from this TCP socket since it was opened; -1 where unknown. Never too small, and too
 * large only by what comes in at this moment. */
int64_t fs_tcp_consumed(int fd);

#endif
