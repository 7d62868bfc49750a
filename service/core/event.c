/* SPDX-License-Identifier: Apache-2.0 */
/* The one form of an accepted event and its JSON. See core/event.h. */
#include "core/event.h"

#include <string.h>
#include "base/alloc.h"
#include "core/json.h"

static void strings_destroy(char **strings)
{
    for (char **s = strings; s && *s; s++)
        fs_free(*s);
    fs_free(strings);
}

int64_t fs_event_fact_time(int64_t stated, int64_t accepted, int64_t known)
{
    if (stated)
        return stated;
    return accepted > known ? accepted : known;
}

void fs_event_destroy(struct fs_event *event)
{
    if (!event)
        return;
    fs_free(event->id);
    fs_free(event->source);
    fs_free(event->type);
    fs_free(event->credential);
    strings_destroy(event->filter.subjects);
    strings_destroy(event->filter.sources);
    strings_destroy(event->filter.paths);
    strings_destroy(event->filter.flags);
    for (size_t i = 0; i < event->fact_count; i++) {
        fs_free(event->facts[i].subject);
        fs_free(event->facts[i].fact);
        json_decref(event->facts[i].value);
    }
    fs_free(event->facts);
    fs_free(event);
}

static size_t add_subject(const char **list, size_t count, const char *subject)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i], subject))
            return count;
    list[count] = subject;
    return count + 1;
}

const char **fs_event_subjects(const struct fs_event *event)
{
    size_t count = 0, most = event->fact_count + 1;
    char *const *named = event->filter.subjects;
    for (char *const *s = named; s && *s; s++)
        most++;
    const char **list = fs_calloc(most, sizeof *list);
    for (size_t i = 0; i < event->fact_count; i++)
        count = add_subject(list, count, event->facts[i].subject);
    for (char *const *s = named; s && *s; s++)
        count = add_subject(list, count, *s);
    return list;
}

static void add_strings(json_t *object, const char *name, char *const *strings)
{
    if (!strings)
        return;
    json_t *array = json_array();
    for (char *const *s = strings; *s; s++)
        json_array_append_new(array, json_string(*s));
    json_object_set_new(object, name, array);
}

static void add_text(json_t *object, const char *name, const char *text)
{
    if (text)
        json_object_set_new(object, name, json_string(text));
}

bool fs_event_write(const struct fs_event *event, struct fs_buf *out)
{
    json_t *root = json_object();
    add_text(root, "id", event->id);
    add_text(root, "source", event->source);
    add_text(root, "type", event->type);
    add_text(root, "credential", event->credential);
    if (event->time)
        json_object_set_new(root, "time", json_integer(event->time));
    if (event->recompute) {
        json_t *filter = json_object();
        add_strings(filter, "subjects", event->filter.subjects);
        add_strings(filter, "sources", event->filter.sources);
        add_strings(filter, "paths", event->filter.paths);
        add_strings(filter, "flags", event->filter.flags);
        json_object_set_new(root, "recompute", filter);
    }
    if (event->fact_count) {
        json_t *facts = json_array();
        for (size_t i = 0; i < event->fact_count; i++) {
            const struct fs_fact_change *change = &event->facts[i];
            json_t *fact = json_object();
            add_text(fact, "subject", change->subject);
            add_text(fact, "fact", change->fact);
            if (change->value)
                json_object_set(fact, "value", change->value);
            if (change->expires)
                json_object_set_new(fact, "expires", json_integer(change->expires));
            json_array_append_new(facts, fact);
        }
        json_object_set_new(root, "facts", facts);
    }
    bool fits = fs_json_canonical(out, root);
    json_decref(root);
    return fits;
}

static char **read_strings(const json_t *object, const char *name)
{
    const json_t *array = json_object_get(object, name);
    if (!json_is_array(array))
        return NULL;
    char **strings = fs_calloc(json_array_size(array) + 1, sizeof *strings);
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(array); i++)
        if (json_is_string(json_array_get(array, i)))
            strings[count++] = fs_strdup(json_string_value(json_array_get(array, i)));
    return strings;
}

static void read_facts(const json_t *array, struct fs_event *event)
{
    event->facts = fs_calloc(json_array_size(array) + 1, sizeof *event->facts);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *fact = json_array_get(array, i);
        if (!fs_json_text(fact, "subject") || !fs_json_text(fact, "fact"))
            continue;
        struct fs_fact_change *change = &event->facts[event->fact_count++];
        change->subject = fs_strdup(fs_json_text(fact, "subject"));
        change->fact = fs_strdup(fs_json_text(fact, "fact"));
        change->value = json_incref(json_object_get(fact, "value"));
        change->expires = json_integer_value(json_object_get(fact, "expires"));
    }
}

struct fs_event *fs_event_read(const char *text, size_t length, struct fs_err *err)
{
    json_t *root = fs_json_read(text, length, 64, err);
    if (!root)
        return NULL;
    struct fs_event *event = FS_NEW(struct fs_event);
    event->id = fs_strdup(fs_json_text(root, "id"));
    event->source = fs_strdup(fs_json_text(root, "source"));
    event->type = fs_strdup(fs_json_text(root, "type"));
    event->credential = fs_strdup(fs_json_text(root, "credential"));
    event->time = json_integer_value(json_object_get(root, "time"));
    const json_t *recompute = json_object_get(root, "recompute");
    if (json_is_object(recompute)) {
        event->recompute = true;
        event->filter.subjects = read_strings(recompute, "subjects");
        event->filter.sources = read_strings(recompute, "sources");
        event->filter.paths = read_strings(recompute, "paths");
        event->filter.flags = read_strings(recompute, "flags");
    }
    if (json_is_array(json_object_get(root, "facts")))
        read_facts(json_object_get(root, "facts"), event);
    json_decref(root);
    return event;
}

struct fs_identity fs_event_identity(const struct fs_event *event, const struct fs_sha256 *content)
{
    /* Each part is preceded by its length, so that no two triples read alike. */
    struct fs_buf key;
    fs_buf_init(&key, 1 << 20);
    const char *parts[] = {event->credential ? event->credential : "", event->source ? event->source : "",
                           event->id ? event->id : ""};
    for (size_t i = 0; i < 3; i++)
        fs_buf_addf(&key, "%zu:%s", strlen(parts[i]), parts[i]);
    struct fs_identity identity = {.key = fs_sha256(key.data, key.length), .content = *content, .set = true};
    fs_buf_finish(&key);
    return identity;
}
