/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts, for their tests: a world of two flags and three clients that watch ada, and reading what they
 * say. */
#ifndef TESTS_CORE_RECEIPT_SUPPORT_H
#define TESTS_CORE_RECEIPT_SUPPORT_H

#include "engine_world.h"

#define DOOR                                                                                                 \
    "  door:\n"                                                                                              \
    "    variants: { \"on\": true, \"off\": false }\n"                                                       \
    "    defaultVariant: \"off\"\n"                                                                          \
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n"
#define VAULT                                                                                                \
    "  vault:\n"                                                                                             \
    "    variants: { \"on\": true, \"off\": false }\n"                                                       \
    "    defaultVariant: \"off\"\n"                                                                          \
    "    factDefaults: { tier: tin }\n"                                                                      \
    "    decision: { source: second, path: app/vault, input: { user: { var: targetingKey }, tier: { var: "   \
    "facts.tier } } }\n"

static inline struct world *begin(void)
{
    struct world *w = world_create("flags:\n" DOOR VAULT);
    world_policy(w, "app/door", NULL, "true");
    world_policy(w, "app/vault", NULL, "true");
    static const char *const names[] = {"prompt", "frozen", "gone"};
    for (size_t i = 0; i < 3; i++) {
        world_watch(world_client(w, names[i]), 1, "ada");
        world_connect(w->clients.items[i], false);
    }
    world_run(w);
    return w;
}

static inline json_int_t number(const json_t *receipt, const char *key)
{
    assert_true(json_is_integer(json_object_get(receipt, key)));
    return json_integer_value(json_object_get(receipt, key));
}

static inline bool truth(const json_t *receipt, const char *key)
{
    return json_is_true(json_object_get(receipt, key));
}

static inline int64_t safe_at(const json_t *receipt)
{
    int64_t at = 0;
    const char *text = fs_json_text(receipt, "safe_at");
    if (text)
        assert_true(fs_parse_rfc3339(fs_str_from(text), &at));
    return at;
}

#endif
