/* SPDX-License-Identifier: Apache-2.0 */
/* Flag files: loaded at start, on SIGHUP, and when one of them has changed; after the start on the worker's
 * thread, since disks may be slow and files large. Bad files change nothing, and the log says line by line
 * why. */
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

/* One look at the files. */
struct fs_flag_reading {
    /* What it needs; borrowed from the daemon, which outlives the worker. */
    struct fs_queue *inbox;
    const struct fs_daemon_options *options;
    struct fs_flagfile_sources sources;
    bool any_source; /* what flags name is not held against these */
    bool forced;     /* read, whether they have changed or not */
    char state[65];  /* a digest over names, sizes and times: of the last look, and then of this one */
    /* What came of it. */
    bool read;
    struct fs_flagset *set; /* owned; NULL: nothing was read, or the files are wrong */
};

void fs_flag_reading_destroy(struct fs_flag_reading *reading)
{
    if (!reading)
        return;
    fs_flagset_unref(reading->set);
    fs_free(reading);
}

static size_t count_paths(const struct fs_daemon_options *options)
{
    size_t count = 0;
    while (options->flag_paths[count])
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

static void read_state(const struct fs_daemon_options *options, char out[65])
{
    struct fs_sha256 state = {{0}};
    for (size_t i = 0; i < count_paths(options); i++)
        add_file_state(&state, options->flag_paths[i], true);
    fs_hex(state.bytes, sizeof state.bytes, out);
}

static void log_problems(const struct fs_flag_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        char *line = fs_flag_problem_line(&problems->items[i]);
        FS_LOG(problems->items[i].warning ? FS_LOG_LEVEL_WARN : FS_LOG_LEVEL_ERROR, "flags", line);
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
    daemon->next_set = set;
    daemon->next_set_token = entry.token;
}

static struct fs_flag_reading *make_reading(const struct fs_daemon *daemon, bool forced)
{
    struct fs_flag_reading *reading = FS_NEW(struct fs_flag_reading);
    reading->inbox = daemon->inbox;
    reading->options = daemon->options;
    reading->sources = (struct fs_flagfile_sources){.items = daemon->sources, .count = daemon->source_count};
    reading->forced = forced || !daemon->flags_state[0];
    memcpy(reading->state, daemon->flags_state, sizeof reading->state);
    return reading;
}

/* Any thread. Finish the problems. */
static void read_files(struct fs_flag_reading *reading, struct fs_flag_problems *problems)
{
    const struct fs_daemon_options *options = reading->options;
    const struct fs_flagfile_sources *sources = reading->any_source ? NULL : &reading->sources;
    char state[65];
    memset(problems, 0, sizeof *problems);
    read_state(options, state);
    if (!reading->forced && !strcmp(state, reading->state))
        return;
    memcpy(reading->state, state, sizeof state);
    reading->read = true;
    reading->set = options->demo_flags
                       ? fs_flagfile_parse(fs_demo_flags, strlen(fs_demo_flags), "demo", sources, problems)
                       : fs_flagfile_load(options->flag_paths, count_paths(options), sources, problems);
}

struct fs_flag_reading *fs_flag_reading_first(const struct fs_daemon_options *options,
                                              const struct fs_flagfile_sources *sources,
                                              void (*warn)(const char *text), struct fs_mistakes *mistakes)
{
    struct fs_flag_reading *reading = FS_NEW(struct fs_flag_reading);
    struct fs_flag_problems problems;
    reading->options = options;
    reading->forced = true;
    reading->any_source = !sources;
    if (sources)
        reading->sources = *sources;
    read_files(reading, &problems);
    for (size_t i = 0; i < problems.count; i++) {
        char *line = fs_flag_problem_line(&problems.items[i]);
        if (!problems.items[i].warning)
            fs_mistake_new(mistakes, FS_ERR_FLAGS, "%s", line);
        else if (!options->demo_flags)
            warn(line);
        fs_free(line);
    }
    if (problems.unlisted)
        fs_mistake_new(mistakes, FS_ERR_FLAGS, "the flag files: and %zu more", problems.unlisted);
    fs_flag_problems_finish(&problems);
    return reading;
}

/* Takes the set. */
static void take_set(struct fs_daemon *daemon, struct fs_flagset *set)
{
    const struct fs_flagset *running = fs_engine_flags(daemon->engine);
    if (running && !strcmp(running->hash, set->hash)) {
        fs_flagset_unref(set);
        return;
    }
    daemon->flag_loads++;
    FS_LOG_INFO("flags", "loaded", "flags", fs_log_uint(set->count), "hash", set->hash);
    if (running) {
        announce(daemon, set);
    } else {
        fs_engine_set_flags(daemon->engine, set, 0, fs_daemon_now(daemon));
        fs_quick_set(daemon->quick, set);
        fs_flagset_unref(set);
    }
}

static void take_reading(struct fs_daemon *daemon, struct fs_flag_reading *reading)
{
    if (!reading->read)
        return;
    if (daemon->next_set) { /* one at a time, so that each whose entry is written rules: then once more */
        daemon->flags_forced = true;
        return;
    }
    memcpy(daemon->flags_state, reading->state, sizeof daemon->flags_state);
    daemon->flags_failed = !reading->set;
    if (reading->set)
        take_set(daemon, reading->set);
    else
        daemon->flag_failures++;
    reading->set = NULL;
}

void fs_daemon_first_flags(struct fs_daemon *daemon, struct fs_flag_reading *reading)
{
    take_reading(daemon, reading);
    fs_flag_reading_destroy(reading);
}

static void read_aside(void *arg)
{
    struct fs_flag_reading *reading = arg;
    struct fs_flag_problems problems;
    read_files(reading, &problems);
    log_problems(&problems);
    fs_flag_problems_finish(&problems);
    fs_notice_flags(reading->inbox, reading);
}

void fs_daemon_check_flags(struct fs_daemon *daemon, bool forced)
{
    daemon->flags_checked = fs_daemon_now(daemon).mono;
    daemon->flags_forced |= forced;
    if (daemon->flags_reading || daemon->next_set)
        return;
    struct fs_flag_reading *reading = make_reading(daemon, daemon->flags_forced);
    daemon->flags_reading = fs_worker_do(daemon->worker, read_aside, reading);
    if (daemon->flags_reading)
        daemon->flags_forced = false;
    else
        fs_flag_reading_destroy(reading); /* the worker has too much to do: at the next look */
}

void fs_daemon_flags_read(struct fs_daemon *daemon, struct fs_flag_reading *reading)
{
    daemon->flags_reading = false;
    if (reading->read && !reading->set)
        FS_LOG_ERROR("flags", "the files are wrong: what runs goes on unchanged");
    take_reading(daemon, reading);
    if (daemon->flags_forced)
        fs_daemon_check_flags(daemon, true);
}

void fs_daemon_flags_committed(struct fs_daemon *daemon, const struct fs_commit *commit)
{
    if (!daemon->next_set || commit->token != daemon->next_set_token)
        return;
    if (commit->result == FS_COMMIT_DONE) {
        fs_engine_set_flags(daemon->engine, daemon->next_set, commit->number, fs_daemon_now(daemon));
        fs_quick_set(daemon->quick, daemon->next_set);
    } else {
        daemon->flags_state[0] = 0; /* loaded again at the next look */
    }
    fs_flagset_unref(daemon->next_set);
    daemon->next_set = NULL;
    if (daemon->flags_forced)
        fs_daemon_check_flags(daemon, true);
}
