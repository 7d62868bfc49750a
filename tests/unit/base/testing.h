/* SPDX-License-Identifier: Apache-2.0 */
/* What every test file of this part includes: cmocka, and a way to see a process end and what it said. */
#ifndef FS_TESTS_BASE_TESTING_H
#define FS_TESTS_BASE_TESTING_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A sanitizer's malloc ends the process itself where there is no memory. gcc and clang say differently that
 * it is there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#define RUN(tests) cmocka_run_group_tests((tests), NULL, NULL)

/* A small deterministic generator (xorshift64): the same numbers on every run. */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Runs `body` in a child process. Returns its wait status; the first `size` - 1 bytes that it wrote on stderr
 * are in `said`. */
static inline int in_child(void (*body)(void), char *said, size_t size)
{
    int ends[2];
    int status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        body();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; (got = read(ends[0], said + length, size - 1 - length)) > 0;)
        length += (size_t)got;
    said[length] = '\0';
    for (char rest[256]; read(ends[0], rest, sizeof rest) > 0;)
        continue;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static inline void assert_aborts_saying(void (*body)(void), const char *words)
{
    char said[1024];
    int status = in_child(body, said, sizeof said);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, words));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1); /* one line */
}

#endif
