/* SPDX-License-Identifier: Apache-2.0 */
/* The two fixtures of most tests; includes support.h. */
#ifndef SDK_FIXTURE_H
#define SDK_FIXTURE_H

#include "support.h"

extern of_api *api;
extern struct probe *probe;
extern of_client *client;
extern struct box box;

/* Of those that evaluate flags: an isolated API, a probe that is its default provider and ready, a client of
 * domain "tests". */
int sdk_setup(void **state);
int sdk_teardown(void **state);
/* A test with it. */
#define SDK_TEST(name) cmocka_unit_test_setup_teardown(name, sdk_setup, sdk_teardown)

/* Of those about events: a probe that is nobody's provider until sdk_start(), a client without a domain, an
 * empty box. */
int sdk_events_setup(void **state);
void sdk_start(void);
#define SDK_EVENTS_TEST(name) cmocka_unit_test_setup_teardown(name, sdk_events_setup, sdk_teardown)

#endif
