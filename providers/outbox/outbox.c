/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.c: see outbox.h. */
#include "outbox.h"

#include <stdio.h>
#include <string.h>

#include <openfeature/memory.h>

bool ofo_init(struct ofo_outbox *outbox, of_provider *provider, pthread_mutex_t *lock)
{
    struct ofo_note **spares[] = {&outbox->spare_status, &outbox->spare_change};
    bool fine = true;
    memset(outbox, 0, sizeof *outbox);
    outbox->provider = provider;
    outbox->lock = lock;
    (void)pthread_cond_init(&outbox->told_more, NULL);
    for (size_t i = 0; i < sizeof spares / sizeof spares[0]; i++) {
        struct ofo_note *spare = *spares[i] = of_alloc(sizeof *spare);
        fine = fine && spare != NULL;
        if (spare != NULL)
            *spare = (struct ofo_note){.spare = true};
    }
    return fine;
}

/* A spare one can be used again. */
static void note_end(struct ofo_note *note)
{
    of_value_unref((of_value *)(uintptr_t)note->event.metadata);
    note->used = false;
    if (!note->spare)
        of_free(note);
}

void ofo_finish(struct ofo_outbox *outbox)
{
    while (outbox->first != NULL) {
        struct ofo_note *note = outbox->first;
        outbox->first = note->next;
        note_end(note);
    }
    of_free(outbox->spare_status);
    of_free(outbox->spare_change);
    (void)pthread_cond_destroy(&outbox->told_more);
}

static size_t key_count(const of_provider_event *event)
{
    return event->flags_changed == NULL ? 0 : event->flags_changed_count;
}

/* NULL without memory. */
static struct ofo_note *note_new(const of_provider_event *event)
{
    size_t count = key_count(event), size = sizeof(struct ofo_note) + count * sizeof(char *);
    for (size_t i = 0; i < count; i++)
        size += strlen(event->flags_changed[i]) + 1;
    struct ofo_note *note = of_alloc(size);
    if (note == NULL)
        return NULL;
    char *text = (char *)(void *)&note->keys[count];
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(event->flags_changed[i]) + 1;
        note->keys[i] = memcpy(text, event->flags_changed[i], length);
        text += length;
    }
    note->spare = false;
    return note;
}

/* All of the event but its flags. */
static void fill(struct ofo_note *note, const of_provider_event *event)
{
    note->event = *event;
    note->event.flags_changed = NULL;
    note->event.flags_changed_count = 0;
    note->event.metadata = of_value_ref(event->metadata);
    if (event->message == NULL)
        return;
    (void)snprintf(note->text, sizeof note->text, "%s", event->message);
    note->event.message = note->text;
}

static void append(struct ofo_outbox *outbox, struct ofo_note *note)
{
    note->next = NULL;
    note->used = true;
    if (outbox->first == NULL)
        outbox->first = note;
    else
        outbox->last->next = note;
    outbox->last = note;
    outbox->put++;
}

/* As if it had never been put down. */
static void take_out(struct ofo_outbox *outbox, const struct ofo_note *note)
{
    struct ofo_note *before = NULL;
    for (struct ofo_note *one = outbox->first; one != note; one = one->next)
        before = one;
    if (before == NULL)
        outbox->first = note->next;
    else
        before->next = note->next;
    if (outbox->last == note)
        outbox->last = before;
    outbox->put--;
}

void ofo_put(struct ofo_outbox *outbox, const of_provider_event *event)
{
    bool change = event->type == OF_EVENT_CONFIGURATION_CHANGED;
    struct ofo_note *note = note_new(event);
    bool spare = note == NULL;
    if (spare)
        note = change ? outbox->spare_change : outbox->spare_status;
    bool waits = spare && note->used;
    if (waits) { /* what it says is out of date; the newest is told after all that came before */
        of_value_unref((of_value *)(uintptr_t)note->event.metadata);
        take_out(outbox, note);
    }
    fill(note, event);
    if (!spare && event->flags_changed != NULL) {
        note->event.flags_changed = note->keys;
        note->event.flags_changed_count = event->flags_changed_count;
    }
    append(outbox, note);
}

void ofo_put_status(struct ofo_outbox *outbox, of_event_type type, const char *message)
{
    of_provider_event event = OF_PROVIDER_EVENT(type);
    event.message = message;
    ofo_put(outbox, &event);
}

of_error ofo_put_error(struct ofo_outbox *outbox, of_error error, const char *message)
{
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_ERROR);
    event.error = error;
    event.message = message;
    ofo_put(outbox, &event);
    return error;
}

/* Emits the oldest one, without the lock. */
static void tell_first(struct ofo_outbox *outbox)
{
    struct ofo_note *note = outbox->first;
    struct ofo_note copy;
    bool outer = outbox->busy;
    outbox->first = note->next;
    if (note->spare) { /* which may be needed again meanwhile */
        memcpy(&copy, note, sizeof copy);
        copy.event.message = note->event.message == NULL ? NULL : copy.text;
        note->used = false;
        note = &copy;
    }
    outbox->busy = true;
    outbox->teller = pthread_self();
    (void)pthread_mutex_unlock(outbox->lock);
    of_provider_emit(outbox->provider, &note->event);
    note_end(note);
    (void)pthread_mutex_lock(outbox->lock);
    outbox->told++;
    outbox->busy = outer;
    (void)pthread_cond_broadcast(&outbox->told_more);
}

void ofo_tell(struct ofo_outbox *outbox)
{
    uint64_t all = outbox->put;
    for (;;) {
        bool mine = outbox->busy && pthread_equal(outbox->teller, pthread_self());
        if (!mine && outbox->told >= all)
            return;
        if (outbox->busy && !mine)
            (void)pthread_cond_wait(&outbox->told_more, outbox->lock);
        else if (outbox->first != NULL)
            tell_first(outbox);
        else
            return; /* from inside of an emission: that one is all that is left */
    }
}

void ofo_unlock(struct ofo_outbox *outbox)
{
    ofo_tell(outbox);
    (void)pthread_mutex_unlock(outbox->lock);
}
