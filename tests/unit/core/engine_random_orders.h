/* SPDX-License-Identifier: Apache-2.0 */
/* What operators order in test_engine_random.c, and for whom. `below` draws a number. */
#ifndef TESTS_CORE_ENGINE_RANDOM_ORDERS_H
#define TESTS_CORE_ENGINE_RANDOM_ORDERS_H

#include <stdlib.h>
#include "engine_world.h"

static const char *const subjects[] = {"ada", "bo", "cy", "di"};
static const char *const keys[] = {"door", "club", "vip", "lounge", "level", "tools", "theme", "none-such"};

static void shake_overrides(struct world *w, size_t (*below)(size_t bound))
{
    static const char *const variants[] = {"on", "off", "all", "none", "safe", "open", "dark"};
    static const int64_t spans[] = {0, 0, 1, 700, 5000, 60000};
    int64_t span = spans[below(sizeof spans / sizeof *spans)];
    const char *flag = keys[below(sizeof keys / sizeof *keys)],
               *subject = below(2) ? subjects[below(sizeof subjects / sizeof *subjects)] : NULL;
    bool force = below(2), release = below(3) == 0;
    json_t *order = json_pack("{s:s, s:s, s:s*, s:s}", "action", release ? "release" : "set", "flag", flag,
                              "subject", subject, "kind", force ? "force" : "kill");
    if (release && below(2))
        json_object_del(order, "kind");
    if (force && !release)
        json_object_set_new(order, "variant",
                            json_string(variants[below(sizeof variants / sizeof *variants)]));
    if (span && !release)
        json_object_set_new(order, "expires", json_integer(w->now.wall + span));
    if (below(2))
        json_object_set_new(order, "mayGrant", json_true());
    char *text = json_dumps(order, 0);
    world_override(w, text);
    free(text);
    json_decref(order);
}

static void release_all(struct world *w)
{
    for (size_t f = 0; f < sizeof keys / sizeof *keys; f++) {
        for (size_t s = 0; s <= sizeof subjects / sizeof *subjects; s++) {
            json_t *order = json_pack("{s:s, s:s, s:s*}", "action", "release", "flag", keys[f], "subject",
                                      s ? subjects[s - 1] : NULL);
            char *text = json_dumps(order, 0);
            world_override(w, text);
            free(text);
            json_decref(order);
        }
    }
}

#endif
