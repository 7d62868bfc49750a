/* SPDX-License-Identifier: Apache-2.0 */
/* What stood at a past moment, and the answers behind it. See past.h. */
#include "past.h"
#include "base/alloc.h"
#include "base/str.h"
#include "core/json.h"

#define STARTS 1000

/* --- answers ------------------------------------------------------------------------------------------ */

struct search {
    struct fs_journal *journal;
    const char *subject;
    json_t *answer; /* of the change: gets what is found */
};

static bool same_text(const json_t *a, const json_t *b, const char *member)
{
    const char *text_a = fs_json_text(a, member), *text_b = fs_json_text(b, member);
    return text_a ? text_b && !strcmp(text_a, text_b) : !text_b;
}

static bool fits(const json_t *wanted, const json_t *one)
{
    return same_text(wanted, one, "kind") && same_text(wanted, one, "query") &&
           same_text(wanted, one, "state") && same_text(wanted, one, "decision");
}

static void add_input(const struct search *search, const json_t *one)
{
    struct fs_err ignored;
    char *text = NULL, *subject = NULL;
    const char *name = fs_json_text(one, "input");
    if (name && fs_journal_named(search->journal, name, &text, &subject, &ignored) && text) {
        json_t *input = fs_json_read(text, strlen(text), 64, &ignored);
        json_object_set_new(search->answer, "input", input ? input : json_string(text));
    }
    fs_free(text);
    fs_free(subject);
}

static bool is_of(const struct search *search, const json_t *one)
{
    struct fs_err ignored;
    char *text = NULL, *subject = NULL;
    const char *name = fs_json_text(one, "input");
    bool same = name && search->subject &&
                fs_journal_named(search->journal, name, &text, &subject, &ignored) && subject &&
                !strcmp(subject, search->subject);
    fs_free(text);
    fs_free(subject);
    return same;
}

/* The one that fits; among several the one that was asked for this subject. */
static const json_t *find(const struct search *search, const json_t *answers)
{
    const json_t *only = NULL, *own = NULL;
    size_t fitting = 0, owned = 0;
    for (size_t i = 0; i < json_array_size(answers); i++) {
        const json_t *one = json_array_get(answers, i);
        if (fits(search->answer, one)) {
            fitting++;
            only = one;
        }
    }
    for (size_t i = 0; fitting > 1 && owned < 2 && i < json_array_size(answers); i++) {
        const json_t *one = json_array_get(answers, i);
        if (fits(search->answer, one) && is_of(search, one)) {
            owned++;
            own = one;
        }
    }
    return fitting == 1 ? only : owned == 1 ? own : NULL;
}

static bool take_answers(void *self, const struct fs_entry *entry)
{
    static const char *const members[] = {"value", "error", NULL};
    const struct search *search = self;
    struct fs_err ignored;
    json_t *body =
        entry->kind == FS_ENTRY_ANSWERS ? fs_json_read(entry->body, entry->length, 64, &ignored) : NULL;
    const json_t *one = find(search, json_object_get(body, "answers"));
    for (const char *const *member = members; one && *member; member++)
        if (json_object_get(one, *member))
            json_object_set(search->answer, *member, json_object_get(one, *member));
    if (one)
        add_input(search, one);
    json_decref(body);
    return false;
}

void fs_past_add_answers(struct fs_journal *journal, const char *subject, json_t *change)
{
    json_t *answers = json_object_get(change, "answers");
    for (size_t i = 0; i < json_array_size(answers); i++) {
        struct search search = {journal, subject, json_array_get(answers, i)};
        struct fs_err ignored;
        json_int_t entry = json_integer_value(json_object_get(search.answer, "entry"));
        if (entry > 0)
            fs_journal_read(journal, (uint64_t)entry, 1, take_answers, &search, &ignored);
    }
}

/* --- what stood --------------------------------------------------------------------------------------- */

static const char *context_at(const json_t *change, size_t index)
{
    return fs_json_text(json_array_get(json_object_get(change, "contexts"), index), "contextHash");
}

/* One context that has not ended suffices: the value was kept current for it. */
static bool take_value(struct fs_past_stand *stand, json_t *change)
{
    const json_t *end = NULL;
    for (size_t i = 0; context_at(change, i); i++) {
        end = json_object_get(stand->ends, context_at(change, i));
        if (!end) {
            stand->kept = json_incref(change);
            return false;
        }
    }
    if (!stand->last && end) {
        stand->last = json_incref(change);
        json_object_set(stand->last, "until", (json_t *)(uintptr_t)end);
    }
    return true;
}

bool fs_past_stand_take(struct fs_past_stand *stand, json_t *change)
{
    bool more = true;
    if (!stand->ends)
        stand->ends = json_object();
    if (json_object_get(change, "ended")) {
        for (size_t i = 0; context_at(change, i); i++)
            if (!json_object_get(stand->ends, context_at(change, i)))
                json_object_set(stand->ends, context_at(change, i), json_object_get(change, "time"));
    } else {
        more = take_value(stand, change);
    }
    json_decref(change);
    return more;
}

static json_int_t entry_of(const json_t *change)
{
    return json_integer_value(json_object_get(change, "entry"));
}

static void set_time(json_t *object, const char *member, int64_t time)
{
    char text[32];
    json_object_set_new(object, member, json_string(fs_format_rfc3339(time, text)));
}

/* The daemon has started anew since: where it stood still at that moment, nobody knows what it ran for. */
static bool outlived(const struct fs_past_stand *stand, struct fs_journal *journal, int64_t at, bool *over,
                     struct fs_err *err)
{
    struct fs_journal_start start;
    size_t count;
    *over = false;
    if (!fs_journal_starts(journal, (uint64_t)entry_of(stand->kept), 1, &start, &count, err))
        return false;
    if (!count || at <= start.before)
        return true;
    char text[32];
    char *words = fs_format("the daemon started anew at %s", fs_format_rfc3339(start.time, text));
    set_time(stand->kept, "until", start.before);
    json_object_set_new(stand->kept, "ended", json_string(words));
    fs_free(words);
    *over = true;
    return true;
}

json_t *fs_past_stand_end(struct fs_past_stand *stand, struct fs_journal *journal, int64_t at,
                          struct fs_err *err)
{
    bool over = false;
    json_t *found = NULL;
    if (stand->last)
        json_object_set_new(stand->last, "ended", json_string(FS_PAST_UNWATCHED));
    if (stand->kept && !outlived(stand, journal, at, &over, err))
        goto out;
    if (stand->kept && (!over || entry_of(stand->kept) > entry_of(stand->last)))
        found = json_incref(stand->kept);
    else
        found = json_incref(stand->last);
    if (found)
        json_object_set_new(found, "kept", json_boolean(stand->kept && !over));
    else
        fs_fail(err, FS_ERR_NOT_FOUND,
                "the journal tells of no value of this flag for this subject at that time: it tells what is "
                "watched, not what was only asked for (OFREP, get)");
out:
    json_decref(stand->kept);
    json_decref(stand->last);
    json_decref(stand->ends);
    return found;
}

json_t *fs_past_starts(struct fs_journal *journal, uint64_t after, struct fs_err *err)
{
    struct fs_journal_start *starts = fs_calloc(STARTS, sizeof *starts);
    size_t count;
    json_t *list = NULL;
    if (fs_journal_starts(journal, after, STARTS, starts, &count, err)) {
        list = json_array();
        for (size_t i = 0; i < count; i++) {
            json_t *one = json_pack("{s:I}", "entry", (json_int_t)starts[i].number);
            set_time(one, "time", starts[i].time);
            set_time(one, "before", starts[i].before);
            json_array_append_new(list, one);
        }
    }
    fs_free(starts);
    return list;
}
