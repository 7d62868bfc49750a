/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of the tests that evaluate flags; includes support.h. */
#ifndef SDK_FIXTURE_H
#define SDK_FIXTURE_H

#include "support.h"

/* The fixture of most tests: an isolated API, a probe that is its default provider and ready, a client of
 * domain "tests". */
extern of_api *api;
extern struct probe *probe;
extern of_client *client;
int sdk_setup(void **state);
int sdk_teardown(void **state);
/* A test with it. */
#define SDK_TEST(name) cmocka_unit_test_setup_teardown(name, sdk_setup, sdk_teardown)

#endif
