/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every provider must do, whatever it is. A provider's own test calls contract_check() with a way to
 * make it. The provider must have these flags: "contract-bool" true, "contract-string" "hi", "contract-int"
 * 10, "contract-double" 0.5, "contract-object" {"a":1}; and no flag "contract-missing".
 */
#ifndef SDK_CONTRACT_H
#define SDK_CONTRACT_H

#include "support.h"

/* Makes a provider that is not registered; the caller ends the reference. */
typedef of_provider *(*contract_make)(void);

/* Checks all of it. */
void contract_check(contract_make make);

#endif
