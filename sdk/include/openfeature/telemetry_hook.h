/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The telemetry hook (specification, Appendix D): makes the event record `feature_flag.evaluation` of
 * OpenTelemetry's semantic conventions (1.34) out of each evaluation. It links no telemetry library: the
 * record goes to a function of yours, which hands it to the log or span API that the program uses.
 */
#ifndef OPENFEATURE_TELEMETRY_HOOK_H
#define OPENFEATURE_TELEMETRY_HOOK_H

#include <openfeature/hook.h>

OF_BEGIN_DECLS

/** The name of the event record. */
#define OF_TELEMETRY_EVENT "feature_flag.evaluation"

/** What the telemetry hook does and leaves out. */
typedef struct of_telemetry_options {
    /** sizeof(of_telemetry_options), so that the structure can grow. */
    size_t size;
    /** Takes the record; called in the finally stage. The attributes are valid during the call. */
    void (*emit)(void *user, const char *event_name, const of_value *attributes);
    /** Adds or changes attributes before `emit`; may be NULL. */
    void (*mutate)(void *user, const of_hook_context *hook_context, const of_details *details,
                   of_value *attributes);
    /** Called with `user` at the end; may be NULL. */
    void (*destroy)(void *user);
    /** Handed to the functions. */
    void *user;
    /** Attributes that are left out, such as `feature_flag.result.value`; NULL for none. Copied. */
    const char *const *exclude_attributes;
    /** How many. */
    size_t exclude_attribute_count;
    /** Leaves out `error.message`. */
    bool exclude_exceptions;
} of_telemetry_options;

/** @return owned by the caller; NULL without `emit` or without memory */
OF_API OF_MUST_USE of_hook *of_telemetry_hook_new(const of_telemetry_options *options);

OF_END_DECLS

#endif
