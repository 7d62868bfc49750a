/* SPDX-License-Identifier: Apache-2.0 */
/* One question put to a source by hand: what it says now, and nothing follows from it. */
#include "trial_internal.h"

struct asking {
    struct fs_walk walk; /* rests until the answer is there */
    json_t *told;
    uint64_t aside;
};

static void destroy(struct fs_engine *e, struct fs_walk *walk)
{
    struct asking *asking = (struct asking *)(void *)walk;
    fs_aside_forget(e, asking->aside);
    json_decref(asking->told);
    fs_free(asking);
}

static void add_answer(json_t *told, const struct fs_answer *answer)
{
    bool failed = answer->state == FS_ANSWER_NONE || answer->state == FS_ANSWER_BAD;
    json_object_set_new(told, "state", json_string(fs_answer_state_name(answer->state)));
    json_object_set_new(told, "answer", answer->value ? json_deep_copy(answer->value) : json_null());
    json_object_set_new(told, "revision", answer->revision ? json_string(answer->revision) : json_null());
    if (answer->decision_id)
        json_object_set_new(told, "decision", json_string(answer->decision_id));
    json_object_set_new(told, "error",
                        failed ? json_pack("{s:s, s:s}", "code", fs_answer_state_name(answer->state),
                                           "message", answer->error ? answer->error : "no answer")
                               : json_null());
}

static void answered(struct fs_engine *e, void *self, uint64_t token, struct fs_answer *answers, size_t count)
{
    struct asking *asking = self;
    (void)token;
    if (count)
        add_answer(asking->told, &answers[0]);
    asking->aside = 0;
    fs_walk_tell(e, &asking->walk, json_incref(asking->told), NULL);
}

static json_t *describe(const char *source, const struct fs_asked *asked)
{
    struct fs_err err;
    json_t *input = asked->input_length ? fs_json_read(asked->input, asked->input_length, 64, &err) : NULL;
    json_t *told = json_pack("{s:s, s:s, s:s, s:o}", "source", source, "kind", asked->kind, "query",
                             asked->query, "input", input ? input : json_object());
    if (*asked->subject)
        json_object_set_new(told, "subject", json_string(asked->subject));
    return told;
}

/* The decision of the flag that asks this source. */
static const struct fs_decision *decision_of(const struct fs_flag *flag, const char *source, const char *name,
                                             struct fs_err *err)
{
    for (size_t i = 0; i < flag->decision_count; i++) {
        const struct fs_decision *decision = &flag->decisions[i];
        if (!strcmp(decision->source, source) && (!name || (decision->name && !strcmp(decision->name, name))))
            return decision;
    }
    if (name)
        fs_fail(err, FS_ERR_INVALID, "flag %.100s has no decision %.60s that asks %.60s", flag->key, name,
                source);
    else
        fs_fail(err, FS_ERR_INVALID, "flag %.100s asks nothing of %.60s", flag->key, source);
    return NULL;
}

static const json_t *facts_of(const struct fs_engine *e, const json_t *context)
{
    const char *subject = fs_json_text(context, "targetingKey");
    const struct fs_subject *known = fs_map_gets(&e->subjects, subject ? subject : "");
    return known ? known->facts_json : NULL;
}

/* The question's identity, as the flag asks it for the context; NULL with `err`. */
static char *key_of_flag(struct fs_engine *e, const struct fs_source_question *question, size_t *length,
                         struct fs_err *err)
{
    char missing[64];
    const struct fs_flag *flag = fs_flagset_need(e->set, question->flag, err);
    const struct fs_decision *decision =
        flag ? decision_of(flag, question->source, question->decision, err) : NULL;
    if (!decision)
        return NULL;
    const char *subject = fs_json_text(question->context, "targetingKey");
    struct fs_context context = {.json = (json_t *)(uintptr_t)question->context,
                                 .subject = subject ? subject : ""};
    char *key = fs_binding_key(e, &context, flag, decision, facts_of(e, question->context), length, missing);
    fs_arena_reset(&e->arena);
    if (!key)
        fs_fail(err, FS_ERR_INVALID, "the flag asks nothing for this context: %s is missing", missing);
    return key;
}

static bool kind_known(const struct fs_source_type *type, const char *kind)
{
    for (const char *const *known = type->kinds; known && *known; known++)
        if (!strcmp(*known, kind))
            return true;
    return false;
}

/* Likewise, as the question itself says. */
static char *key_of_query(const struct fs_source_question *question, unsigned source,
                          const struct fs_source_type *type, size_t *length, struct fs_err *err)
{
    struct fs_buf input;
    if (!kind_known(type, question->kind)) {
        fs_fail(err, FS_ERR_INVALID, "kind: source %.60s knows no questions of the kind '%.40s'",
                question->source, question->kind);
        return NULL;
    }
    if (type->check_query && !type->check_query(question->kind, question->query, err))
        return NULL;
    fs_buf_init(&input, FS_TEXT_LIMIT);
    if (question->input)
        fs_json_canonical(&input, question->input);
    else
        fs_buf_adds(&input, "{}");
    char *key = NULL;
    if (input.failed)
        fs_fail(err, FS_ERR_TOO_LARGE, "input: more than %d bytes", FS_TEXT_LIMIT);
    else
        key = fs_question_key(source, question->kind, question->query,
                              question->subject ? question->subject : "", input.data, input.length, length);
    fs_buf_finish(&input);
    return key;
}

/* The daemon's own source says at once what the flag's rule does. */
static bool ask_builtin(struct fs_engine *e, const struct fs_source_question *question, uint64_t token,
                        struct fs_err *err)
{
    struct fs_answer answer = {0};
    int64_t next;
    if (!question->flag)
        return fs_fail(err, FS_ERR_INVALID, "flag: source %.60s is asked by the rule of a flag",
                       question->source);
    const struct fs_flag *flag = fs_flagset_need(e->set, question->flag, err);
    const struct fs_decision *decision =
        flag ? decision_of(flag, question->source, question->decision, err) : NULL;
    if (!decision)
        return false;
    fs_decide_builtin(flag, decision, question->context, facts_of(e, question->context), e->now.wall,
                      &e->arena, &answer, &next);
    fs_arena_reset(&e->arena);
    json_t *told = json_pack("{s:s, s:s, s:s, s:{}}", "source", question->source, "kind", decision->kind,
                             "query", decision->query, "input");
    add_answer(told, &answer);
    fs_answer_finish(&answer);
    e->options.ports.found(e->options.ports.self, token, told, NULL);
    return true;
}

bool fs_engine_ask_source(struct fs_engine *e, const struct fs_source_question *question, uint64_t token,
                          struct fs_time now, struct fs_err *err)
{
    static const struct fs_walk_type type = {.destroy = destroy};
    int index = fs_engine_find_source(e, question->source);
    size_t length;
    unsigned source;
    e->now = now;
    if (index < 0)
        return fs_fail(err, FS_ERR_NOT_FOUND, "no source is called %.60s", question->source);
    const struct fs_source_type *kind = e->sources.items[index]->type;
    if (!kind->create)
        return ask_builtin(e, question, token, err);
    char *key = !fs_walk_fits(e, err) ? NULL
                : question->flag      ? key_of_flag(e, question, &length, err)
                                      : key_of_query(question, (unsigned)index, kind, &length, err);
    if (!key)
        return false;
    struct asking *asking = FS_NEW(struct asking);
    struct fs_asked asked = fs_question_of_key(key, length, &source);
    asked.id = ++e->next_question;
    asking->walk.type = &type;
    asking->walk.resting = true;
    asking->walk.deadline = INT64_MAX;
    asking->told = describe(question->source, &asked);
    fs_walk_start(e, &asking->walk, token);
    asking->aside = fs_ask_aside(e, source, &asked, 1, answered, asking);
    fs_free(key);
    return true;
}
