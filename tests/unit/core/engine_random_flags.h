/* SPDX-License-Identifier: Apache-2.0 */
/* The flag files between which test_engine_random.c changes: flags of all kinds, some in one file and not in
 * the other, one of another type. */
#ifndef TESTS_CORE_ENGINE_RANDOM_FLAGS_H
#define TESTS_CORE_ENGINE_RANDOM_FLAGS_H

#define DOOR                                                                                                 \
    "  door:\n"                                                                                              \
    "    variants: { \"on\": true, \"off\": false }\n"                                                       \
    "    defaultVariant: \"off\"\n"                                                                          \
    "    visibility: client\n"                                                                               \
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n"
#define CLUB                                                                                                 \
    "  club:\n"                                                                                              \
    "    variants: { \"on\": true, \"off\": false }\n"                                                       \
    "    defaultVariant: \"off\"\n"                                                                          \
    "    decision: { source: second, users: app/club }\n"
#define VIP                                                                                                  \
    "  vip:\n"                                                                                               \
    "    variants: { \"on\": true, \"off\": false }\n"                                                       \
    "    defaultVariant: \"off\"\n"                                                                          \
    "    decision: { rule: { \"==\": [ { var: facts.tier }, \"gold\" ] } }\n"
#define LOUNGE                                                                                               \
    "  lounge:\n"                                                                                            \
    "    variants: { \"on\": true, \"off\": false }\n"                                                       \
    "    defaultVariant: \"off\"\n"                                                                          \
    "    factDefaults: { tier: none }\n"                                                                     \
    "    decision: { source: opa, path: app/lounge, input: { user: { var: targetingKey }, tier: { var: "     \
    "facts.tier } } }\n"
#define LEVEL                                                                                                \
    "  level:\n"                                                                                             \
    "    variants: { none: none, some: some, all: all }\n"                                                   \
    "    defaultVariant: none\n"                                                                             \
    "    safeVariant: none\n"                                                                                \
    "    order: [none, some, all]\n"                                                                         \
    "    decision: { source: opa, path: app/level, input: { user: { var: targetingKey } } }\n"
#define TOOLS                                                                                                \
    "  tools:\n"                                                                                             \
    "    type: object\n"                                                                                     \
    "    decision: { source: second, path: app/tools, input: { user: { var: targetingKey } } }\n"            \
    "    value: { var: decision.value }\n"                                                                   \
    "    safeValue: []\n"
#define THEME                                                                                                \
    "  theme:\n"                                                                                             \
    "    variants: { dark: dark, light: light }\n"                                                           \
    "    defaultVariant: light\n"                                                                            \
    "    targeting: { if: [ { \"==\": [ { var: kind }, agent ] }, dark, light ] }\n"
#define HIDDEN_DOOR                                                                                          \
    "  door:\n"                                                                                              \
    "    variants: { open: yes, shut: no }\n"                                                                \
    "    defaultVariant: shut\n"                                                                             \
    "    safeVariant: shut\n"                                                                                \
    "    decision: { source: opa, path: app/gate, input: { user: { var: targetingKey } } }\n"

static const char *const files[] = {
    "flags:\n" DOOR CLUB VIP LOUNGE LEVEL TOOLS THEME,
    "flags:\n" DOOR VIP LEVEL THEME,
    "flags:\n" HIDDEN_DOOR CLUB LOUNGE TOOLS,
    "flags:\n" TOOLS LOUNGE DOOR CLUB,
};

#endif
