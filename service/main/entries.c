/* SPDX-License-Identifier: Apache-2.0 */
/* Entries in words. See entries.h. */
#include "entries.h"
#include "base/alloc.h"
#include "base/str.h"
#include "core/json.h"
#include "push/board.h"

#define RECENT     64                         /* entries whose flips boards see growing */
#define READ       2000                       /* entries in one reading of the end */
#define TOLD       200                        /* in one frame */
#define READ_BYTES ((size_t)16 * 1024 * 1024) /* of bodies, about, in one reading */
#define WORDS      120                        /* bytes of one text within a summary */

#define BIT(kind) (1u << (kind))

unsigned fs_entries_told(void)
{
    unsigned kinds = 0;
#define X(kind, name) kinds |= BIT(kind);
    FS_ENTRY_KINDS(X)
#undef X
    return kinds & ~(BIT(FS_ENTRY_TICK) | BIT(FS_ENTRY_ANSWERS));
}

static void add_words(struct fs_buf *out, const char *before, const char *text)
{
    if (text && *text)
        fs_buf_addf(out, "%s%.*s", before, (int)fs_utf8_cut(text, strlen(text), WORDS), text);
}

static void add_list(struct fs_buf *out, const char *before, const json_t *list)
{
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && i < 3; i++)
        add_words(out, i ? ", " : before, json_string_value(json_array_get(list, i)));
    if (count > 3)
        fs_buf_addf(out, " and %zu more", count - 3);
}

static void describe_facts(struct fs_buf *out, const json_t *facts)
{
    const json_t *fact = json_array_get(facts, 0), *value = json_object_get(fact, "value");
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    add_words(out, "", fs_json_text(fact, "fact"));
    add_words(out, value ? " = " : " removed", value ? text : "");
    add_words(out, " for ", fs_json_text(fact, "subject"));
    if (json_array_size(facts) > 1)
        fs_buf_addf(out, " and %zu more facts", json_array_size(facts) - 1);
    free(text);
}

static void describe_event(struct fs_buf *out, const json_t *body)
{
    const json_t *facts = json_object_get(body, "facts"), *filter = json_object_get(body, "recompute");
    if (json_array_size(facts))
        describe_facts(out, facts);
    if (!filter)
        return;
    fs_buf_adds(out, out->length ? "; recompute" : "recompute");
    if (!json_object_size(filter))
        fs_buf_adds(out, " everything");
    add_list(out, " ", json_object_get(filter, "subjects"));
    add_list(out, " of ", json_object_get(filter, "flags"));
    add_list(out, " asked of ", json_object_get(filter, "sources"));
    add_list(out, " at ", json_object_get(filter, "paths"));
}

static void describe_source(struct fs_buf *out, const json_t *body)
{
    add_words(out, "source ", fs_json_text(body, "source"));
    add_words(out, ": ", fs_json_text(body, "what"));
    add_words(out, " ", fs_json_text(body, "revision"));
    add_words(out, ": ", fs_json_text(body, "detail"));
}

/* Overrides, "kill door for ada: leaked key", and other acts of operators, "disconnect s-1". */
static void describe_act(struct fs_buf *out, const json_t *body)
{
    const char *action = fs_json_text(body, "action"), *kind = fs_json_text(body, "kind");
    add_words(out, "", action && strcmp(action, "set") ? action : kind);
    add_words(out, " ", fs_json_text(body, "flag"));
    add_words(out, " to ", fs_json_text(body, "variant"));
    add_words(out, " for ", fs_json_text(body, "subject"));
    add_words(out, " ", fs_json_text(body, "session"));
    add_words(out, ": ", fs_json_text(body, "reason"));
}

/* The order, or what a step of it took. */
static void describe_erasure(struct fs_buf *out, const json_t *body)
{
    const json_t *ranges = json_object_get(body, "entries");
    json_int_t bodies = 0;
    for (size_t i = 0; i < json_array_size(ranges); i++) {
        const json_t *range = json_array_get(ranges, i);
        bodies +=
            1 + json_integer_value(json_array_get(range, 1)) - json_integer_value(json_array_get(range, 0));
    }
    if (ranges)
        fs_buf_addf(out, "erased: %lld bodies, %zu contexts and inputs", (long long)bodies,
                    json_array_size(json_object_get(body, "texts")));
    else
        fs_buf_adds(out, "what was told of a subject was erased");
}

static json_t *summary(const struct fs_entry *entry, const json_t *body)
{
    struct fs_buf out;
    fs_buf_init(&out, 8192);
    if (!json_is_object(body))
        fs_buf_adds(&out, "erased");
    else if (entry->kind == FS_ENTRY_EVENT)
        describe_event(&out, body);
    else if (entry->kind == FS_ENTRY_SOURCE)
        describe_source(&out, body);
    else if (entry->kind == FS_ENTRY_CONFIG)
        fs_buf_addf(&out, "%lld flags are loaded",
                    (long long)json_integer_value(json_object_get(body, "flags")));
    else if (entry->kind == FS_ENTRY_START)
        fs_buf_adds(&out, "the daemon started");
    else if (entry->kind == FS_ENTRY_ERASURE)
        describe_erasure(&out, body);
    else
        describe_act(&out, body);
    json_t *text = json_stringn(out.length ? out.data : fs_entry_kind_name(entry->kind),
                                out.length ? out.length : strlen(fs_entry_kind_name(entry->kind)));
    fs_buf_finish(&out);
    return text;
}

/* The one subject that it is about; NULL: none, or several. Borrowed. */
static const char *subject_of(const struct fs_entry *entry, const json_t *body)
{
    const json_t *facts = json_object_get(body, "facts");
    const json_t *subjects = json_object_get(json_object_get(body, "recompute"), "subjects");
    const char *subject = entry->kind == FS_ENTRY_ERASURE ? NULL : fs_json_text(body, "subject");
    if (json_array_size(subjects) == 1)
        subject = json_string_value(json_array_get(subjects, 0));
    for (size_t i = 0; i < json_array_size(facts); i++) {
        const char *next = fs_json_text(json_array_get(facts, i), "subject");
        if (subject && next && strcmp(subject, next))
            return NULL;
        subject = next;
    }
    return subject;
}

json_t *fs_entry_tell(const struct fs_entry *entry)
{
    static const char *const copied[] = {"type", "source", "id", "credential", "author", NULL};
    char time[32];
    struct fs_err err;
    if (!(fs_entries_told() & BIT(entry->kind)))
        return NULL;
    json_t *body = fs_json_read(entry->body, entry->length, 64, &err);
    json_t *one = json_pack("{s:I, s:s, s:s, s:I}", "entry", (json_int_t)entry->number, "kind",
                            fs_entry_kind_name(entry->kind), "time", fs_format_rfc3339(entry->time, time),
                            "flips", (json_int_t)0);
    for (size_t i = 0; copied[i]; i++)
        if (fs_json_text(body, copied[i]))
            json_object_set(one, copied[i], json_object_get(body, copied[i]));
    const char *subject = subject_of(entry, body);
    if (subject)
        json_object_set_new(one, "subject", json_string(subject));
    json_object_set_new(one, "summary", summary(entry, body));
    json_decref(body);
    return one;
}

/* Values that the change tells as flipped. */
static size_t flips_of(const json_t *change)
{
    if (json_is_null(json_object_get(change, "from")) || json_object_get(change, "withdrawn") ||
        json_object_get(change, "ended"))
        return 0;
    return json_array_size(json_object_get(change, "contexts"));
}

static json_t *find(const json_t *told, json_int_t number)
{
    for (size_t i = json_array_size(told); i-- > 0;) {
        json_t *one = json_array_get(told, i);
        if (json_integer_value(json_object_get(one, "entry")) == number)
            return one;
    }
    return NULL;
}

json_t *fs_entries_flipped(const json_t *told, const struct fs_entry *tick)
{
    struct fs_err err;
    json_t *grown = NULL, *body = fs_json_read(tick->body, tick->length, 64, &err);
    const json_t *changes = json_object_get(body, "changes");
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        const json_t *causes = json_object_get(json_object_get(change, "cause"), "entries");
        size_t flips = flips_of(change);
        for (size_t c = 0; flips && c < json_array_size(causes); c++) {
            json_int_t number = json_integer_value(json_array_get(causes, c));
            json_t *one = find(told, number);
            if (!one)
                continue;
            json_int_t before = json_integer_value(json_object_get(one, "flips"));
            json_object_set_new(one, "flips", json_integer(before + (json_int_t)flips));
            grown = grown ? grown : json_array();
            if (!find(grown, number))
                json_array_append(grown, one);
        }
    }
    json_decref(body);
    return grown;
}

struct reading {
    struct fs_entry_tail *tail;
    json_t *list; /* to be told: references to what stands in `recent` */
    size_t bytes;
};

static bool take(void *self, const struct fs_entry *entry)
{
    struct reading *reading = self;
    struct fs_entry_tail *tail = reading->tail;
    json_t *one = fs_entry_tell(entry);
    tail->next = entry->number + 1;
    reading->bytes += entry->length;
    if (one) {
        json_array_append(reading->list, one);
        json_array_append_new(tail->recent, one);
        if (json_array_size(tail->recent) > RECENT)
            json_array_remove(tail->recent, 0);
    } else if (entry->kind == FS_ENTRY_TICK) {
        json_t *grown = fs_entries_flipped(tail->recent, entry);
        for (size_t i = 0; i < json_array_size(grown); i++) {
            one = json_array_get(grown, i);
            if (!find(reading->list, json_integer_value(json_object_get(one, "entry"))))
                json_array_append(reading->list, one);
        }
        json_decref(grown);
    }
    tail->more = json_array_size(reading->list) >= TOLD || reading->bytes >= READ_BYTES;
    return !tail->more;
}

void fs_entry_tail_read(void *arg)
{
    struct fs_entry_tail *tail = arg;
    struct reading reading = {.tail = tail, .list = json_array()};
    struct fs_err err;
    tail->more = false;
    fs_journal_read(tail->journal, tail->next, READ, take, &reading, &err);
    if (json_array_size(reading.list)) {
        char *text = json_dumps(reading.list, JSON_COMPACT);
        tail->frame = fs_board_entries(text, strlen(text));
        free(text);
    }
    json_decref(reading.list);
    fs_notice_entries(tail->inbox, tail);
}

void fs_entry_tail_destroy(struct fs_entry_tail *tail)
{
    if (!tail)
        return;
    json_decref(tail->recent);
    fs_blob_unref(tail->frame);
    fs_free(tail);
}
