/* SPDX-License-Identifier: Apache-2.0 */
/* The status of a multi-provider: the worst one inside. */
#include "multi.h"

#include <string.h>

#include <openfeature/memory.h>

/* How much a status weighs: the heaviest is the status of all. Appendix A does not name RECONCILING: it is
 * what the whole does as long as one does it, whatever state another one is in, or nobody would hear of it.
 */
static int weight(of_provider_status status)
{
    static const int weights[] = {
        [OF_STATUS_READY] = 0,       [OF_STATUS_STALE] = 1,     [OF_STATUS_ERROR] = 2,
        [OF_STATUS_RECONCILING] = 3, [OF_STATUS_NOT_READY] = 4, [OF_STATUS_FATAL] = 5};
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

static void tell(struct multi *multi, of_event_type type, of_error error, const char *message)
{
    of_provider_event event = OF_PROVIDER_EVENT(type);
    event.message = message;
    event.error = error;
    multi->status = of_provider_event_status(&event, multi->status);
    ofo_put(&multi->outbox, &event);
}

void multi_update(struct multi *multi)
{
    const struct entry *entry = heaviest(multi);
    of_provider_status status = entry->status;
    if (status == multi->status || status == OF_STATUS_NOT_READY)
        return;
    if (multi->reconciling && status != OF_STATUS_RECONCILING && status != OF_STATUS_FATAL)
        return; /* said at the end */
    tell(multi, event_of(status), status == OF_STATUS_FATAL ? OF_ERROR_PROVIDER_FATAL : entry->last_error,
         entry->last_message);
}

static const char *message_of(const struct multi *multi, of_error error)
{
    for (size_t i = 0; i < multi->count; i++)
        if (multi->entries[i].error == error)
            return multi->entries[i].last_message;
    return NULL;
}

void multi_reconciled(struct multi *multi, of_error error)
{
    if (error == OF_OK)
        tell(multi, OF_EVENT_CONTEXT_CHANGED, OF_OK, NULL);
    else if (heaviest(multi)->status == OF_STATUS_FATAL) /* an error that may pass does not make that pass */
        tell(multi, OF_EVENT_ERROR, OF_ERROR_PROVIDER_FATAL, message_of(multi, error));
    else
        tell(multi, OF_EVENT_ERROR, error, message_of(multi, error));
    multi_update(multi); /* it may be otherwise by another one's state */
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
