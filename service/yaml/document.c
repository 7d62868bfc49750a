/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From libyaml's events to the tree of a document. libyaml checks the syntax; here stand what a document of
 * ours may be (one document, string keys, those that stand twice listed) and how much of it there may be,
 * aliases counted as often as they are used. Knows base and libyaml only.
 */
#include <stdio.h>
#include <string.h>
#include <yaml.h>
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "yaml/document.h"
#include "scalar.h"
#include "surrogates.h"

struct anchor {
    const struct fs_doc_node *node; /* NULL while it is being read: an alias to it would be a circle */
};

struct builder {
    yaml_parser_t parser;
    struct fs_document *document;
    struct fs_doc_error *err;
    struct fs_map anchors; /* name -> struct anchor *, in the document's arena */
    struct fs_surrogates surrogates;
    size_t nodes;
};

const char *fs_doc_kind_name(enum fs_doc_kind kind)
{
    static const char *const names[] = {"null",     "a boolean", "an integer", "a number",
                                        "a string", "a list",    "a map"};
    return names[kind];
}

static bool fail_at(struct builder *b, int line, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static bool fail_at(struct builder *b, int line, int column, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = fs_vformat(format, args);
    va_end(args);
    size_t length = strlen(text);
    if (length >= sizeof b->err->text)
        length = sizeof b->err->text - 1;
    memcpy(b->err->text, text, length);
    b->err->text[length] = 0;
    b->err->line = line;
    b->err->column = column;
    fs_free(text);
    return false;
}

static void place(const struct builder *b, const yaml_mark_t *mark, int *line, int *column)
{
    *line = mark->line < INT32_MAX ? (int)mark->line + 1 : INT32_MAX;
    *column = mark->column < INT32_MAX ? (int)mark->column + 1 : INT32_MAX;
    *column += fs_surrogates_lost(&b->surrogates, *line, *column);
}

static bool fail_event(struct builder *b, const yaml_event_t *event, const char *text)
{
    int line, column;
    place(b, &event->start_mark, &line, &column);
    return fail_at(b, line, column, "%s", text);
}

static bool fail_syntax(struct builder *b)
{
    const yaml_parser_t *parser = &b->parser;
    int line = 0, column = 0;
    const char *problem = parser->problem ? parser->problem : "it cannot be read";
    if (parser->error == YAML_READER_ERROR)
        return fail_at(b, 0, 0, "at byte %zu: %s", parser->problem_offset, problem);
    place(b, &parser->problem_mark, &line, &column);
    if (parser->context && parser->context_mark.line + 1 != (size_t)line)
        return fail_at(b, line, column, "%s, %s that starts in line %zu", problem, parser->context,
                       parser->context_mark.line + 1);
    return fail_at(b, line, column, "%s%s%s", problem, parser->context ? ", " : "",
                   parser->context ? parser->context : "");
}

static bool next_event(struct builder *b, yaml_event_t *event)
{
    return yaml_parser_parse(&b->parser, event) ? true : fail_syntax(b);
}

static struct fs_doc_node *new_node(struct builder *b, enum fs_doc_kind kind, const yaml_event_t *event)
{
    struct fs_doc_node *node = FS_ARENA_NEW(&b->document->arena, struct fs_doc_node);
    node->kind = kind;
    node->weight = 1;
    node->text = "";
    place(b, &event->start_mark, &node->line, &node->column);
    return node;
}

/* Counts what was read, aliases as what they stand for. */
static bool count(struct builder *b, const yaml_event_t *event, size_t weight)
{
    b->nodes += weight;
    return b->nodes <= FS_DOC_NODES
               ? true
               : fail_event(b, event,
                            "the document is too large, its aliases counted as what they stand for");
}

static struct anchor *open_anchor(struct builder *b, const yaml_char_t *name)
{
    if (!name)
        return NULL;
    struct anchor *anchor = FS_ARENA_NEW(&b->document->arena, struct anchor);
    fs_map_sets(&b->anchors, (const char *)name, anchor);
    return anchor;
}

static const struct fs_doc_node *read_node(struct builder *b, yaml_event_t *event, int depth);

static const struct fs_doc_node *read_alias(struct builder *b, const yaml_event_t *event)
{
    const struct anchor *anchor = fs_map_gets(&b->anchors, (const char *)event->data.alias.anchor);
    if (!anchor)
        return fail_event(b, event,
                          "the alias names an anchor that is not there; anchors (&name) come before aliases "
                          "(*name)"),
               NULL;
    if (!anchor->node)
        return fail_event(b, event, "the alias stands inside of what it names"), NULL;
    return count(b, event, anchor->node->weight) ? anchor->node : NULL;
}

static const struct fs_doc_node *read_scalar(struct builder *b, const yaml_event_t *event)
{
    struct anchor *anchor = open_anchor(b, event->data.scalar.anchor);
    struct fs_doc_node *node = new_node(b, FS_DOC_STRING, event);
    const char *why = NULL;
    node->length = event->data.scalar.length;
    node->text = fs_arena_strndup(&b->document->arena, (const char *)event->data.scalar.value, node->length);
    if (memchr(node->text, 0, node->length))
        return fail_event(b, event, "a text may not hold the character U+0000"), NULL;
    if (!fs_scalar_resolve(node, (const char *)event->data.scalar.tag,
                           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, &why))
        return fail_event(b, event, why), NULL;
    if (anchor)
        anchor->node = node;
    return count(b, event, 1) ? node : NULL;
}

static bool collection_tag_is_fine(struct builder *b, const yaml_event_t *event, const yaml_char_t *tag,
                                   const char *allowed)
{
    return !tag || strcmp((const char *)tag, allowed) == 0 || strcmp((const char *)tag, "!") == 0 ||
           fail_event(b, event, "tags are not supported, but for those of YAML's core schema");
}

static const struct fs_doc_node *read_list(struct builder *b, const yaml_event_t *start, int depth)
{
    struct anchor *anchor = open_anchor(b, start->data.sequence_start.anchor);
    struct fs_doc_node *node = new_node(b, FS_DOC_LIST, start);
    FS_VEC(const struct fs_doc_node *) items = {0};
    const struct fs_doc_node *result = NULL, *item;
    yaml_event_t event;
    if (!collection_tag_is_fine(b, start, start->data.sequence_start.tag, "tag:yaml.org,2002:seq") ||
        !count(b, start, 1))
        return NULL;
    for (;;) {
        if (!next_event(b, &event))
            goto out;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        item = read_node(b, &event, depth + 1);
        yaml_event_delete(&event);
        if (!item)
            goto out;
        node->weight += item->weight;
        fs_vec_push(&items, item);
    }
    yaml_event_delete(&event);
    node->count = items.count;
    node->items = fs_arena_alloc(&b->document->arena, (items.count + 1) * sizeof *node->items);
    for (size_t i = 0; i < items.count; i++)
        node->items[i] = items.items[i];
    if (anchor)
        anchor->node = node;
    result = node;
out:
    fs_vec_finish(&items);
    return result;
}

/* The key of a member from its event: a scalar as it is written. */
static bool read_key(struct builder *b, const yaml_event_t *event, struct fs_doc_member *out)
{
    place(b, &event->start_mark, &out->line, &out->column);
    if (event->type != YAML_SCALAR_EVENT)
        return fail_event(b, event, "a key must be a string, not a list, a map or an alias");
    const char *key = (const char *)event->data.scalar.value;
    if (strlen(key) != event->data.scalar.length)
        return fail_event(b, event, "a key may not hold the character U+0000");
    if (event->data.scalar.anchor)
        return fail_event(b, event, "a key may not have an anchor");
    if (strcmp(key, "<<") == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return fail_event(
            b, event,
            "merge keys (<<) are YAML 1.1; this is YAML 1.2, where an alias stands for a whole value");
    out->key = fs_arena_strndup(&b->document->arena, key, event->data.scalar.length);
    return count(b, event, 1);
}

/* A member whose key the map has already is left out and listed: `out` is NULL. */
static bool read_member(struct builder *b, yaml_event_t *event, struct fs_doc_node *node,
                        struct fs_map *known, struct fs_doc_member **out, int depth)
{
    struct fs_doc_member *member = FS_ARENA_NEW(&b->document->arena, struct fs_doc_member);
    bool ok = read_key(b, event, member);
    yaml_event_delete(event);
    if (!ok || !next_event(b, event))
        return false;
    member->value = read_node(b, event, depth + 1);
    yaml_event_delete(event);
    if (!member->value)
        return false;
    const struct fs_doc_member *first = fs_map_gets(known, member->key);
    if (first) {
        struct fs_doc_duplicate duplicate = {member->key, member->line, member->column, first->line};
        fs_vec_push(&b->document->duplicates, duplicate);
        *out = NULL;
        return true;
    }
    fs_map_sets(known, member->key, member);
    node->weight += member->value->weight + 1;
    *out = member;
    return true;
}

static const struct fs_doc_node *read_map(struct builder *b, const yaml_event_t *start, int depth)
{
    struct anchor *anchor = open_anchor(b, start->data.mapping_start.anchor);
    struct fs_doc_node *node = new_node(b, FS_DOC_MAP, start);
    FS_VEC(struct fs_doc_member *) members = {0};
    const struct fs_doc_node *result = NULL;
    struct fs_doc_member *member;
    struct fs_map known;
    yaml_event_t event;
    fs_map_init_borrowing(&known);
    if (!collection_tag_is_fine(b, start, start->data.mapping_start.tag, "tag:yaml.org,2002:map") ||
        !count(b, start, 1))
        goto out;
    for (;;) {
        if (!next_event(b, &event))
            goto out;
        if (event.type == YAML_MAPPING_END_EVENT)
            break;
        if (!read_member(b, &event, node, &known, &member, depth))
            goto out;
        if (member)
            fs_vec_push(&members, member);
    }
    yaml_event_delete(&event);
    node->count = members.count;
    node->members = fs_arena_alloc(&b->document->arena, (members.count + 1) * sizeof *node->members);
    for (size_t i = 0; i < members.count; i++)
        node->members[i] = *members.items[i];
    if (anchor)
        anchor->node = node;
    result = node;
out:
    fs_vec_finish(&members);
    fs_map_finish(&known, NULL);
    return result;
}

/* The event stays the caller's to delete. */
static const struct fs_doc_node *read_node(struct builder *b, yaml_event_t *event, int depth)
{
    if (depth > FS_DOC_DEPTH)
        return fail_event(b, event, "it is nested too deeply; make it flatter"), NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return read_alias(b, event);
    case YAML_SCALAR_EVENT:
        return read_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(b, event, depth);
    case YAML_MAPPING_START_EVENT:
        return read_map(b, event, depth);
    default:
        return fail_event(b, event, "a value was expected here"), NULL;
    }
}

static bool read_stream(struct builder *b)
{
    yaml_event_t event;
    bool ok = true, end = false;
    size_t documents = 0;
    while (ok && !end) {
        if (!next_event(b, &event))
            return false;
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            ok = ++documents == 1 ||
                 fail_event(b, &event, "a second document starts here; put it into a file of its own");
            break;
        case YAML_STREAM_END_EVENT:
            end = true;
            break;
        default:
            b->document->root = read_node(b, &event, 1);
            ok = b->document->root != NULL;
        }
        yaml_event_delete(&event);
    }
    return ok;
}

bool fs_document_read(struct fs_document *document, const char *text, size_t length, struct fs_doc_error *err)
{
    struct builder b = {.document = document, .err = err};
    memset(document, 0, sizeof *document);
    memset(err, 0, sizeof *err);
    fs_arena_init(&document->arena);
    fs_map_init(&b.anchors);
    if (!yaml_parser_initialize(&b.parser))
        return fail_at(&b, 0, 0, "the YAML reader could not start");
    fs_surrogates_join(&b.surrogates, text, length);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)b.surrogates.text, b.surrogates.length);
    bool ok = read_stream(&b);
    if (!ok)
        document->root = NULL;
    yaml_parser_delete(&b.parser);
    fs_surrogates_finish(&b.surrogates);
    fs_map_finish(&b.anchors, NULL);
    return ok;
}

void fs_doc_duplicate_text(const struct fs_doc_duplicate *duplicate, char out[240])
{
    snprintf(out, 240, "the key '%.150s' stands here for the second time; it is also in line %d",
             duplicate->key, duplicate->first);
}

void fs_document_finish(struct fs_document *document)
{
    if (!document)
        return;
    fs_vec_finish(&document->duplicates);
    if (document->arena.chunks)
        fs_arena_finish(&document->arena);
    memset(document, 0, sizeof *document);
}

const struct fs_doc_member *fs_doc_find(const struct fs_doc_node *map, const char *key)
{
    if (!map || map->kind != FS_DOC_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->members[i].key, key) == 0)
            return &map->members[i];
    }
    return NULL;
}
