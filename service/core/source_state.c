/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How each source is: probed every second, and the probe is the breaker. After two failures in a row it is
 * down, its values are stale and nothing is asked of it; when a probe succeeds, all that is due is asked.
 */
#include "engine_internal.h"

#define FAILURES_TO_DOWN 2

unsigned fs_engine_add_source(struct fs_engine *e, const char *name, const struct fs_source_type *type,
                              int64_t revalidate)
{
    struct fs_source_state *source = FS_NEW(struct fs_source_state);
    source->index = (unsigned)e->sources.count;
    source->name = fs_strdup(name);
    source->type = type;
    source->reached = !type->create;
    source->revalidate = revalidate;
    source->since = e->now.wall;
    fs_list_init(&source->waiting);
    fs_map_init(&source->instances);
    fs_vec_push(&e->sources, source);
    if (!type->create) {
        source->status = FS_SOURCE_UP; /* the built-in one is asked by nobody and never down */
        source->alive = e->now.mono;
    } else {
        fs_alarm_set(e, &source->probe, FS_DUE_PROBE, e->now.mono);
    }
    return source->index;
}

int fs_engine_find_source(const struct fs_engine *e, const char *name)
{
    for (size_t i = 0; i < e->sources.count; i++)
        if (!strcmp(e->sources.items[i]->name, name))
            return (int)i;
    return -1;
}

const char *fs_engine_suggest_source(const struct fs_engine *e, const char *name)
{
    const char **names = fs_calloc(e->sources.count + 1, sizeof *names);
    for (size_t i = 0; i < e->sources.count; i++)
        names[i] = e->sources.items[i]->name;
    const char *meant = fs_suggest(name, names, e->sources.count);
    fs_free((void *)(uintptr_t)names);
    return meant;
}

/* Their time is summed, too: its growth over that of the questions asked is how long one waits (Little's
 * law). */
int64_t fs_source_waited(const struct fs_source_state *source, int64_t mono)
{
    return source->waited + (int64_t)source->unanswered * (mono - source->unanswered_at);
}

void fs_source_count_unanswered(struct fs_engine *e, struct fs_source_state *source, int more)
{
    source->waited = fs_source_waited(source, e->now.mono);
    source->unanswered_at = e->now.mono;
    source->unanswered += (size_t)more;
}

void fs_source_destroy(struct fs_source_state *source)
{
    fs_map_finish(&source->instances, fs_free);
    fs_free(source->revision);
    fs_free(source->name);
    fs_free(source);
}

/* Every question of the source. The body may not free one. */
#define EACH_QUESTION(e, source, q)                                                                          \
    for (struct fs_map_iter it = {0}; fs_map_next(&(e)->questions, &it);)                                    \
        for (struct fs_question *q = it.value; q && q->source == (source)->index; q = NULL)

static void record(struct fs_engine *e, struct fs_source_state *source, const char *what, const char *detail,
                   const char *revision)
{
    json_t *root = json_pack("{s:s, s:s, s:s*, s:s*}", "source", source->name, "what", what, "detail", detail,
                             "revision", revision);
    size_t length;
    char *body = fs_json_canonical_text(root, FS_ENTRY_LIMIT, &length);
    json_decref(root);
    fs_engine_append(e, FS_ENTRY_SOURCE, body, length, source->index, revision);
}

/* Before the revision moves: until now the probes have confirmed what was answered at it. */
static void set_revision(struct fs_engine *e, struct fs_source_state *source, const char *revision)
{
    EACH_QUESTION(e, source, q)
    {
        q->confirmed = fs_question_confirmed(e, q);
    }
    fs_free(source->revision);
    source->revision = fs_strdup(revision);
    source->revised = e->now.wall;
}

static void note_cells(struct fs_engine *e, struct fs_question *q, enum fs_cause_kind kind)
{
    FS_LIST_EACH(&q->bindings, node)
    {
        struct fs_binding *binding = FS_CONTAINER(node, struct fs_binding, node);
        fs_cell_note(e, binding->context, binding->flag, kind, 0, e->now.wall);
    }
}

static void go_down(struct fs_engine *e, struct fs_source_state *source)
{
    source->status = FS_SOURCE_DOWN;
    source->since = e->now.wall;
    FS_LOG_WARN("source",
                source->reached ? "down: its values are stale from now on"
                                : "down: it has not answered yet, its flags have their safe values",
                "source", source->name, "error", source->error);
    record(e, source, "down", source->error, NULL);
    EACH_QUESTION(e, source, q)
    {
        q->confirmed =
            fs_question_confirmed(e, q); /* being alive again will not confirm what was answered before */
        note_cells(e, q, FS_CAUSE_SOURCE_LOST);
        fs_question_mark_cells(e, q);
    }
}

static void come_up(struct fs_engine *e, struct fs_source_state *source)
{
    bool first = !source->reached;
    source->reached = true;
    source->status = FS_SOURCE_UP;
    source->since = e->now.wall;
    source->error[0] = 0;
    FS_LOG_INFO("source", first ? "up" : "up again", "source", source->name, "revision", source->revision);
    if (!first)
        record(e, source, "up", NULL, source->revision);
    /* All that is watched is due: what was learnt before the loss may have changed meanwhile. Spread where it
     * is much. */
    size_t due = 0;
    EACH_QUESTION(e, source, q)
    {
        if (!first) {
            q->overdue = q->answered; /* until it is answered anew it is as stale as before */
            note_cells(e, q, FS_CAUSE_SOURCE_BACK);
        }
        if (q->queued || q->in_flight || !fs_question_live(q))
            continue;
        q->attempts = 0;
        fs_alarm_cancel(e, &q->retry);
        if (++due <= e->options.batch)
            fs_question_want(e, q);
        else
            fs_alarm_set(e, &q->revalidate, FS_DUE_REVALIDATE, e->now.mono + (int64_t)fs_random_below(500));
    }
}

static void count_failure(struct fs_engine *e, struct fs_source_state *source, const char *error)
{
    source->failures++;
    snprintf(source->error, sizeof source->error, "%s", error);
    if (source->failures >= FAILURES_TO_DOWN && source->status != FS_SOURCE_DOWN)
        go_down(e, source);
}

/* Time for a probe. One that is still out has failed: how long a source may hang is not the source's to say.
 */
void fs_source_due(struct fs_engine *e, struct fs_source_state *source)
{
    if (source->probing) {
        source->missed = true;
        count_failure(e, source, "no answer to the probe before the next was due");
    } else {
        source->probing = true;
        source->missed = false;
        e->options.ports.probe(e->options.ports.self, source->index);
    }
    fs_alarm_set(e, &source->probe, FS_DUE_PROBE, e->now.mono + e->options.probe_interval);
}

void fs_engine_probed(struct fs_engine *e, unsigned index, bool alive, const char *revision,
                      const char *error, struct fs_time now)
{
    e->now = now;
    struct fs_source_state *source = e->sources.items[index];
    /* The fetch thread's own first probe does not count beside ours, nor one twice. */
    bool counts = source->probing && !source->missed;
    source->probing = source->missed = false;
    if (!alive && counts)
        count_failure(e, source, error ? error : "no answer");
    else if (!alive)
        snprintf(source->error, sizeof source->error, "%s", error ? error : "no answer");
    if (!alive)
        return;
    source->failures = 0;
    if (revision && !source->revision) {
        source->revision = fs_strdup(revision);
        source->revised = now.wall;
    } else if (revision) {
        fs_source_revision_seen(e, source, revision);
    }
    /* Only now: what was asked at another revision is not confirmed by this probe. */
    source->alive = now.mono;
    if (source->status != FS_SOURCE_UP)
        come_up(e, source);
}

/* A probe or an answer tells a revision that is new: an entry, and at its commit all that was answered at
 * another one is asked again. */
void fs_source_revision_seen(struct fs_engine *e, struct fs_source_state *source, const char *revision)
{
    if (source->revision && !strcmp(source->revision, revision))
        return;
    bool first = !source->revision;
    set_revision(e, source, revision);
    if (!first)
        record(e, source, "revision", NULL, revision);
}

/* Questions that were answered at this very revision already are settled. */
static bool is_at(const struct fs_question *q, const char *revision)
{
    return revision && q->answered && q->answer.revision && !strcmp(q->answer.revision, revision);
}

static void note_entry(struct fs_engine *e, struct fs_question *q, uint64_t entry, int64_t time,
                       struct fs_receipt *receipt)
{
    FS_LIST_EACH(&q->bindings, node)
    {
        struct fs_binding *binding = FS_CONTAINER(node, struct fs_binding, node);
        if (receipt)
            fs_receipt_cell(e, receipt, binding->context, binding->flag);
        fs_cell_note(e, binding->context, binding->flag, FS_CAUSE_EVENT, entry, time);
    }
}

void fs_source_apply_revision(struct fs_engine *e, struct fs_source_state *source, const char *revision,
                              uint64_t entry, int64_t time, struct fs_receipt *receipt)
{
    FS_LOG_DEBUG("source", "revision moved", "source", source->name, "revision", revision);
    EACH_QUESTION(e, source, q)
    {
        if (!is_at(q, revision)) {
            fs_apply_touch(e, q, entry, time, receipt);
            continue;
        }
        /* Asked ahead of a late entry, or by the answer that told the revision: what follows from that has
         * this entry as its cause, and concerns the same watches. */
        note_entry(e, q, entry, time, receipt);
        fs_question_mark_cells(e, q);
    }
}

/* The entry is late: what it would put in doubt is asked again meanwhile, so that a denial can go ahead of
 * it. */
void fs_source_go_ahead(struct fs_engine *e, struct fs_source_state *source, const char *revision)
{
    EACH_QUESTION(e, source, q)
    {
        if (is_at(q, revision) || !fs_question_live(q))
            continue;
        /* A denial that goes ahead has an event for its cause, without a number yet. */
        note_entry(e, q, 0, e->now.wall, NULL);
        fs_question_want(e, q);
    }
}

void fs_engine_reported(struct fs_engine *e, unsigned index, const char *instance, const char *revision,
                        struct fs_time now)
{
    e->now = now;
    struct fs_source_state *source = e->sources.items[index];
    const char *before = fs_map_gets(&source->instances, instance);
    if (before && !strcmp(before, revision))
        return;
    if (source->instances.count >= 1024 && !before)
        return; /* a stranger's instances cannot grow without end */
    fs_free(fs_map_sets(&source->instances, instance, fs_strdup(revision)));
    if (source->revision && !strcmp(source->revision, revision))
        return; /* an answer or a probe was quicker, and all is asked already */
    /* The answers that follow tell the same revision, and are no news then. */
    set_revision(e, source, revision);
    record(e, source, "report", instance, revision);
}

/* Tells each source what flags ask of it, so that it can prepare (a batch module, for one). */
void fs_source_queries(struct fs_engine *e)
{
    for (size_t s = 0; s < e->sources.count; s++) {
        struct fs_source_state *source = e->sources.items[s];
        struct {
            FS_VEC(const char *) kinds, queries;
        } list = {0};
        for (size_t i = 0; i < e->set->count; i++) {
            const struct fs_flag *flag = e->set->flags[i];
            for (size_t d = 0; d < flag->decision_count; d++) {
                if (strcmp(flag->decisions[d].source, source->name))
                    continue;
                fs_vec_push(&list.kinds, flag->decisions[d].kind);
                fs_vec_push(&list.queries, flag->decisions[d].query);
            }
        }
        if (source->type->create)
            e->options.ports.set_queries(e->options.ports.self, source->index, list.kinds.items,
                                         list.queries.items, list.kinds.count);
        fs_vec_finish(&list.kinds);
        fs_vec_finish(&list.queries);
    }
}
