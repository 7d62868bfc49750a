/* SPDX-License-Identifier: Apache-2.0 */
/* libopenfeature's JSON: what is read is written as JSON that reads back, and is written the same again. */
#include "fuzz.h"
#include <openfeature/json.h>
#include <openfeature/memory.h>

static bool is_one_line(const char *text)
{
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ')
            return false;
    }
    return fs_utf8_valid(text, strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    of_value *value = NULL, *back = NULL;
    size_t position = 0;
    of_error error = of_value_from_json((const char *)data, size, &value, &position);
    FUZZ_HOLDS((error == OF_OK) == (value != NULL) && position <= size);
    if (error != OF_OK)
        return 0;
    char *text = of_value_to_json(value);
    FUZZ_HOLDS(text != NULL && is_one_line(text));
    FUZZ_HOLDS(of_value_from_json(text, strlen(text), &back, NULL) == OF_OK);
    char *again = of_value_to_json(back);
    FUZZ_HOLDS(again != NULL);
    /* Two keys that are not UTF-8 may be repaired to the same one, of which the last counts. */
    if (fs_utf8_valid((const char *)data, size))
        FUZZ_HOLDS(strcmp(text, again) == 0);
    of_free(text);
    of_free(again);
    of_value_unref(value);
    of_value_unref(back);
    return 0;
}
