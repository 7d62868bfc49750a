/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `decision` and `decisions`: what a flag asks of which source. The key of the question (`path`, `users`,
 * ...) is the source's, its text is checked by the source's type; `rule` is the built-in source's and is
 * compiled here.
 */
#include <string.h>
#include "base/err.h"
#include "base/str.h"
#include "core/json.h"
#include "reading.h"

enum { KINDS = 16, NAME_LIMIT = 64, QUERY_LIMIT = 1024 * 1024 };

static const char builtin[] = "builtin";

/* A decision while it is read. */
struct asking {
    struct fs_flagfile *file;
    const struct fs_spot *spot;
    struct fs_decision *decision;
    const struct fs_source_type *type; /* NULL: any kind will do, or the built-in source */
    bool is_builtin;
};

static const struct fs_source_type *find_source(const struct fs_flagfile_sources *sources, const char *name)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->items[i].name, name) == 0)
            return sources->items[i].type;
    }
    return NULL;
}

static void report_unknown_source(struct asking *asking, const struct fs_spot *at, const char *name)
{
    const struct fs_flagfile_sources *sources = asking->file->all->sources;
    const char **names = fs_calloc(sources->count + 1, sizeof *names);
    names[0] = builtin;
    size_t count = 1;
    for (size_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->items[i].name, builtin) != 0)
            names[count++] = sources->items[i].name;
    }
    char *hint = fs_hint(name, names, count);
    fs_report_error(asking->file, at, "no source is called '%s' in the configuration%s", name, hint);
    fs_free(hint);
    fs_free(names);
}

/* Finds the source, which `rule` implies where it is left out. */
static bool read_source(struct asking *asking)
{
    struct fs_spot at;
    if (!fs_spot_find(asking->spot, "source", &at)) {
        asking->is_builtin = fs_doc_find(asking->spot->node, "rule") != NULL;
        if (!asking->is_builtin)
            fs_report_error(
                asking->file, asking->spot,
                "'source' is missing: say which source is asked, or give a `rule` for the built-in one");
        asking->decision->source = fs_strdup(builtin);
        return asking->is_builtin;
    }
    const char *name = fs_expect_text(asking->file, &at, "the name of a source");
    if (!name)
        return false;
    asking->decision->source = fs_strdup(name);
    asking->is_builtin = strcmp(name, builtin) == 0;
    if (asking->is_builtin || !asking->file->all->sources)
        return true;
    asking->type = find_source(asking->file->all->sources, name);
    if (!asking->type)
        report_unknown_source(asking, &at, name);
    else
        asking->is_builtin = strcmp(asking->type->name, builtin) == 0;
    return asking->type != NULL;
}

/* Where no sources are given, the one string under a key of no other meaning is the question. */
static bool guess_kind(struct asking *asking, struct fs_spot *out)
{
    const struct fs_doc_node *node = asking->spot->node;
    bool found = false;
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->members[i].key;
        if (fs_is_free_key(key) || !strcmp(key, "source") || !strcmp(key, "input") ||
            !strcmp(key, "undefined"))
            continue;
        struct fs_spot at = fs_spot_member(asking->spot, &node->members[i]);
        if (found || at.node->kind != FS_DOC_STRING)
            fs_report_error(asking->file, &at, "this key is not known here%s%s%s",
                            found ? ": the question is already '" : "", found ? out->key : "",
                            found ? "'" : "");
        else
            *out = at;
        found = found || at.node->kind == FS_DOC_STRING;
    }
    return found;
}

static bool find_kind(struct asking *asking, struct fs_spot *out)
{
    const char *known[KINDS + 4] = {"source", "input", "undefined"};
    static const char *const rule_only[] = {"rule", NULL};
    const char *const *kinds = asking->is_builtin ? rule_only : asking->type->kinds;
    size_t count = 3;
    const char *found = NULL;
    struct fs_spot at;
    for (size_t i = 0; kinds[i] && i < KINDS; i++) {
        known[count++] = kinds[i];
        if (!fs_spot_find(asking->spot, kinds[i], &at))
            continue;
        if (found)
            fs_report_error(asking->file, &at, "a decision asks one question: it has '%s' already", found);
        else
            *out = at;
        found = found ? found : kinds[i];
    }
    known[count] = NULL;
    fs_expect_known(asking->file, asking->spot, known);
    if (found)
        return true;
    char *hint = fs_hint("", kinds, count - 3);
    fs_report_error(asking->file, asking->spot, "it does not say what is asked of '%s'%s",
                    asking->decision->source, hint);
    fs_free(hint);
    return false;
}

static void read_rule(struct asking *asking, const struct fs_spot *at)
{
    struct fs_decision *decision = asking->decision;
    decision->rule = fs_logic_compile(asking->file, at, false);
    if (!decision->rule)
        return;
    if (fs_rule_reads_decision(decision->rule))
        fs_report_error(asking->file, at,
                        "a decision's rule cannot read decisions; read them in `targeting`");
    fs_logic_check_time(asking->file, at, decision->rule);
    json_t *logic = fs_doc_json(at->node);
    json_t *whole = fs_logic_expand(logic, asking->file->all->evaluators, 0);
    decision->query = fs_json_canonical_text(whole, QUERY_LIMIT, NULL);
    json_decref(whole);
    json_decref(logic);
    if (!decision->query)
        fs_report_error(asking->file, at, "the rule is too long");
}

static void read_query(struct asking *asking, const struct fs_spot *at)
{
    struct fs_err err;
    asking->decision->kind = fs_strdup(at->key);
    if (asking->is_builtin) {
        read_rule(asking, at);
        return;
    }
    const char *query = fs_expect_text(asking->file, at, "a string");
    if (!query)
        return;
    asking->decision->query = fs_strdup(query);
    if (asking->type && asking->type->check_query && !asking->type->check_query(at->key, query, &err))
        fs_report_error(asking->file, at, "%s", err.text);
}

static void read_input(struct asking *asking)
{
    struct fs_spot at;
    if (!fs_spot_find(asking->spot, "input", &at))
        return;
    if (asking->is_builtin) {
        fs_report_error(asking->file, &at,
                        "the built-in source takes no input: its rule reads context and facts itself");
        return;
    }
    asking->decision->input = fs_logic_compile(asking->file, &at, true);
    if (!asking->decision->input)
        return;
    if (fs_rule_reads_decision(asking->decision->input))
        fs_report_error(asking->file, &at, "the input of a decision cannot read decisions");
    fs_logic_check_time(asking->file, &at, asking->decision->input);
}

static void read_decision(struct fs_flagfile *file, const struct fs_spot *spot, struct fs_decision *decision)
{
    static const char *const undefineds[] = {"denied", "unknown", NULL};
    struct asking asking = {.file = file, .spot = spot, .decision = decision};
    struct fs_spot at;
    if (!fs_expect(file, spot, FS_DOC_MAP, "a map with `source` and what is asked of it"))
        return;
    if (fs_spot_find(spot, "undefined", &at))
        decision->undefined_unknown = fs_expect_choice(file, &at, undefineds) == 1;
    bool source = read_source(&asking);
    read_input(&asking);
    if (!source)
        return;
    if (asking.is_builtin || asking.type ? find_kind(&asking, &at) : guess_kind(&asking, &at))
        read_query(&asking, &at);
    else if (!asking.is_builtin && !asking.type)
        fs_report_error(file, spot, "it does not say what is asked of '%s'", decision->source);
}

static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-";
    size_t length = strlen(name);
    return length && length <= NAME_LIMIT && strchr(letters, *name) && strspn(name, all) == length;
}

static void check_decision_name(struct fs_flagfile *file, const struct fs_spot *at)
{
    static const char *const taken[] = {"allowed", "value", "state", "stale"};
    if (!is_name(at->key))
        fs_report_error(
            file, at,
            "a decision's name has letters, digits, '_' and '-', starts with a letter and is at most %d long",
            NAME_LIMIT);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (strcmp(at->key, taken[i]) == 0)
            fs_report_error(file, at,
                            "a decision cannot be called '%s': decision.%s has a meaning of its own", at->key,
                            at->key);
    }
}

void fs_decisions_read(struct fs_flag_reading *reading)
{
    struct fs_spot one, several;
    struct fs_flag *flag = reading->flag;
    bool has_one = fs_spot_find(reading->spot, "decision", &one),
         has_several = fs_spot_find(reading->spot, "decisions", &several);
    if (has_one && has_several)
        fs_report_error(reading->file, &several, "a flag has either 'decision' or 'decisions', not both");
    if (has_one) {
        flag->decisions = fs_calloc(1, sizeof *flag->decisions);
        flag->decision_count = 1;
        read_decision(reading->file, &one, &flag->decisions[0]);
        return;
    }
    if (!has_several || !fs_expect(reading->file, &several, FS_DOC_MAP, "a map of named decisions"))
        return;
    size_t count = several.node->count;
    if (!count || count > FS_FLAG_DECISIONS) {
        fs_report_error(reading->file, &several, "a flag has from 1 to %d decisions, not %zu",
                        FS_FLAG_DECISIONS, count);
        return;
    }
    flag->decisions = fs_calloc(count, sizeof *flag->decisions);
    for (size_t i = 0; i < count; i++) {
        struct fs_spot at = fs_spot_member(&several, &several.node->members[i]);
        struct fs_decision *decision = &flag->decisions[flag->decision_count++];
        decision->name = fs_strdup(at.key);
        check_decision_name(reading->file, &at);
        read_decision(reading->file, &at, decision);
    }
}
