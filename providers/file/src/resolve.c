/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c: evaluations, by the service's own rules. No lock; flags without rules allocate nothing.
 */
#include "file.h"

#include <string.h>
#include <time.h>
#include <openfeature/memory.h>

#include "base/alloc.h"
#include "flagfile/flagfile.h"
#include "values.h"

/* One evaluation. */
struct ask {
    struct table *table;
    const struct item *item;
    of_type type;
    const of_flag_value *otherwise; /* the caller's default value */
    const of_context *context;
    of_resolution *resolution;
};

/* What details borrow from besides the table. */
struct hold {
    struct table *table;
    of_value *value, *metadata;
};

static void hold_free(void *held)
{
    struct hold *hold = held;
    of_value_unref(hold->value);
    of_value_unref(hold->metadata);
    table_unref(hold->table);
    of_free(hold);
}

static of_error fail(const struct ask *ask, of_error error, const char *constant)
{
    ask->resolution->error_message = constant;
    return error;
}

/* --- values ------------------------------------------------------------------------------------------ */

/* Doubles hold every integer up to here (2^53). */
static const int64_t EXACT = INT64_C(9007199254740992);

/* Puts a value as the type that is asked for; numbers convert where nothing is lost. */
static bool put(const struct piece *piece, of_type type, of_flag_value *value)
{
    if (piece->type == type || (type == OF_TYPE_OBJECT && piece->type == OF_TYPE_LIST)) {
        *value = piece->parts;
        return true;
    }
    if (type == OF_TYPE_DOUBLE && piece->type == OF_TYPE_INT) {
        value->number = (double)piece->parts.integer;
        return piece->parts.integer <= EXACT && piece->parts.integer >= -EXACT;
    }
    if (type == OF_TYPE_INT && piece->type == OF_TYPE_DOUBLE) {
        double number = piece->parts.number;
        if (!(number <= (double)EXACT && number >= -(double)EXACT)) {
            return false;
        }
        value->integer = (int64_t)number;
        return (double)value->integer - number == 0;
    }
    return false;
}

/* The value of an evaluation: one that the table has, or, for what a decision brought, NULL. */
static const struct piece *known_piece(const struct item *item, const struct fs_evaluation *evaluation)
{
    const struct fs_flag *flag = item->flag;
    for (size_t i = 0; i < flag->variant_count; i++) {
        if (evaluation->variant == flag->variants[i].name) {
            return &item->variants[i];
        }
    }
    return evaluation->value == flag->safe_value ? &item->safe : NULL;
}

/* --- answers ----------------------------------------------------------------------------------------- */

static of_error error_of(enum fs_error_code code)
{
    switch (code) {
    case FS_NO_ERROR:
        return OF_OK;
    case FS_ERROR_FLAG_NOT_FOUND:
        return OF_ERROR_FLAG_NOT_FOUND;
    case FS_ERROR_PARSE:
        return OF_ERROR_PARSE_ERROR;
    case FS_ERROR_TYPE_MISMATCH:
        return OF_ERROR_TYPE_MISMATCH;
    case FS_ERROR_TARGETING_KEY_MISSING:
        return OF_ERROR_TARGETING_KEY_MISSING;
    case FS_ERROR_INVALID_CONTEXT:
        return OF_ERROR_INVALID_CONTEXT;
    case FS_ERROR_GENERAL:
    default:
        return OF_ERROR_GENERAL;
    }
}

/* The flag's metadata, and why a safe variant stands in. Without memory: what there is. */
static of_value *metadata_with(const struct item *item, const char *detail)
{
    of_value *metadata = item->metadata == NULL ? of_value_object() : of_value_copy(item->metadata);
    if (of_value_set_string(metadata, "flagstaff.error", detail) != OF_OK) {
        of_value_unref(metadata);
        return of_value_ref(item->metadata);
    }
    return metadata;
}

/* Gives the resolution all that it borrows. Takes the value that was made for it, or NULL. Without memory,
 * false where there is such a value; else the reason why is left out. */
static bool keep(const struct ask *ask, of_value *made, const char *detail)
{
    of_resolution *resolution = ask->resolution;
    resolution->metadata = ask->item->metadata;
    struct hold *hold = made == NULL && detail == NULL ? NULL : of_alloc(sizeof *hold);
    if (hold == NULL && made != NULL) {
        of_value_unref(made);
        return false;
    }
    if (hold == NULL) {
        resolution->owner = table_ref(ask->table);
        resolution->release = table_unref;
        return true;
    }
    hold->table = table_ref(ask->table);
    hold->value = made;
    hold->metadata = detail == NULL ? NULL : metadata_with(ask->item, detail);
    if (hold->metadata != NULL) {
        resolution->metadata = hold->metadata;
    }
    resolution->owner = hold;
    resolution->release = hold_free;
    return true;
}

static of_error answer_none(const struct ask *ask, const struct fs_evaluation *evaluation)
{
    of_resolution *resolution = ask->resolution;
    resolution->value = *ask->otherwise;
    if (!resolution->brief) {
        resolution->reason = fs_reason_name(evaluation->reason);
        (void)keep(ask, NULL, NULL);
        if (evaluation->error != FS_NO_ERROR) {
            resolution->error_message = of_resolution_text(resolution, evaluation->detail);
        }
    }
    return error_of(evaluation->error);
}

static of_error answer_safe(const struct ask *ask, const char *why);

/* Only what a decision brings needs memory, and such a flag has a safe variant, which needs none. */
static of_error answer_poor(const struct ask *ask)
{
    return answer_safe(ask, "out of memory");
}

static of_error answer(const struct ask *ask, const struct fs_evaluation *evaluation)
{
    of_resolution *resolution = ask->resolution;
    if (evaluation->value == NULL) {
        return answer_none(ask, evaluation);
    }
    of_value *made = NULL;
    struct piece own;
    const struct piece *piece = known_piece(ask->item, evaluation);
    if (piece == NULL) {
        made = ofj_value(evaluation->value);
        if (made == NULL) {
            return ofj_too_deep(evaluation->value) ? answer_safe(ask, "the value is nested too deeply")
                                                   : answer_poor(ask);
        }
        own = piece_of(made);
        piece = &own;
    }
    if (!put(piece, ask->type, &resolution->value)) {
        of_value_unref(made);
        return fail(ask, OF_ERROR_TYPE_MISMATCH, "the flag is of another type");
    }
    if (resolution->brief) {
        of_value_unref(made); /* a boolean or a number, which is copied */
        return OF_OK;
    }
    resolution->variant = evaluation->variant; /* of the table's set, or one of the service's two words */
    resolution->reason = fs_reason_name(evaluation->reason);
    const char *detail = evaluation->detail[0] == '\0' ? NULL : evaluation->detail;
    return keep(ask, made, detail) ? OF_OK : answer_poor(ask);
}

/* The safe variant, as a successful resolution: an error code would bring the caller's own default, which may
 * grant. */
static of_error answer_safe(const struct ask *ask, const char *why)
{
    const struct fs_flag *flag = ask->item->flag;
    struct fs_evaluation evaluation = {.reason = FS_REASON_ERROR, .safe = true};
    if (flag->safe_variant >= 0) {
        evaluation.value = flag->variants[flag->safe_variant].value;
        evaluation.variant = flag->variants[flag->safe_variant].name;
    } else {
        evaluation.value = flag->safe_value;
        evaluation.variant = "safe";
    }
    strncpy(evaluation.detail, why, sizeof evaluation.detail - 1);
    return answer(ask, &evaluation);
}

/* --- rules ------------------------------------------------------------------------------------------- */

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Decisions by rule are made; the others have no answer, ever. */
static void decide(const struct fs_flag *flag, const struct fs_evaluation_input *input,
                   struct fs_arena *arena, struct fs_answer *answers, struct fs_standing *standings)
{
    for (size_t i = 0; i < flag->decision_count; i++) {
        const struct fs_decision *decision = &flag->decisions[i];
        int64_t next;
        if (decision->rule != NULL) {
            fs_decide_builtin(flag, decision, input->context, NULL, input->wall_ms, arena, &answers[i],
                              &next);
        } else {
            answers[i] = (struct fs_answer){.state = FS_ANSWER_NONE};
            answers[i].error =
                fs_format("the source %s is not asked by a provider that reads files", decision->source);
        }
        standings[i] = (struct fs_standing){.answer = &answers[i]};
    }
}

static of_error run(const struct ask *ask)
{
    const struct fs_flag *flag = ask->item->flag;
    struct fs_answer answers[FS_FLAG_DECISIONS] = {0};
    struct fs_standing standings[FS_FLAG_DECISIONS];
    struct fs_evaluation evaluation;
    struct fs_arena arena;
    json_t *context = json_of_context(ask->context);
    if (context == NULL) {
        static const char why[] = "the context cannot be read: out of memory";
        return flag->access ? answer_safe(ask, why) : fail(ask, OF_ERROR_INVALID_CONTEXT, why);
    }
    struct fs_evaluation_input input = {.context = context, .standings = standings, .wall_ms = wall_ms()};
    fs_arena_init(&arena);
    decide(flag, &input, &arena, answers, standings);
    fs_evaluate(flag, &input, &arena, &evaluation);
    of_error error = answer(ask, &evaluation);
    fs_evaluation_finish(&evaluation);
    for (size_t i = 0; i < flag->decision_count; i++) {
        fs_answer_finish(&answers[i]);
    }
    fs_arena_finish(&arena);
    json_decref(context);
    return error;
}

of_error file_resolve(void *self, const char *key, of_type type, const of_flag_value *otherwise,
                      const of_context *context, of_resolution *resolution)
{
    struct file *file = self;
    struct table *table = atomic_load_explicit(&file->table, memory_order_acquire);
    struct ask ask = {
        .table = table, .type = type, .otherwise = otherwise, .context = context, .resolution = resolution};
    if (table == NULL) {
        return fail(&ask, OF_ERROR_PROVIDER_NOT_READY, "no flag files have been read");
    }
    const struct fs_flag *flag = fs_flagset_find(table->set, key);
    if (flag == NULL) {
        return fail(&ask, OF_ERROR_FLAG_NOT_FOUND, "no such flag");
    }
    ask.item = &table->items[flag->index];
    if (flag->access && !flag->disabled && flag->unleased == FS_UNLEASED_SAFE) {
        return answer_safe(&ask, "values from files have no lease, and the flag says 'unleased: safe'");
    }
    return ask.item->plain ? answer(&ask, &ask.item->fixed) : run(&ask);
}
