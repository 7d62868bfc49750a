/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that appends and acknowledges on a pipe is killed at points drawn from a seed. Whatever it
 * acknowledged must be there, as it was; there must be no gap; the chain must verify; what is sent again is
 * known. TEST_DEPTH=deep: more.
 */
#include "bench_journal.h"

#include <signal.h>
#include <sys/wait.h>
#include "base/fault.h"

#define WRITERS_AHEAD 40 /* drafts that the child keeps waiting */
#define ACKS_MAX      100000

struct ack {
    uint64_t number, token;
};

/* Everything that was ever acknowledged: token of entry n at [n]. 0: not acknowledged. */
struct promises {
    uint64_t tokens[ACKS_MAX];
    uint64_t last; /* the highest number acknowledged */
    uint64_t lost, wrong;
    uint64_t expected; /* while reading */
    uint64_t highest_token;
};

static uint64_t draw(uint64_t *seed, uint64_t bound)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % bound;
}

struct child {
    struct bench *bench;
    int pipe;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t committed;
};

static void acknowledge(void *self, const struct fs_commit *commits, size_t count)
{
    struct child *child = self;
    for (size_t i = 0; i < count; i++) {
        struct ack ack = {commits[i].number, commits[i].token};
        if (commits[i].result != FS_COMMIT_DONE || write(child->pipe, &ack, sizeof ack) != sizeof ack)
            _exit(2);
    }
    pthread_mutex_lock(&child->lock);
    child->committed += count;
    pthread_cond_signal(&child->changed);
    pthread_mutex_unlock(&child->lock);
}

/* Never returns: appends until it is killed. */
static void be_killed(struct bench *bench, int pipe_end, uint64_t first_token, bool slow)
{
    struct child child = {.bench = bench, .pipe = pipe_end};
    struct fs_err err = {0};
    (void)slow;
#ifdef FLAGSTAFF_FAULT_POINTS
    if (slow)
        fs_fault_set("journal.commit", "ms:1"); /* widens the window between the writes and the commit */
#endif
    pthread_mutex_init(&child.lock, NULL);
    pthread_cond_init(&child.changed, NULL);
    bench->options.committed = acknowledge;
    bench->options.self = &child;
    struct fs_journal *journal = fs_journal_open(&bench->options, &err);
    if (!journal)
        _exit(3);
    for (uint64_t sent = 0;; sent++) {
        char body[64], id[32];
        snprintf(body, sizeof body, "{\"token\":%" PRIu64 "}", first_token + sent);
        snprintf(id, sizeof id, "id-%" PRIu64, first_token + sent);
        struct fs_draft draft = bench_draft(bench, body, first_token + sent);
        bench_identify(&draft, id);
        if (!fs_journal_append(journal, &draft))
            _exit(4);
        pthread_mutex_lock(&child.lock);
        while (child.committed + WRITERS_AHEAD <= sent)
            pthread_cond_wait(&child.changed, &child.lock);
        pthread_mutex_unlock(&child.lock);
    }
}

static bool take_ack(int pipe_end, struct promises *promises)
{
    struct ack ack;
    size_t have = 0;
    while (have < sizeof ack) {
        ssize_t got = read(pipe_end, (char *)&ack + have, sizeof ack - have);
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    assert_in_range(ack.number, 1, ACKS_MAX - 1);
    promises->tokens[ack.number] = ack.token;
    if (ack.number > promises->last)
        promises->last = ack.number;
    return true;
}

static bool keep_promise(void *self, const struct fs_entry *entry)
{
    struct promises *promises = self;
    uint64_t token = 0;
    if (entry->number != promises->expected++)
        promises->lost++;
    if (sscanf(entry->body, "{\"token\":%" SCNu64 "}", &token) != 1)
        promises->wrong++;
    if (entry->number < ACKS_MAX && promises->tokens[entry->number] &&
        promises->tokens[entry->number] != token)
        promises->wrong++;
    if (token > promises->highest_token)
        promises->highest_token = token;
    return true;
}

static void check_promises(struct bench *bench, struct promises *promises)
{
    struct fs_err err = {0};
    struct fs_verdict verdict;
    bench_open(bench);
    promises->expected = 1;
    assert_true(fs_journal_read(bench->journal, 1, SIZE_MAX, keep_promise, promises, &err));
    assert_int_equal(promises->lost, 0);
    assert_int_equal(promises->wrong, 0);
    assert_true(fs_journal_last(bench->journal) >= promises->last);
    assert_int_equal(promises->expected, fs_journal_last(bench->journal) + 1);
    if (promises->last) {
        /* The last acknowledged event, sent again after the crash, is known. */
        char body[64], id[32];
        uint64_t token = promises->tokens[promises->last];
        snprintf(body, sizeof body, "{\"token\":%" PRIu64 "}", token);
        snprintf(id, sizeof id, "id-%" PRIu64, token);
        struct fs_draft draft = bench_draft(bench, body, 0);
        bench_identify(&draft, id);
        struct fs_commit commit = bench_append(bench, &draft);
        assert_int_equal(commit.result, FS_COMMIT_DUPLICATE);
        assert_int_equal(commit.number, promises->last);
        bench->count = 0;
    }
    bench_close(bench);
    assert_true(fs_journal_verify(bench->directory, &verdict, &err));
    assert_int_equal(verdict.bad, 0);
}

static void kill_once(struct bench *bench, struct promises *promises, uint64_t *seed, bool slow)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        be_killed(bench, ends[1], promises->highest_token + 1, slow);
    }
    close(ends[1]);
    /* Some are killed before they opened it, most in the midst of writing. */
    uint64_t acks = draw(seed, 8) == 0 ? 0 : draw(seed, 300);
    while (acks-- > 0 && take_ack(ends[0], promises))
        ;
    for (volatile uint64_t spin = draw(seed, 200000); spin > 0; spin--)
        ;
    kill(child, SIGKILL);
    while (take_ack(ends[0], promises))
        ;
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(ends[0]);
}

static void what_was_acknowledged_before_a_kill_is_there_after_it(void **state)
{
    struct bench *bench = *state;
    struct promises *promises = FS_NEW(struct promises);
    uint64_t seed = 4711;
    const char *given = getenv("TEST_SEED");
    if (given)
        seed = strtoull(given, NULL, 10);
    size_t rounds = bench_deep() ? 200 : 40;
    for (size_t i = 0; i < rounds; i++) {
        kill_once(bench, promises, &seed, i % 3 == 0);
        check_promises(bench, promises);
    }
    assert_true(promises->last > 0);
    fs_free(promises);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_acknowledged_before_a_kill_is_there_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
