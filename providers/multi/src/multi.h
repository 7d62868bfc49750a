/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the multi-provider. */
#ifndef OF_MULTI_MULTI_H
#define OF_MULTI_MULTI_H

#include <pthread.h>

#include <openfeature/providers/multi.h>

#include "outbox.h"

struct multi;

struct entry {
    struct multi *multi;
    of_provider *provider;
    char *name;
    bool adopted;
    of_error error; /* of init or on_context_changed */
    /* What its events told so far. Not of_provider_get_status(): that is ahead of the events, so another
     * provider's event would tell the new status without its message. */
    of_provider_status status;
    of_error last_error;
    char *last_message;
};

struct multi {
    of_provider *provider;
    struct of_multi_options options;
    pthread_mutex_t lock; /* over what follows, and the entries' last events */
    struct ofo_outbox outbox;
    of_provider_status status; /* as it was emitted last */
    bool reconciling;
    size_t count;
    struct entry entries[];
};

/* One question, whatever its type. */
struct question {
    const char *key;
    of_type type;
    of_flag_value default_value;
    const of_context *context;
};

/* strategy.c: answers by the strategy. */
of_error multi_answer(struct multi *multi, const struct question *question, of_resolution *resolution);

/* status.c: events of the providers inside. */
void multi_listen(void *user, of_provider *provider, const of_provider_event *event);
/* With the lock: puts the status down when it is another than last time; told by ofo_unlock(). */
void multi_update(struct multi *multi);
/* With the lock: puts down how a change of context ended, and then the status of all. */
void multi_reconciled(struct multi *multi, of_error error);

#endif
