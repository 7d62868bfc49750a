/* SPDX-License-Identifier: Apache-2.0 */
/* The engine as a whole: made, ended, told of commits and flags, and turned. What it does stands in the files
 * it calls. */
#include "engine_internal.h"

void fs_engine_options_init(struct fs_engine_options *options)
{
    memset(options, 0, sizeof *options);
    options->lease = 30000;
    options->hold = 60000;
    options->evaluate_timeout = 1000;
    options->probe_interval = 1000;
    options->journal_late = 50;
    options->remember = INT64_C(7) * 24 * 3600 * 1000;
    options->batch = 200;
    options->entry_changes = 2000;
    options->entry_bytes = 4 << 20;
    options->contexts = 10000;
    options->watches = 10000;
    options->watches_total = 1000000;
    options->window = 8;
    options->send = 65536;
    options->context_rules = (struct fs_context_rules){.bytes = 16384, .depth = 8};
}

struct fs_engine *fs_engine_create(const struct fs_engine_options *options, struct fs_time now)
{
    struct fs_engine *e = FS_NEW(struct fs_engine);
    e->counts.lag.bounds = fs_histogram_numbers;
    e->options = *options;
    e->now = e->started = now;
    e->wall_lead = now.wall - now.mono;
    fs_map_init_borrowing(&e->contexts);
    fs_map_init_borrowing(&e->subjects);
    fs_map_init_borrowing(&e->questions);
    fs_map_init(&e->connections);
    fs_map_init(&e->sessions);
    fs_map_init(&e->watches);
    fs_map_init(&e->batches);
    fs_map_init(&e->paces);
    fs_map_init(&e->erasures);
    fs_map_init(&e->changes);
    fs_map_init(&e->overridden);
    fs_map_init(&e->asides);
    fs_map_init(&e->receipts_by);
    fs_map_init(&e->said);
    struct fs_list *lists[] = {&e->idle, &e->flush,    &e->answers,      &e->pending,
                               &e->once, &e->receipts, &e->all_contexts, &e->walks};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        fs_list_init(lists[i]);
    fs_heap_init(&e->heap);
    fs_arena_init(&e->arena);
    e->revision = 1;
    return e;
}

static void pending_destroy(struct fs_pending *pending)
{
    fs_list_remove(&pending->node);
    fs_free(pending->body);
    fs_free(pending->revision);
    fs_free(pending);
}

/* Everything of the map, collected before it is destroyed. */
#define DESTROY_ALL(map, type, destroy_one)                                                                  \
    do {                                                                                                     \
        FS_VEC(type *) all = {0};                                                                            \
        for (struct fs_map_iter it = {0}; fs_map_next((map), &it);)                                          \
            fs_vec_push(&all, it.value);                                                                     \
        for (size_t i = 0; i < all.count; i++)                                                               \
            destroy_one;                                                                                     \
        fs_vec_finish(&all);                                                                                 \
    } while (0)

static void batch_destroy(struct fs_engine *e, struct fs_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        batch->questions[i]->in_flight = false;
        fs_source_count_unanswered(e, e->sources.items[batch->source], -1);
        fs_question_release(e, batch->questions[i]);
    }
    fs_free(batch->questions);
    fs_free(batch);
}

static void finish_answers(struct fs_engine *e)
{
    FS_LIST_EACH(&e->answers, node)
    {
        struct fs_answers *answers = FS_CONTAINER(node, struct fs_answers, node);
        fs_list_remove(node);
        for (size_t i = 0; i < answers->count; i++) {
            answers->questions[i]->entries--;
            fs_question_release(e, answers->questions[i]);
        }
        fs_answers_destroy(answers);
    }
}

void fs_engine_destroy(struct fs_engine *e)
{
    if (!e)
        return;
    fs_feeds_finish(e);
    fs_walks_finish(e);
    fs_map_finish(&e->asides, fs_free);
    fs_engine_forget_words(e);
    fs_receipts_finish(e);
    fs_map_finish(&e->receipts_by, NULL);
    fs_overrides_finish(e);
    fs_tick_drop(e);
    FS_LIST_EACH(&e->once, node)
    {
        struct fs_once *once = FS_CONTAINER(node, struct fs_once, node);
        fs_list_remove(node);
        fs_alarm_cancel(e, &once->deadline);
        fs_view_release(e, once->view);
        fs_free(once);
    }
    DESTROY_ALL(&e->connections, struct fs_connection, fs_connection_destroy(e, all.items[i]));
    fs_tick_drop(e); /* ends of what was watched: nobody is told any more */
    DESTROY_ALL(&e->contexts, struct fs_context, fs_context_destroy(e, all.items[i]));
    finish_answers(e);
    DESTROY_ALL(&e->batches, struct fs_batch, batch_destroy(e, all.items[i]));
    DESTROY_ALL(&e->subjects, struct fs_subject, fs_subject_destroy(e, all.items[i]));
    FS_LIST_EACH(&e->pending, node)
    {
        pending_destroy(FS_CONTAINER(node, struct fs_pending, node));
    }
    for (size_t i = 0; i < e->sources.count; i++)
        fs_source_destroy(e->sources.items[i]);
    fs_vec_finish(&e->sources);
    fs_vec_finish(&e->dirty);
    fs_vec_finish(&e->aside);
    struct fs_map *maps[] = {&e->contexts, &e->subjects, &e->questions, &e->connections,
                             &e->sessions, &e->watches,  &e->batches};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        fs_map_finish(maps[i], NULL);
    fs_map_finish(&e->paces, fs_free);
    fs_map_finish(&e->erasures, fs_free);
    fs_map_finish(&e->changes, fs_free);
    fs_heap_finish(&e->heap);
    fs_arena_finish(&e->arena);
    fs_flagset_unref(e->set);
    fs_free(e);
}

struct fs_flagset *fs_engine_flags(const struct fs_engine *e)
{
    return e->set;
}

/* Hands a draft of the engine's own to the journal, now or as soon as it can take it. Takes the body. */
void fs_engine_append(struct fs_engine *e, enum fs_entry_kind kind, char *body, size_t length,
                      unsigned source, const char *revision)
{
    struct fs_pending *pending = FS_NEW(struct fs_pending);
    pending->token = FS_ENGINE_TOKENS + ++e->next_token;
    pending->kind = kind;
    pending->body = body;
    pending->length = length;
    pending->source = source;
    pending->revision = fs_strdup(revision);
    pending->since = e->now.mono;
    fs_list_append(&e->pending, &pending->node);
}

static void append_waiting(struct fs_engine *e)
{
    FS_LIST_EACH(&e->pending, node)
    {
        struct fs_pending *pending = FS_CONTAINER(node, struct fs_pending, node);
        if (pending->appended)
            continue;
        struct fs_draft draft = {.kind = pending->kind,
                                 .time = e->now.wall,
                                 .body = pending->body,
                                 .length = pending->length,
                                 .token = pending->token};
        if (!e->options.ports.append(e->options.ports.self, &draft))
            return;
        pending->appended = true;
    }
    fs_answers_append(e);
    fs_tick_append(e);
}

/* A source's entry says that its revision moved, by its own word or by a report. */
static void pending_committed(struct fs_engine *e, struct fs_pending *pending, const struct fs_commit *commit)
{
    if (pending->kind == FS_ENTRY_SOURCE) {
        struct fs_err err;
        json_t *body = fs_json_read(pending->body, pending->length, 8, &err);
        const char *what = fs_json_text(body, "what");
        if (what && (!strcmp(what, "revision") || !strcmp(what, "report"))) {
            fs_words_note(e, commit->number, fs_entry_words(FS_ENTRY_SOURCE, pending->body, pending->length));
            struct fs_receipt *receipt =
                fs_receipt_open(e, commit->number, commit->time, pending->since, NULL);
            fs_source_apply_revision(e, e->sources.items[pending->source], pending->revision, commit->number,
                                     commit->time, receipt);
        }
        json_decref(body);
    }
    pending_destroy(pending);
}

static bool own_commit(struct fs_engine *e, const struct fs_commit *commit)
{
    bool done = commit->result == FS_COMMIT_DONE;
    if (commit->token == e->tick_token) {
        if (done)
            fs_tick_commit(e);
        else
            e->tick_appended = false;
        return true;
    }
    FS_LIST_EACH(&e->answers, node)
    {
        struct fs_answers *answers = FS_CONTAINER(node, struct fs_answers, node);
        if (answers->token != commit->token)
            continue;
        if (done)
            fs_answers_commit(e, answers, commit->number);
        else
            answers->appended = false;
        return true;
    }
    FS_LIST_EACH(&e->pending, pending_node)
    {
        struct fs_pending *pending = FS_CONTAINER(pending_node, struct fs_pending, node);
        if (pending->token != commit->token)
            continue;
        if (done)
            pending_committed(e, pending, commit);
        else
            pending->appended = false;
        return true;
    }
    return false;
}

void fs_engine_commit(struct fs_engine *e, const struct fs_commit *commit, const struct fs_entry *entry,
                      struct fs_time now)
{
    e->now = now;
    if (commit->result == FS_COMMIT_DONE && commit->number > e->applied)
        e->applied = commit->number;
    if (commit->result == FS_COMMIT_DONE)
        e->accepted = commit->time;
    if (commit->token >= FS_ENGINE_TOKENS) {
        own_commit(e, commit);
        return;
    }
    if (commit->result == FS_COMMIT_DUPLICATE && entry && entry->kind == FS_ENTRY_EVENT)
        fs_apply_again(e, entry);
    if (commit->result != FS_COMMIT_DONE || !entry)
        return;
    if (entry->kind == FS_ENTRY_EVENT)
        fs_apply_event(e, entry);
    else if (entry->kind == FS_ENTRY_OVERRIDE)
        fs_apply_override(e, entry);
    else
        fs_apply_erasure(e, entry);
}

static void run_alarm(struct fs_engine *e, struct fs_alarm *alarm)
{
    switch (alarm->due) {
    case FS_DUE_PROBE:
        fs_source_due(e, FS_CONTAINER(alarm, struct fs_source_state, probe));
        break;
    case FS_DUE_REVALIDATE:
    case FS_DUE_RETRY:
    case FS_DUE_UNHEARD:
        fs_question_due(e, alarm);
        break;
    case FS_DUE_CELL:
        fs_cell_due(e, alarm);
        break;
    case FS_DUE_CONTEXT:
        fs_context_due(e, FS_CONTAINER(alarm, struct fs_context, expiry));
        break;
    case FS_DUE_WATCH:
        fs_watch_due(e, FS_CONTAINER(alarm, struct fs_watch, deadline));
        break;
    case FS_DUE_CONNECTION:
        fs_connection_due(e, FS_CONTAINER(alarm, struct fs_connection, expiry));
        break;
    case FS_DUE_FACT:
        fs_fact_due(e, alarm);
        break;
    case FS_DUE_ONCE:
        fs_once_due(e, FS_CONTAINER(alarm, struct fs_once, deadline));
        break;
    case FS_DUE_RECEIPT:
        fs_receipt_due(e, alarm);
        break;
    case FS_DUE_OVERRIDE:
        fs_override_due(e, FS_CONTAINER(alarm, struct fs_standing_override, expiry));
        break;
    case FS_DUE_JOURNAL:
    case FS_DUE_FEED:
    case FS_DUE_WALK:
        break; /* what is late is seen in the turn, what boards get, and what is walked */
    }
}

/* Since when the oldest draft waits that something visible hangs on; INT64_MAX: none does. The journal takes
 * one after the other: where the oldest is late, all are. */
static int64_t waiting_since(const struct fs_engine *e)
{
    int64_t since = e->tick_token ? e->tick_since : INT64_MAX;
    FS_LIST_EACH(&e->answers, node)
    {
        const struct fs_answers *answers = FS_CONTAINER(node, struct fs_answers, node);
        since = answers->since < since ? answers->since : since;
    }
    FS_LIST_EACH(&e->pending, pending_node)
    {
        const struct fs_pending *pending = FS_CONTAINER(pending_node, struct fs_pending, node);
        since = pending->since < since ? pending->since : since;
    }
    return since;
}

static bool journal_is_late(const struct fs_engine *e)
{
    int64_t since = waiting_since(e);
    return since != INT64_MAX && since + e->options.journal_late <= e->now.mono;
}

static void go_ahead(struct fs_engine *e)
{
    fs_answers_go_ahead(e);
    FS_LIST_EACH(&e->pending, node)
    {
        struct fs_pending *pending = FS_CONTAINER(node, struct fs_pending, node);
        if (!pending->ahead && pending->revision)
            fs_source_go_ahead(e, e->sources.items[pending->source], pending->revision);
        pending->ahead = true;
    }
    if (e->tick_token)
        fs_tick_go_ahead(e);
}

/* The moment at which the journal becomes late; while it is, drafts that it did not take are offered again at
 * that pace. */
static void watch_journal(struct fs_engine *e)
{
    int64_t since = waiting_since(e);
    int64_t due = since == INT64_MAX ? INT64_MAX : since + e->options.journal_late;
    if (due == INT64_MAX)
        fs_alarm_cancel(e, &e->journal_late);
    else
        fs_alarm_set(e, &e->journal_late, FS_DUE_JOURNAL,
                     due > e->now.mono ? due : e->now.mono + e->options.journal_late);
}

void fs_engine_turn(struct fs_engine *e, struct fs_time now)
{
    e->now = now;
    if (!e->set)
        return;
    if (fs_wall_went_ahead(&e->wall_lead, now)) {
        fs_facts_arm_anew(e);
        fs_overrides_arm_anew(e);
        fs_cells_look_anew(e);
    }
    for (struct fs_timer *timer; (timer = fs_heap_pop_due(&e->heap, now.mono));)
        run_alarm(e, FS_CONTAINER(timer, struct fs_alarm, timer));
    if (!e->tick_token)
        fs_deliver_all(e); /* leases first: nothing is computed that is not queued */
    append_waiting(e);
    bool late = journal_is_late(e);
    if (late)
        go_ahead(e);
    fs_cells_evaluate(e);
    if (e->tick_ahead)
        fs_tick_go_ahead(e);
    fs_tick_propose(e);
    if (late && e->tick_token)
        fs_tick_go_ahead(e);
    fs_questions_ask(e);
    append_waiting(e);
    fs_once_check(e);
    fs_deliver_all(e);
    fs_receipts_check(e);
    fs_feeds_turn(e);
    fs_walks_turn(e);
    watch_journal(e);
}

int64_t fs_engine_next(const struct fs_engine *e)
{
    return fs_heap_next(&e->heap);
}

bool fs_engine_ready(const struct fs_engine *e, char why_not[120])
{
    why_not[0] = 0;
    if (!e->set)
        snprintf(why_not, 120, "flags are not loaded");
    for (size_t i = 0; i < e->sources.count && !why_not[0]; i++)
        if (!e->sources.items[i]->reached)
            snprintf(why_not, 120, "source %.60s has not been reached yet", e->sources.items[i]->name);
    return !why_not[0];
}

bool fs_engine_knows_fact(const struct fs_engine *e, const char *subject, const char *fact)
{
    const struct fs_subject *known = fs_map_gets(&e->subjects, subject);
    return known && fs_map_gets(&known->facts, fact);
}

size_t fs_engine_facts(const struct fs_engine *e)
{
    return e->counts.facts;
}

void fs_engine_count(const struct fs_engine *e, struct fs_engine_counts *out)
{
    *out = e->counts;
    out->revision = e->revision;
    out->questions = e->questions.count;
    out->subjects = e->subjects.count;
    out->timers = e->heap.count;
    for (struct fs_map_iter it = {0}; fs_map_next(&e->connections, &it);) {
        const struct fs_connection *connection = it.value;
        if (!connection->open)
            continue;
        out->behind += fs_connection_behind(connection);
        if (connection->pushed_at && (!out->oldest_push || connection->pushed_at < out->oldest_push))
            out->oldest_push = connection->pushed_at;
    }
}
