/* SPDX-License-Identifier: Apache-2.0 */
/* What TCP knows about a connection's progress. Any thread. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
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

int64_t fs_tcp_consumed(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    int unread = 0;
    if (ioctl(fd, FIONREAD, &unread) != 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
        return -1;
    return info.tcpi_bytes_received == 0
               ? -1
               : (int64_t)info.tcpi_bytes_received - unread; /* 0: a kernel that does not count */
}
