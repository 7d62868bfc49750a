/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths: "org.name" split once, then followed through context, facts, decisions or an item. Segments escape
 * as in json-logic-engine (utilities/splitPath.js); arrays and text have indexes and a length.
 */
#include <string.h>
#include "rule_internal.h"

static long array_index(const char *text, size_t length)
{
    long index = 0;
    if (length == 0 || length > 9 || (length > 1 && text[0] == '0'))
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        index = index * 10 + (text[i] - '0');
    }
    return index;
}

void fs_path_parse(struct fs_arena *arena, const char *text, size_t length, struct fs_path *out)
{
    size_t most = 1;
    for (size_t i = 0; i < length; i++)
        most += text[i] == '.';
    *out = (struct fs_path){.root = FS_ROOT_FRAME,
                            .segments = fs_arena_alloc(arena, most * sizeof *out->segments)};
    char *copy = fs_arena_alloc(arena, length + most), *start = copy, *to = copy;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && text[i] == '\\' && i + 1 < length && strchr("./\\", text[i + 1]))
            *to++ = text[++i];
        else if (i < length && text[i] != '.')
            *to++ = text[i];
        else if (i < length || out->count != length) { /* "." is one empty segment, not two */
            *to = 0;
            out->segments[out->count++] =
                (struct fs_segment){start, (size_t)(to - start), array_index(start, (size_t)(to - start))};
            start = ++to;
        }
    }
}

static bool segment_is(const struct fs_path *path, size_t index, const char *text)
{
    return index < path->count && strcmp(path->segments[index].text, text) == 0;
}

static void cut(struct fs_path *path, enum fs_root root, size_t count)
{
    path->root = root;
    path->segments += count;
    path->count -= count;
}

void fs_path_find_root(struct fs_path *path)
{
    if (segment_is(path, 0, "facts"))
        cut(path, FS_ROOT_FACTS, 1);
    else if (segment_is(path, 0, "decision"))
        cut(path, FS_ROOT_DECISION, 1);
    else if (segment_is(path, 0, "$flagd")) {
        if (segment_is(path, 1, "flagKey") && path->count == 2)
            cut(path, FS_ROOT_FLAG_KEY, 2);
        else if (segment_is(path, 1, "timestamp") && path->count == 2)
            cut(path, FS_ROOT_TIMESTAMP, 2);
        else
            cut(path, FS_ROOT_NOWHERE, path->count);
    }
}

static bool is_length(const struct fs_segment *segment)
{
    return segment->length == 6 && memcmp(segment->text, "length", 6) == 0;
}

/* One UTF-16 unit of a text. Half of a surrogate pair cannot be said in UTF-8: nothing. */
static bool text_unit(struct fs_value *value, long index)
{
    struct fs_str text = value->string;
    if (index < 0 || (size_t)index >= fs_text_units(text))
        return false;
    size_t start = fs_text_offset(text, (size_t)index), end = fs_text_offset(text, (size_t)index + 1);
    if ((unsigned char)text.ptr[start] >= 0xF0)
        return false;
    *value = fs_string(text.ptr + start, end - start);
    return true;
}

/* From a value to a member of it. */
static bool step_into(struct fs_value *value, const struct fs_segment *segment)
{
    if (value->kind == FS_STRING) {
        if (!is_length(segment))
            return text_unit(value, segment->index);
        *value = fs_number((double)fs_text_units(value->string));
        return true;
    }
    if (fs_value_is_array(*value)) {
        size_t count = fs_value_count(*value);
        if (is_length(segment)) {
            *value = fs_number((double)count);
            return true;
        }
        if (segment->index < 0 || (size_t)segment->index >= count)
            return false;
        *value = fs_value_at(*value, (size_t)segment->index);
        return true;
    }
    if (value->kind != FS_JSON)
        return false;
    const json_t *member = json_object_getn(value->json, segment->text, segment->length);
    if (!member)
        return false;
    *value = fs_value_from_json(member);
    return true;
}

static bool follow(struct fs_value value, const struct fs_path *path, size_t from, struct fs_value *out)
{
    for (size_t i = from; i < path->count; i++) {
        if (!step_into(&value, &path->segments[i]))
            return false;
    }
    *out = value;
    return true;
}

static bool frame_value(struct fs_run *run, const struct fs_path *path, struct fs_value *out)
{
    const struct fs_frame *frame = run->frame;
    if (frame->kind == FS_FRAME_TOP)
        return run->scope->context && follow(fs_value_from_json(run->scope->context), path, 0, out);
    if (frame->kind == FS_FRAME_ITEM)
        return follow(frame->item, path, 0, out);
    /* A reduce sees two names and nothing else; the pair itself is no value here. */
    if (segment_is(path, 0, "current"))
        return follow(frame->item, path, 1, out);
    if (segment_is(path, 0, "accumulator"))
        return follow(frame->accumulator, path, 1, out);
    return false;
}

static bool floor_seconds(const struct fs_run *run, struct fs_value *out)
{
    int64_t seconds = run->scope->wall_ms / 1000 - (run->scope->wall_ms % 1000 < 0);
    *out = fs_number((double)seconds);
    return true;
}

struct fs_value fs_path_value(struct fs_run *run, const struct fs_path *path, bool *found)
{
    struct fs_value value = FS_NONE;
    *found = false;
    switch (path->root) {
    case FS_ROOT_FRAME:
        *found = frame_value(run, path, &value);
        break;
    case FS_ROOT_FACTS:
        *found = run->scope->facts && follow(fs_value_from_json(run->scope->facts), path, 0, &value);
        break;
    case FS_ROOT_DECISION:
        *found = run->scope->decisions && follow(fs_value_from_json(run->scope->decisions), path, 0, &value);
        break;
    case FS_ROOT_FLAG_KEY:
        *found = run->scope->flag_key != NULL;
        if (*found)
            value = fs_string(run->scope->flag_key, strlen(run->scope->flag_key));
        break;
    case FS_ROOT_TIMESTAMP:
        *found = floor_seconds(run, &value);
        break;
    case FS_ROOT_NOWHERE:
        break;
    }
    return value;
}
