/* SPDX-License-Identifier: Apache-2.0 */
/* The world around the engine: journal, sources, time. See engine_world.h. */
#include "engine_world.h"
#include "flagfile/flagfile.h"

static void *never_created(const char *name, const json_t *options, struct fs_mistakes *mistakes)
{
    (void)name, (void)options, (void)mistakes;
    return NULL;
}

static const char *const kinds[] = {"path", "users", NULL};
static const struct fs_source_type remote = {.name = "opa", .kinds = kinds, .create = never_created};
static const struct fs_source_type builtin = {.name = "builtin"};

struct fs_flagset *world_flags(const char *yaml)
{
    static const struct fs_flagfile_source items[] = {{"opa", &remote}, {"second", &remote}};
    static const struct fs_flagfile_sources sources = {items, 2};
    struct fs_flag_problems problems;
    struct fs_flagset *set = fs_flagfile_parse(yaml, strlen(yaml), "test.yaml", &sources, &problems);
    if (!set)
        for (size_t i = 0; i < problems.count; i++) {
            char *line = fs_flag_problem_line(&problems.items[i]);
            print_error("%s\n", line);
            fs_free(line);
        }
    fs_flag_problems_finish(&problems);
    assert_non_null(set);
    return set;
}

void world_called(struct world *w)
{
    if (w->after)
        w->after(w, w->after_self);
}

/* The ports. */

static bool append(void *self, const struct fs_draft *draft)
{
    struct world *w = self;
    if (w->refusing)
        return false;
    struct world_draft kept = {draft->kind,   draft->token,
                               draft->time,   fs_strndup(draft->body, draft->length),
                               draft->length, w->now.mono};
    fs_vec_push(&w->drafts, kept);
    if (draft->kind == FS_ENTRY_ANSWERS && draft->text_count)
        snprintf(w->told_of, sizeof w->told_of, "%s", draft->texts[draft->text_count - 1].subject);
    return true;
}

static void read_answer(const char *text, const char *revision, struct fs_answer *out)
{
    memset(out, 0, sizeof *out);
    if (!text || !strcmp(text, "undefined")) {
        out->state = FS_ANSWER_UNDEFINED;
    } else if (!strcmp(text, "bad")) {
        out->state = FS_ANSWER_BAD;
        out->error = fs_strdup("eval_conflict_error");
    } else if (!strcmp(text, "none")) {
        out->state = FS_ANSWER_NONE;
        out->error = fs_strdup("timed out");
        return;
    } else {
        out->state = FS_ANSWER_VALUE;
        out->value = json_loads(text, JSON_DECODE_ANY, NULL);
        assert_non_null(out->value);
    }
    out->revision = *revision ? fs_strdup(revision) : NULL;
    out->decision_id = fs_strdup("d-1");
}

static void look_up(struct world *w, unsigned source, struct world_question *q)
{
    char key[300];
    const char *user = q->subject;
    struct fs_err err;
    json_t *input = fs_json_read(q->input, strlen(q->input), 64, &err);
    if (!*user)
        user = fs_json_text(input, "user") ? fs_json_text(input, "user") : "";
    snprintf(key, sizeof key, "%s %s", q->query, user);
    const char *text = json_string_value(json_object_get(w->policy, key));
    if (!text)
        text = json_string_value(json_object_get(w->policy, q->query));
    read_answer(w->sources[source].mode == WORLD_REFUSES ? "none" : text, w->sources[source].revision,
                &q->answer);
    json_decref(input);
}

static void ask(void *self, unsigned source, const struct fs_asked *batch, size_t count, uint64_t token)
{
    struct world *w = self;
    struct world_ask kept = {.source = source,
                             .token = token,
                             .count = count,
                             .questions = fs_calloc(count, sizeof *kept.questions)};
    for (size_t i = 0; i < count; i++) {
        kept.questions[i].query = fs_strdup(batch[i].query);
        kept.questions[i].input = fs_strndup(batch[i].input, batch[i].input_length);
        kept.questions[i].subject = fs_strdup(batch[i].subject);
        look_up(w, source, &kept.questions[i]);
    }
    w->sources[source].asked += count;
    fs_vec_push(&w->asks, kept);
}

static void probe(void *self, unsigned source)
{
    struct world *w = self;
    w->sources[source].probes++;
}

static void set_queries(void *self, unsigned source, const char *const *query_kinds,
                        const char *const *queries, size_t count)
{
    (void)self, (void)source;
    for (size_t i = 0; i < count; i++)
        assert_true(query_kinds[i] && queries[i]);
}

static json_t *show_flag(const struct fs_flag_state *state)
{
    const struct fs_evaluation *value = state->evaluation;
    const struct fs_flag *flag = state->flag;
    json_t *one = json_pack("{s:s, s:s, s:s*, s:s, s:s, s:I}", "type", fs_type_name(flag->type), "reason",
                            fs_reason_name(value->reason), "variant", value->variant, "detail", value->detail,
                            "cause", fs_cause_kind_name(state->cause->kind), "entry",
                            (json_int_t)(state->cause->count ? state->cause->entries[0] : 0));
    if (value->value)
        json_object_set(one, "value", value->value);
    if (value->error)
        json_object_set_new(one, "error", json_string(fs_error_code_name(value->error)));
    if (flag->access) {
        json_t *safe = flag->safe_variant >= 0 ? flag->variants[flag->safe_variant].value : flag->safe_value;
        json_object_set_new(one, "safe", json_pack("{s:O}", "value", safe));
    }
    return one;
}

static json_t *show_flags(const struct fs_flag_state *flags, size_t count)
{
    json_t *all = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(all, flags[i].flag->key, show_flag(&flags[i]));
    return all;
}

static char *show_view(const struct fs_view_state *state, const struct fs_taken *taken)
{
    json_t *removed = json_array();
    for (size_t i = 0; i < taken->removed; i++)
        json_array_append_new(removed, json_string(state->removed[i]));
    json_t *body = json_pack(
        "{s:s, s:b, s:b, s:b, s:I, s:o, s:o}", "view", state->view, "snapshot", state->snapshot, "once",
        state->once, "more", state->more || taken->flags < state->flag_count, "revision",
        (json_int_t)state->revision, "removed", removed, "flags", show_flags(state->flags, taken->flags));
    if (state->dropped)
        json_object_set_new(body, "dropped", json_deep_copy(state->dropped));
    char *text = fs_json_canonical_text(body, FS_ENTRY_LIMIT, NULL);
    json_decref(body);
    return text;
}

static struct fs_blob *encode(void *self, const struct fs_view_state *state, struct fs_taken *taken)
{
    struct world *w = self;
    *taken = (struct fs_taken){state->removed_count, state->flag_count};
    char *text = show_view(state, taken);
    while (state->limit && strlen(text) > state->limit && taken->removed + taken->flags > 1) {
        *(taken->flags ? &taken->flags : &taken->removed) -= 1;
        fs_free(text);
        text = show_view(state, taken);
    }
    struct fs_blob *blob = fs_blob_copy(text, strlen(text));
    fs_free(text);
    w->encoded++;
    return blob;
}

static void deliver(void *self, const struct fs_delivery *delivery)
{
    world_deliver(self, delivery);
}

static void evaluated(void *self, const struct fs_evaluated *result)
{
    struct world *w = self;
    struct world_evaluated kept = {
        .token = result->token, .timed_out = result->timed_out, .revision = result->revision};
    kept.flags = show_flags(result->flags, result->flag_count);
    snprintf(kept.view, sizeof kept.view, "%s", result->view);
    fs_vec_push(&w->evaluated, kept);
}

static void receipt(void *self, uint64_t token, const json_t *text)
{
    struct world *w = self;
    struct world_receipt kept = {token, json_deep_copy(text)};
    fs_vec_push(&w->receipts, kept);
}

static void found(void *self, uint64_t token, json_t *result, const struct fs_err *err)
{
    struct world *w = self;
    struct world_found kept = {.token = token, .result = result};
    if (err)
        kept.err = *err;
    fs_vec_push(&w->found, kept);
}

/* Making and ending. */

static void make_engine(struct world *w)
{
    w->engine = fs_engine_create(&w->options, w->now);
    static const char *const names[] = {"builtin", "opa", "second"};
    w->source_count = 3;
    for (size_t i = 0; i < w->source_count; i++) {
        w->sources[i].name = names[i];
        unsigned index = fs_engine_add_source(w->engine, names[i], i ? &remote : &builtin, 60000);
        assert_int_equal(index, i);
    }
}

struct world *world_create_with(const char *yaml, void (*adjust)(struct fs_engine_options *options))
{
    struct world *w = FS_NEW(struct world);
    w->now = (struct fs_time){WORLD_MONO, WORLD_WALL};
    w->policy = json_object();
    fs_log_setup(FS_LOG_LEVEL_ERROR, false, NULL);
    fs_engine_options_init(&w->options);
    w->options.ports = (struct fs_engine_ports){w,       append,    ask,     probe, set_queries, encode,
                                                deliver, evaluated, receipt, NULL,  found};
    snprintf(w->options.epoch, sizeof w->options.epoch, "e-1");
    if (adjust)
        adjust(&w->options);
    make_engine(w);
    world_load(w, yaml);
    world_run(w);
    return w;
}

struct world *world_create(const char *yaml)
{
    return world_create_with(yaml, NULL);
}

void world_load(struct world *w, const char *yaml)
{
    struct fs_flagset *set = world_flags(yaml);
    fs_engine_set_flags(w->engine, set, w->flags ? ++w->next_entry : 0, w->now);
    fs_flagset_unref(w->flags);
    w->flags = set;
    world_called(w);
}

static void forget_ask(struct world_ask *asked)
{
    for (size_t i = 0; i < asked->count; i++) {
        fs_free(asked->questions[i].query);
        fs_free(asked->questions[i].input);
        fs_free(asked->questions[i].subject);
        fs_answer_finish(&asked->questions[i].answer);
    }
    fs_free(asked->questions);
}

static void forget_pending(struct world *w)
{
    for (size_t i = 0; i < w->drafts.count; i++)
        fs_free(w->drafts.items[i].body);
    fs_vec_finish(&w->drafts);
    for (size_t i = 0; i < w->asks.count; i++)
        forget_ask(&w->asks.items[i]);
    fs_vec_finish(&w->asks);
}

void world_restart(struct world *w)
{
    for (size_t i = 0; i < w->clients.count; i++)
        if (w->clients.items[i]->connection)
            world_drop(w->clients.items[i]);
    fs_engine_destroy(w->engine);
    forget_pending(w);
    snprintf(w->options.epoch, sizeof w->options.epoch, "e-%llu", (unsigned long long)++w->restarts + 1);
    w->options.prior_lease = w->options.lease;
    make_engine(w);
    for (size_t i = 0; i < w->entries.count; i++) {
        const struct world_entry *old = &w->entries.items[i];
        struct fs_entry entry = {old->number, old->kind, old->time, old->body, old->length, 0};
        fs_engine_replay(w->engine, &entry);
    }
    for (size_t i = 0; i < w->source_count; i++)
        w->sources[i].probes = 0;
    fs_engine_set_flags(w->engine, w->flags, 0, w->now);
    world_run(w);
}

void world_destroy(struct world *w)
{
    fs_engine_destroy(w->engine);
    forget_pending(w);
    for (size_t i = 0; i < w->entries.count; i++)
        fs_free(w->entries.items[i].body);
    fs_vec_finish(&w->entries);
    for (size_t i = 0; i < w->clients.count; i++)
        world_client_destroy(w->clients.items[i]);
    fs_vec_finish(&w->clients);
    for (size_t i = 0; i < w->evaluated.count; i++)
        json_decref(w->evaluated.items[i].flags);
    fs_vec_finish(&w->evaluated);
    for (size_t i = 0; i < w->receipts.count; i++)
        json_decref(w->receipts.items[i].receipt);
    fs_vec_finish(&w->receipts);
    for (size_t i = 0; i < w->found.count; i++)
        json_decref(w->found.items[i].result);
    fs_vec_finish(&w->found);
    fs_flagset_unref(w->flags);
    json_decref(w->policy);
    fs_free(w);
}

/* What happens. */

void world_turn(struct world *w)
{
    fs_engine_turn(w->engine, w->now);
    world_called(w);
}

bool world_commit(struct world *w)
{
    if (!w->drafts.count)
        return false;
    struct world_draft draft = w->drafts.items[0];
    memmove(w->drafts.items, w->drafts.items + 1, --w->drafts.count * sizeof draft);
    struct fs_commit commit = {
        .token = draft.token, .time = draft.time, .result = w->failing ? FS_COMMIT_FAILED : FS_COMMIT_DONE};
    struct fs_entry entry = {0, draft.kind, draft.time, draft.body, draft.length, draft.mono};
    if (!w->failing) {
        entry.number = commit.number = ++w->next_entry;
        struct world_entry kept = {entry.number, draft.kind, draft.time, fs_strndup(draft.body, draft.length),
                                   draft.length};
        fs_vec_push(&w->entries, kept);
    }
    fs_engine_commit(w->engine, &commit, w->failing ? NULL : &entry, w->now);
    fs_free(draft.body);
    world_called(w);
    return true;
}

bool world_answer(struct world *w)
{
    size_t at = 0;
    while (at < w->asks.count && w->sources[w->asks.items[at].source].mode == WORLD_SILENT)
        at++;
    if (at == w->asks.count)
        return false;
    struct world_ask asked = w->asks.items[at];
    memmove(w->asks.items + at, w->asks.items + at + 1, (--w->asks.count - at) * sizeof asked);
    struct fs_answer *answers = fs_calloc(asked.count, sizeof *answers);
    for (size_t i = 0; i < asked.count; i++) {
        if (w->late_truth) {
            fs_answer_finish(&asked.questions[i].answer);
            look_up(w, asked.source, &asked.questions[i]);
        }
        answers[i] = asked.questions[i].answer;
        memset(&asked.questions[i].answer, 0, sizeof asked.questions[i].answer);
    }
    fs_engine_answered(w->engine, asked.token, answers, asked.count, w->now);
    fs_free(answers);
    forget_ask(&asked);
    world_called(w);
    return true;
}

void world_answer_all(struct world *w)
{
    while (world_answer(w))
        ;
}

static bool probe_answers(struct world *w)
{
    bool any = false;
    for (size_t i = 0; i < w->source_count; i++) {
        struct world_source *source = &w->sources[i];
        if (!source->probes || source->probes_hang)
            continue;
        source->probes--;
        any = true;
        bool alive = !source->probes_fail;
        fs_engine_probed(w->engine, (unsigned)i, alive, alive && *source->revision ? source->revision : NULL,
                         alive ? NULL : "refused", w->now);
        world_called(w);
    }
    return any;
}

void world_run(struct world *w)
{
    bool again = true;
    for (unsigned rounds = 0; again; rounds++) {
        assert_true(rounds < 10000);
        world_turn(w);
        again = probe_answers(w);
        while (!w->hold_asks && world_answer(w))
            again = true;
        size_t drafts = w->drafts.count;
        while (!w->manual && drafts-- && world_commit(w))
            again |= !w->failing;
        for (size_t i = 0; i < w->clients.count; i++) {
            struct world_client *c = w->clients.items[i];
            size_t before = c->read;
            world_read(c);
            again |= c->read > before;
        }
    }
    world_turn(w);
}

void world_advance(struct world *w, int64_t ms)
{
    int64_t end = w->now.mono + ms;
    for (;;) {
        world_run(w);
        int64_t next = fs_engine_next(w->engine);
        if (next > end)
            break;
        assert_true(next >= w->now.mono || next <= w->now.mono);
        int64_t step = next > w->now.mono ? next - w->now.mono : 1;
        if (w->now.mono + step > end)
            break;
        w->now.mono += step;
        w->now.wall += step;
    }
    w->now.wall += end - w->now.mono;
    w->now.mono = end;
    world_run(w);
}

struct world_source *world_source(struct world *w, const char *name)
{
    return &w->sources[fs_engine_find_source(w->engine, name)];
}

void world_policy(struct world *w, const char *query, const char *subject, const char *answer)
{
    char key[300];
    snprintf(key, sizeof key, "%s%s%s", query, subject ? " " : "", subject ? subject : "");
    json_object_set_new(w->policy, key, json_string(answer));
}
