/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every provider must do, whatever it is: become ready by an event inside init, answer each type and no
 * other, fail by code, be shut down twice, while it starts and while an evaluation is inside, be silent
 * afterwards, be used by many threads, and mind neither a sibling nor a handler that hangs. A provider's own
 * test calls contract_check() with a way to make it. How it does when what it talks to hangs is its own
 * tests' business. The provider must have these flags: "contract-bool" true, "contract-string" "hi",
 * "contract-int" 10, "contract-double" 0.5, "contract-object" {"a":1}; and no flag "contract-missing".
 */
#ifndef SDK_CONTRACT_H
#define SDK_CONTRACT_H

#include "support.h"

/* Makes a provider that is not registered; the caller ends the reference. */
typedef of_provider *(*contract_make)(void);

/* Checks all of it. */
void contract_check(contract_make make);

#endif
