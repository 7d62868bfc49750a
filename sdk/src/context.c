/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation contexts, and the overlays in which the levels of specification 3.2.3 are seen as one. */
#include "context_impl.h"

#include <string.h>

#include "memory_impl.h"
#include "value_impl.h"

struct of_context ofi_empty_context = {.refs = OFI_IMMORTAL};

/* A walk's cursor over an overlay: the layer in the upper half, the position in the lower. */
enum { LAYER_SHIFT = sizeof(size_t) * 4 };

static bool is_overlay(const of_context *context)
{
    return atomic_load_explicit(&context->refs, memory_order_relaxed) == 0;
}

static const struct ofi_overlay *overlay_of(const of_context *context)
{
    return (const struct ofi_overlay *)(const void *)context;
}

of_context *of_context_new(const char *targeting_key)
{
    of_context *context = ofi_zalloc(1, sizeof *context);
    if (context == NULL)
        return NULL;
    atomic_init(&context->refs, 1);
    if (targeting_key != NULL && of_context_set_targeting_key(context, targeting_key) != OF_OK) {
        of_context_unref(context);
        return NULL;
    }
    return context;
}

of_context *of_context_ref(const of_context *context)
{
    if (context == NULL)
        return NULL;
    if (is_overlay(context))
        return of_context_copy(context);
    /* The count is not part of what const promises. */
    of_context *counted = (of_context *)(uintptr_t)context;
    if (atomic_load_explicit(&counted->refs, memory_order_relaxed) != OFI_IMMORTAL)
        atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
    return counted;
}

void of_context_unref(of_context *context)
{
    if (context == NULL || is_overlay(context) ||
        atomic_load_explicit(&context->refs, memory_order_relaxed) == OFI_IMMORTAL)
        return;
    if (atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) != 1)
        return;
    ofi_map_finish(&context->fields);
    of_free(context);
}

/* After each change of the fields. */
static void note_subject(of_context *context)
{
    context->subject = of_value_as_string(ofi_map_get(&context->fields, OF_TARGETING_KEY), NULL);
}

static of_error add_fields(of_context *to, const of_context *from)
{
    of_error error = OF_OK;
    if (from == NULL)
        return OF_OK;
    if (!is_overlay(from)) {
        error = ofi_map_add(&to->fields, &from->fields);
    } else {
        const struct ofi_overlay *overlay = overlay_of(from);
        for (size_t i = 0; error == OF_OK && i < overlay->count; i++)
            error = ofi_map_add(&to->fields, &overlay->layers[i]->fields);
    }
    note_subject(to);
    return error;
}

of_context *of_context_merge(const of_context *under, const of_context *over)
{
    of_context *merged = of_context_new(NULL);
    if (merged == NULL)
        return NULL;
    if (add_fields(merged, under) == OF_OK && add_fields(merged, over) == OF_OK)
        return merged;
    of_context_unref(merged);
    return NULL;
}

of_context *of_context_copy(const of_context *context)
{
    return of_context_merge(context, NULL);
}

/* What a targeting key may be. Not a string with a zero byte in it: whoever reads it as
 * of_context_targeting_key() gives it would see another, shorter one, and so perhaps another subject. */
static bool can_be_subject(const of_value *value)
{
    return of_value_type(value) == OF_TYPE_STRING &&
           of_value_length(value) == strlen(of_value_as_string(value, ""));
}

of_error of_context_set(of_context *context, const char *key, of_value *value)
{
    of_error error = OF_OK;
    if (context == NULL || key == NULL)
        error = OF_ERROR_INVALID_ARGUMENT;
    else if (atomic_load_explicit(&context->refs, memory_order_acquire) != 1)
        error = OF_ERROR_SHARED;
    else if (value != NULL && strcmp(key, OF_TARGETING_KEY) == 0 && !can_be_subject(value))
        error = OF_ERROR_INVALID_ARGUMENT;
    if (error != OF_OK) {
        of_value_unref(value);
        return error;
    }
    error = ofi_map_set(&context->fields, key, value);
    note_subject(context);
    return error;
}

of_error of_context_set_bool(of_context *context, const char *key, bool boolean)
{
    return of_context_set(context, key, of_value_bool(boolean));
}

of_error of_context_set_int(of_context *context, const char *key, int64_t integer)
{
    return of_context_set(context, key, of_value_int(integer));
}

of_error of_context_set_double(of_context *context, const char *key, double number)
{
    return of_context_set(context, key, of_value_double(number));
}

of_error of_context_set_string(of_context *context, const char *key, const char *string)
{
    return of_context_set(context, key, of_value_string(string));
}

of_error of_context_set_datetime(of_context *context, const char *key, of_datetime moment)
{
    return of_context_set(context, key, of_value_datetime(moment));
}

of_error of_context_set_targeting_key(of_context *context, const char *targeting_key)
{
    if (targeting_key != NULL)
        return of_context_set_string(context, OF_TARGETING_KEY, targeting_key);
    if (context == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    if (atomic_load_explicit(&context->refs, memory_order_acquire) != 1)
        return OF_ERROR_SHARED;
    ofi_map_remove(&context->fields, OF_TARGETING_KEY);
    note_subject(context);
    return OF_OK;
}

const of_value *of_context_get(const of_context *context, const char *key)
{
    if (context == NULL || key == NULL)
        return NULL;
    if (!is_overlay(context))
        return ofi_map_get(&context->fields, key);
    const struct ofi_overlay *overlay = overlay_of(context);
    for (size_t i = overlay->count; i > 0; i--) {
        const of_value *value = ofi_map_get(&overlay->layers[i - 1]->fields, key);
        if (value != NULL)
            return value;
    }
    return NULL;
}

const char *of_context_targeting_key(const of_context *context)
{
    if (context == NULL)
        return NULL;
    if (!is_overlay(context))
        return context->subject;
    const char *subject = NULL;
    const struct ofi_overlay *overlay = overlay_of(context);
    for (size_t i = overlay->count; subject == NULL && i > 0; i--)
        subject = overlay->layers[i - 1]->subject;
    return subject;
}

size_t of_context_count(const of_context *context)
{
    size_t count = 0;
    size_t cursor = 0;
    if (context == NULL)
        return 0;
    if (!is_overlay(context))
        return context->fields.count;
    while (of_context_next(context, &cursor, NULL, NULL))
        count++;
    return count;
}

static bool hidden_above(const struct ofi_overlay *overlay, size_t layer, const char *key)
{
    for (size_t i = layer + 1; i < overlay->count; i++)
        if (ofi_map_get(&overlay->layers[i]->fields, key) != NULL)
            return true;
    return false;
}

static const struct ofi_entry *next_of_overlay(const struct ofi_overlay *overlay, size_t *cursor)
{
    size_t layer = *cursor >> LAYER_SHIFT;
    size_t position = *cursor & (((size_t)1 << LAYER_SHIFT) - 1);
    for (; layer < overlay->count; layer++, position = 0) {
        const struct ofi_map *fields = &overlay->layers[layer]->fields;
        for (; position < fields->count; position++) {
            const struct ofi_entry *entry = &fields->entries[position];
            if (hidden_above(overlay, layer, entry->key))
                continue;
            *cursor = (layer << LAYER_SHIFT) + position + 1;
            return entry;
        }
    }
    *cursor = layer << LAYER_SHIFT;
    return NULL;
}

bool of_context_next(const of_context *context, size_t *cursor, const char **key, const of_value **value)
{
    const struct ofi_entry *entry = NULL;
    if (context == NULL || cursor == NULL)
        return false;
    if (is_overlay(context))
        entry = next_of_overlay(overlay_of(context), cursor);
    else if (*cursor < context->fields.count)
        entry = &context->fields.entries[(*cursor)++];
    if (entry == NULL)
        return false;
    if (key != NULL)
        *key = entry->key;
    if (value != NULL)
        *value = entry->value;
    return true;
}

void ofi_overlay_init(struct ofi_overlay *overlay)
{
    atomic_init(&overlay->base.refs, 0);
    memset(&overlay->base.fields, 0, sizeof overlay->base.fields);
    overlay->count = 0;
    overlay->owned = NULL;
}

/* Puts what is there and `context` into one plain layer. */
static bool flatten(struct ofi_overlay *overlay, const of_context *context)
{
    of_context *flat = of_context_merge(&overlay->base, context);
    if (flat == NULL)
        return false;
    of_context_unref(overlay->owned);
    overlay->owned = flat;
    overlay->layers[0] = flat;
    overlay->count = 1;
    return true;
}

bool ofi_overlay_push(struct ofi_overlay *overlay, const of_context *context)
{
    if (context == NULL)
        return true;
    if (!is_overlay(context)) {
        if (context->fields.count == 0)
            return true;
        if (overlay->count == OFI_LAYERS)
            return flatten(overlay, context);
        overlay->layers[overlay->count++] = context;
        return true;
    }
    const struct ofi_overlay *upper = overlay_of(context);
    if (overlay->count + upper->count > OFI_LAYERS)
        return flatten(overlay, context);
    for (size_t i = 0; i < upper->count; i++)
        overlay->layers[overlay->count++] = upper->layers[i];
    return true;
}

const of_context *ofi_overlay_context(const struct ofi_overlay *overlay)
{
    if (overlay->count == 0)
        return &ofi_empty_context;
    return overlay->count == 1 ? overlay->layers[0] : &overlay->base;
}

void ofi_overlay_finish(struct ofi_overlay *overlay)
{
    of_context_unref(overlay->owned);
    overlay->owned = NULL;
}

bool of_context_equal(const of_context *a, const of_context *b)
{
    size_t cursor = 0;
    const char *key = NULL;
    const of_value *value = NULL;
    if (a == b)
        return true;
    if (a == NULL || b == NULL || of_context_count(a) != of_context_count(b))
        return false;
    while (of_context_next(a, &cursor, &key, &value))
        if (!of_value_equal(value, of_context_get(b, key)))
            return false;
    return true;
}
