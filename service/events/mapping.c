/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings from the configuration, compiled. What they make of an event is in mapping_apply.c. */
#include <string.h>
#include "base/alloc.h"
#include "core/json.h"
#include "events_internal.h"

#define MAPPINGS_MAX 1000

static void mapping_destroy(struct fs_mapping *mapping)
{
    for (size_t i = 0; i < FS_FILTER_KINDS; i++)
        fs_rule_destroy(mapping->filter[i]);
    for (size_t i = 0; i < mapping->facts.count; i++) {
        fs_rule_destroy(mapping->facts.items[i].subject);
        fs_free(mapping->facts.items[i].fact);
        fs_rule_destroy(mapping->facts.items[i].value);
    }
    fs_vec_finish(&mapping->facts);
    fs_free(mapping->type);
    fs_free(mapping);
}

void fs_mappings_destroy(struct fs_mappings *mappings)
{
    if (!mappings)
        return;
    for (size_t i = 0; i < mappings->all.count; i++)
        mapping_destroy(mappings->all.items[i]);
    fs_vec_finish(&mappings->all);
    fs_free(mappings);
}

static bool compile(const json_t *logic, struct fs_rule **out, struct fs_err *err)
{
    struct fs_rule_error why = {0};
    *out = fs_rule_compile_template(logic, NULL, &why);
    if (*out)
        return true;
    return fs_fail(err, FS_ERR_CONFIG, "%s%s%s", why.pointer, *why.pointer ? ": " : "", why.text);
}

static bool read_recompute(const json_t *recompute, struct fs_mapping *mapping, struct fs_mistakes *mistakes)
{
    struct fs_err err;
    if (!json_is_object(recompute))
        return fs_mistake_new(mistakes, FS_ERR_CONFIG,
                              "expected an object; {} means that everything is asked again");
    bool all = fs_json_all_known(recompute, fs_filter_names, "", FS_ERR_CONFIG, mistakes);
    mapping->recompute = true;
    for (enum fs_filter_kind kind = 0; kind < FS_FILTER_KINDS; kind++) {
        const json_t *rule = json_object_get(recompute, fs_filter_names[kind]);
        if (rule && !compile(rule, &mapping->filter[kind], &err)) {
            fs_fail_in(&err, "%s", fs_filter_names[kind]);
            all = fs_mistake(mistakes, &err);
        }
    }
    return all;
}

static bool read_ttl(const json_t *fact, int64_t *out, struct fs_err *err)
{
    const json_t *ttl = json_object_get(fact, "ttl");
    *out = 0;
    if (!ttl)
        return true;
    if (json_is_string(ttl) && fs_parse_duration(fs_str_from(json_string_value(ttl)), out) && *out > 0)
        return true;
    return fs_fail(err, FS_ERR_CONFIG, "ttl: expected a duration such as 15m or 7d");
}

static bool read_fact(const json_t *json, struct fs_mapped_fact *out, struct fs_mistakes *mistakes)
{
    static const char *const members[] = {"subject", "fact", "value", "ttl", NULL};
    const char *name = fs_json_text(json, "fact");
    const json_t *subject = json_object_get(json, "subject"), *value = json_object_get(json, "value");
    struct fs_err err;
    if (!json_is_object(json))
        return fs_mistake_new(mistakes, FS_ERR_CONFIG, "expected an object with subject, fact and value");
    bool all = fs_json_all_known(json, members, "", FS_ERR_CONFIG, mistakes);
    if (!read_ttl(json, &out->ttl, &err))
        all = fs_mistake(mistakes, &err);
    if (name && fs_fact_name_valid(name))
        out->fact = fs_strdup(name);
    else
        all = fs_mistake_new(mistakes, FS_ERR_CONFIG,
                             "fact: expected a name of 1 to 64 letters, digits, '_' and '-'");
    if (!subject)
        all = fs_mistake_new(mistakes, FS_ERR_CONFIG, "subject: it is missing");
    else if (!compile(subject, &out->subject, &err))
        all = fs_fail_in(&err, "subject") || fs_mistake(mistakes, &err);
    if (!value)
        all = fs_mistake_new(mistakes, FS_ERR_CONFIG, "value: it is missing");
    else if (!json_is_null(value) && !compile(value, &out->value, &err))
        all = fs_fail_in(&err, "value") || fs_mistake(mistakes, &err);
    return all;
}

static bool read_facts(const json_t *facts, struct fs_mapping *mapping, struct fs_mistakes *mistakes)
{
    bool all = true;
    if (!json_is_array(facts) || json_array_size(facts) == 0)
        return fs_mistake_new(mistakes, FS_ERR_CONFIG, "facts: expected a list that is not empty");
    for (size_t i = 0; i < json_array_size(facts); i++) {
        struct fs_mapped_fact fact = {0};
        size_t before = mistakes ? mistakes->list.count : 0;
        all &= read_fact(json_array_get(facts, i), &fact, mistakes);
        fs_vec_push(&mapping->facts, fact);
        fs_mistakes_in(mistakes, before, "facts[%zu]", i);
    }
    return all;
}

static bool read_type(const char *type, struct fs_mapping *mapping, struct fs_mistakes *mistakes)
{
    if (!type || !*type)
        return fs_mistake_new(mistakes, FS_ERR_CONFIG,
                              "type: expected a type of events or a pattern with * and ?");
    if (strncmp(type, "flagstaff.", strlen("flagstaff.")) == 0)
        return fs_mistake_new(mistakes, FS_ERR_CONFIG,
                              "type: flagstaff.* are Flagstaff's own and cannot be mapped");
    mapping->type = fs_strdup(type);
    return true;
}

static bool read_mapping(const json_t *json, struct fs_mapping *mapping, struct fs_mistakes *mistakes)
{
    static const char *const members[] = {"type", "recompute", "facts", NULL};
    const json_t *recompute = json_object_get(json, "recompute"), *facts = json_object_get(json, "facts");
    if (!json_is_object(json))
        return fs_mistake_new(mistakes, FS_ERR_CONFIG,
                              "expected an object with type, and recompute or facts or both");
    bool all = fs_json_all_known(json, members, "", FS_ERR_CONFIG, mistakes);
    all &= read_type(fs_json_text(json, "type"), mapping, mistakes);
    if (!recompute && !facts)
        all = fs_mistake_new(mistakes, FS_ERR_CONFIG,
                             "it has neither recompute nor facts, so it would do nothing");
    size_t before = mistakes ? mistakes->list.count : 0;
    if (recompute && !read_recompute(recompute, mapping, mistakes)) {
        fs_mistakes_in(mistakes, before, "recompute");
        all = false;
    }
    return (!facts || read_facts(facts, mapping, mistakes)) && all;
}

struct fs_mappings *fs_mappings_create(const json_t *list, struct fs_mistakes *mistakes)
{
    struct fs_mappings *mappings = FS_NEW(struct fs_mappings);
    bool fine = true;
    if (list && !json_is_null(list) && (!json_is_array(list) || json_array_size(list) > MAPPINGS_MAX))
        fine = fs_mistake_new(mistakes, FS_ERR_CONFIG, "events.mappings: expected a list of at most %d",
                              MAPPINGS_MAX);
    for (size_t i = 0; fine && i < json_array_size(list); i++)
        fs_vec_push(&mappings->all, FS_NEW(struct fs_mapping));
    for (size_t i = 0; i < mappings->all.count; i++) {
        size_t before = mistakes ? mistakes->list.count : 0;
        fine &= read_mapping(json_array_get(list, i), mappings->all.items[i], mistakes);
        fs_mistakes_in(mistakes, before, "events.mappings[%zu]", i);
    }
    if (fine)
        return mappings;
    fs_mappings_destroy(mappings);
    return NULL;
}

const struct fs_mapping *fs_mappings_find(const struct fs_mappings *mappings, const char *type)
{
    for (size_t i = 0; mappings && i < mappings->all.count; i++)
        if (fs_glob_match(mappings->all.items[i]->type, type))
            return mappings->all.items[i];
    return NULL;
}
