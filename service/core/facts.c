/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts: what the service knows about a subject that its contexts do not say. Of one fact the newest `time`
 * wins, so the order of delivery does not matter; a removal is remembered like a value, or an old event could
 * bring it back.
 */
#include "engine_internal.h"

struct fs_subject *fs_subject_intern(struct fs_engine *e, const char *key)
{
    struct fs_subject *subject = fs_map_gets(&e->subjects, key);
    if (!subject) {
        subject = FS_NEW(struct fs_subject);
        subject->key = fs_strdup(key);
        fs_list_init(&subject->contexts);
        fs_map_init(&subject->facts);
        fs_map_sets(&e->subjects, subject->key, subject);
    }
    return subject;
}

static void fact_destroy(struct fs_engine *e, struct fs_fact *fact)
{
    fs_alarm_cancel(e, &fact->expiry);
    json_decref(fact->value);
    fs_free(fact->name);
    fs_free(fact->credential);
    fs_free(fact);
}

void fs_subject_destroy(struct fs_engine *e, struct fs_subject *subject)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&subject->facts, &it);)
        fact_destroy(e, it.value);
    fs_map_finish(&subject->facts, NULL);
    json_decref(subject->facts_json);
    fs_free(subject->key);
    fs_free(subject);
}

void fs_subject_release(struct fs_engine *e, struct fs_subject *subject)
{
    if (!fs_list_empty(&subject->contexts) || subject->facts.count)
        return;
    fs_map_removes(&e->subjects, subject->key);
    fs_subject_destroy(e, subject);
}

/* The flags of this subject's contexts that read the fact are to be evaluated, and asked with another input
 * perhaps. */
static void mark_readers(struct fs_engine *e, struct fs_subject *subject, const char *name,
                         enum fs_cause_kind kind, uint64_t entry, int64_t time)
{
    if (!e->set)
        return;
    FS_LIST_EACH(&subject->contexts, node)
    {
        struct fs_context *context = FS_CONTAINER(node, struct fs_context, by_subject);
        for (size_t i = 0; i < e->set->count; i++) {
            const struct fs_flag *flag = e->set->flags[i];
            for (size_t f = 0; f < flag->fact_count; f++) {
                if (strcmp(flag->facts[f], name) && strcmp(flag->facts[f], "*"))
                    continue;
                context->cells[i].rebind = true;
                fs_cell_note(e, context, (uint32_t)i, kind, entry, time);
                fs_cell_mark(e, context, (uint32_t)i);
                break;
            }
        }
    }
}

static void set_in_force(struct fs_subject *subject, const char *name, json_t *value)
{
    if (!subject->facts_json)
        subject->facts_json = json_object();
    if (value)
        json_object_set(subject->facts_json, name, value);
    else
        json_object_del(subject->facts_json, name);
}

/* That it is gone is a value too, for as long as an older event could still come in: also after a restart. */
static void remember(struct fs_engine *e, struct fs_fact *fact)
{
    int64_t until = fs_mono_of_wall(e, fact->time + e->options.remember);
    fs_alarm_set(e, &fact->expiry, FS_DUE_FACT, until > e->now.mono ? until : e->now.mono);
}

/* Until when a subject was erased before that entry came; INT64_MIN: it was not. */
static int64_t erased_until(const struct fs_engine *e, const char *subject, uint64_t entry)
{
    char name[65];
    if (!e->erasures.count)
        return INT64_MIN;
    fs_entry_text_name(e->options.context_rules.secret, subject, strlen(subject), name);
    const struct fs_erasure *erasure = fs_map_gets(&e->erasures, name);
    return erasure && erasure->entry < entry ? erasure->time : INT64_MIN;
}

void fs_erasure_apply(struct fs_engine *e, const char *name, int64_t time, uint64_t entry)
{
    struct fs_erasure *erasure = fs_map_gets(&e->erasures, name);
    if (!erasure) {
        erasure = FS_NEW(struct fs_erasure);
        erasure->time = INT64_MIN;
        fs_map_sets(&e->erasures, name, erasure);
    }
    erasure->time = time > erasure->time ? time : erasure->time;
    erasure->entry = entry > erasure->entry ? entry : erasure->entry;
}

int64_t fs_engine_subject_told(const struct fs_engine *e, const char *key)
{
    const struct fs_subject *subject = fs_map_gets(&e->subjects, key);
    int64_t newest = 0;
    for (struct fs_map_iter it = {0}; subject && fs_map_next(&subject->facts, &it);) {
        const struct fs_fact *fact = it.value;
        newest = fact->time > newest ? fact->time : newest;
    }
    return newest;
}

bool fs_fact_counts(const struct fs_engine *e, const struct fs_fact_change *change,
                    const struct fs_fact_origin *origin, int64_t *time)
{
    int64_t erased = erased_until(e, change->subject, origin->entry);
    const struct fs_subject *subject = fs_map_gets(&e->subjects, change->subject);
    const struct fs_fact *fact = subject ? fs_map_gets(&subject->facts, change->fact) : NULL;
    int64_t known = fact && fact->time > erased ? fact->time : erased;
    *time = fs_event_fact_time(origin->stated, origin->accepted, known);
    /* Of the same moment, the later entry: what a base state tells may be newer than entries that follow. */
    bool newer = fact && (fact->time > *time || (fact->time == *time && fact->entry > origin->entry));
    return erased <= *time && !newer;
}

bool fs_fact_apply(struct fs_engine *e, const struct fs_fact_change *change,
                   const struct fs_fact_origin *origin)
{
    int64_t time;
    if (!fs_fact_counts(e, change, origin, &time))
        return false;
    struct fs_subject *subject = fs_subject_intern(e, change->subject);
    struct fs_fact *fact = fs_map_gets(&subject->facts, change->fact);
    if (!fact) {
        fact = FS_NEW(struct fs_fact);
        fact->name = fs_strdup(change->fact);
        fact->subject = subject;
        fs_map_sets(&subject->facts, change->fact, fact);
        e->counts.facts++;
    }
    bool expired = change->expires && change->expires <= e->now.wall;
    json_t *value = expired ? NULL : change->value;
    json_t *before = json_object_get(subject->facts_json, change->fact);
    bool differs = (before == NULL) != (value == NULL) || (value && !fs_json_equal(before, value));
    json_decref(fact->value);
    fact->value = json_incref(value);
    fact->time = time;
    fact->expires = change->expires;
    fact->entry = origin->entry;
    fs_free(fact->credential);
    fact->credential = fs_strdup(origin->credential);
    fs_alarm_cancel(e, &fact->expiry);
    if (value && change->expires)
        fs_alarm_set(e, &fact->expiry, FS_DUE_FACT, fs_mono_of_wall(e, change->expires));
    else if (!value)
        remember(e, fact);
    set_in_force(subject, change->fact, value);
    if (differs)
        mark_readers(e, subject, change->fact, FS_CAUSE_EVENT, origin->entry,
                     origin->stated ? origin->stated : origin->accepted);
    return true;
}

bool fs_fact_stands(const struct fs_engine *e, const struct fs_fact_change *change, uint64_t entry)
{
    const struct fs_subject *subject = fs_map_gets(&e->subjects, change->subject);
    const struct fs_fact *fact = subject ? fs_map_gets(&subject->facts, change->fact) : NULL;
    bool over = change->expires && change->expires <= e->now.wall;
    return fact ? fact->entry == entry : !change->value || over;
}

json_t *fs_engine_show_facts(const struct fs_engine *e, const char *key)
{
    json_t *list = json_array();
    const struct fs_subject *subject = fs_map_gets(&e->subjects, key);
    for (struct fs_map_iter it = {0}; subject && fs_map_next(&subject->facts, &it);) {
        const struct fs_fact *fact = it.value;
        if (!fact->value)
            continue;
        json_t *one = json_pack("{s:s, s:O, s:I, s:s*}", "fact", fact->name, "value", fact->value, "entry",
                                (json_int_t)fact->entry, "credential", fact->credential);
        fs_describe_time(one, "time", fact->time);
        if (fact->expires)
            fs_describe_time(one, "expires", fact->expires);
        json_array_append_new(list, one);
    }
    return list;
}

size_t fs_engine_subject_contexts(const struct fs_engine *e, const char *key)
{
    const struct fs_subject *subject = fs_map_gets(&e->subjects, key);
    size_t count = 0;
    for (const struct fs_list *node = subject ? subject->contexts.next : NULL;
         node && node != &subject->contexts; node = node->next)
        count++;
    return count;
}

void fs_fact_due(struct fs_engine *e, struct fs_alarm *alarm)
{
    struct fs_fact *fact = FS_CONTAINER(alarm, struct fs_fact, expiry);
    if (!fact->value) { /* older events are refused by now */
        struct fs_subject *subject = fact->subject;
        fs_map_removes(&subject->facts, fact->name);
        fact_destroy(e, fact);
        e->counts.facts--;
        fs_subject_release(e, subject);
        return;
    }
    if (fact->expires > e->now.wall) { /* the wall clock was set back meanwhile */
        fs_alarm_set(e, alarm, FS_DUE_FACT, fs_mono_of_wall(e, fact->expires));
        return;
    }
    json_decref(fact->value);
    fact->value = NULL;
    remember(e, fact);
    set_in_force(fact->subject, fact->name, NULL);
    mark_readers(e, fact->subject, fact->name, FS_CAUSE_TIMER, fact->entry, e->now.wall);
}

void fs_facts_arm_anew(struct fs_engine *e)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&e->subjects, &it);) {
        const struct fs_subject *subject = it.value;
        for (struct fs_map_iter facts = {0}; fs_map_next(&subject->facts, &facts);) {
            struct fs_fact *fact = facts.value;
            if (fact->value && fact->expires)
                fs_alarm_set(e, &fact->expiry, FS_DUE_FACT, fs_mono_of_wall(e, fact->expires));
        }
    }
}
