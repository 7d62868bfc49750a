/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.h: what a provider has to tell, put down while it holds its lock and emitted when it has let it go,
 * in the order in which it was put down, whatever threads do so. A provider that wraps this one may then do
 * anything from its listener (of_provider_adopt()). Survives want of memory, as of_provider_emit() does: then
 * one event may stand for several, the status is the newest, and a change is one of any flag.
 */
#ifndef OFO_OUTBOX_H
#define OFO_OUTBOX_H

#include <pthread.h>

#include <openfeature/provider.h>

enum { OFO_TEXT = 512 }; /* bytes of a message; longer ones are cut */

struct ofo_note {
    struct ofo_note *next;
    of_provider_event event; /* its pointers lead into the note; its metadata is a reference */
    bool spare, used;
    char text[OFO_TEXT];
    const char *keys[]; /* and the texts after them; none in a spare note */
};

struct ofo_outbox {
    of_provider *provider;
    pthread_mutex_t *lock; /* the provider's own, over all of this */
    pthread_cond_t told_more;
    struct ofo_note *first, *last;
    uint64_t put, told; /* so many were */
    bool busy;          /* a thread is emitting: this one */
    pthread_t teller;
    struct ofo_note *spare_status, *spare_change; /* for want of memory */
};

/* False without memory; to be finished in either case. The provider may be set later. */
bool ofo_init(struct ofo_outbox *outbox, of_provider *provider, pthread_mutex_t *lock);
void ofo_finish(struct ofo_outbox *outbox);

/* With the lock: puts an event down. Everything is copied. */
void ofo_put(struct ofo_outbox *outbox, const of_provider_event *event);
/* The same for an event without anything but a message, which may be NULL. */
void ofo_put_status(struct ofo_outbox *outbox, of_event_type type, const char *message);
/* The same for OF_EVENT_ERROR; returns the error. */
of_error ofo_put_error(struct ofo_outbox *outbox, of_error error, const char *message);

/* With the lock, which it lets go for good: returns when all that has been put down by now is emitted, by
 * this thread or another. From inside of an emission it may be called as well. */
void ofo_unlock(struct ofo_outbox *outbox);
/* The same, and takes the lock again. */
void ofo_tell(struct ofo_outbox *outbox);

#endif
