/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Events (specification section 5): what providers signal, and what handlers are called with.
 *
 * The status of a provider changes at the moment it emits an event; handlers are called afterwards by one
 * thread for each API object, in the order of events and, for one event, in the order in which they were
 * added, with no lock held. What a handler does not return from delays only the handlers of that API object.
 */
#ifndef OPENFEATURE_EVENT_H
#define OPENFEATURE_EVENT_H

#include <openfeature/value.h>

OF_BEGIN_DECLS

/** The kinds of events. */
typedef enum of_event_type {
    /** It can evaluate flags. */
    OF_EVENT_READY = 1,
    /** It cannot, or not reliably. */
    OF_EVENT_ERROR = 2,
    /** Flags are different from before. */
    OF_EVENT_CONFIGURATION_CHANGED = 3,
    /** What it knows may be out of date. */
    OF_EVENT_STALE = 4,
    /** It adapts to a new context. Static paradigm only. */
    OF_EVENT_RECONCILING = 5,
    /** It has adapted to a new context. Static paradigm only. */
    OF_EVENT_CONTEXT_CHANGED = 6
} of_event_type;

/** The status of a provider (types.md, "Provider Status"). */
typedef enum of_provider_status {
    /** Not started yet, or shut down. */
    OF_STATUS_NOT_READY = 0,
    /** It can evaluate flags. */
    OF_STATUS_READY = 1,
    /** It cannot, or not reliably; it may recover. */
    OF_STATUS_ERROR = 2,
    /** What it knows may be out of date. */
    OF_STATUS_STALE = 3,
    /** It cannot recover. */
    OF_STATUS_FATAL = 4,
    /** It adapts to a new context. Static paradigm only. */
    OF_STATUS_RECONCILING = 5
} of_provider_status;

/** @return a constant string such as `PROVIDER_READY`. */
OF_API const char *of_event_name(of_event_type type);
/** @return a constant string such as `NOT_READY`. */
OF_API const char *of_status_name(of_provider_status status);

/** What a provider says with an event. All of it is copied by of_provider_emit(). */
typedef struct of_provider_event {
    /** sizeof(of_provider_event), so that the structure can grow. */
    size_t size;
    /** What happened. */
    of_event_type type;
    /** The flags that changed, or NULL: any of them may have. */
    const char *const *flags_changed;
    /** How many. */
    size_t flags_changed_count;
    /** NULL for none; an error should have one (5.1.4). */
    const char *message;
    /** For #OF_EVENT_ERROR (5.1.5); #OF_ERROR_PROVIDER_FATAL makes the status FATAL. */
    of_error error;
    /** An object of booleans, strings and numbers, or NULL. */
    const of_value *metadata;
} of_provider_event;

/** Zeroes a provider event and sets its size and type. */
#define OF_PROVIDER_EVENT(event_type)                                                                        \
    {                                                                                                        \
        sizeof(of_provider_event), (event_type), NULL, 0, NULL, OF_OK, NULL                                  \
    }

/** What a handler is told. Valid during the call only. Later versions may have more members at its end. */
typedef struct of_event {
    /** What happened. */
    of_event_type type;
    /** Never NULL. */
    const char *provider_name;
    /**
     * The domain of the client that the handler was added to; NULL for the default and for an API's handlers.
     */
    const char *domain;
    /** The provider's status as this event made it; by now it may have moved on. */
    of_provider_status status;
    /** NULL: any flag may have changed. */
    const char *const *flags_changed;
    /** How many. */
    size_t flags_changed_count;
    /** May be NULL. */
    const char *message;
    /** Of #OF_EVENT_ERROR. */
    of_error error;
    /** An object; empty but never NULL. */
    const of_value *metadata;
} of_event;

/** A handler of events. It runs on the API object's own thread, which has all signals blocked. */
typedef void (*of_event_handler)(void *user, const of_event *event);

OF_END_DECLS

#endif
