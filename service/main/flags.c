/* SPDX-License-Identifier: Apache-2.0 */
/* Flag files: loaded at start, on SIGHUP, and when one of them has changed. Bad files change nothing, and the
 * log says line by line why. */
#include <dirent.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/str.h"
#include "core/json.h"
#include "daemon.h"
#include "quick.h"

static size_t count_paths(const struct fs_daemon *daemon)
{
    size_t count = 0;
    while (daemon->options->flag_paths[count])
        count++;
    return count;
}

static void add_line(struct fs_sha256 *state, char *line)
{
    struct fs_buf both;
    fs_buf_init(&both, sizeof *state + strlen(line));
    fs_buf_add(&both, state->bytes, sizeof state->bytes);
    fs_buf_adds(&both, line);
    *state = fs_sha256(both.data, both.length);
    fs_buf_finish(&both);
    fs_free(line);
}

static void add_file_state(struct fs_sha256 *state, const char *path, bool enter)
{
    struct stat status;
    if (stat(path, &status)) {
        add_line(state, fs_format("%s missing", path));
        return;
    }
    add_line(state, fs_format("%s %lld %lld.%09ld %llu", path, (long long)status.st_size,
                              (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                              (unsigned long long)status.st_ino));
    DIR *directory = enter && S_ISDIR(status.st_mode) ? opendir(path) : NULL;
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        char *inner = fs_format("%s/%s", path, entry->d_name);
        add_file_state(state, inner, false);
        fs_free(inner);
    }
    if (directory)
        closedir(directory);
}

/* A digest over names, sizes and times: another one means that somebody wrote. */
static void read_state(const struct fs_daemon *daemon, char out[65])
{
    struct fs_sha256 state = {{0}};
    for (size_t i = 0; i < count_paths(daemon); i++)
        add_file_state(&state, daemon->options->flag_paths[i], true);
    fs_hex(state.bytes, sizeof state.bytes, out);
}

static void log_problems(const struct fs_flag_problems *problems, bool demo)
{
    for (size_t i = 0; i < problems->count; i++) {
        char *line = fs_flag_problem_line(&problems->items[i]);
        enum fs_log_level level = !problems->items[i].warning ? FS_LOG_LEVEL_ERROR
                                  : demo                      ? FS_LOG_LEVEL_DEBUG
                                                              : FS_LOG_LEVEL_WARN;
        FS_LOG(level, "flags", line);
        fs_free(line);
    }
}

/* The change is an entry: the new set rules from its commit on. */
static void announce(struct fs_daemon *daemon, struct fs_flagset *set)
{
    json_t *root = json_pack("{s:s, s:I}", "hash", set->hash, "flags", (json_int_t)set->count);
    size_t length;
    char *body = fs_json_canonical_text(root, 4096, &length);
    struct fs_new_entry entry = {.kind = FS_ENTRY_CONFIG, .body = body, .length = length};
    json_decref(root);
    if (!fs_daemon_append(daemon, &entry, 1)) {
        FS_LOG_WARN("flags", "the journal takes nothing now; trying again");
        daemon->flags_state[0] = 0;
        fs_flagset_unref(set);
        return;
    }
    fs_flagset_unref(daemon->next_set);
    daemon->next_set = set;
    daemon->next_set_token = entry.token;
}

bool fs_daemon_load_flags(struct fs_daemon *daemon, bool first)
{
    struct fs_flagfile_sources sources = {.items = daemon->sources, .count = daemon->source_count};
    struct fs_flag_problems problems;
    read_state(daemon, daemon->flags_state);
    struct fs_flagset *set =
        daemon->options->demo_flags
            ? fs_flagfile_parse(fs_demo_flags, strlen(fs_demo_flags), "demo", &sources, &problems)
            : fs_flagfile_load(daemon->options->flag_paths, count_paths(daemon), &sources, &problems);
    log_problems(&problems, daemon->options->demo_flags);
    fs_flag_problems_finish(&problems);
    if (!set) {
        daemon->flag_failures++;
        if (!first)
            FS_LOG_ERROR("flags", "the files are wrong: what runs goes on unchanged");
        return false;
    }
    const struct fs_flagset *running = fs_engine_flags(daemon->engine);
    if (running && !strcmp(running->hash, set->hash)) {
        fs_flagset_unref(daemon->next_set); /* set back while another set was on its way */
        daemon->next_set = NULL;
        fs_flagset_unref(set);
        return true;
    }
    daemon->flag_loads++;
    FS_LOG_INFO("flags", "loaded", "flags", fs_log_uint(set->count), "hash", set->hash);
    if (first) {
        fs_engine_set_flags(daemon->engine, set, 0, fs_daemon_now(daemon));
        fs_quick_set(daemon->quick, set);
        fs_flagset_unref(set);
    } else {
        announce(daemon, set);
    }
    return true;
}

void fs_daemon_flags_committed(struct fs_daemon *daemon, const struct fs_commit *commit)
{
    if (!daemon->next_set || commit->token != daemon->next_set_token)
        return; /* a newer set has taken its place */
    if (commit->result == FS_COMMIT_DONE) {
        fs_engine_set_flags(daemon->engine, daemon->next_set, commit->number, fs_daemon_now(daemon));
        fs_quick_set(daemon->quick, daemon->next_set);
    } else {
        daemon->flags_state[0] = 0; /* loaded again at the next look */
    }
    fs_flagset_unref(daemon->next_set);
    daemon->next_set = NULL;
}

void fs_daemon_check_flags(struct fs_daemon *daemon)
{
    char state[65];
    daemon->flags_checked = fs_daemon_now(daemon).mono;
    read_state(daemon, state);
    if (strcmp(state, daemon->flags_state))
        fs_daemon_load_flags(daemon, false);
}
