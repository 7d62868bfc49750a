/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From paths to one set: which files there are, their bytes, and the set when all of them are without error.
 * The only place of this part that touches the file system.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "base/str.h"
#include "reading.h"

struct seen {
    dev_t device;
    ino_t file;
};

struct loading {
    struct fs_reading reading;
    FS_VEC(struct seen) seen; /* a file that two paths lead to is read once */
};

static void reading_init(struct fs_reading *reading, const struct fs_flagfile_sources *sources,
                         struct fs_flag_problems *problems)
{
    memset(problems, 0, sizeof *problems);
    memset(reading, 0, sizeof *reading);
    reading->sources = sources;
    reading->problems = problems;
    reading->evaluators = json_object();
    fs_map_init_borrowing(&reading->by_key);
    fs_map_init_borrowing(&reading->evaluator_files);
}

static bool stands_behind(const struct fs_flag_problem *a, const struct fs_flag_problem *b)
{
    if (a->order != b->order)
        return a->order > b->order;
    return a->line > b->line || (a->line == b->line && a->column > b->column);
}

/* By file and place; what stands at one place keeps its order. */
static void sort_problems(struct fs_flag_problem *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct fs_flag_problem moving = items[i];
        size_t at = i;
        for (; at > 0 && stands_behind(&items[at - 1], &moving); at--)
            items[at] = items[at - 1];
        items[at] = moving;
    }
}

/* What all files share first, then the flags of each. */
static void read_all(struct fs_reading *reading)
{
    for (size_t i = 0; i < reading->files.count; i++) {
        if (reading->files.items[i]->document.root)
            fs_file_collect(reading->files.items[i]);
    }
    json_t *fine = json_copy(reading->evaluators);
    for (size_t i = 0; i < reading->files.count; i++) {
        if (reading->files.items[i]->document.root)
            fs_file_check_evaluators(reading->files.items[i], fine);
    }
    json_decref(reading->evaluators);
    reading->evaluators = fine;
    for (size_t i = 0; i < reading->files.count; i++) {
        if (reading->files.items[i]->document.root)
            fs_file_read(reading->files.items[i]);
    }
    if (reading->problems->count)
        sort_problems(reading->problems->items, reading->problems->count);
}

static void finish_files(struct fs_reading *reading)
{
    for (size_t i = 0; i < reading->files.count; i++) {
        struct fs_flagfile *file = reading->files.items[i];
        fs_document_finish(&file->document);
        json_decref(file->metadata);
        fs_free(file->name);
        fs_free(file);
    }
    fs_vec_finish(&reading->files);
}

/* The set, where nothing is wrong. */
static struct fs_flagset *reading_end(struct fs_reading *reading)
{
    struct fs_flagset *set = NULL;
    read_all(reading);
    if (reading->problems->errors == 0)
        set = fs_flagset_create(reading->flags.items, reading->flags.count, reading->metadata);
    for (size_t i = 0; !set && i < reading->flags.count; i++)
        fs_flag_destroy(reading->flags.items[i]);
    json_decref(reading->metadata);
    json_decref(reading->evaluators);
    fs_vec_finish(&reading->flags);
    fs_map_finish(&reading->by_key, NULL);
    fs_map_finish(&reading->evaluator_files, NULL);
    finish_files(reading);
    return set;
}

static struct fs_flagfile *add_file(struct fs_reading *reading, const char *name)
{
    struct fs_flagfile *file = FS_NEW(struct fs_flagfile);
    file->all = reading;
    file->name = fs_strdup(name);
    file->order = reading->files.count;
    fs_vec_push(&reading->files, file);
    return file;
}

static void read_text(struct fs_flagfile *file, const char *text, size_t length)
{
    struct fs_doc_error err;
    const struct fs_document *document = &file->document;
    if (!fs_document_read(&file->document, text, length, &err))
        fs_report_file(file, err.line, err.column, err.text);
    else if (!file->document.root)
        fs_report_file(file, 0, 0, "the file is empty: expected a map with `flags`");
    for (size_t i = 0; document->root && i < document->duplicates.count; i++) {
        fs_doc_duplicate_text(&document->duplicates.items[i], err.text);
        fs_report_file(file, document->duplicates.items[i].line, document->duplicates.items[i].column,
                       err.text);
    }
}

static void report_errno(struct fs_flagfile *file)
{
    char text[160], reason[128];
    snprintf(text, sizeof text, "it cannot be read: %s", strerror_r(errno, reason, sizeof reason));
    fs_report_file(file, 0, 0, text);
}

static void read_file(struct fs_flagfile *file)
{
    struct fs_buf text;
    char chunk[16384];
    size_t length;
    FILE *stream = fopen(file->name, "rbe");
    if (!stream) {
        report_errno(file);
        return;
    }
    fs_buf_init(&text, FS_FLAGFILE_SIZE);
    while ((length = fread(chunk, 1, sizeof chunk, stream)) > 0 && fs_buf_add(&text, chunk, length))
        ;
    if (ferror(stream))
        report_errno(file);
    else if (text.failed)
        fs_report_file(file, 0, 0, "it is larger than 16 MiB; split it into several files");
    else
        read_text(file, text.data, text.length);
    fs_buf_finish(&text);
    fclose(stream);
}

static bool is_new(struct loading *loading, const struct stat *status)
{
    for (size_t i = 0; i < loading->seen.count; i++) {
        if (loading->seen.items[i].device == status->st_dev && loading->seen.items[i].file == status->st_ino)
            return false;
    }
    struct seen seen = {status->st_dev, status->st_ino};
    fs_vec_push(&loading->seen, seen);
    return true;
}

static bool is_flag_file(const char *name)
{
    struct fs_str text = fs_str_from(name);
    return *name != '.' &&
           (fs_str_ends_with(text, FS_STR(".yaml")) || fs_str_ends_with(text, FS_STR(".yml")) ||
            fs_str_ends_with(text, FS_STR(".json")));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void load_file(struct loading *loading, const char *path, bool named);

static void load_directory(struct loading *loading, const char *path)
{
    FS_VEC(char *) names = {0};
    const struct dirent *entry;
    DIR *directory = opendir(path);
    if (!directory) {
        report_errno(add_file(&loading->reading, path));
        return;
    }
    while ((entry = readdir(directory))) {
        if (is_flag_file(entry->d_name))
            fs_vec_push(&names, fs_strdup(entry->d_name));
    }
    closedir(directory);
    if (!names.count)
        fs_report_file(add_file(&loading->reading, path), 0, 0,
                       "the directory holds no flag file (*.yaml, *.yml or *.json)");
    else
        qsort(names.items, names.count, sizeof *names.items, by_name);
    for (size_t i = 0; i < names.count; i++) {
        char *file = fs_format("%s%s%s", path, fs_str_ends_with(fs_str_from(path), FS_STR("/")) ? "" : "/",
                               names.items[i]);
        load_file(loading, file, false);
        fs_free(file);
        fs_free(names.items[i]);
    }
    fs_vec_finish(&names);
}

/* `named`: by the caller, and so it may be a directory; inside of one, directories are passed over. */
static void load_file(struct loading *loading, const char *path, bool named)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        report_errno(add_file(&loading->reading, path));
    } else if (S_ISDIR(status.st_mode)) {
        if (named)
            load_directory(loading, path);
    } else if (loading->seen.count == FS_FLAGFILE_COUNT) {
        fs_report_file(add_file(&loading->reading, path), 0, 0,
                       "there are too many flag files; put several flags into one");
    } else if (is_new(loading, &status)) {
        read_file(add_file(&loading->reading, path));
    }
}

struct fs_flagset *fs_flagfile_load(const char *const *paths, size_t count,
                                    const struct fs_flagfile_sources *sources,
                                    struct fs_flag_problems *problems)
{
    struct loading loading = {0};
    reading_init(&loading.reading, sources, problems);
    for (size_t i = 0; i < count; i++)
        load_file(&loading, paths[i], true);
    fs_vec_finish(&loading.seen);
    return reading_end(&loading.reading);
}

struct fs_flagset *fs_flagfile_parse(const char *text, size_t length, const char *name,
                                     const struct fs_flagfile_sources *sources,
                                     struct fs_flag_problems *problems)
{
    struct fs_reading reading;
    reading_init(&reading, sources, problems);
    read_text(add_file(&reading, name), text, length);
    return reading_end(&reading);
}
