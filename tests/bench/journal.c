/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appending to the journal, with 1, 16 and 100 drafts that wait for their commit, against the least that
 * durability costs: one pwrite and one fdatasync for each group, in the same file system. Time on the wall
 * for one draft.
 */
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/alloc.h"
#include "bench.h"
#include "journal/journal.h"

#define BODY 200

struct rig {
    struct fs_journal *journal;
    int file;
    off_t end;
    int group, groups;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t committed;
    uint64_t token;
};

static void committed(void *self, const struct fs_commit *commits, size_t count)
{
    struct rig *rig = self;
    for (size_t i = 0; i < count; i++)
        BENCH_MUST(commits[i].result == FS_COMMIT_DONE);
    pthread_mutex_lock(&rig->lock);
    rig->committed += count;
    pthread_cond_signal(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static double floor_turn(void *self)
{
    struct rig *rig = self;
    char bytes[BODY * 100];
    size_t length = (size_t)(BODY * rig->group);
    memset(bytes, 'x', sizeof bytes);
    int64_t start = bench_wall();
    for (int i = 0; i < rig->groups; i++) {
        BENCH_MUST(pwrite(rig->file, bytes, length, rig->end) == (ssize_t)length &&
                   fdatasync(rig->file) == 0);
        rig->end += (off_t)length;
    }
    return (double)(bench_wall() - start) / 1000 / rig->groups / rig->group;
}

static double journal_turn(void *self)
{
    struct rig *rig = self;
    char body[BODY + 1];
    int64_t start = bench_wall();
    for (int i = 0; i < rig->groups; i++) {
        rig->committed = 0; /* nothing is under way */
        for (int k = 0; k < rig->group; k++) {
            snprintf(body, sizeof body, "{\"id\":%llu,\"text\":\"%0*d\"}", (unsigned long long)++rig->token,
                     BODY - 50, k);
            struct fs_draft draft = {.kind = FS_ENTRY_EVENT,
                                     .time = 1790000000000,
                                     .body = body,
                                     .length = strlen(body),
                                     .token = rig->token};
            memcpy(draft.identity.key.bytes, &rig->token, sizeof rig->token);
            draft.identity.set = true;
            BENCH_MUST(fs_journal_append(rig->journal, &draft));
        }
        pthread_mutex_lock(&rig->lock);
        while (rig->committed < (size_t)rig->group)
            pthread_cond_wait(&rig->changed, &rig->lock);
        pthread_mutex_unlock(&rig->lock);
    }
    return (double)(bench_wall() - start) / 1000 / rig->groups / rig->group;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

int main(void)
{
    const char *parent = getenv("BENCH_DIR") ? getenv("BENCH_DIR") : "/var/tmp";
    char *root = fs_format("%s/flagstaff-bench-XXXXXX", parent), *name;
    struct rig rig = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct fs_err err = {0};
    BENCH_MUST(mkdtemp(root));
    name = fs_format("%s/floor", root);
    rig.file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char *data = fs_format("%s/data", root);
    struct fs_journal_options options = {.directory = data, .committed = committed, .self = &rig};
    rig.journal = fs_journal_open(&options, &err);
    BENCH_MUST(rig.file >= 0 && rig.journal);
    const struct bench_side sides[] = {{"pwrite and fdatasync for each group", floor_turn, &rig},
                                       {"the journal", journal_turn, &rig}};
    static const int groups[] = {1, 16, 100};
    for (size_t i = 0; i < 3; i++) {
        char title[80];
        rig.group = groups[i];
        rig.groups = groups[i] == 1 ? 600 : groups[i] == 16 ? 200 : 60;
        snprintf(title, sizeof title, "Journal: %d waiting at once, %d B each", rig.group, BODY);
        bench_compare(title, "us a draft", sides, 2);
    }
    fs_journal_close(rig.journal);
    close(rig.file);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    fs_free(root), fs_free(name), fs_free(data);
    return 0;
}
