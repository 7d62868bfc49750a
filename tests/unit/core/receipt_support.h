/* SPDX-License-Identifier: Apache-2.0 */
/* Reading receipts, for their tests. */
#ifndef TESTS_CORE_RECEIPT_SUPPORT_H
#define TESTS_CORE_RECEIPT_SUPPORT_H

#include "engine_world.h"

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
