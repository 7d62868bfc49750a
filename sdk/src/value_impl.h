/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of values. Scalars that never change (null, true, false, the empty object) are not counted. */
#ifndef OFI_VALUE_IMPL_H
#define OFI_VALUE_IMPL_H

#include <stdatomic.h>

#include <openfeature/value.h>

#include "map.h"

/* The count of values that live as long as the process. */
#define OFI_IMMORTAL UINT32_MAX

struct of_value {
    _Atomic(uint32_t) refs;
    uint8_t type;
    uint8_t depth; /* of lists and objects: how many levels are inside, itself counted */
    union {
        bool boolean;
        int64_t integer;
        double number;
        of_datetime moment;
        struct {
            char *data; /* stands right behind the value */
            size_t length;
        } string;
        struct {
            of_value **items;
            size_t count;
            size_t capacity;
        } list;
        struct ofi_map object;
    } as;
};

/* What stands for "no metadata" and "no hints". */
extern struct of_value ofi_empty_object;

/* Whether only the caller holds it. */
bool ofi_value_is_sole(const of_value *value);

#endif
