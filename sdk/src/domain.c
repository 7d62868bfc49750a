/* SPDX-License-Identifier: Apache-2.0 */
/* Domains: names that clients and providers meet under. Everything here runs with core->lock held. */
#include "core.h"

#include <string.h>

#include "memory_impl.h"

struct ofi_domain *ofi_domain_find(struct ofi_core *core, const char *name)
{
    if (name == NULL)
        return &core->default_domain;
    for (struct ofi_domain *domain = core->default_domain.next; domain != NULL; domain = domain->next)
        if (strcmp(domain->name, name) == 0)
            return domain;
    return NULL;
}

struct ofi_domain *ofi_domain_use(struct ofi_core *core, const char *name)
{
    struct ofi_domain *domain = ofi_domain_find(core, name);
    if (domain != NULL) {
        domain->users++;
        return domain;
    }
    domain = ofi_zalloc(1, sizeof *domain);
    if (domain == NULL || (domain->name = ofi_strdup(name)) == NULL) {
        of_free(domain);
        return NULL;
    }
    domain->users = 1;
    atomic_init(&domain->provider, atomic_load(&core->default_domain.provider));
    domain->next = core->default_domain.next;
    core->default_domain.next = domain;
    return domain;
}

void ofi_domain_unuse(struct ofi_core *core, struct ofi_domain *domain)
{
    if (--domain->users > 0 || domain == &core->default_domain)
        return;
    for (struct ofi_domain **link = &core->default_domain.next; *link != NULL; link = &(*link)->next) {
        if (*link != domain)
            continue;
        *link = domain->next;
        break;
    }
    for (struct ofi_queued *queued = core->queue; queued != NULL; queued = queued->next)
        if (queued->only_domain == domain)
            queued->only_domain = &core->default_domain, queued->only_handler = UINT64_MAX;
    of_free(domain->name);
    of_free(domain);
}

void ofi_domains_publish(struct ofi_core *core, const of_provider *fresh)
{
    of_provider *fallback = core->default_domain.own != NULL ? core->default_domain.own : &ofi_noop;
    for (struct ofi_domain *domain = &core->default_domain; domain != NULL; domain = domain->next) {
        of_provider *provider = domain->own != NULL ? domain->own : fallback;
        if (atomic_load(&domain->provider) == provider)
            continue;
        atomic_store(&domain->provider, provider);
        domain->since = core->next_number;
        if (provider != fresh)
            ofi_event_present(core, domain);
    }
}
