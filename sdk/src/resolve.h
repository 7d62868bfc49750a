/* SPDX-License-Identifier: Apache-2.0 */
/* From a call to details: asking the provider, running the hooks, filling the details. */
#ifndef OFI_RESOLVE_H
#define OFI_RESOLVE_H

#include <string.h>

#include "core.h"
#include "value_impl.h"

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

/* A resolution as resolvers get it. Member by member, which compilers make a few stores of; as a whole it
 * becomes a string instruction, which takes as long as the rest of a simple evaluation. */
static inline void ofi_resolution_begin(of_resolution *resolution, bool brief)
{
    resolution->value.string.data = NULL;
    resolution->value.string.length = 0;
    resolution->variant = NULL;
    resolution->reason = NULL;
    resolution->metadata = NULL;
    resolution->error_message = NULL;
    resolution->owner = NULL;
    resolution->release = NULL;
    resolution->brief = brief;
    resolution->private_ = NULL;
    for (size_t i = 0; i < sizeof resolution->reserved_ / sizeof resolution->reserved_[0]; i++)
        resolution->reserved_[i] = NULL;
}

/* Details are filled in place: they hold what resolvers fill as it stands in a resolution, and what keeps it
 * valid. An evaluation waits for memory more than for anything else, and the processor goes on to the next
 * one meanwhile for as long as it has room to remember what is to be stored: each store that is saved counts.
 */
enum {
    OFI_OWNER,
    OFI_RELEASE,
    OFI_OBJECT,
    OFI_TEXTS
}; /* of_details.private_; an object is where `brief` was */

static inline of_resolution *ofi_resolution_in(of_details *details)
{
    return (of_resolution *)(void *)((char *)details + offsetof(of_details, value));
}

#define OFI_SAME_PLACE(of, in)                                                                               \
    _Static_assert(offsetof(of_details, of) == offsetof(of_details, value) + offsetof(of_resolution, in),    \
                   "details hold a resolution")
OFI_SAME_PLACE(value, value);
OFI_SAME_PLACE(variant, variant);
OFI_SAME_PLACE(reason, reason);
OFI_SAME_PLACE(metadata, metadata);
OFI_SAME_PLACE(error_message, error_message);
OFI_SAME_PLACE(private_[OFI_OWNER], owner);
OFI_SAME_PLACE(private_[OFI_RELEASE], release);
OFI_SAME_PLACE(private_[OFI_OBJECT], brief);
OFI_SAME_PLACE(private_[OFI_TEXTS], private_);
OFI_SAME_PLACE(reserved_, reserved_);
_Static_assert(sizeof(of_details) == offsetof(of_details, value) + sizeof(of_resolution), "and no more");

/* Before ofi_resolve() with the resolution in the details. */
static inline void ofi_details_begin(of_details *details, const char *key, of_type type)
{
    details->flag_key = key;
    details->type = type;
    details->error = OF_OK;
    details->private_[OFI_OBJECT] = NULL;
    ofi_resolution_begin(ofi_resolution_in(details), false);
}

/* After a resolution that succeeded, of anything but an object. */
static inline void ofi_details_succeed(of_details *details)
{
    const of_value *metadata = details->metadata;
    if (metadata == NULL || metadata->type != OF_TYPE_OBJECT)
        details->metadata = &ofi_empty_object;
    details->error_message = NULL;
    details->private_[OFI_OBJECT] = NULL;
}

/* Runs the hooks around it where there are any, and fills the details. */
void ofi_run(const struct ofi_call *call, of_details *details);

/* Details of a failure: the default value, reason ERROR. The message is a constant. */
void ofi_details_fail(of_details *details, const char *key, of_type type, const of_flag_value *default_value,
                      of_error error, const char *message);
/* After any resolution. */
void ofi_details_end(of_details *details, const of_flag_value *default_value, of_error error);
/* Turns details into those of a failure, with a copy of the message. */
void ofi_details_spoil(of_details *details, const struct ofi_call *call, of_error error, const char *message);

/* The string of the details, which it takes over. */
of_string ofi_string_of(of_details *details);
/* The same of a resolution. */
of_string ofi_string_take(const of_flag_value *value, const of_resolution *resolution);

/* An evaluation by a client of either paradigm. */
void ofi_evaluate(of_client *client, const char *key, of_type type, const of_flag_value *default_value,
                  const of_context *context, const of_options *options, of_details *details);
/* The same of a boolean, the shorter way. */
void ofi_evaluate_bool_details(of_client *client, const char *key, bool default_value,
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
