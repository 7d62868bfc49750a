/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks as counted objects. Running them is run_hooks.c's. */
#include "core.h"

#include <string.h>

#include "memory_impl.h"

of_hook *of_hook_new(const of_hook_methods *methods, void *self)
{
    struct of_hook_methods known = {0};
    if (methods == NULL || methods->size < sizeof methods->size)
        return NULL;
    memcpy(&known, methods, methods->size < sizeof known ? methods->size : sizeof known);
    if (known.before == NULL && known.after == NULL && known.error == NULL && known.finally == NULL)
        return NULL;
    of_hook *hook = ofi_zalloc(1, sizeof *hook);
    if (hook == NULL)
        return NULL;
    atomic_init(&hook->refs, 1);
    hook->methods = known;
    hook->self = self;
    return hook;
}

of_hook *of_hook_ref(of_hook *hook)
{
    if (hook != NULL)
        atomic_fetch_add_explicit(&hook->refs, 1, memory_order_relaxed);
    return hook;
}

void of_hook_unref(of_hook *hook)
{
    if (hook == NULL || atomic_fetch_sub_explicit(&hook->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (hook->methods.destroy != NULL)
        hook->methods.destroy(hook->self);
    of_free(hook);
}
