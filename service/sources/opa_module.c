/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Rego module that lets one request ask many questions: for each path a partial object that maps the
 * items given for it to its values, so that an undefined item is an absent key and cannot shift its
 * neighbours. Its `version` is a hash of the rest: an answer that bears it comes from this text and no other.
 * Pure.
 */
#include "opa_internal.h"
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/digest.h"
#include "base/str.h"

#define MODULE_LIMIT (16u << 20)
#define NAME_STEM    48

static int by_text(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* A readable stem, and a hash that keeps "a/b" and "a_b" apart. */
static char *rule_name(const char *query)
{
    char stem[NAME_STEM + 1], hex[2 * FS_SHA256_SIZE + 1];
    size_t length = strlen(query) < NAME_STEM ? strlen(query) : NAME_STEM;
    for (size_t i = 0; i < length; i++) {
        char c = query[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        stem[i] = plain ? c : '_';
    }
    stem[length] = 0;
    struct fs_sha256 hash = fs_sha256(query, strlen(query));
    fs_hex(hash.bytes, 6, hex);
    return fs_format("q_%s_%s", stem, hex);
}

static void add_rule(struct fs_buf *out, const char *name, const char *query)
{
    fs_buf_addf(out, "\n%s[n] := r if {\n\tsome n, i in input.items.%s\n\tr := ", name, name);
    fs_opa_path_rego(out, query);
    fs_buf_adds(out, " with input as i\n}\n");
}

/* Sorted, each once, only those that a module can hold. Returns how many; the array is the caller's, the
 * texts are borrowed. */
static size_t usable_queries(const char *module_id, const char *const *queries, size_t count,
                             const char **out)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (fs_opa_path_batchable(queries[i], module_id))
            out[kept++] = queries[i];
    if (kept)
        qsort(out, kept, sizeof *out, by_text);
    size_t distinct = 0;
    for (size_t i = 0; i < kept; i++)
        if (i == 0 || strcmp(out[i], out[distinct - 1]) != 0)
            out[distinct++] = out[i];
    return distinct;
}

void fs_opa_module_make(struct fs_opa_module *out, const char *module_id, const char *const *queries,
                        size_t count)
{
    const char **usable = fs_calloc(count + 1, sizeof *usable);
    size_t usable_count = usable_queries(module_id, queries, count, usable);
    struct fs_buf rules, text;
    fs_buf_init(&rules, MODULE_LIMIT);
    fs_buf_init(&text, MODULE_LIMIT);
    fs_map_init(&out->rules);
    for (size_t i = 0; i < usable_count; i++) {
        char *name = rule_name(usable[i]);
        add_rule(&rules, name, usable[i]);
        fs_free(fs_map_sets(&out->rules, usable[i], name));
    }
    char hex[2 * FS_SHA256_SIZE + 1];
    struct fs_sha256 hash = fs_sha256(rules.data, rules.length);
    fs_hex(hash.bytes, 8, hex);
    memcpy(out->version, "v1-", 3);
    memcpy(out->version + 3, hex, 17);
    fs_buf_addf(&text,
                "# Made by Flagstaff from the paths that its flags ask for (flagstaff opa-module prints it). "
                "Do not edit.\n"
                "package %s.batch\n\nimport rego.v1\n\nversion := \"%s\"\n",
                module_id, out->version);
    fs_buf_add(&text, rules.data, rules.length);
    out->text = fs_buf_take(&text, &out->length);
    fs_buf_finish(&rules);
    fs_buf_finish(&text);
    fs_free(usable);
}

void fs_opa_module_finish(struct fs_opa_module *module)
{
    fs_free(module->text);
    fs_map_finish(&module->rules, fs_free);
    memset(module, 0, sizeof *module);
}

char *fs_opa_module(const char *module, const char *const *queries, size_t count)
{
    struct fs_opa_module made = {0};
    fs_opa_module_make(&made, module ? module : FS_OPA_MODULE_DEFAULT, queries, count);
    char *text = made.text;
    made.text = NULL;
    fs_opa_module_finish(&made);
    return text;
}
