/* SPDX-License-Identifier: Apache-2.0 */
/* The status of a multi-provider: the worst one inside. */
#include "multi.h"

#include <string.h>

#include <openfeature/memory.h>

/* How much a status weighs: the heaviest is the status of all. */
static int weight(of_provider_status status)
{
    static const int weights[] = {[OF_STATUS_READY] = 0, [OF_STATUS_RECONCILING] = 1, [OF_STATUS_STALE] = 2,
                                  [OF_STATUS_ERROR] = 3, [OF_STATUS_NOT_READY] = 4,   [OF_STATUS_FATAL] = 5};
    return weights[status];
}

static of_event_type event_of(of_provider_status status)
{
    switch (status) {
    case OF_STATUS_READY:
        return OF_EVENT_READY;
    case OF_STATUS_STALE:
        return OF_EVENT_STALE;
    case OF_STATUS_RECONCILING:
        return OF_EVENT_RECONCILING;
    case OF_STATUS_ERROR:
    case OF_STATUS_FATAL:
    case OF_STATUS_NOT_READY:
    default:
        return OF_EVENT_ERROR;
    }
}

static const struct entry *heaviest(const struct multi *multi)
{
    const struct entry *found = &multi->entries[0];
    for (size_t i = 1; i < multi->count; i++)
        if (weight(multi->entries[i].status) > weight(found->status))
            found = &multi->entries[i];
    return found;
}

void multi_update(struct multi *multi)
{
    const struct entry *entry = heaviest(multi);
    of_provider_status status = entry->status;
    if (status == multi->status || status == OF_STATUS_NOT_READY)
        return;
    if (multi->reconciling && status == OF_STATUS_READY)
        return; /* said at the end, by CONTEXT_CHANGED */
    of_provider_event event = OF_PROVIDER_EVENT(event_of(status));
    event.message = entry->last_message;
    event.error = status == OF_STATUS_FATAL ? OF_ERROR_PROVIDER_FATAL : entry->last_error;
    multi->status = status;
    multi->failed = multi->failed || event.type == OF_EVENT_ERROR;
    ofo_put(&multi->outbox, &event);
}

static char *copy_of(const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text) + 1;
    char *copy = size == 0 ? NULL : of_alloc(size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

void multi_listen(void *user, of_provider *provider, const of_provider_event *event)
{
    struct entry *entry = user;
    struct multi *multi = entry->multi;
    (void)provider;
    (void)pthread_mutex_lock(&multi->lock);
    if (event->type == OF_EVENT_CONFIGURATION_CHANGED) {
        ofo_put(&multi->outbox, event);
    } else {
        of_free(entry->last_message);
        entry->last_message = copy_of(event->message);
        entry->last_error = event->error;
        entry->status = of_provider_event_status(event, entry->status);
        multi_update(multi);
    }
    ofo_unlock(&multi->outbox);
}
