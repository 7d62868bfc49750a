/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The details of a tracking event (specification section 6.2).
 */
#ifndef OPENFEATURE_TRACKING_H
#define OPENFEATURE_TRACKING_H

#include <openfeature/value.h>

OF_BEGIN_DECLS

/** What is known of a tracking event besides its name. Zero it, then set what there is. */
typedef struct of_tracking {
    /** Whether `value` counts. */
    bool has_value;
    /** A quantity, such as an amount (6.2.1). */
    double value;
    /** Further fields (6.2.2): an object, borrowed for the call, or NULL. */
    const of_value *fields;
    /** Room for members to come; zero. */
    void *reserved_[2];
} of_tracking;

OF_END_DECLS

#endif
