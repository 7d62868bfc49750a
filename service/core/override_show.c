/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of overrides: those that stand, and what one would change. */
#include <stdlib.h>
#include "trial_internal.h"

/* --- the list ----------------------------------------------------------------------------------------- */

static json_t *show(const struct fs_engine *e, const struct fs_override *o)
{
    const struct fs_flag *flag = e->set ? fs_flagset_find(e->set, o->flag) : NULL;
    const char *idle = fs_override_idle(o, flag);
    json_t *one = fs_override_describe(o);
    if (idle)
        json_object_set_new(one, "idle", json_string(idle));
    return one;
}

/* Calls `each` for all that stand, until it returns false. */
static void walk(const struct fs_engine *e, bool (*each)(void *self, const struct fs_override *override),
                 void *self)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&e->overridden, &it);) {
        const struct fs_overridden *overridden = it.value;
        for (size_t kind = 0; kind < FS_OVERRIDE_KINDS; kind++) {
            const struct fs_standing_override *all = overridden->all.of[kind];
            if (all && !each(self, &all->override))
                return;
            for (struct fs_map_iter own = {0}; fs_map_next(&overridden->subjects, &own);) {
                const struct fs_standing_override *one = ((struct fs_override_pair *)own.value)->of[kind];
                if (one && !each(self, &one->override))
                    return;
            }
        }
    }
}

struct search {
    const struct fs_engine *e;
    FS_VEC(const struct fs_override *) found;
    uint64_t entry;      /* 0: any */
    const char *subject; /* NULL: any */
};

static bool collect(void *self, const struct fs_override *override)
{
    struct search *search = self;
    bool fits = (!search->entry || override->entry == search->entry) &&
                (!search->subject || (override->subject && !strcmp(override->subject, search->subject)));
    if (fits)
        fs_vec_push(&search->found, override);
    return true;
}

static int by_entry(const void *a, const void *b)
{
    const struct fs_override *const *one = a, *const *other = b;
    return (*one)->entry < (*other)->entry ? -1 : (*one)->entry > (*other)->entry;
}

json_t *fs_engine_show_overrides(const struct fs_engine *e)
{
    struct search search = {.e = e};
    json_t *list = json_array();
    walk(e, collect, &search);
    if (search.found.count)
        qsort(search.found.items, search.found.count, sizeof *search.found.items, by_entry);
    for (size_t i = 0; i < search.found.count; i++)
        json_array_append_new(list, show(e, search.found.items[i]));
    fs_vec_finish(&search.found);
    return list;
}

json_t *fs_engine_show_override(const struct fs_engine *e, uint64_t entry)
{
    struct search search = {.e = e, .entry = entry};
    walk(e, collect, &search);
    json_t *one = search.found.count ? show(e, search.found.items[0]) : NULL;
    fs_vec_finish(&search.found);
    return one;
}

size_t fs_engine_subject_overrides(const struct fs_engine *e, const char *subject)
{
    struct search search = {.e = e, .subject = subject};
    walk(e, collect, &search);
    size_t count = search.found.count;
    fs_vec_finish(&search.found);
    return count;
}

uint64_t fs_engine_override_changes(const struct fs_engine *e)
{
    return e->override_changes;
}

static bool stands(const struct fs_engine *e, const struct fs_override_order *order)
{
    const struct fs_override *o = &order->override;
    const struct fs_overridden *overridden = fs_map_gets(&e->overridden, o->flag);
    const struct fs_override_pair *pair = !overridden  ? NULL
                                          : o->subject ? fs_map_gets(&overridden->subjects, o->subject)
                                                       : &overridden->all;
    for (enum fs_override_kind kind = FS_OVERRIDE_KILL; pair && kind < FS_OVERRIDE_KINDS; kind++)
        if (pair->of[kind] && (order->any_kind || kind == o->kind))
            return true;
    return false;
}

bool fs_engine_override_fits(const struct fs_engine *e, const struct fs_override_order *order,
                             struct fs_err *err)
{
    const struct fs_override *o = &order->override;
    if (order->release)
        return stands(e, order) ||
               fs_fail(err, FS_ERR_NOT_FOUND, "there is no override of %.100s%s%.100s to release", o->flag,
                       o->subject ? " for " : "", o->subject ? o->subject : "");
    bool always = o->kind == FS_OVERRIDE_KILL && !o->subject;
    return always || e->override_count < FS_OVERRIDES || stands(e, order) ||
           fs_fail(err, FS_ERR_LIMIT, "%d overrides stand: release some first", FS_OVERRIDES);
}

/* --- what one would change ---------------------------------------------------------------------------- */

struct trying {
    struct fs_walk walk;
    const struct fs_flag *flag;
    struct fs_override_order order;
    struct fs_radius radius;
};

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool same_value(const struct fs_evaluation *a, const struct fs_evaluation *b)
{
    return same_text(a->variant, b->variant) && fs_json_equal(a->value, b->value);
}

static size_t try_context(struct fs_engine *e, struct fs_walk *walk, struct fs_context *context)
{
    struct trying *trying = (struct trying *)(void *)walk;
    const struct fs_cell *cell = &context->cells[trying->flag->index];
    struct fs_evaluation value;
    if (!cell->known)
        return 1;
    e->trial = &trying->order;
    fs_cell_look(e, context, (uint32_t)trying->flag->index, &value);
    e->trial = NULL;
    if (!same_value(&cell->value, &value))
        fs_radius_add(&trying->radius, context, trying->flag, &value);
    fs_evaluation_finish(&value);
    return 1 + FS_WALK_EVALUATION;
}

static void tell_tried(struct fs_engine *e, struct fs_walk *walk)
{
    struct trying *trying = (struct trying *)(void *)walk;
    fs_walk_tell(e, walk, fs_radius_tell(&trying->radius), NULL);
}

static void destroy_trying(struct fs_engine *e, struct fs_walk *walk)
{
    (void)e;
    struct trying *trying = (struct trying *)(void *)walk;
    fs_override_order_finish(&trying->order);
    fs_radius_finish(&trying->radius);
    fs_free(trying);
}

bool fs_engine_try_override(struct fs_engine *e, struct fs_override_order *order, size_t limit,
                            uint64_t token, struct fs_time now, struct fs_err *err)
{
    static const struct fs_walk_type type = {
        .visit = try_context, .ended = tell_tried, .destroy = destroy_trying};
    const struct fs_flag *flag = e->set ? fs_flagset_find(e->set, order->override.flag) : NULL;
    const char *subjects[] = {order->override.subject, NULL}, *const nobody[] = {NULL};
    e->now = now;
    if (!fs_walk_fits(e, err))
        return false;
    struct trying *trying = FS_NEW(struct trying);
    trying->walk.type = &type;
    trying->walk.deadline = INT64_MAX;
    trying->flag = flag;
    fs_radius_init(&trying->radius, limit);
    fs_walk_begin(e, &trying->walk, !flag ? nobody : order->override.subject ? subjects : NULL);
    trying->order = *order;
    memset(order, 0, sizeof *order);
    fs_walk_start(e, &trying->walk, token);
    return true;
}
