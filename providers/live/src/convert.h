/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.h: contexts as the daemon reads them. Pure; all memory is the caller's.
 */
#ifndef LIVE_CONVERT_H
#define LIVE_CONVERT_H

#include <jansson.h>
#include <openfeature/context.h>

/* The whole context as OFREP has it: a reference, NULL without memory. */
json_t *live_json_of_context(const of_context *context);

#endif
