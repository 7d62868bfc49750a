/* SPDX-License-Identifier: Apache-2.0 */
/* Causes as short sentences. See core/cause.h. */
#include "core/cause.h"

#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "core/json.h"

#define WORDS_MAX 80   /* bytes of one text within a sentence */
#define WORDS_ALL 1024 /* of a sentence, about */

static void add(struct fs_buf *out, const char *before, const char *text)
{
    if (text)
        fs_buf_addf(out, "%s%.*s", before, (int)fs_utf8_cut(text, strlen(text), WORDS_MAX), text);
}

/* --- entries ------------------------------------------------------------------------------------------ */

static void add_fact(struct fs_buf *out, const char *before, const struct fs_fact_change *fact)
{
    const json_t *value = fact->value;
    char *text = value && !json_is_string(value) ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    add(out, before, fact->fact);
    add(out, value ? "=" : " removed", value ? text ? text : json_string_value(value) : "");
    free(text);
}

static void say_event(struct fs_buf *out, const struct fs_event *event)
{
    fs_buf_adds(out, event->fact_count ? "facts" : "recompute");
    add(out, " from ", event->source);
    for (size_t i = 0; i < event->fact_count && i < 3; i++)
        add_fact(out, i ? ", " : ": ", &event->facts[i]);
    if (event->fact_count > 3)
        fs_buf_addf(out, " and %zu more", event->fact_count - 3);
}

static char *taken(struct fs_buf *out)
{
    char *text = out->length && !out->failed ? fs_buf_take(out, NULL) : NULL;
    fs_buf_finish(out);
    return text;
}

char *fs_event_words(const struct fs_event *event)
{
    struct fs_buf out;
    fs_buf_init(&out, WORDS_ALL);
    say_event(&out, event);
    return taken(&out);
}

static void say_source(struct fs_buf *out, const json_t *body)
{
    const char *revision = fs_json_text(body, "revision"), *what = fs_json_text(body, "what");
    if (revision)
        fs_buf_addf(out, "policy %.*s", (int)fs_utf8_cut(revision, strlen(revision), 16), revision);
    else
        add(out, "", what ? what : "news");
    add(out, " at ", fs_json_text(body, "source"));
}

static void say_override(struct fs_buf *out, const json_t *body)
{
    const char *name = fs_json_text(body, "authorName"), *action = fs_json_text(body, "action");
    add(out, "operator ", name ? name : fs_json_text(body, "author"));
    if (action && !strcmp(action, "release"))
        fs_buf_adds(out, " released it");
    add(out, ": ", fs_json_text(body, "reason"));
}

char *fs_entry_words(enum fs_entry_kind kind, const char *body, size_t length)
{
    struct fs_err err;
    struct fs_buf out;
    if (kind == FS_ENTRY_EVENT) {
        struct fs_event *event = fs_event_read(body, length, &err);
        char *words = event ? fs_event_words(event) : NULL;
        fs_event_destroy(event);
        return words;
    }
    json_t *json = fs_json_read(body, length, 64, &err);
    fs_buf_init(&out, WORDS_ALL);
    if (json_is_object(json) && kind == FS_ENTRY_SOURCE)
        say_source(&out, json);
    else if (json_is_object(json) && kind == FS_ENTRY_OVERRIDE)
        say_override(&out, json);
    json_decref(json);
    return taken(&out);
}

/* --- causes ------------------------------------------------------------------------------------------- */

const char *fs_cause_outcome(const char *state, const json_t *value)
{
    if (!state || (!strcmp(state, "value") && !value))
        return NULL;
    if (!strcmp(state, "undefined"))
        return "denied";
    if (!strcmp(state, "bad"))
        return "a bad answer";
    if (!strcmp(state, "none"))
        return "no answer";
    return json_is_true(value) ? "allowed" : json_is_false(value) ? "denied" : "answered";
}

/* "NAME asked again", without an entry behind it. */
static void say_unasked(struct fs_buf *out, const struct fs_cause_parts *parts)
{
    const char *kind = parts->kind;
    bool timer = !strcmp(kind, "timer");
    if (timer && parts->words)
        add(out, "has run out: ", parts->words);
    else if (timer)
        fs_buf_adds(out, "its time had come");
    else if (!strcmp(kind, "config"))
        fs_buf_adds(out, "flags were loaded");
    else if (!strcmp(kind, "watch"))
        fs_buf_adds(out, "first asked for");
    else if (!parts->source)
        fs_buf_adds(out, !strcmp(kind, "revalidate") ? "looked at again" : kind);
    else
        fs_buf_addf(out, "%s %s", parts->source,
                    !strcmp(kind, "source-lost")   ? "was lost"
                    : !strcmp(kind, "source-back") ? "is back"
                                                   : "was asked again");
}

/* What came of it at the source, which is named unless the sentence has done so. */
static void say_outcome(struct fs_buf *out, const struct fs_cause_parts *parts)
{
    size_t length = parts->source ? strlen(parts->source) : 0;
    bool named = length && out->length >= length && strstr(out->data, parts->source);
    if (!parts->source || !parts->outcome)
        return;
    if (named)
        fs_buf_addf(out, " \u2192 %s", parts->outcome);
    else
        fs_buf_addf(out, " \u2192 %s: %s", parts->source, parts->outcome);
}

void fs_cause_say(struct fs_buf *out, const struct fs_cause_parts *parts)
{
    bool event = !strcmp(parts->kind, "event"), override = !strcmp(parts->kind, "override");
    if ((event || override) && parts->words)
        fs_buf_adds(out, parts->words);
    else if ((event || override) && parts->entry)
        fs_buf_addf(out, "%s %llu", parts->kind, (unsigned long long)parts->entry);
    else if (event || override)
        fs_buf_addf(out, "an %s", parts->kind);
    else
        say_unasked(out, parts);
    if (parts->more)
        fs_buf_addf(out, " and %llu more", (unsigned long long)parts->more);
    if (!override)
        say_outcome(out, parts);
}
