/* SPDX-License-Identifier: Apache-2.0 */
/* The table of source types. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "sources/builtin.h"
#include "sources/opa.h"
#include "sources/registry.h"

static void types_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(fs_source_type_find("opa"), &fs_source_opa);
    assert_ptr_equal(fs_source_type_find("builtin"), &fs_source_builtin);
    assert_null(fs_source_type_find("opaa"));
    assert_string_equal(fs_source_type_suggest("opaa"), "opa");
}

static void each_type_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; fs_source_type_at(i); i++) {
        const struct fs_source_type *type = fs_source_type_at(i);
        assert_non_null(type->kinds[0]);
        assert_true(fs_source_type_has_kind(type, type->kinds[0]));
        assert_false(fs_source_type_has_kind(type, "nonsense"));
        assert_non_null(type->check_query);
        if (type->create) {
            assert_non_null(type->destroy);
            assert_non_null(type->ask);
            assert_non_null(type->respond);
            assert_int_equal(type->probe == NULL, type->read_probe == NULL);
        }
    }
}

static void the_built_in_source_has_no_adapter(void **state)
{
    (void)state;
    struct fs_err err;
    assert_null(fs_source_builtin.create);
    assert_true(fs_source_builtin.check_query("rule", "{\"==\":[1,1]}", &err));
    assert_false(fs_source_builtin.check_query("path", "a/b", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_found_by_name),
        cmocka_unit_test(each_type_is_complete),
        cmocka_unit_test(the_built_in_source_has_no_adapter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
