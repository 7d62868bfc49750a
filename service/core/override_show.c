/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of overrides: those that stand, what one would change, and who has which variant. */
#include <stdlib.h>
#include "engine_internal.h"

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
    struct fs_engine *e;
    const struct fs_flag *flag;
    json_t *changes;
    size_t limit, contexts, subjects, more;
    struct fs_map clients; /* id of a connection (8 bytes) -> itself */
    struct fs_map named;   /* subjects -> themselves; borrows them */
};

static json_t *tell(const struct fs_evaluation *value)
{
    json_t *one = json_pack("{s:s*}", "variant", value->variant);
    json_object_set_new(one, "value", value->value ? fs_json_share(value->value) : json_null());
    return one;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool same_value(const struct fs_evaluation *a, const struct fs_evaluation *b)
{
    return same_text(a->variant, b->variant) && fs_json_equal(a->value, b->value);
}

static void count_clients(struct trying *trying, const struct fs_context *context)
{
    FS_LIST_EACH(&context->views, node)
    {
        const struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        if (!fs_bit(view->flags, trying->flag->index))
            continue;
        FS_LIST_EACH(&view->watches, member)
        {
            struct fs_connection *connection = FS_CONTAINER(member, struct fs_watch, in_view)->connection;
            if (connection->open)
                fs_map_set(&trying->clients, &connection->id, sizeof connection->id, connection);
        }
    }
}

static bool try_context(void *self, struct fs_context *context)
{
    struct trying *trying = self;
    const struct fs_cell *cell = &context->cells[trying->flag->index];
    struct fs_evaluation value;
    if (!cell->known)
        return true;
    fs_cell_look(trying->e, context, (uint32_t)trying->flag->index, &value);
    if (!same_value(&cell->value, &value)) {
        trying->contexts++;
        fs_map_sets(&trying->named, context->subject, context);
        count_clients(trying, context);
        if (json_array_size(trying->changes) < trying->limit)
            json_array_append_new(trying->changes,
                                  json_pack("{s:s, s:s, s:s, s:o, s:o}", "flag", trying->flag->key, "subject",
                                            context->subject, "contextHash", context->hash, "from",
                                            tell(&cell->value), "to", tell(&value)));
        else
            trying->more++;
    }
    fs_evaluation_finish(&value);
    return true;
}

json_t *fs_engine_try_override(struct fs_engine *e, const struct fs_override_order *order, size_t limit,
                               struct fs_time now)
{
    e->now = now;
    struct trying trying = {.e = e,
                            .flag = e->set ? fs_flagset_find(e->set, order->override.flag) : NULL,
                            .changes = json_array(),
                            .limit = limit};
    fs_map_init(&trying.clients);
    fs_map_init_borrowing(&trying.named);
    e->trial = order;
    if (trying.flag)
        fs_override_contexts(e, order->override.subject, try_context, &trying);
    e->trial = NULL;
    json_t *root = json_pack("{s:I, s:I, s:I, s:o, s:I}", "contexts", (json_int_t)trying.contexts, "subjects",
                             (json_int_t)trying.named.count, "clients", (json_int_t)trying.clients.count,
                             "changes", trying.changes, "more", (json_int_t)trying.more);
    fs_map_finish(&trying.clients, NULL);
    fs_map_finish(&trying.named, NULL);
    return root;
}

/* --- who has which variant ---------------------------------------------------------------------------- */

static int by_hash(const void *a, const void *b)
{
    const struct fs_context *const *one = a, *const *other = b;
    return strcmp((*one)->hash, (*other)->hash);
}

/* The first `limit` contexts by their hashes, and one more where there are: the rest is not sorted, since
 * there may be very many. */
struct holders {
    FS_VEC(const struct fs_context *) first;
    size_t limit;
    bool full; /* the last one is the bound */
};

static void cut(struct holders *holders)
{
    if (holders->first.count)
        qsort(holders->first.items, holders->first.count, sizeof *holders->first.items, by_hash);
    holders->full = holders->first.count > holders->limit;
    if (holders->full)
        holders->first.count = holders->limit + 1;
}

static void hold(struct holders *holders, const struct fs_context *context)
{
    if (holders->full && by_hash(&context, &holders->first.items[holders->limit]) > 0)
        return;
    fs_vec_push(&holders->first, context);
    if (holders->first.count > 2 * holders->limit + 1024)
        cut(holders);
}

static void count_variant(json_t *variants, const char *name)
{
    json_t *count = json_object_get(variants, name);
    if (count)
        json_integer_set(count, json_integer_value(count) + 1);
    else
        json_object_set_new(variants, name, json_integer(1));
}

static json_t *show_holder(const struct fs_context *context, const struct fs_cell *cell)
{
    json_t *one = tell(&cell->value);
    json_object_set_new(one, "subject", json_string(context->subject));
    json_object_set_new(one, "contextHash", json_string(context->hash));
    json_object_set_new(one, "reason", json_string(fs_reason_name(cell->value.reason)));
    if (cell->value.override)
        json_object_set_new(one, "override", json_string(cell->value.override));
    json_object_set_new(one, "watched", json_boolean(context->watches > 0));
    fs_describe_time(one, "since", cell->changed);
    return one;
}

json_t *fs_engine_show_who(const struct fs_engine *e, const char *key, const char *variant, const char *after,
                           size_t limit)
{
    const struct fs_flag *flag = e->set ? fs_flagset_find(e->set, key) : NULL;
    struct holders holders = {.limit = limit};
    if (!flag)
        return NULL;
    json_t *variants = json_object(), *list = json_array();
    for (struct fs_map_iter it = {0}; fs_map_next(&e->contexts, &it);) {
        const struct fs_context *context = it.value;
        const struct fs_cell *cell = &context->cells[flag->index];
        if (!cell->known)
            continue;
        const char *name = cell->value.variant ? cell->value.variant : "";
        count_variant(variants, name);
        if ((!variant || !strcmp(variant, name)) && (!after || strcmp(context->hash, after) > 0))
            hold(&holders, context);
    }
    cut(&holders);
    size_t count = holders.full ? limit : holders.first.count;
    for (size_t i = 0; i < count; i++) {
        const struct fs_context *context = holders.first.items[i];
        json_array_append_new(list, show_holder(context, &context->cells[flag->index]));
    }
    json_t *root = json_pack("{s:s, s:o, s:o}", "flag", key, "variants", variants, "contexts", list);
    if (holders.full)
        json_object_set_new(root, "next", json_string(holders.first.items[limit - 1]->hash));
    fs_vec_finish(&holders.first);
    return root;
}
