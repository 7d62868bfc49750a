/* SPDX-License-Identifier: Apache-2.0 */
/* `flagstaff keys --data DIRECTORY`: keys of a data directory on which no daemon runs. The journal's lock
 * sees to that. */
#include "keys_data.h"

#include <stdio.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/log.h"
#include "base/str.h"
#include "core/json.h"
#include "daemon.h"

static void ignore_commits(void *self, const struct fs_commit *commits, size_t count)
{
    (void)self;
    (void)commits;
    (void)count;
}

/* A directory's name that was written wrongly must not become a directory, with a key that opens nothing. */
static bool has_journal(const char *data, struct fs_err *err)
{
    char *file = fs_format("%s/journal.db", data);
    bool there = access(file, F_OK) == 0;
    if (!there)
        fs_fail(
            err, FS_ERR_CONFIG,
            "%s: %m: is %s a daemon's data directory? keys add --create makes one, as flagstaff serve does",
            file, data);
    fs_free(file);
    return there;
}

json_t *fs_keys_in_directory(const char *data, bool create, const char *method, const char *path,
                             const char *body, int *status, struct fs_err *err)
{
    struct fs_journal_options options = {.directory = data, .committed = ignore_commits};
    struct fs_clock clock = fs_clock_system();
    struct fs_keyring *changed = NULL;
    json_t *description = NULL, *answer = NULL;
    const char *id = strrchr(path, '/');
    fs_log_setup(FS_LOG_LEVEL_WARN, false, "all");
    if (!create && !has_journal(data, err))
        return NULL;
    struct fs_journal *journal = fs_journal_open(&options, err);
    if (!journal)
        return NULL;
    if (!strcmp(method, "POST"))
        description = fs_json_read(body, strlen(body), 16, err);
    if (description || strcmp(method, "POST"))
        answer = fs_keys_change(journal, description, strcmp(method, "DELETE") ? NULL : id + 1,
                                fs_clock_now(&clock).wall, &changed, status);
    fs_keyring_destroy(changed);
    json_decref(description);
    fs_journal_close(journal);
    return answer;
}
