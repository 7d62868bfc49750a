/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of overrides that are in force, by flag and by flag and subject: what an entry changes in it, and
 * which cells that concerns. A kill beats every force; of one kind the subject's beats the flag's. One that
 * has no effect on the flag as it is defined now stays, and does nothing.
 */
#include "engine_internal.h"

static const struct fs_override *in_pair(const struct fs_override_pair *pair, enum fs_override_kind kind)
{
    return pair && pair->of[kind] ? &pair->of[kind]->override : NULL;
}

static bool same_place(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* Is this place the one that is being tried? */
static bool is_tried(const struct fs_override_order *trial, const struct fs_flag *flag, const char *subject,
                     enum fs_override_kind kind)
{
    return trial && !strcmp(trial->override.flag, flag->key) &&
           same_place(trial->override.subject, subject) &&
           ((trial->release && trial->any_kind) || trial->override.kind == kind);
}

/* The override of that place and kind which has an effect. */
static const struct fs_override *effective(const struct fs_engine *e, const struct fs_flag *flag,
                                           const char *subject, enum fs_override_kind kind,
                                           const struct fs_override_pair *pair)
{
    const struct fs_override *override = in_pair(pair, kind);
    if (is_tried(e->trial, flag, subject, kind))
        override = e->trial->release ? NULL : &e->trial->override;
    bool over = override && override->expires && override->expires <= e->now.wall; /* its timer comes */
    return override && !over && !fs_override_idle(override, flag) ? override : NULL;
}

const struct fs_override *fs_override_of(const struct fs_engine *e, const struct fs_flag *flag,
                                         const char *subject)
{
    if (!e->override_count && !e->trial)
        return NULL;
    const struct fs_overridden *overridden = fs_map_gets(&e->overridden, flag->key);
    const struct fs_override_pair *own = overridden ? fs_map_gets(&overridden->subjects, subject) : NULL,
                                  *all = overridden ? &overridden->all : NULL;
    for (enum fs_override_kind kind = FS_OVERRIDE_KILL; kind < FS_OVERRIDE_KINDS; kind++) {
        const struct fs_override *found = effective(e, flag, subject, kind, own);
        if (!found)
            found = effective(e, flag, NULL, kind, all);
        if (found)
            return found;
    }
    return NULL;
}

/* --- the table ---------------------------------------------------------------------------------------- */

static struct fs_override_pair *pair_of(const struct fs_engine *e, const char *flag, const char *subject)
{
    struct fs_overridden *overridden = fs_map_gets(&e->overridden, flag);
    if (!overridden || !subject)
        return overridden ? &overridden->all : NULL;
    return fs_map_gets(&overridden->subjects, subject);
}

static struct fs_override_pair *make_pair(struct fs_engine *e, const char *flag, const char *subject)
{
    struct fs_overridden *overridden = fs_map_gets(&e->overridden, flag);
    if (!overridden) {
        overridden = FS_NEW(struct fs_overridden);
        fs_map_init(&overridden->subjects);
        fs_map_sets(&e->overridden, flag, overridden);
    }
    struct fs_override_pair *pair = subject ? fs_map_gets(&overridden->subjects, subject) : &overridden->all;
    if (!pair) {
        pair = FS_NEW(struct fs_override_pair);
        fs_map_sets(&overridden->subjects, subject, pair);
    }
    return pair;
}

static bool is_empty(const struct fs_override_pair *pair)
{
    return !pair->of[FS_OVERRIDE_KILL] && !pair->of[FS_OVERRIDE_FORCE];
}

static void drop_empty(struct fs_engine *e, const char *flag, const char *subject)
{
    struct fs_overridden *overridden = fs_map_gets(&e->overridden, flag);
    struct fs_override_pair *pair = pair_of(e, flag, subject);
    if (subject && pair && is_empty(pair))
        fs_free(fs_map_removes(&overridden->subjects, subject));
    if (overridden && !overridden->subjects.count && is_empty(&overridden->all)) {
        fs_map_finish(&overridden->subjects, NULL);
        fs_free(fs_map_removes(&e->overridden, flag));
    }
}

static void destroy(struct fs_engine *e, struct fs_standing_override *standing)
{
    struct fs_override_order order = {.override = standing->override};
    fs_alarm_cancel(e, &standing->expiry);
    fs_override_order_finish(&order);
    fs_free(standing);
    e->override_count--;
}

static void take_out(struct fs_engine *e, const char *flag, const char *subject, enum fs_override_kind kind)
{
    struct fs_override_pair *pair = pair_of(e, flag, subject);
    if (!pair || !pair->of[kind])
        return;
    destroy(e, pair->of[kind]);
    pair->of[kind] = NULL;
    drop_empty(e, flag, subject);
}

static void arm(struct fs_engine *e, struct fs_standing_override *standing)
{
    if (standing->override.expires)
        fs_alarm_set(e, &standing->expiry, FS_DUE_OVERRIDE, fs_mono_of_wall(e, standing->override.expires));
}

/* Takes what the order holds. */
static void put_in(struct fs_engine *e, struct fs_override_order *order)
{
    const struct fs_override *o = &order->override;
    take_out(e, o->flag, o->subject, o->kind);
    if (o->expires && o->expires <= e->now.wall) {
        fs_override_order_finish(order);
        return;
    }
    struct fs_standing_override *standing = FS_NEW(struct fs_standing_override);
    struct fs_override_pair *pair = make_pair(e, o->flag, o->subject);
    standing->override = *o;
    pair->of[o->kind] = standing;
    e->override_count++;
    arm(e, standing);
    memset(order, 0, sizeof *order);
}

static void carry_out(struct fs_engine *e, struct fs_override_order *order)
{
    const struct fs_override *o = &order->override;
    e->override_changes++;
    if (!order->release) {
        put_in(e, order);
        return;
    }
    for (enum fs_override_kind kind = FS_OVERRIDE_KILL; kind < FS_OVERRIDE_KINDS; kind++)
        if (order->any_kind || o->kind == kind)
            take_out(e, o->flag, o->subject, kind);
    fs_override_order_finish(order);
}

void fs_overrides_finish(struct fs_engine *e)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&e->overridden, &it);) {
        struct fs_overridden *overridden = it.value;
        for (size_t kind = 0; kind < FS_OVERRIDE_KINDS; kind++) {
            if (overridden->all.of[kind])
                destroy(e, overridden->all.of[kind]);
            for (struct fs_map_iter own = {0}; fs_map_next(&overridden->subjects, &own);)
                if (((struct fs_override_pair *)own.value)->of[kind])
                    destroy(e, ((struct fs_override_pair *)own.value)->of[kind]);
        }
        fs_map_finish(&overridden->subjects, fs_free);
    }
    fs_map_finish(&e->overridden, fs_free);
}

/* --- what it concerns --------------------------------------------------------------------------------- */

void fs_override_contexts(struct fs_engine *e, const char *subject,
                          bool (*each)(void *self, struct fs_context *context), void *self)
{
    const struct fs_subject *owner = subject ? fs_map_gets(&e->subjects, subject) : NULL;
    for (const struct fs_list *node = owner ? owner->contexts.next : NULL; node && node != &owner->contexts;
         node = node->next)
        if (!each(self, FS_CONTAINER(node, struct fs_context, by_subject)))
            return;
    for (struct fs_map_iter it = {0}; !subject && fs_map_next(&e->contexts, &it);)
        if (!each(self, it.value))
            return;
}

struct concerned {
    struct fs_engine *e;
    const struct fs_flag *flag;
    uint64_t entry;
    int64_t time;
    struct fs_receipt *receipt; /* NULL: its time was over */
};

static bool concern(void *self, struct fs_context *context)
{
    const struct concerned *concerned = self;
    uint32_t flag = (uint32_t)concerned->flag->index;
    if (!context->cells[flag].wanted)
        return true;
    if (concerned->receipt)
        fs_receipt_cell(concerned->e, concerned->receipt, context, flag);
    fs_cell_note(concerned->e, context, flag, FS_CAUSE_OVERRIDE, concerned->entry, concerned->time);
    fs_cell_mark(concerned->e, context, flag);
    return true;
}

void fs_apply_override(struct fs_engine *e, const struct fs_entry *entry)
{
    struct fs_override_order order;
    if (!fs_override_read(entry->body, entry->length, entry->number, entry->time, &order))
        return;
    const char *flag = order.override.flag;
    struct concerned concerned = {.e = e,
                                  .flag = e->set ? fs_flagset_find(e->set, flag) : NULL,
                                  .entry = entry->number,
                                  .time = entry->time};
    char *subject = fs_strdup(order.override.subject);
    fs_words_note(e, entry->number, fs_entry_words(entry->kind, entry->body, entry->length));
    concerned.receipt =
        fs_receipt_open(e, entry->number, entry->time, entry->received, order.override.author);
    carry_out(e, &order);
    if (concerned.flag)
        fs_override_contexts(e, subject, concern, &concerned);
    fs_free(subject);
}

void fs_override_replay(struct fs_engine *e, const struct fs_entry *entry)
{
    struct fs_override_order order;
    if (fs_override_read(entry->body, entry->length, entry->number, entry->time, &order))
        carry_out(e, &order);
}

void fs_override_due(struct fs_engine *e, struct fs_standing_override *standing)
{
    const struct fs_override *o = &standing->override;
    if (o->expires > e->now.wall) { /* the wall clock was set back meanwhile */
        arm(e, standing);
        return;
    }
    struct concerned concerned = {
        .e = e, .flag = fs_flagset_find(e->set, o->flag), .entry = o->entry, .time = o->expires};
    char *flag = fs_strdup(o->flag), *subject = fs_strdup(o->subject);
    const char *author = o->author_name ? o->author_name : o->author;
    fs_words_note(e, o->entry,
                  fs_format("the %s of operator %.*s has ended", fs_override_kind_name(o->kind),
                            (int)fs_utf8_cut(author, strlen(author), 80), author));
    e->override_changes++;
    take_out(e, flag, subject, o->kind);
    if (concerned.flag)
        fs_override_contexts(e, subject, concern, &concerned);
    fs_free(flag);
    fs_free(subject);
}

static void arm_pair(struct fs_engine *e, const struct fs_override_pair *pair)
{
    for (size_t kind = 0; kind < FS_OVERRIDE_KINDS; kind++)
        if (pair->of[kind])
            arm(e, pair->of[kind]);
}

void fs_overrides_arm_anew(struct fs_engine *e)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&e->overridden, &it);) {
        const struct fs_overridden *overridden = it.value;
        arm_pair(e, &overridden->all);
        for (struct fs_map_iter own = {0}; fs_map_next(&overridden->subjects, &own);)
            arm_pair(e, own.value);
    }
}
