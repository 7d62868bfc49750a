/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/). No
 * subject is ever a label. */
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "core/json.h"
#include "daemon.h"

static void head(struct fs_buf *out, const char *name, const char *type, const char *help)
{
    fs_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct fs_buf *out, const char *name, const char *type, const char *help, double value)
{
    head(out, name, type, help);
    fs_buf_addf(out, "%s ", name);
    fs_buf_add_json_number(out, value);
    fs_buf_addc(out, '\n');
}

/* Prometheus' label values escape backslash, quote and line feed, as JSON does. */
static void sources(const json_t *list, struct fs_buf *out)
{
    static const struct {
        const char *name, *type, *help, *member;
        double unit;
    } metrics[] = {
        {"flagstaff_source_up", "gauge", "Whether the source answers its probes.", NULL, 1},
        {"flagstaff_source_questions_total", "counter", "Questions asked of the source.", "asked", 1},
        {"flagstaff_source_failures_total", "counter", "Questions that the source did not answer.", "failed",
         1},
        {"flagstaff_source_waiting_seconds_total", "counter",
         "Time that questions have been unanswered, summed over the questions.", "waited", 1000},
        {"flagstaff_source_unanswered", "gauge",
         "Questions that are to be asked of the source, or whose answers have not come.", "unanswered", 1},
    };
    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
        head(out, metrics[m].name, metrics[m].type, metrics[m].help);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *source = json_array_get(list, i);
            const char *name = fs_json_text(source, "name");
            const char *member = metrics[m].member;
            double value = member ? (double)json_integer_value(json_object_get(source, member))
                                  : !strcmp(fs_json_text(source, "state"), "up");
            fs_buf_addf(out, "%s{source=", metrics[m].name);
            fs_buf_add_json_string(out, name, strlen(name));
            fs_buf_adds(out, "} ");
            fs_buf_add_json_number(out, value / metrics[m].unit);
            fs_buf_addc(out, '\n');
        }
    }
}

static void decisions(const json_t *list, struct fs_buf *out)
{
    head(out, "flagstaff_decisions_total", "counter", "Answers of sources.");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *source = fs_json_text(json_array_get(list, i), "name"), *outcome;
        json_t *count;
        json_object_foreach(json_object_get(json_array_get(list, i), "decisions"), outcome, count)
        {
            fs_buf_adds(out, "flagstaff_decisions_total{source=");
            fs_buf_add_json_string(out, source, strlen(source));
            fs_buf_addf(out, ",outcome=\"%s\"} %lld\n", outcome, (long long)json_integer_value(count));
        }
    }
}

static void changes(struct fs_daemon *daemon, struct fs_buf *out)
{
    json_t *counts = fs_engine_show_changes(daemon->engine), *count;
    const char *flag;
    head(out, "flagstaff_flag_changes_total", "counter", "Values that changed, one for each context.");
    json_object_foreach(counts, flag, count)
    {
        fs_buf_adds(out, "flagstaff_flag_changes_total{flag=");
        fs_buf_add_json_string(out, flag, strlen(flag));
        fs_buf_addf(out, "} %lld\n", (long long)json_integer_value(count));
    }
    json_decref(counts);
}

/* One for each flag that a kill stands for, of everybody or of somebody. */
static void kills(struct fs_daemon *daemon, struct fs_buf *out)
{
    json_t *list = fs_engine_show_overrides(daemon->engine), *flags = json_object(), *count;
    const char *flag;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        bool idle = json_object_get(one, "idle") != NULL;
        if (!idle && !strcmp(fs_json_text(one, "kind"), "kill"))
            json_object_set_new(flags, fs_json_text(one, "flag"), json_true());
    }
    head(out, "flagstaff_kill_active", "gauge",
         "Flags of which a kill is in force, for everybody or for somebody.");
    json_object_foreach(flags, flag, count)
    {
        fs_buf_adds(out, "flagstaff_kill_active{flag=");
        fs_buf_add_json_string(out, flag, strlen(flag));
        fs_buf_adds(out, "} 1\n");
    }
    one(out, "flagstaff_overrides", "gauge", "Overrides that stand.", (double)json_array_size(list));
    json_decref(flags);
    json_decref(list);
}

static void durations(struct fs_daemon *daemon, const struct fs_engine_counts *counts, struct fs_buf *out)
{
    head(out, "flagstaff_event_to_push_seconds", "histogram",
         "From an event's acceptance to the push of a change that it caused.");
    fs_histogram_write(&counts->event_to_push, "flagstaff_event_to_push_seconds", "", out);
    head(out, "flagstaff_push_to_ack_seconds", "histogram", "From a push to its acknowledgement.");
    fs_histogram_write(&counts->push_to_ack, "flagstaff_push_to_ack_seconds", "", out);
    head(out, "flagstaff_session_lag_versions", "histogram",
         "Revisions by which an acknowledgement was behind the newest one sent.");
    fs_histogram_write(&counts->lag, "flagstaff_session_lag_versions", "", out);
    head(out, "flagstaff_journal_write_seconds", "histogram",
         "From an event's arrival at the journal to its commit.");
    fs_histogram_write(&daemon->journal_seconds, "flagstaff_journal_write_seconds", "", out);
    head(out, "flagstaff_recompute_seconds", "histogram", "From asking a source to its answers, a batch.");
    for (size_t i = 1; i < daemon->source_count; i++) {
        struct fs_buf labels;
        fs_buf_init(&labels, 4096);
        fs_buf_adds(&labels, "source=");
        fs_buf_add_json_string(&labels, daemon->sources[i].name, strlen(daemon->sources[i].name));
        fs_histogram_write(&daemon->source_seconds[i], "flagstaff_recompute_seconds", labels.data, out);
        fs_buf_finish(&labels);
    }
}

/* Zero where /proc is not there to tell. */
static double resident_bytes(void)
{
    unsigned long long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double open_files(void)
{
    double count = -3; /* "." and "..", and the directory itself */
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count > 0 ? count : 0;
}

static void process(struct fs_daemon *daemon, struct fs_buf *out)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    one(out, "process_cpu_seconds_total", "counter", "CPU time of the process.", cpu);
    one(out, "process_max_resident_memory_bytes", "gauge", "Greatest resident memory so far.",
        (double)usage.ru_maxrss * 1024);
    one(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
    one(out, "process_open_fds", "gauge", "Open files and sockets.", open_files());
    one(out, "process_start_time_seconds", "gauge", "When the process started.",
        (double)daemon->started / 1000);
}

static void reloads(struct fs_daemon *daemon, struct fs_buf *out)
{
    struct fs_server_tls tls = fs_server_tls(daemon->server);
    head(out, "flagstaff_config_reloads_total", "counter", "Loads of the flag files.");
    fs_buf_addf(out,
                "flagstaff_config_reloads_total{result=\"ok\"} "
                "%llu\nflagstaff_config_reloads_total{result=\"error\"} %llu\n",
                (unsigned long long)daemon->flag_loads, (unsigned long long)daemon->flag_failures);
    head(out, "flagstaff_reload_successful", "gauge",
         "Whether what was last read of the files is what runs; if not, what ran before goes on.");
    fs_buf_addf(out, "flagstaff_reload_successful{what=\"flags\"} %d\n", !daemon->flags_failed);
    if (!tls.on)
        return;
    fs_buf_addf(out, "flagstaff_reload_successful{what=\"certificates\"} %d\n", !tls.reload_failed);
    one(out, "flagstaff_certificate_expires_timestamp_seconds", "gauge",
        "When the certificate ends that the service shows.", (double)tls.expires);
}

void fs_api_metrics(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_engine_counts c;
    struct fs_buf out;
    char why[120];
    fs_engine_count(daemon->engine, &c);
    fs_buf_init(&out, 4 * 1024 * 1024);
    head(&out, "flagstaff_build_info", "gauge", "The version that runs.");
    fs_buf_adds(&out, "flagstaff_build_info{version=\"" FLAGSTAFF_VERSION "\"} 1\n");
    one(&out, "flagstaff_ready", "gauge", "Whether /readyz says ready.", fs_daemon_ready(daemon, why));
    one(&out, "flagstaff_revision", "gauge", "The newest revision of this epoch.", (double)c.revision);
    changes(daemon, &out);
    kills(daemon, &out);
    one(&out, "flagstaff_evaluations_total", "counter", "Evaluations of one flag for one context.",
        (double)c.evaluations);
    one(&out, "flagstaff_ofrep_forbidden_total", "counter",
        "OFREP evaluations of subjects that the credential may not see.",
        (double)daemon->forbidden_evaluations);
    one(&out, "flagstaff_asks_total", "counter", "Batches of questions sent to sources.", (double)c.asks);
    one(&out, "flagstaff_answers_none_total", "counter", "Questions that got no answer.",
        (double)c.answers_none);
    one(&out, "flagstaff_answers_bad_total", "counter", "Answers that could not be used.",
        (double)c.answers_bad);
    one(&out, "flagstaff_subjects", "gauge", "Subjects that are known: by a fact or a context.",
        (double)c.subjects);
    one(&out, "flagstaff_contexts", "gauge", "Contexts in memory.", (double)c.contexts);
    one(&out, "flagstaff_contexts_watched", "gauge", "Contexts that are kept current.",
        (double)c.watched_contexts);
    one(&out, "flagstaff_watches", "gauge", "Watches, also those held after a disconnect.",
        (double)c.watches);
    head(&out, "flagstaff_sessions", "gauge", "Open connections.");
    fs_buf_addf(&out,
                "flagstaff_sessions{channel=\"websocket\"} %zu\nflagstaff_sessions{channel=\"sse\"} %zu\n",
                c.connections, c.streams);
    one(&out, "flagstaff_boards", "gauge", "Open boards.", (double)fs_feed_boards(daemon->engine));
    one(&out, "flagstaff_sessions_behind", "gauge",
        "Open connections that have not acknowledged all that was sent.", (double)c.behind);
    one(&out, "flagstaff_unacknowledged_seconds", "gauge",
        "Age of the oldest push to an open connection that its client has not acknowledged.",
        c.oldest_push ? (double)(fs_daemon_now(daemon).mono - c.oldest_push) / 1000 : 0);
    one(&out, "flagstaff_leases_ended_total", "counter",
        "Leases that ended on an open connection: its client fell to safe values, and nobody had cut it off.",
        (double)c.leases_ended);
    one(&out, "flagstaff_conflated_updates_total", "counter",
        "Changes that took the place of one that had not been sent yet.", (double)c.conflated);
    one(&out, "flagstaff_slow_clients_closed_total", "counter",
        "Connections that were dropped because they took nothing for limits.slow.",
        (double)fs_server_slow_dropped(daemon->server));
    one(&out, "flagstaff_questions", "gauge", "Questions in memory.", (double)c.questions);
    one(&out, "flagstaff_facts", "gauge", "Facts in memory.", (double)c.facts);
    one(&out, "flagstaff_timers", "gauge", "Timers that are armed.", (double)c.timers);
    one(&out, "flagstaff_journal_queue", "gauge", "Entries that wait for the disk.",
        (double)fs_journal_waiting(daemon->journal));
    one(&out, "flagstaff_journal_healthy", "gauge", "Whether the journal can be written.",
        fs_journal_healthy(daemon->journal));
    one(&out, "flagstaff_journal_damaged", "gauge",
        "Whether an entry was met, since the start, that is damaged or lost. 0 proves nothing: `flagstaff "
        "verify` does.",
        fs_journal_damaged(daemon->journal));
    one(&out, "flagstaff_journal_entries", "counter", "The number of the last entry.",
        (double)fs_journal_last(daemon->journal));
    reloads(daemon, &out);
    json_t *list = fs_engine_show_sources(daemon->engine, fs_daemon_now(daemon));
    sources(list, &out);
    decisions(list, &out);
    json_decref(list);
    durations(daemon, &c, &out);
    process(daemon, &out);
    fs_server_reply(daemon->server, message->connection, 200, "text/plain; version=0.0.4; charset=utf-8",
                    NULL, fs_blob_copy(out.data, out.length));
    fs_buf_finish(&out);
}
