/* SPDX-License-Identifier: Apache-2.0 */
/* What a mapping makes of one event. A rule that gives nothing usable refuses the event, it never widens it.
 */
#include <string.h>
#include "base/alloc.h"
#include "core/json.h"
#include "events_internal.h"

#define VALUE_MAX (16 * 1024)
#define TEXT_MAX  2048
#define ITEMS_MAX 1000

struct applying {
    struct fs_scope scope;
    struct fs_arena *arena;
    struct fs_event *event;
    struct fs_err *err;
};

/* A new reference; NULL with the error. */
static json_t *run(const struct applying *applying, const struct fs_rule *rule)
{
    const char *why = NULL;
    json_t *result = fs_rule_run_json(rule, &applying->scope, applying->arena, &why);
    if (!result)
        fs_fail(applying->err, FS_ERR_INVALID, "the rule failed on this event: %s",
                why ? why : "it gave nothing");
    return result;
}

static bool add_text(const struct applying *applying, const json_t *value, struct fs_texts *texts)
{
    size_t length = json_string_length(value);
    if (!json_is_string(value) || !length)
        return fs_fail(applying->err, FS_ERR_INVALID,
                       "the rule gave no text for this event (is the event's data complete?)");
    if (length > TEXT_MAX || texts->all.count >= ITEMS_MAX)
        return fs_fail(applying->err, FS_ERR_TOO_LARGE,
                       "the rule gave more than %d texts, or one of more than %d bytes", ITEMS_MAX, TEXT_MAX);
    fs_texts_add(texts, json_string_value(value), length);
    return true;
}

static bool apply_filter(const struct applying *applying, const struct fs_rule *rule, char ***out)
{
    struct fs_texts texts = {0};
    json_t *result = run(applying, rule);
    bool fine = result != NULL;
    if (fine && !json_is_array(result))
        fine = add_text(applying, result, &texts);
    for (size_t i = 0; fine && i < json_array_size(result); i++)
        fine = add_text(applying, json_array_get(result, i), &texts);
    if (fine && !texts.all.count) /* an empty list would mean: any */
        fine = fs_fail(applying->err, FS_ERR_INVALID, "the rule gave an empty list for this event");
    if (fine)
        *out = fs_texts_take(&texts);
    fs_texts_finish(&texts);
    json_decref(result);
    return fine;
}

static bool apply_fact(const struct applying *applying, const struct fs_mapped_fact *fact, int64_t since)
{
    json_t *subject = run(applying, fact->subject), *value = NULL;
    bool fine = false;
    if (!subject)
        return fs_fail_in(applying->err, "subject");
    if (!json_is_string(subject)) {
        fs_fail(applying->err, FS_ERR_INVALID,
                "subject: the rule gave no text for this event (is the event's data complete?)");
        goto out;
    }
    if (!fs_subject_check(json_string_value(subject), json_string_length(subject), TEXT_MAX, applying->err))
        goto out;
    if (fact->value) {
        value = run(applying, fact->value);
        char *text = value ? fs_json_canonical_text(value, VALUE_MAX, NULL) : NULL;
        fs_free(text);
        if (!text) {
            if (value)
                fs_fail(applying->err, FS_ERR_TOO_LARGE, "a fact's value has at most %d bytes", VALUE_MAX);
            fs_fail_in(applying->err, "value");
            goto out;
        }
    }
    bool removed = !value || json_is_null(value);
    fs_event_add_fact(applying->event, json_string_value(subject), fact->fact,
                      removed ? NULL : json_deep_copy(value), removed || !fact->ttl ? 0 : since + fact->ttl);
    fine = true;
out:
    json_decref(subject);
    json_decref(value);
    return fine;
}

static bool apply_all(const struct applying *applying, const struct fs_mapping *mapping, int64_t since)
{
    applying->event->recompute = mapping->recompute;
    for (enum fs_filter_kind kind = 0; kind < FS_FILTER_KINDS; kind++)
        if (mapping->filter[kind] &&
            !apply_filter(applying, mapping->filter[kind], fs_filter_list(&applying->event->filter, kind)))
            return fs_fail_in(applying->err, "recompute.%s", fs_filter_names[kind]);
    for (size_t i = 0; i < mapping->facts.count; i++)
        if (!apply_fact(applying, &mapping->facts.items[i], since))
            return fs_fail_in(applying->err, "facts[%zu]", i);
    return fs_event_facts_differ(applying->event, applying->err);
}

bool fs_mapping_apply(const struct fs_mapping *mapping, const json_t *variables, int64_t since,
                      struct fs_event *event, struct fs_err *err)
{
    struct fs_arena arena;
    fs_arena_init(&arena);
    struct applying applying = {
        .scope = {.context = variables, .wall_ms = since}, .arena = &arena, .event = event, .err = err};
    bool fine = apply_all(&applying, mapping, since) || fs_fail_in(err, "mapping %s", mapping->type);
    fs_arena_finish(&arena);
    return fine;
}
