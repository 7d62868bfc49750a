/* SPDX-License-Identifier: Apache-2.0 */
/* What an OFREP server answers, as the C provider takes it: of one flag, and of all flags at once. */
#include "fuzz.h"
#include "ofrep.h"
#include <openfeature/json.h>
#include <openfeature/memory.h>

static void check(of_type type, of_error error, const of_resolution *resolution)
{
    FUZZ_HOLDS(error == OF_OK || (error >= OF_ERROR_PROVIDER_NOT_READY && error <= OF_ERROR_GENERAL));
    if (error != OF_OK || resolution->reason == NULL)
        return;
    if (type == OF_TYPE_STRING)
        FUZZ_HOLDS(resolution->value.string.data != NULL);
    if (type == OF_TYPE_OBJECT) {
        of_type given = of_value_type(resolution->value.object);
        FUZZ_HOLDS(given == OF_TYPE_OBJECT || given == OF_TYPE_LIST);
    }
    of_type metadata = of_value_type(resolution->metadata);
    FUZZ_HOLDS(metadata == OF_TYPE_OBJECT || metadata == OF_TYPE_NULL);
}

static void ask(struct item *item)
{
    static const of_type types[] = {OF_TYPE_BOOL, OF_TYPE_INT, OF_TYPE_DOUBLE, OF_TYPE_STRING,
                                    OF_TYPE_OBJECT};
    of_value *empty = of_value_object();
    for (size_t i = 0; i < 2 * sizeof types / sizeof types[0]; i++) {
        of_type type = types[i / 2];
        of_flag_value otherwise = {.integer = 0};
        of_resolution resolution = {.brief = i % 2 == 1 && type <= OF_TYPE_DOUBLE};
        if (type == OF_TYPE_STRING) {
            otherwise.string.data = "";
            otherwise.string.length = 0;
        } else if (type == OF_TYPE_OBJECT) {
            otherwise.object = empty;
        }
        check(type, item_answer(item, type, &otherwise, &resolution), &resolution);
        of_resolution_clear(&resolution);
    }
    of_value_unref(empty);
}

static void ask_all(const of_value *body)
{
    bool malformed = false;
    size_t differ = 1;
    of_context *context = of_context_new("ada");
    struct flags *flags = flags_new(body, context, &malformed);
    FUZZ_HOLDS((flags == NULL) == malformed);
    for (size_t i = 0; flags != NULL && i < flags->count; i++) {
        FUZZ_HOLDS(flags_find(flags, flags->items[i]->key) != NULL);
        ask(flags->items[i]);
    }
    if (flags != NULL) {
        of_free(flags_differ(flags, flags, &differ));
        FUZZ_HOLDS(differ == 0);
        flags_free(flags);
    }
    of_context_unref(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    of_value *body = NULL;
    if (of_value_from_json((const char *)data, size, &body, NULL) != OF_OK)
        return 0;
    struct item *item = item_new(body);
    FUZZ_HOLDS((item != NULL) == (of_value_type(body) == OF_TYPE_OBJECT));
    if (item != NULL)
        ask(item);
    item_unref(item);
    ask_all(body);
    of_value_unref(body);
    return 0;
}
