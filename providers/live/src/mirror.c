/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mirror.c: what the wire's thread writes for readers, under the wire's mutex and before a revision is
 * acknowledged: tables and the ends of leases. It takes no lock of the provider's.
 */
#include "live.h"

static void free_table(of_retired *retired)
{
    live_table_free((struct live_table *)(void *)retired);
}

static void *build(void *user, void *watch_user, const struct fsw_table *table)
{
    const struct live *live = user;
    struct live_entry *entry = watch_user;
    /* Only this thread replaces tables, so the old one stays while it is read here. */
    return live_table_new(&live->style, atomic_load_explicit(&entry->table, memory_order_relaxed), table);
}

static void put(void *user, void *watch_user, void *built)
{
    struct live *live = user;
    struct live_entry *entry = watch_user;
    struct live_table *old = atomic_exchange(&entry->table, (struct live_table *)built);
    if (old != NULL) {
        of_provider_retire(live->provider, &old->retired, free_table);
    }
}

static void drop(void *user, void *built)
{
    (void)user;
    live_table_free(built);
}

static void lease(void *user, void *watch_user, int64_t until)
{
    (void)user;
    struct live_entry *entry = watch_user;
    live_gate_set(&entry->gate, until);
}

const struct fsw_mirror live_mirror = {
    .size = sizeof live_mirror, .build = build, .put = put, .drop = drop, .lease = lease};
