/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places, problems and expected members: what makes an error say file, line, column and key, what was
 * expected and what was probably meant. Knows nothing of what flags mean.
 */
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "base/str.h"
#include "reading.h"

enum { KEY_LIMIT = 2048, HINT_WORDS = 8 };

struct fs_spot fs_spot_member(const struct fs_spot *above, const struct fs_doc_member *member)
{
    return (struct fs_spot){.above = above,
                            .key = member->key,
                            .line = member->line,
                            .column = member->column,
                            .node = member->value};
}

struct fs_spot fs_spot_item(const struct fs_spot *above, size_t index)
{
    const struct fs_doc_node *item = above->node->items[index];
    return (struct fs_spot){
        .above = above, .index = index, .line = item->line, .column = item->column, .node = item};
}

bool fs_spot_find(const struct fs_spot *above, const char *key, struct fs_spot *out)
{
    const struct fs_doc_member *member = fs_doc_find(above->node, key);
    if (member)
        *out = fs_spot_member(above, member);
    return member != NULL;
}

/* A key that could be mistaken for two, or for none, stands in quotes. */
static void add_key(struct fs_buf *out, const char *key)
{
    bool plain = *key != 0;
    for (const char *c = key; *c; c++)
        plain = plain && (unsigned char)*c > ' ' && *c != '.' && *c != '"' && *c != 0x7F;
    if (out->length)
        fs_buf_addc(out, '.');
    if (plain)
        fs_buf_adds(out, key);
    else
        fs_buf_add_json_string(out, key, strlen(key));
}

static void add_path(struct fs_buf *out, const struct fs_spot *spot)
{
    if (!spot || !spot->above)
        return;
    add_path(out, spot->above);
    if (spot->key)
        add_key(out, spot->key);
    else
        fs_buf_addf(out, ".%zu", spot->index);
}

/* Takes key and text. */
static void add_problem(const struct fs_flagfile *file, int line, int column, char *key, char *text,
                        bool warning)
{
    struct fs_flag_problems *problems = file->all->problems;
    *(warning ? &problems->warnings : &problems->errors) += 1;
    if (problems->count == FS_FLAG_PROBLEMS) {
        problems->unlisted++;
        fs_free(key);
        fs_free(text);
        return;
    }
    struct fs_flag_problem problem = {fs_strdup(file->name), line, column, key, text, file->order, warning};
    fs_vec_push(problems, problem);
}

static char *take_path(struct fs_buf *path)
{
    char *text = fs_buf_take(path, NULL);
    fs_buf_finish(path);
    return text ? text : fs_strdup("...");
}

static void report(struct fs_flagfile *file, const struct fs_spot *spot, bool warning, char *text)
{
    struct fs_buf path;
    fs_buf_init(&path, KEY_LIMIT);
    add_path(&path, spot);
    add_problem(file, spot->line, spot->column, take_path(&path), text, warning);
}

void fs_report_error(struct fs_flagfile *file, const struct fs_spot *spot, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(file, spot, false, fs_vformat(format, args));
    va_end(args);
}

void fs_report_warning(struct fs_flagfile *file, const struct fs_spot *spot, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(file, spot, true, fs_vformat(format, args));
    va_end(args);
}

void fs_report_at(struct fs_flagfile *file, const struct fs_spot *spot, const char *pointer, const char *text)
{
    int line = spot->line, column = spot->column;
    struct fs_buf path;
    fs_buf_init(&path, KEY_LIMIT);
    fs_doc_locate(spot->node, pointer, &line, &column);
    add_path(&path, spot);
    for (const char *at = pointer; *at; at++) {
        bool escaped = *at == '~' && (at[1] == '0' || at[1] == '1');
        fs_buf_addc(&path, *at == '/' ? '.' : !escaped ? *at : at[1] == '0' ? '~' : '/');
        at += escaped;
    }
    add_problem(file, line, column, take_path(&path), fs_strdup(text), false);
}

void fs_report_file(struct fs_flagfile *file, int line, int column, const char *text)
{
    add_problem(file, line, column, fs_strdup(""), fs_strdup(text), false);
}

void fs_flag_problems_finish(struct fs_flag_problems *problems)
{
    if (!problems)
        return;
    for (size_t i = 0; i < problems->count; i++) {
        fs_free(problems->items[i].file);
        fs_free(problems->items[i].key);
        fs_free(problems->items[i].text);
    }
    fs_vec_finish(problems);
}

char *fs_flag_problem_line(const struct fs_flag_problem *problem)
{
    const char *kind = problem->warning ? "warning: " : "", *colon = *problem->key ? ": " : "";
    if (problem->line)
        return fs_format("%s:%d:%d: %s%s%s%s", problem->file, problem->line, problem->column, kind,
                         problem->key, colon, problem->text);
    return fs_format("%s: %s%s%s%s", problem->file, kind, problem->key, colon, problem->text);
}

/* The same word in other letters, or cut short ('of' is rather 'off' than 'on'), or near it. */
static const char *find_meant(const char *word, const char *const *words, size_t count)
{
    size_t length = strlen(word);
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(word, words[i]) == 0)
            return words[i];
    }
    for (size_t i = 0; i < count && length > 1; i++) {
        if (strncmp(word, words[i], length) == 0 && strlen(words[i]) <= length + 2)
            return words[i];
    }
    return fs_suggest(word, words, count);
}

char *fs_hint(const char *word, const char *const *words, size_t count)
{
    const char *meant = find_meant(word, words, count);
    if (meant)
        return fs_format(" (did you mean '%s'?)", meant);
    if (count == 0 || count > HINT_WORDS)
        return fs_strdup("");
    struct fs_buf text;
    fs_buf_init(&text, KEY_LIMIT);
    fs_buf_adds(&text, " (expected ");
    for (size_t i = 0; i < count; i++)
        fs_buf_addf(&text, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", words[i]);
    fs_buf_addc(&text, ')');
    char *hint = fs_buf_take(&text, NULL);
    fs_buf_finish(&text);
    return hint ? hint : fs_strdup("");
}

const struct fs_doc_node *fs_expect(struct fs_flagfile *file, const struct fs_spot *spot,
                                    enum fs_doc_kind kind, const char *what)
{
    const struct fs_doc_node *node = spot->node;
    if (node->kind == kind)
        return node;
    bool quotable = kind == FS_DOC_STRING && (node->kind == FS_DOC_BOOLEAN || node->kind == FS_DOC_INTEGER ||
                                              node->kind == FS_DOC_REAL);
    if (quotable)
        fs_report_error(file, spot, "expected %s, got %s (if you mean the text, put it in quotes: \"%s\")",
                        what, fs_doc_kind_name(node->kind), node->text);
    else
        fs_report_error(file, spot, "expected %s, got %s", what, fs_doc_kind_name(node->kind));
    return NULL;
}

const char *fs_expect_text(struct fs_flagfile *file, const struct fs_spot *spot, const char *what)
{
    const struct fs_doc_node *node = fs_expect(file, spot, FS_DOC_STRING, what);
    if (node && !node->length)
        fs_report_error(file, spot, "expected %s, got an empty string", what);
    return node && node->length ? node->text : NULL;
}

static size_t count_words(const char *const *words)
{
    size_t count = 0;
    while (words[count])
        count++;
    return count;
}

int fs_expect_choice(struct fs_flagfile *file, const struct fs_spot *spot, const char *const *words)
{
    const char *word = fs_expect_text(file, spot, "a string");
    for (int i = 0; word && words[i]; i++) {
        if (strcmp(word, words[i]) == 0)
            return i;
    }
    if (word) {
        char *hint = fs_hint(word, words, count_words(words));
        fs_report_error(file, spot, "'%s' is not known here%s", word, hint);
        fs_free(hint);
    }
    return -1;
}

void fs_expect_duration(struct fs_flagfile *file, const struct fs_spot *spot, int64_t least, int64_t *ms)
{
    const struct fs_doc_node *node = spot->node;
    int64_t read;
    char shortest[32];
    if (node->kind == FS_DOC_INTEGER || node->kind == FS_DOC_REAL)
        fs_report_error(file, spot, "a duration needs a unit (did you mean '%ss'? or 250ms, 10s, 5m, 1h, 7d)",
                        node->text);
    else if (!fs_expect(file, spot, FS_DOC_STRING, "a duration such as 10s"))
        return;
    else if (!fs_parse_duration((struct fs_str){node->text, node->length}, &read))
        fs_report_error(file, spot, "'%s' is no duration (expected such as 250ms, 10s, 5m, 1h30m, 7d)",
                        node->text);
    else if (read < least)
        fs_report_error(file, spot, "'%s' is too short; the least is %s", node->text,
                        fs_format_duration(least, shortest));
    else
        *ms = read;
}

bool fs_is_free_key(const char *key)
{
    return strncmp(key, "x-", 2) == 0 || strcmp(key, "$comment") == 0;
}

void fs_expect_known(struct fs_flagfile *file, const struct fs_spot *spot, const char *const *known)
{
    size_t count = count_words(known);
    for (size_t i = 0; spot->node->kind == FS_DOC_MAP && i < spot->node->count; i++) {
        const struct fs_doc_member *member = &spot->node->members[i];
        bool found = fs_is_free_key(member->key);
        for (size_t k = 0; k < count && !found; k++)
            found = strcmp(member->key, known[k]) == 0;
        if (found)
            continue;
        struct fs_spot at = fs_spot_member(spot, member);
        char *hint = fs_hint(member->key, known, count);
        fs_report_error(file, &at, "this key is not known%s", hint);
        fs_free(hint);
    }
}

json_t *fs_expect_metadata(struct fs_flagfile *file, const struct fs_spot *spot)
{
    static const char own[] = "flagstaff.";
    size_t errors = file->all->problems->errors;
    if (!fs_expect(file, spot, FS_DOC_MAP, "a map of metadata"))
        return NULL;
    for (size_t i = 0; i < spot->node->count; i++) {
        struct fs_spot at = fs_spot_member(spot, &spot->node->members[i]);
        enum fs_doc_kind kind = at.node->kind;
        if (kind == FS_DOC_NULL || kind == FS_DOC_LIST || kind == FS_DOC_MAP)
            fs_report_error(file, &at, "expected a boolean, a string or a number, got %s (metadata is flat)",
                            fs_doc_kind_name(kind));
        if (strncmp(at.key, own, sizeof own - 1) == 0)
            fs_report_error(file, &at, "names that start with '%s' are the service's own", own);
    }
    return file->all->problems->errors == errors ? fs_doc_json(spot->node) : NULL;
}
