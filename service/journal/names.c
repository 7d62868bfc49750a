/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that bodies name; see names.h. */
#include "names.h"

#include <string.h>
#include "core/json.h"
#include "database.h"

#define NAME_LENGTH 64

bool fs_names_begin(struct fs_names *names, sqlite3 *db, struct fs_err *err)
{
    memset(names, 0, sizeof *names);
    fs_map_init(&names->erased);
    names->find = fs_database_prepare(db, "SELECT number FROM texts WHERE name = ?1", err);
    return names->find != NULL;
}

void fs_names_note(struct fs_names *names, uint64_t number, const json_t *body)
{
    const json_t *texts = json_object_get(body, "texts");
    for (size_t i = 0; i < json_array_size(texts); i++) {
        const char *name = json_string_value(json_array_get(texts, i));
        if (name)
            fs_map_sets(&names->erased, name, (void *)(uintptr_t)number);
    }
    if (json_is_true(json_object_get(body, "migrated")))
        names->untold = number;
}

static const char *check_name(struct fs_names *names, uint64_t number, const char *name)
{
    if (!name || strlen(name) != NAME_LENGTH)
        return NULL; /* of a version that had no texts */
    sqlite3_bind_text(names->find, 1, name, -1, SQLITE_STATIC);
    bool there = sqlite3_step(names->find) == SQLITE_ROW;
    uint64_t last = there ? (uint64_t)sqlite3_column_int64(names->find, 0) : 0;
    sqlite3_reset(names->find);
    if (there)
        return last < number ? "a text that it names would be pruned before it" : NULL;
    uint64_t erased = (uint64_t)(uintptr_t)fs_map_gets(&names->erased, name);
    return number < erased || number < names->untold
               ? NULL
               : "a text that it names is gone, and no entry tells that it was erased";
}

static const char *check_answers(struct fs_names *names, uint64_t number, const json_t *answers)
{
    const char *wrong = NULL;
    for (size_t i = 0; !wrong && i < json_array_size(answers); i++)
        wrong = check_name(names, number, fs_json_text(json_array_get(answers, i), "input"));
    return wrong;
}

static const char *check_changes(struct fs_names *names, uint64_t number, const json_t *changes)
{
    const char *wrong = NULL;
    for (size_t i = 0; !wrong && i < json_array_size(changes); i++) {
        const json_t *contexts = json_object_get(json_array_get(changes, i), "contexts");
        for (size_t c = 0; !wrong && c < json_array_size(contexts); c++)
            wrong = check_name(names, number, json_string_value(json_array_get(contexts, c)));
    }
    return wrong;
}

const char *fs_names_check(struct fs_names *names, const struct fs_entry *entry)
{
    struct fs_err ignored;
    const char *wrong = NULL;
    if (entry->kind != FS_ENTRY_TICK && entry->kind != FS_ENTRY_ANSWERS)
        return NULL;
    json_t *body = fs_json_read(entry->body, entry->length, 64, &ignored);
    if (entry->kind == FS_ENTRY_ANSWERS)
        wrong = check_answers(names, entry->number, json_object_get(body, "answers"));
    else if (!json_object_get(body, "contexts")) /* where it is, it told them in clear */
        wrong = check_changes(names, entry->number, json_object_get(body, "changes"));
    json_decref(body);
    return wrong;
}

void fs_names_finish(struct fs_names *names)
{
    sqlite3_finalize(names->find);
    fs_map_finish(&names->erased, NULL);
}
