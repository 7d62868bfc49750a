/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contract.c: the contract of all providers (tests/unit/sdk/contract.h), for one that needs a server: the
 * options of its driver are given here too, and the flags of the contract must be on the server.
 */
#include "contract.h"
#include "driver.h"

#include <stdio.h>

static int count;
static char **words;

const char *driver_option(const char *name)
{
    size_t length = strlen(name);
    for (int i = 1; i < count; i++) {
        if (strncmp(words[i], name, length) == 0 && words[i][length] == '=') {
            return words[i] + length + 1;
        }
    }
    return NULL;
}

unsigned driver_number(const char *name, unsigned otherwise)
{
    const char *text = driver_option(name);
    unsigned number = otherwise;
    return text != NULL && sscanf(text, "%u", &number) == 1 ? number : otherwise;
}

static of_provider *make(void)
{
    char problem[256] = "";
    of_provider *provider = driver_make(problem, sizeof problem);
    if (provider == NULL) {
        print_error("%s\n", problem);
    }
    return provider;
}

static void a_provider_keeps_the_contract(void **state)
{
    (void)state;
    contract_check(make);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_provider_keeps_the_contract)};
    count = argc;
    words = argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
