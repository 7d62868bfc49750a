/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of contexts. A context is either plain, with fields of its own, or an overlay: layers
 * seen as one, made on the stack for one evaluation so that merging costs no memory. Readers need not know.
 */
#ifndef OFI_CONTEXT_IMPL_H
#define OFI_CONTEXT_IMPL_H

#include <stdatomic.h>

#include <openfeature/context.h>

#include "map.h"

enum { OFI_LAYERS = 16 };

struct of_context {
    _Atomic(uint32_t) refs; /* 0: an overlay */
    const char *subject; /* the targeting key among the fields, or NULL: what providers ask for each time */
    struct ofi_map fields;
};

struct ofi_overlay {
    struct of_context base; /* must be first; what else it has is unused */
    size_t count;
    const of_context *layers[OFI_LAYERS]; /* plain ones, the lowest precedence first */
    of_context *owned;                    /* a flattened copy, where the layers did not suffice */
};

/* The context that stands for none. */
extern struct of_context ofi_empty_context;

void ofi_overlay_init(struct ofi_overlay *overlay);
/* Puts a context (plain, overlay or NULL) on top. False when memory ran out, which takes over 16 layers. */
bool ofi_overlay_push(struct ofi_overlay *overlay, const of_context *context);
/* The context to hand out: the single layer itself, the empty context, or the overlay. */
const of_context *ofi_overlay_context(const struct ofi_overlay *overlay);
void ofi_overlay_finish(struct ofi_overlay *overlay);

#endif
