/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of an event that is tried: which ones it would have asked, asked aside and a batch at a time,
 * and what decisions make of the answers. Of the questions in the engine none is touched.
 */
#include "trial_internal.h"

bool fs_trial_reads_changed(const struct fs_trial *trial, const struct fs_context *context,
                            const struct fs_flag *flag)
{
    const struct fs_overlay *overlay = fs_map_gets(&trial->overlays, context->subject);
    for (size_t i = 0; overlay && i < overlay->names.count; i++)
        for (size_t f = 0; f < flag->fact_count; f++)
            if (!strcmp(flag->facts[f], overlay->names.items[i]) || !strcmp(flag->facts[f], "*"))
                return true;
    return false;
}

const json_t *fs_trial_facts(const struct fs_engine *e, const struct fs_context *context)
{
    const struct fs_overlay *overlay = fs_map_gets(&e->trying->overlays, context->subject);
    return overlay ? overlay->facts : context->owner->facts_json;
}

void fs_trial_look(struct fs_engine *e, const struct fs_trial *trial, const struct fs_context *context,
                   const struct fs_flag *flag, size_t decision, struct fs_trial_look *out)
{
    const struct fs_cell *cell = &context->cells[flag->index];
    const struct fs_binding *binding = &cell->bindings[decision];
    memset(out, 0, sizeof *out);
    if (!cell->rebind && !fs_trial_reads_changed(trial, context, flag)) {
        out->q = binding->question;
        out->bound = true;
        out->key = out->q ? out->q->key : NULL;
        out->length = out->q ? out->q->key_length : 0;
        memcpy(out->missing, binding->missing_fact, sizeof out->missing);
        return;
    }
    const struct fs_overlay *overlay = fs_map_gets(&trial->overlays, context->subject);
    out->key = out->owned =
        fs_binding_key(e, context, flag, &flag->decisions[decision],
                       overlay ? overlay->facts : context->owner->facts_json, &out->length, out->missing);
    out->q = out->key ? fs_map_get(&e->questions, out->key, out->length) : NULL;
    out->bound = out->q && out->q == binding->question;
}

void fs_trial_look_finish(struct fs_trial_look *look)
{
    fs_free(look->owned);
}

static bool same_text(const json_t *object, const char *name, const char *text)
{
    return !strcmp(fs_json_text(object, name), text);
}

/* One line for each (source, query, error). */
static void report(const struct fs_engine *e, struct fs_trial *trial, unsigned source, const char *query,
                   const char *error)
{
    const char *name = e->sources.items[source]->name;
    for (size_t i = 0; i < json_array_size(trial->unresolved); i++) {
        json_t *one = json_array_get(trial->unresolved, i);
        json_t *count = json_object_get(one, "count");
        if (!same_text(one, "source", name) || !same_text(one, "query", query) ||
            !same_text(one, "error", error))
            continue;
        json_integer_set(count, json_integer_value(count) + 1);
        return;
    }
    if (json_array_size(trial->unresolved) < FS_TRIAL_PROBLEMS)
        json_array_append_new(trial->unresolved, json_pack("{s:s, s:s, s:s, s:i}", "source", name, "query",
                                                           query, "error", error, "count", 1));
}

static void leave_unresolved(const struct fs_engine *e, struct fs_trial *trial, struct fs_trial_question *q,
                             const char *error)
{
    q->state = FS_TRIAL_UNRESOLVED;
    report(e, trial, q->source, q->asked.query, error);
}

/* Is it also asked for contexts of subjects that the filter does not name? */
static bool is_shared(const struct fs_trial *trial, const struct fs_question *q)
{
    char *const *named = trial->event->filter.subjects;
    FS_LIST_EACH(&q->bindings, node)
    {
        const char *subject = FS_CONTAINER(node, struct fs_binding, node)->context->subject;
        bool listed = false;
        for (char *const *name = named; name && *name && !listed; name++)
            listed = !strcmp(*name, subject);
        if (!listed)
            return true;
    }
    return false;
}

/* What the event makes of the question. */
static enum fs_trial_state touched(const struct fs_engine *e, const struct fs_trial *trial,
                                   const struct fs_trial_look *look)
{
    const struct fs_question *q = look->q;
    if (!q)
        return FS_TRIAL_WAITS;
    if (trial->event->recompute && fs_filter_means(e, &trial->event->filter, q) && fs_question_live(q))
        return FS_TRIAL_WAITS;
    if (look->bound)
        return FS_TRIAL_APART;
    return q->answered && !q->overdue && !q->failed && q->touched <= q->settled ? FS_TRIAL_ANSWERED
                                                                                : FS_TRIAL_WAITS;
}

static struct fs_trial_question *add(struct fs_trial *trial, const struct fs_trial_look *look,
                                     enum fs_trial_state state)
{
    struct fs_trial_question *q = FS_NEW(struct fs_trial_question);
    q->key = fs_alloc(look->length + 1);
    memcpy(q->key, look->key, look->length + 1);
    q->length = look->length;
    q->asked = fs_question_of_key(q->key, q->length, &q->source);
    q->state = state;
    fs_map_set(&trial->questions, q->key, q->length, q);
    return q;
}

void fs_trial_gather(struct fs_engine *e, struct fs_trial *trial, const struct fs_trial_look *look)
{
    if (!look->key || fs_map_get(&trial->questions, look->key, look->length))
        return;
    enum fs_trial_state state = touched(e, trial, look);
    const struct fs_filter *filter = &trial->event->filter;
    bool meant = trial->event->recompute && look->q && fs_filter_means(e, filter, look->q);
    if (state == FS_TRIAL_APART && !filter->subjects && !filter->flags && !meant)
        return; /* found out again as quickly; that nobody wants to know is not */
    if (state == FS_TRIAL_WAITS && trial->to_ask == FS_TRIAL_ANSWERS) {
        trial->left_out = true;
        return;
    }
    struct fs_trial_question *q = add(trial, look, state);
    if (state == FS_TRIAL_ANSWERED)
        fs_answer_copy(&q->answer, &look->q->answer);
    if (state != FS_TRIAL_WAITS)
        return;
    trial->to_ask++;
    trial->beyond |= look->bound && filter->subjects && !trial->beyond && is_shared(trial, look->q);
    fs_vec_push(&trial->sources.items[q->source].waiting, q);
}

enum fs_trial_state fs_trial_state_of(const struct fs_engine *e, struct fs_trial *trial,
                                      const struct fs_trial_look *look)
{
    unsigned source;
    if (!look->key)
        return FS_TRIAL_APART;
    const struct fs_trial_question *q = fs_map_get(&trial->questions, look->key, look->length);
    if (q)
        return q->state;
    if (look->bound && (!trial->left_out || touched(e, trial, look) == FS_TRIAL_APART))
        return FS_TRIAL_APART;
    const struct fs_asked asked = fs_question_of_key(look->key, look->length, &source);
    report(e, trial, source, asked.query,
           trial->left_out ? "not asked: it is one too many for a dry run" : "not asked: it came meanwhile");
    return FS_TRIAL_UNRESOLVED;
}

bool fs_trial_stands(struct fs_engine *e, const struct fs_context *context, const struct fs_flag *flag,
                     size_t decision, struct fs_answer *none, struct fs_standing *out)
{
    struct fs_trial_look look;
    fs_trial_look(e, e->trying, context, flag, decision, &look);
    const struct fs_trial_question *q =
        look.key ? fs_map_get(&e->trying->questions, look.key, look.length) : NULL;
    bool stands = false;
    if (q && q->state == FS_TRIAL_ANSWERED) {
        out->answer = &q->answer;
        stands = true;
    } else if (!look.key) {
        none->state = FS_ANSWER_NONE;
        none->error = fs_format("%s is missing", look.missing);
        out->answer = none;
        stands = true;
    }
    fs_trial_look_finish(&look);
    return stands;
}

static void take_answers(struct fs_engine *e, void *self, uint64_t token, struct fs_answer *answers,
                         size_t count)
{
    struct fs_trial *trial = self;
    for (size_t s = 0; s < trial->sources.count; s++) {
        struct fs_trial_asking *source = &trial->sources.items[s];
        if (source->token != token)
            continue;
        for (size_t i = 0; i < source->count; i++) {
            struct fs_trial_question *q = source->waiting.items[source->head + i];
            if (i >= count || answers[i].state == FS_ANSWER_NONE) {
                leave_unresolved(e, trial, q, i < count && answers[i].error ? answers[i].error : "no answer");
                continue;
            }
            q->state = FS_TRIAL_ANSWERED;
            q->answer = answers[i];
            memset(&answers[i], 0, sizeof answers[i]);
        }
        source->head += source->count;
        source->token = 0;
    }
    if (!fs_trial_ask(e, trial))
        fs_trial_evaluate(e, trial);
}

/* What waits for this source has no answer. */
static void skip_rest(struct fs_engine *e, struct fs_trial *trial, struct fs_trial_asking *source,
                      const char *error)
{
    for (; source->head < source->waiting.count; source->head++)
        leave_unresolved(e, trial, source->waiting.items[source->head], error);
}

static void ask_batch(struct fs_engine *e, struct fs_trial *trial, unsigned index)
{
    struct fs_trial_asking *source = &trial->sources.items[index];
    size_t left = source->waiting.count - source->head;
    source->count = left < e->options.batch ? left : e->options.batch;
    struct fs_asked *batch = fs_calloc(source->count, sizeof *batch);
    for (size_t i = 0; i < source->count; i++) {
        batch[i] = source->waiting.items[source->head + i]->asked;
        batch[i].id = ++e->next_question;
    }
    source->token = fs_ask_aside(e, index, batch, source->count, take_answers, trial);
    fs_free(batch);
}

bool fs_trial_ask(struct fs_engine *e, struct fs_trial *trial)
{
    bool any = false;
    for (size_t i = 0; i < trial->sources.count; i++) {
        struct fs_trial_asking *source = &trial->sources.items[i];
        const struct fs_source_state *state = e->sources.items[i];
        if (!source->token && source->head < source->waiting.count && state->status != FS_SOURCE_UP)
            skip_rest(e, trial, source, state->error[0] ? state->error : "its source is not there");
        if (!source->token && source->head < source->waiting.count)
            ask_batch(e, trial, (unsigned)i);
        any |= source->token != 0;
    }
    return any;
}

void fs_trial_end_asking(struct fs_engine *e, struct fs_trial *trial)
{
    for (size_t i = 0; i < trial->sources.count; i++) {
        struct fs_trial_asking *source = &trial->sources.items[i];
        fs_aside_forget(e, source->token);
        source->token = 0;
        skip_rest(e, trial, source, "no answer in the time of the dry run");
    }
}

static void destroy_question(void *question)
{
    struct fs_trial_question *q = question;
    fs_answer_finish(&q->answer);
    fs_free(q->key);
    fs_free(q);
}

void fs_trial_questions_finish(struct fs_engine *e, struct fs_trial *trial)
{
    for (size_t i = 0; i < trial->sources.count; i++) {
        fs_aside_forget(e, trial->sources.items[i].token);
        fs_vec_finish(&trial->sources.items[i].waiting);
    }
    fs_vec_finish(&trial->sources);
    fs_map_finish(&trial->questions, destroy_question);
}
