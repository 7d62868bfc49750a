/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One flag: its members in the order in which they depend on each other. Variants first, then what is asked,
 * then the rules that choose, and last what the flag falls to, for which one must know whether it is an
 * access flag.
 */
#include <string.h>
#include "base/str.h"
#include "reading.h"

enum { KEY_LIMIT = 255 }; /* docs/protocol */

static void check_key(struct fs_flag_reading *reading, const char *key)
{
    struct fs_spot at;
    size_t length = strlen(key);
    if (!length || length > KEY_LIMIT)
        fs_report_error(reading->file, reading->spot, "a flag's key has from 1 to %d bytes, not %zu",
                        KEY_LIMIT, length);
    if (fs_spot_find(reading->spot, "key", &at) &&
        (at.node->kind != FS_DOC_STRING || strcmp(at.node->text, key) != 0))
        fs_report_error(reading->file, &at, "the flag is called '%s' already; 'key' is for flags in a list",
                        key);
}

static void check_unsupported(struct fs_flag_reading *reading)
{
    static const char *const later[] = {"delegation", "overrides"};
    struct fs_spot at;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (fs_spot_find(reading->spot, later[i], &at))
            fs_report_error(
                reading->file, &at,
                "'%s' is not supported yet; a file that uses it is refused rather than half obeyed",
                later[i]);
    }
}

static void read_settings(struct fs_flag_reading *reading)
{
    static const char *const states[] = {"ENABLED", "DISABLED", NULL};
    struct fs_flag *flag = reading->flag;
    struct fs_flag_defaults settings = reading->file->defaults;
    struct fs_spot at;
    if (fs_spot_find(reading->spot, "state", &at))
        flag->disabled = fs_expect_choice(reading->file, &at, states) == 1;
    fs_defaults_read(reading->file, reading->spot, &settings);
    flag->visibility = settings.visibility;
    flag->unleased = settings.unleased;
    flag->max_stale = settings.max_stale;
    flag->revalidate = settings.revalidate;
    reading->unleased_said = settings.unleased_said;
}

static void read_metadata(struct fs_flag_reading *reading)
{
    struct fs_spot at;
    json_t *own = NULL;
    if (fs_spot_find(reading->spot, "metadata", &at))
        own = fs_expect_metadata(reading->file, &at);
    if (!own && !reading->file->metadata)
        return;
    json_t *all = reading->file->metadata ? json_copy(reading->file->metadata) : json_object();
    if (own)
        json_object_update(all, own);
    json_decref(own);
    reading->flag->metadata = all;
}

/* Without a rule of its own, a flag takes its decision's boolean as the variant of that value. */
static void check_bare_decision(struct fs_flag_reading *reading)
{
    const struct fs_flag *flag = reading->flag;
    if (flag->decision_count > 1) {
        fs_report_error(reading->file, reading->spot,
                        "several decisions need a `targeting` or a `value` that says how they combine");
        return;
    }
    for (size_t i = 0; flag->decision_count == 1 && i < flag->variant_count; i++) {
        for (size_t k = 0; k < i && json_is_boolean(flag->variants[i].value); k++) {
            if (!json_equal(flag->variants[i].value, flag->variants[k].value))
                continue;
            fs_report_error(reading->file, reading->spot,
                            "the variants '%s' and '%s' are both %s, so the decision cannot choose; take one "
                            "out or add a `targeting`",
                            flag->variants[k].name, flag->variants[i].name,
                            json_is_true(flag->variants[i].value) ? "true" : "false");
            return;
        }
    }
}

static void read_targeting(struct fs_flag_reading *reading, const struct fs_spot *at)
{
    if (at->node->kind == FS_DOC_NULL || (at->node->kind == FS_DOC_MAP && !at->node->count))
        return; /* flagd's way to say none */
    if (!fs_expect(reading->file, at, FS_DOC_MAP, "a rule (a map with one operator)"))
        return;
    reading->flag->targeting = fs_logic_compile(reading->file, at, false);
    if (reading->flag->targeting && reading->flag->variant_count)
        fs_logic_check_results(reading, at);
}

static void check_chooser(struct fs_flag_reading *reading, const struct fs_spot *at,
                          const struct fs_rule *rule)
{
    if (!rule)
        return;
    fs_logic_check_decisions(reading, at, rule);
    fs_logic_check_time(reading->file, at, rule);
}

static void read_choosers(struct fs_flag_reading *reading)
{
    struct fs_spot targeting, value;
    struct fs_flag *flag = reading->flag;
    bool has_targeting = fs_spot_find(reading->spot, "targeting", &targeting);
    bool has_value = fs_spot_find(reading->spot, "value", &value);
    if (has_targeting)
        read_targeting(reading, &targeting);
    if (has_value) {
        flag->value = fs_logic_compile(reading->file, &value, true);
        if (!flag->decision_count)
            fs_report_error(
                reading->file, &value,
                "a `value` is taken from a decision, and the flag has none; use variants and `targeting`");
        if (flag->targeting)
            fs_report_error(reading->file, &value, "a flag has either 'targeting' or 'value', not both");
    }
    check_chooser(reading, &targeting, flag->targeting);
    if (flag->decision_count || !flag->value)
        check_chooser(reading, &value, flag->value);
    if (!has_value && !flag->targeting &&
        (!has_targeting || targeting.node->kind != FS_DOC_MAP || !targeting.node->count))
        check_bare_decision(reading);
}

static void read_on_unknown(struct fs_flag_reading *reading)
{
    static const char *const choices[] = {"safe", "evaluate", NULL};
    struct fs_flag *flag = reading->flag;
    struct fs_spot at;
    if (!fs_spot_find(reading->spot, "onUnknown", &at) || fs_expect_choice(reading->file, &at, choices) != 1)
        return;
    const struct fs_rule *rule = flag->targeting ? flag->targeting : flag->value;
    flag->evaluate_unknown = true;
    if (!flag->decision_count)
        fs_report_error(reading->file, &at, "'evaluate' is about decisions, and the flag has none");
    else if (!rule || !fs_rule_reads_decision_state(rule))
        fs_report_error(reading->file, &at,
                        "'evaluate' needs a `targeting` that reads the state of each decision that it names: "
                        "decision.state, or "
                        "decision.NAME.state");
    else
        fs_report_warning(
            reading->file, &at,
            "the flag is evaluated while its decision is unknown: it fails open where its rule does");
}

static void read_fact_defaults(struct fs_flag_reading *reading)
{
    struct fs_spot spot;
    if (!fs_spot_find(reading->spot, "factDefaults", &spot) ||
        !fs_expect(reading->file, &spot, FS_DOC_MAP, "a map of facts and the values that stand in for them"))
        return;
    reading->flag->fact_defaults = fs_doc_json(spot.node);
    for (size_t i = 0; i < spot.node->count; i++) {
        struct fs_spot at = fs_spot_member(&spot, &spot.node->members[i]);
        const json_t *value = json_object_get(reading->flag->fact_defaults, at.key);
        if (!fs_logic_reads_fact(reading->flag, at.key))
            fs_report_error(reading->file, &at, "no rule of this flag reads facts.%s", at.key);
        else if (!fs_stand_in_denies(reading, at.key, value))
            fs_report_warning(reading->file, &at,
                              "this value stands in for a fact that is missing or expired: the flag fails "
                              "open where it grants");
    }
}

static void check_unleased(struct fs_flag_reading *reading, bool access)
{
    struct fs_spot at = *reading->spot;
    if (!access || !reading->unleased_said || reading->flag->unleased != FS_UNLEASED_SERVE)
        return;
    fs_spot_find(reading->spot, "unleased", &at);
    fs_report_warning(reading->file, &at,
                      "clients that cannot hold a lease (OFREP) keep the value of this access flag for as "
                      "long as they like");
}

struct fs_flag *fs_flag_read(struct fs_flagfile *file, const char *key, const struct fs_spot *spot)
{
    static const char *const known[] = {"state",       "type",      "variants",     "defaultVariant",
                                        "targeting",   "decision",  "decisions",    "value",
                                        "safeVariant", "safeValue", "maxStale",     "revalidate",
                                        "visibility",  "onUnknown", "factDefaults", "unleased",
                                        "order",       "metadata",  "delegation",   "overrides",
                                        "key",         NULL};
    struct fs_flag *flag = FS_NEW(struct fs_flag);
    struct fs_flag_reading reading = {.file = file, .spot = spot, .flag = flag};
    flag->key = fs_strdup(key);
    flag->file = fs_strdup(file->name);
    flag->line = spot->line;
    flag->default_variant = flag->safe_variant = -1;
    if (!fs_expect(file, spot, FS_DOC_MAP, "a flag (a map with `variants`)"))
        return flag;
    fs_expect_known(file, spot, known);
    check_key(&reading, key);
    check_unsupported(&reading);
    read_settings(&reading);
    read_metadata(&reading);
    fs_variants_read(&reading);
    fs_decisions_read(&reading);
    read_choosers(&reading);
    read_on_unknown(&reading);
    bool asks = flag->decision_count || fs_doc_find(spot->node, "decision") || fs_logic_reads_facts(flag);
    fs_safe_read(&reading, asks);
    read_fact_defaults(&reading);
    fs_order_read(&reading);
    check_unleased(&reading, asks || flag->safe_variant >= 0 || flag->safe_value);
    flag->source_text = fs_doc_json(spot->node);
    return flag;
}
