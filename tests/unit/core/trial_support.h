/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of dry runs share: flags of each kind, a client that watches ada, and an event that is tried. */
#ifndef TESTS_CORE_TRIAL_SUPPORT_H
#define TESTS_CORE_TRIAL_SUPPORT_H

#include "engine_world.h"

static const char flags[] =
    "flags:\n"
    "  vip:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    factDefaults: { tier: tin }\n"
    "    decision: { rule: { \"==\": [ { var: facts.tier }, gold ] } }\n"
    "  export:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/allow, input: { user: { var: targetingKey } } }\n"
    "  risky:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    factDefaults: { risk: low }\n"
    "    decision: { source: opa, path: app/risk, input: { user: { var: facts.risk } } }\n";

static inline struct world *begin(struct world_client **c)
{
    struct world *w = world_create(flags);
    world_policy(w, "app/allow", NULL, "true");
    world_policy(w, "app/risk", "low", "true");
    world_policy(w, "app/risk", "high", "false");
    *c = world_watching(w, "shop");
    assert_string_equal(world_value(*c, 1, "vip"), "false");
    assert_string_equal(world_value(*c, 1, "export"), "true");
    assert_string_equal(world_value(*c, 1, "risky"), "true");
    return w;
}

static inline void start_trial(struct world *w, uint64_t token, const char *json)
{
    struct fs_err err = {0};
    json_t *root = json_loads(json, 0, NULL);
    json_object_set_new(root, "type", json_string("flagstaff.test"));
    char *text = json_dumps(root, JSON_COMPACT);
    struct fs_event *event = fs_event_read(text, strlen(text), &err);
    assert_non_null(event);
    free(text);
    json_decref(root);
    assert_true(fs_engine_try_event(w->engine, event, 100, 5000, token, w->now, &err));
}

static inline json_t *trial(struct world *w, const char *json)
{
    static uint64_t token = 1000;
    start_trial(w, ++token, json);
    for (unsigned rounds = 0; rounds < 100; rounds++) {
        json_t *result = world_found(w, token);
        if (result)
            return result;
        if (!w->hold_asks)
            world_answer_all(w);
    }
    fail_msg("the dry run came to no end");
    return NULL;
}

#endif
