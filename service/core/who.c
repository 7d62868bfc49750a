/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which variant of a flag: all contexts are counted, a page of them is named. */
#include <stdlib.h>
#include "trial_internal.h"

struct hash {
    char text[65];
};

/* The first `limit` contexts by their hashes, and one more where there are: the rest is not sorted, since
 * there may be very many. */
struct who {
    struct fs_walk walk;
    const struct fs_flag *flag;
    char *variant, *after; /* NULL: any; from the first on */
    json_t *variants;
    FS_VEC(struct hash) first;
    size_t limit;
    bool full; /* the last one is the bound */
};

static int by_hash(const void *a, const void *b)
{
    return strcmp(((const struct hash *)a)->text, ((const struct hash *)b)->text);
}

static void cut(struct who *who)
{
    if (who->first.count)
        qsort(who->first.items, who->first.count, sizeof *who->first.items, by_hash);
    who->full = who->first.count > who->limit;
    if (who->full)
        who->first.count = who->limit + 1;
}

static void hold(struct who *who, const struct fs_context *context)
{
    struct hash hash;
    memcpy(hash.text, context->hash, sizeof hash.text);
    if (who->full && by_hash(&hash, &who->first.items[who->limit]) > 0)
        return;
    fs_vec_push(&who->first, hash);
    if (who->first.count > 2 * who->limit + 1024)
        cut(who);
}

static void count_variant(json_t *variants, const char *name)
{
    json_t *count = json_object_get(variants, name);
    if (count)
        json_integer_set(count, json_integer_value(count) + 1);
    else
        json_object_set_new(variants, name, json_integer(1));
}

static const char *variant_of(const struct fs_cell *cell)
{
    return cell->value.variant ? cell->value.variant : "";
}

static size_t count_context(struct fs_engine *e, struct fs_walk *walk, struct fs_context *context)
{
    (void)e;
    struct who *who = (struct who *)(void *)walk;
    const struct fs_cell *cell = &context->cells[who->flag->index];
    if (!cell->known)
        return 1;
    count_variant(who->variants, variant_of(cell));
    if ((!who->variant || !strcmp(who->variant, variant_of(cell))) &&
        (!who->after || strcmp(context->hash, who->after) > 0))
        hold(who, context);
    return 2;
}

static json_t *show_holder(const struct fs_context *context, const struct fs_cell *cell)
{
    json_t *one = fs_radius_value(&cell->value);
    json_object_set_new(one, "subject", json_string(context->subject));
    json_object_set_new(one, "contextHash", json_string(context->hash));
    if (cell->value.override)
        json_object_set_new(one, "override", json_string(cell->value.override));
    json_object_set_new(one, "watched", json_boolean(context->watches > 0));
    fs_describe_time(one, "since", cell->changed);
    return one;
}

static void tell_who(struct fs_engine *e, struct fs_walk *walk)
{
    struct who *who = (struct who *)(void *)walk;
    json_t *list = json_array();
    cut(who);
    size_t count = who->full ? who->limit : who->first.count;
    for (size_t i = 0; i < count; i++) {
        const struct fs_context *context = fs_map_gets(&e->contexts, who->first.items[i].text);
        const struct fs_cell *cell = context ? &context->cells[who->flag->index] : NULL;
        if (cell && cell->known && (!who->variant || !strcmp(who->variant, variant_of(cell))))
            json_array_append_new(list, show_holder(context, cell)); /* or it has changed since */
    }
    json_t *root =
        json_pack("{s:s, s:O, s:o}", "flag", who->flag->key, "variants", who->variants, "contexts", list);
    if (who->full)
        json_object_set_new(root, "next", json_string(who->first.items[who->limit - 1].text));
    fs_walk_tell(e, walk, root, NULL);
}

static void destroy(struct fs_engine *e, struct fs_walk *walk)
{
    (void)e;
    struct who *who = (struct who *)(void *)walk;
    fs_free(who->variant);
    fs_free(who->after);
    json_decref(who->variants);
    fs_vec_finish(&who->first);
    fs_free(who);
}

bool fs_engine_find_who(struct fs_engine *e, const char *key, const char *variant, const char *after,
                        size_t limit, uint64_t token, struct fs_time now, struct fs_err *err)
{
    static const struct fs_walk_type type = {.visit = count_context, .ended = tell_who, .destroy = destroy};
    const struct fs_flag *flag = fs_flagset_need(e->set, key, err);
    e->now = now;
    if (!flag || !fs_walk_fits(e, err))
        return false;
    struct who *who = FS_NEW(struct who);
    who->walk.type = &type;
    who->walk.deadline = INT64_MAX;
    who->flag = flag;
    who->variant = fs_strdup(variant);
    who->after = fs_strdup(after);
    who->variants = json_object();
    who->limit = limit;
    fs_walk_begin(e, &who->walk, NULL);
    fs_walk_start(e, &who->walk, token);
    return true;
}
