/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon under a bench, and the least of a client: see daemon.h. */
#include "daemon.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "bench.h"

static const char flags[] =
    "flags:\n  count: {type: integer, visibility: client, safeValue: 0, decision: {rule: {var: facts.n}}, "
    "value: {var: decision.value}}\n";

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int net_connect(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    BENCH_MUST(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

int net_listen(int *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BENCH_MUST(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
               listen(fd, 4096) == 0);
    BENCH_MUST(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

void net_send(int fd, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length) {
        ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
        BENCH_MUST(sent > 0);
        at += sent, length -= (size_t)sent;
    }
}

static bool is_ready(int port)
{
    static const char request[] = "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    struct peer *peer = FS_NEW(struct peer);
    peer->socket = net_connect(port);
    int status = 0;
    if (peer->socket >= 0) {
        net_send(peer->socket, request, sizeof request - 1);
        while ((status = peer_response(peer)) == 0)
            peer_read(peer, true);
        close(peer->socket);
    }
    fs_free(peer);
    return status == 200;
}

void daemon_start(struct daemon *daemon)
{
    daemon_start_with(daemon, flags);
}

void daemon_start_with(struct daemon *daemon, const char *text)
{
    const char *binary = getenv("FLAGSTAFF_BIN") ? getenv("FLAGSTAFF_BIN") : BENCH_ROOT "/build/flagstaff";
    const char *parent = getenv("BENCH_DIR") ? getenv("BENCH_DIR") : "/var/tmp";
    close(net_listen(&daemon->port)); /* free a moment ago */
    snprintf(daemon->directory, sizeof daemon->directory, "%s/flagstaff-bench-XXXXXX", parent);
    BENCH_MUST(mkdtemp(daemon->directory));
    char *file = fs_format("%s/flags.yaml", daemon->directory),
         *data = fs_format("%s/data", daemon->directory);
    char *listen_on = fs_format("127.0.0.1:%d", daemon->port);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    BENCH_MUST(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    char *copy = fs_strdup(binary);
    char *arguments[] = {copy,
                         (char[]){"serve"},
                         (char[]){"--listen"},
                         listen_on,
                         (char[]){"--data"},
                         data,
                         (char[]){"--flags"},
                         file,
                         (char[]){"--log-level"},
                         (char[]){"error"},
                         NULL};
    daemon->pid = fork();
    BENCH_MUST(daemon->pid >= 0);
    if (daemon->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* a bench that ends badly leaves nothing running */
        execv(binary, arguments);
        _exit(127);
    }
    for (int i = 0; !is_ready(daemon->port); i++) {
        BENCH_MUST(i < 1000 && waitpid(daemon->pid, NULL, WNOHANG) == 0);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    fs_free(file), fs_free(data), fs_free(listen_on), fs_free(copy);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

void daemon_stop(struct daemon *daemon)
{
    kill(daemon->pid, SIGTERM);
    waitpid(daemon->pid, NULL, 0);
    nftw(daemon->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

double process_cpu(pid_t pid)
{
    char path[300];
    double all = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    BENCH_MUST(tasks);
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        unsigned long long nanos = 0;
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, task->d_name);
        FILE *file = fopen(path, "r");
        if (file && fscanf(file, "%llu", &nanos) == 1)
            all += (double)nanos;
        if (file)
            fclose(file);
    }
    closedir(tasks);
    return all;
}

void peer_read(struct peer *peer, bool wait)
{
    ssize_t got = recv(peer->socket, peer->bytes + peer->length, sizeof peer->bytes - 1 - peer->length,
                       wait ? 0 : MSG_DONTWAIT);
    BENCH_MUST(got > 0 || (got < 0 && errno == EAGAIN));
    peer->length += got > 0 ? (size_t)got : 0;
    peer->bytes[peer->length] = 0;
}

static void drop(struct peer *peer, size_t length)
{
    memmove(peer->bytes, peer->bytes + length, peer->length - length + 1);
    peer->length -= length;
}

int peer_response(struct peer *peer)
{
    const char *end = peer->length ? strstr(peer->bytes, "\r\n\r\n") : NULL;
    if (!end)
        return 0;
    const char *length = strcasestr(peer->bytes, "\r\ncontent-length:");
    size_t whole =
        (size_t)(end - peer->bytes) + 4 + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
    if (peer->length < whole)
        return 0;
    int status = (int)strtol(peer->bytes + 9, NULL, 10);
    drop(peer, whole);
    return status;
}

static void say(struct peer *peer, int opcode, const char *text, size_t length)
{
    unsigned char frame[1024] = {(unsigned char)(0x80 | opcode), (unsigned char)(0x80 | length)};
    size_t head = 2;
    BENCH_MUST(length < 1000);
    if (length > 125) {
        frame[1] = 0x80 | 126;
        frame[2] = (unsigned char)(length >> 8), frame[3] = (unsigned char)length;
        head = 4;
    }
    head += 4; /* a mask of zeroes changes nothing (RFC 6455, 5.3) */
    memcpy(frame + head, text, length);
    net_send(peer->socket, frame, head + length);
}

void peer_say(struct peer *peer, const char *text)
{
    say(peer, 1, text, strlen(text));
}

bool peer_frame(struct peer *peer, char *out, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)peer->bytes;
    while (peer->length >= 2) {
        size_t length = bytes[1] & 0x7f, head = 2;
        if (length == 126) {
            if (peer->length < 4)
                return false;
            length = (size_t)bytes[2] << 8 | bytes[3];
            head = 4;
        }
        BENCH_MUST(length < size && (bytes[1] & 0x7f) != 127);
        if (peer->length < head + length)
            return false;
        int opcode = bytes[0] & 0x0f;
        BENCH_MUST(opcode == 1 || opcode == 9);
        memcpy(out, bytes + head, length);
        out[length] = 0;
        drop(peer, head + length);
        if (opcode == 1)
            return true;
        say(peer, 10, out, length);
    }
    return false;
}

long frame_number(const char *frame, const char *name)
{
    char key[40];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(frame, key);
    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

void peer_watch(struct peer *peer, int port, const char *subject)
{
    static const char upgrade[] =
        "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: flagstaff.v1\r\n\r\n";
    char text[4096];
    peer->length = 0;
    peer->socket = net_connect(port);
    BENCH_MUST(peer->socket >= 0);
    net_send(peer->socket, upgrade, sizeof upgrade - 1);
    int status;
    while ((status = peer_response(peer)) == 0)
        peer_read(peer, true);
    BENCH_MUST(status == 101);
    snprintf(
        text, sizeof text,
        "{\"type\":\"hello\",\"protocol\":\"flagstaff.v1\",\"client\":{\"name\":\"bench\",\"version\":\"1\"},"
        "\"watches\":[{\"watch\":1,\"context\":{\"targetingKey\":\"%s\"}}]}",
        subject);
    peer_say(peer, text);
    do {
        while (!peer_frame(peer, text, sizeof text))
            peer_read(peer, true);
    } while (!strstr(text, "\"type\":\"lease\""));
}

static void add_event(struct fs_buf *out, const char *subject, long n)
{
    fs_buf_addf(out,
                "{\"specversion\":\"1.0\",\"id\":\"%s-%ld\",\"source\":\"bench\",\"type\":\"flagstaff."
                "facts\",\"subject\":\"%s\","
                "\"data\":{\"facts\":{\"n\":%ld}}}",
                subject, n, subject, n);
}

char *fact_request(const char *prefix, int count, long n)
{
    struct fs_buf body, request;
    fs_buf_init(&body, 1 << 20);
    fs_buf_init(&request, 1 << 21);
    if (!count)
        add_event(&body, prefix, n);
    for (int i = 0; i < count; i++) {
        char subject[40];
        snprintf(subject, sizeof subject, "%s%d", prefix, i);
        fs_buf_addc(&body, i ? ',' : '[');
        add_event(&body, subject, n);
    }
    if (count)
        fs_buf_addc(&body, ']');
    fs_buf_addf(&request,
                "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                "application/cloudevents%s+json\r\nContent-Length: %zu\r\n\r\n",
                count ? "-batch" : "", body.length);
    fs_buf_add(&request, body.data, body.length);
    BENCH_MUST(!body.failed);
    fs_buf_finish(&body);
    return fs_buf_take(&request, NULL);
}
