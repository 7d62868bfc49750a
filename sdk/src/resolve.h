/* SPDX-License-Identifier: Apache-2.0 */
/* From a call to details: asking the provider, running the hooks, filling the details. */
#ifndef OFI_RESOLVE_H
#define OFI_RESOLVE_H

#include "core.h"

#define OFI_TOO_DEEP  "evaluations are nested too deeply, or this thread has no thread-specific key left"
#define OFI_NO_MEMORY "no memory"

/* One evaluation. */
struct ofi_call {
    const char *key;
    of_type type;
    const of_flag_value *default_value; /* not in the details that are to be filled */
    const of_options *options;          /* or NULL */
    const char *domain;
    bool is_static;
    of_provider *provider;             /* held */
    const struct ofi_settings *core;   /* held, or NULL */
    const struct ofi_settings *client; /* held, or NULL */
    const of_context *context;         /* merged */
};

/* 1.1.2.2: whether the provider is not to be asked yet, since its init may not have been entered. Status is
 * no matter of this: once init has been heard of, a provider answers for itself. */
static inline bool ofi_unheard(of_provider *provider)
{
    return __builtin_expect(atomic_load_explicit(&provider->unheard, memory_order_acquire), 0);
}

/* Asks the provider, and checks what it says (1.3.4). */
of_error ofi_resolve(of_provider *provider, const char *key, of_type type, const of_flag_value *default_value,
                     const of_context *context, of_resolution *resolution);

/* Runs the hooks around it where there are any, and fills the details. */
void ofi_run(const struct ofi_call *call, of_details *details);

/* Details of a failure: the default value, reason ERROR. The message is a constant. */
void ofi_details_fail(of_details *details, const char *key, of_type type, const of_flag_value *default_value,
                      of_error error, const char *message);
/* Details of a resolution, which they take over. */
void ofi_details_fill(of_details *details, const char *key, of_type type, const of_flag_value *default_value,
                      of_error error, of_resolution *resolution);
/* Turns details into those of a failure, with a copy of the message. */
void ofi_details_spoil(of_details *details, const struct ofi_call *call, of_error error, const char *message);

/* The string of the details, which it takes over. */
of_string ofi_string_of(of_details *details);
/* The same of a resolution. */
of_string ofi_string_take(const of_flag_value *value, of_resolution *resolution);

/* An evaluation by a client of either paradigm. */
void ofi_evaluate(of_client *client, const char *key, of_type type, const of_flag_value *default_value,
                  const of_context *context, const of_options *options, of_details *details);
/* The same where only a boolean or a number is wanted. */
of_flag_value ofi_evaluate_brief(of_client *client, const char *key, of_type type,
                                 const of_flag_value *default_value, const of_context *context,
                                 const of_options *options);
/* And where that is a boolean, the shortest way. */
bool ofi_evaluate_bool(of_client *client, const char *key, bool default_value, const of_context *context,
                       const of_options *options);
of_string ofi_evaluate_string(of_client *client, const char *key, const char *default_value,
                              const of_context *context, const of_options *options);
of_value *ofi_evaluate_object(of_client *client, const char *key, const of_value *default_value,
                              const of_context *context, const of_options *options);
void ofi_track(of_client *client, const char *name, const of_context *context, const of_tracking *details);

/* hooks: how many stand around this call, and running them */
size_t ofi_hook_count(const struct ofi_call *call);
void ofi_run_hooks(const struct ofi_call *call, size_t count, of_details *details);

/* An error that an evaluation may show: one of the specification's eight. */
static inline of_error ofi_evaluation_error(of_error error)
{
    return error >= OF_ERROR_PROVIDER_NOT_READY && error <= OF_ERROR_GENERAL ? error : OF_ERROR_GENERAL;
}

#endif
