/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: its members against the table. Whatever is not in the table is an error with a
 * suggestion. All that is wrong is told at once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/str.h"
#include "config_internal.h"

#define FILE_MAX_BYTES (16 * 1024 * 1024)

/* What a file is read with. */
struct file_reader {
    struct fs_config *config;
    char *folder; /* with which its relative paths begin; "" */
};

static bool fail_at(const struct file_reader *reader, int line, int column, const char *name,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
static bool fail_at(const struct file_reader *reader, int line, int column, const char *name,
                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = fs_vformat(format, args);
    va_end(args);
    fs_mistake_new(&reader->config->mistakes, FS_ERR_CONFIG, "%s:%d:%d: %s%s%s", reader->config->file, line,
                   column, name, *name ? ": " : "", text);
    fs_free(text);
    return false;
}

static bool in_file(const struct fs_option *option)
{
    return (option->traits & FS_OPTION_FILE) != 0;
}

static bool find(const char *name, enum fs_option_id *out)
{
    for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
        if (in_file(fs_option((enum fs_option_id)i)) &&
            strcmp(fs_option((enum fs_option_id)i)->name, name) == 0) {
            *out = (enum fs_option_id)i;
            return true;
        }
    }
    return false;
}

static bool is_group(const char *name)
{
    size_t length = strlen(name);
    for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
        const struct fs_option *option = fs_option((enum fs_option_id)i);
        if (in_file(option) && strncmp(option->name, name, length) == 0 && option->name[length] == '.')
            return true;
    }
    return false;
}

/* Candidates are the members of the same group: "log" + "levle" gives "level". At the top these are names and
 * groups. */
static bool unknown(const struct file_reader *reader, const char *group, const struct fs_doc_member *member)
{
    const char *candidates[FS_OPT_COUNT];
    char groups[8][24];
    size_t count = 0, group_count = 0, prefix = *group ? strlen(group) + 1 : 0;
    for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
        const char *name = fs_option((enum fs_option_id)i)->name;
        if (!in_file(fs_option((enum fs_option_id)i)) ||
            (prefix && (strncmp(name, group, prefix - 1) != 0 || name[prefix - 1] != '.')))
            continue;
        const char *rest = name + prefix, *dot = strchr(rest, '.');
        if (!dot) {
            candidates[count++] = rest;
        } else if (group_count < 8) {
            snprintf(groups[group_count], sizeof groups[group_count], "%.*s", (int)(dot - rest), rest);
            candidates[count++] = groups[group_count++];
        }
    }
    const char *meant = fs_suggest(member->key, candidates, count);
    return fail_at(reader, member->line, member->column, "", "%s%s%s: there is no such option%s%s%s", group,
                   *group ? "." : "", member->key, meant ? ", did you mean " : "", meant ? meant : "",
                   meant ? "?" : "; docs/configuration.md has them all");
}

static bool set(const struct file_reader *reader, enum fs_option_id id, const struct fs_doc_member *member)
{
    const struct fs_option *option = fs_option(id);
    struct fs_config_value *value = &reader->config->values[id];
    struct fs_err why = {0};
    int line, column;
    if (!fs_value_read(option, member->value, reader->folder, value, &line, &column, &why)) {
        fs_config_set_default(reader->config, id);
        return fail_at(reader, line, column, option->name, "%s", why.text);
    }
    value->origin = FS_ORIGIN_FILE;
    value->line = member->line;
    value->column = member->column;
    return true;
}

static bool read_members(const struct file_reader *reader, const char *group, const struct fs_doc_node *map)
{
    bool all = true;
    for (size_t i = 0; i < map->count; i++) {
        const struct fs_doc_member *member = &map->members[i];
        char *name = fs_format("%s%s%s", group, *group ? "." : "", member->key);
        enum fs_option_id id;
        bool fine = true;
        if (find(name, &id))
            fine = set(reader, id, member);
        else if (*group || !is_group(name))
            fine = unknown(reader, group, member);
        else if (member->value->kind == FS_DOC_MAP)
            fine = read_members(reader, name, member->value);
        else if (member->value->kind != FS_DOC_NULL)
            fine = fail_at(reader, member->value->line, member->value->column, name,
                           "expected a map of options");
        fs_free(name);
        all = fine && all;
    }
    return all;
}

/* Members called ...File are paths: from here on they do not depend on the file's folder. */
static void resolve_paths(const char *folder, json_t *options)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(options, next, key, value)
    {
        size_t length = strlen(key);
        if (length < 5 || strcmp(key + length - 4, "File") != 0 || !json_is_string(value) ||
            !json_string_length(value))
            continue;
        char *path = fs_path_in(folder, json_string_value(value));
        json_object_set_new(options, key, json_string(path));
        fs_free(path);
    }
}

static bool source_name_is_fine(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return length > 0 && length <= 64 && !name[length] && strcmp(name, "builtin") != 0;
}

static bool read_source(const struct file_reader *reader, const struct fs_doc_member *source)
{
    if (!source_name_is_fine(source->key))
        return fail_at(reader, source->line, source->column, "sources",
                       "'%s' cannot be a source's name: letters, digits, '_' and '-', and not builtin, "
                       "which is always there",
                       source->key);
    if (source->value->kind != FS_DOC_MAP)
        return fail_at(reader, source->value->line, source->value->column, "sources",
                       "%s: expected a map with `type` and what it needs", source->key);
    struct fs_config_source *out = &reader->config->sources[reader->config->source_count++];
    *out = (struct fs_config_source){source->key, fs_doc_json(source->value), source->line, source->column};
    resolve_paths(reader->folder, out->options);
    return true;
}

static bool read_sources(const struct file_reader *reader)
{
    const struct fs_doc_member *member = fs_doc_find(reader->config->document.root, "sources");
    if (!member || member->value->kind == FS_DOC_NULL)
        return true;
    if (member->value->kind != FS_DOC_MAP)
        return fail_at(reader, member->value->line, member->value->column, "sources",
                       "expected a map, such as { opa: { type: opa, url: ... } }");
    const struct fs_doc_node *map = member->value;
    bool all = true;
    reader->config->sources = fs_calloc(map->count + 1, sizeof *reader->config->sources);
    for (size_t i = 0; i < map->count; i++)
        all = read_source(reader, &map->members[i]) && all;
    return all;
}

static bool read_text(const char *path, char **out, size_t *length, struct fs_err *err)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    bool fine = false;
    if (!file)
        return fs_fail(err, FS_ERR_CONFIG, "%s: %m", path);
    if (fstat(fileno(file), &status) != 0 || S_ISDIR(status.st_mode)) {
        fs_fail(err, FS_ERR_CONFIG, "%s: expected a file", path);
        goto out;
    }
    *out = fs_alloc(FILE_MAX_BYTES + 1);
    *length = fread(*out, 1, FILE_MAX_BYTES + 1, file);
    fine = !ferror(file) && *length <= FILE_MAX_BYTES;
    if (!fine)
        fs_fail(err, FS_ERR_CONFIG, "%s: %s", path, ferror(file) ? "it cannot be read" : "larger than 16MiB");
out:
    if (fclose(file) != 0 && fine)
        fine = fs_fail(err, FS_ERR_CONFIG, "%s: %m", path);
    return fine;
}

static bool read_duplicates(const struct file_reader *reader)
{
    const struct fs_document *document = &reader->config->document;
    char text[240];
    for (size_t i = 0; i < document->duplicates.count; i++) {
        const struct fs_doc_duplicate *one = &document->duplicates.items[i];
        fs_doc_duplicate_text(one, text);
        fail_at(reader, one->line, one->column, "", "%s", text);
    }
    return document->duplicates.count == 0;
}

static bool read_document(const struct file_reader *reader, const char *text, size_t length)
{
    struct fs_doc_error why;
    struct fs_config *config = reader->config;
    if (!fs_document_read(&config->document, text, length, &why))
        return fail_at(reader, why.line, why.column, "", "%s", why.text);
    const struct fs_doc_node *root = config->document.root;
    if (!root || root->kind == FS_DOC_NULL) /* an empty file says nothing, which is fine */
        return true;
    if (root->kind != FS_DOC_MAP)
        return fail_at(reader, root->line, root->column, "",
                       "expected a map of options, such as listen: 127.0.0.1:8080");
    bool all = read_duplicates(reader);
    all &= read_members(reader, "", root);
    return read_sources(reader) && all;
}

bool fs_config_read_file(struct fs_config *config, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct fs_err err;
    struct file_reader reader = {.config = config};
    char *text = NULL;
    size_t length = 0;
    config->file = fs_strdup(path);
    reader.folder = slash ? fs_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : fs_strdup("");
    bool fine = read_text(path, &text, &length, &err) ? read_document(&reader, text, length)
                                                      : fs_mistake(&config->mistakes, &err);
    fs_free(text);
    fs_free(reader.folder);
    return fine;
}
