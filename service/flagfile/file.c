/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One flag file: its evaluators, which all files of a set share, then `$defaults` and `metadata`, because
 * flags stand on them, then `flags`, a map or (as the flagd daemon also takes it) a list. Knows nothing of
 * paths and directories.
 */
#include <string.h>
#include "base/str.h"
#include "reading.h"

static struct fs_spot root_of(const struct fs_flagfile *file)
{
    const struct fs_doc_node *root = file->document.root;
    return (struct fs_spot){.node = root, .line = root->line, .column = root->column};
}

void fs_defaults_read(struct fs_flagfile *file, const struct fs_spot *spot, struct fs_flag_defaults *out)
{
    static const char *const visibilities[] = {"server", "client", NULL};
    static const char *const unleaseds[] = {"serve", "safe", NULL};
    struct fs_spot at;
    int choice;
    if (fs_spot_find(spot, "visibility", &at) && (choice = fs_expect_choice(file, &at, visibilities)) >= 0)
        out->visibility = choice ? FS_VISIBILITY_CLIENT : FS_VISIBILITY_SERVER;
    if (fs_spot_find(spot, "unleased", &at) && (choice = fs_expect_choice(file, &at, unleaseds)) >= 0) {
        out->unleased = choice ? FS_UNLEASED_SAFE : FS_UNLEASED_SERVE;
        out->unleased_said = true;
    }
    if (fs_spot_find(spot, "maxStale", &at))
        fs_expect_duration(file, &at, 0, &out->max_stale);
    if (fs_spot_find(spot, "revalidate", &at))
        fs_expect_duration(file, &at, 1000, &out->revalidate);
}

static void read_defaults(struct fs_flagfile *file, const struct fs_spot *root)
{
    static const char *const known[] = {"visibility", "maxStale", "revalidate", "unleased", NULL};
    struct fs_spot spot;
    file->defaults = (struct fs_flag_defaults){.max_stale = FS_MAX_STALE_DEFAULT, .revalidate = -1};
    if (!fs_spot_find(root, "$defaults", &spot) || !fs_expect(file, &spot, FS_DOC_MAP, "a map of defaults"))
        return;
    fs_expect_known(file, &spot, known);
    fs_defaults_read(file, &spot, &file->defaults);
}

/* Evaluators belong to the whole set; one name cannot stand for two rules. */
static void collect_evaluators(struct fs_flagfile *file, const struct fs_spot *root)
{
    struct fs_spot spot;
    if (!fs_spot_find(root, "$evaluators", &spot) ||
        !fs_expect(file, &spot, FS_DOC_MAP, "a map of named rules"))
        return;
    for (size_t i = 0; i < spot.node->count; i++) {
        struct fs_spot at = fs_spot_member(&spot, &spot.node->members[i]);
        json_t *logic = fs_doc_json(at.node);
        const json_t *known = json_object_get(file->all->evaluators, at.key);
        const struct fs_flagfile *other = fs_map_gets(&file->all->evaluator_files, at.key);
        if (known && !json_equal(known, logic))
            fs_report_error(file, &at,
                            "the evaluator '%s' is another rule in %s; evaluators are shared by all files",
                            at.key, other->name);
        else if (!known)
            fs_map_sets(&file->all->evaluator_files, at.key, file);
        if (known)
            json_decref(logic);
        else
            json_object_set_new_nocheck(file->all->evaluators, at.key, logic);
    }
}

void fs_file_collect(struct fs_flagfile *file)
{
    static const char *const known[] = {"flags",   "$evaluators", "metadata", "$defaults",
                                        "$schema", "overrides",   NULL};
    struct fs_spot spot = root_of(file), at;
    if (!fs_expect(file, &spot, FS_DOC_MAP, "a map with `flags`"))
        return;
    fs_expect_known(file, &spot, known);
    if (fs_spot_find(&spot, "overrides", &at))
        fs_report_error(file, &at, "overrides are not supported yet; take them out");
    collect_evaluators(file, &spot);
}

/* Each is compiled by itself, so that its errors are told where it stands, once, and not at each flag that
 * uses it. In `fine` a bad one becomes null. */
void fs_file_check_evaluators(struct fs_flagfile *file, json_t *fine)
{
    struct fs_spot root = root_of(file), spot;
    if (!fs_spot_find(&root, "$evaluators", &spot) || spot.node->kind != FS_DOC_MAP)
        return;
    for (size_t i = 0; i < spot.node->count; i++) {
        struct fs_spot at = fs_spot_member(&spot, &spot.node->members[i]);
        if (fs_map_gets(&file->all->evaluator_files, at.key) != file)
            continue;
        struct fs_rule *rule = fs_logic_compile(file, &at, false);
        if (!rule)
            json_object_set_new_nocheck(fine, at.key, json_null());
        fs_rule_destroy(rule);
    }
}

static void read_metadata(struct fs_flagfile *file, const struct fs_spot *root)
{
    struct fs_spot spot;
    if (!fs_spot_find(root, "metadata", &spot))
        return;
    file->metadata = fs_expect_metadata(file, &spot);
    if (!file->all->metadata)
        file->all->metadata = json_object();
    if (file->metadata)
        json_object_update(file->all->metadata, file->metadata);
}

static void read_flag(struct fs_flagfile *file, const char *key, const struct fs_spot *spot)
{
    struct fs_reading *all = file->all;
    struct fs_flag *flag = fs_flag_read(file, key, spot);
    const struct fs_flag *other = fs_map_gets(&all->by_key, flag->key);
    if (other) {
        fs_report_error(file, spot, "the flag '%s' is also defined in %s:%d; one of the two must go", key,
                        other->file, other->line);
        fs_flag_destroy(flag);
        return;
    }
    fs_map_sets(&all->by_key, flag->key, flag);
    fs_vec_push(&all->flags, flag);
}

/* flagd's list form: the key is a member of the flag. */
static void read_listed_flag(struct fs_flagfile *file, const struct fs_spot *item)
{
    struct fs_spot at;
    if (!fs_expect(file, item, FS_DOC_MAP, "a flag"))
        return;
    if (!fs_spot_find(item, "key", &at)) {
        fs_report_error(file, item, "a flag in a list needs its 'key'");
        return;
    }
    const char *key = fs_expect_text(file, &at, "the flag's key");
    if (key) {
        struct fs_spot named = *item;
        named.key = key;
        read_flag(file, key, &named);
    }
}

static void read_flags(struct fs_flagfile *file, const struct fs_spot *root)
{
    struct fs_spot spot;
    if (!fs_spot_find(root, "flags", &spot)) {
        fs_report_error(file, root,
                        "'flags' is missing: a flag file is a map with `flags`, a map of flags by key");
        return;
    }
    if (spot.node->kind == FS_DOC_LIST) {
        for (size_t i = 0; i < spot.node->count; i++) {
            struct fs_spot at = fs_spot_item(&spot, i);
            read_listed_flag(file, &at);
        }
        return;
    }
    if (!fs_expect(file, &spot, FS_DOC_MAP, "a map of flags by key"))
        return;
    for (size_t i = 0; i < spot.node->count; i++) {
        struct fs_spot at = fs_spot_member(&spot, &spot.node->members[i]);
        read_flag(file, at.key, &at);
    }
}

void fs_file_read(struct fs_flagfile *file)
{
    struct fs_spot spot = root_of(file);
    if (spot.node->kind != FS_DOC_MAP)
        return;
    read_defaults(file, &spot);
    read_metadata(file, &spot);
    read_flags(file, &spot);
}
