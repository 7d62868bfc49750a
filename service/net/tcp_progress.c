/* SPDX-License-Identifier: Apache-2.0 */
/* What TCP knows about a connection's progress. Any thread. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "tcp_progress.h"

uint64_t fs_tcp_acknowledged(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
        return 0;
    return info.tcpi_bytes_acked;
}
