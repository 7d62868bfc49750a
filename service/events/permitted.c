/* SPDX-License-Identifier: Apache-2.0 */
/* Which credential may send which event. What an event would do decides, not where it came from. */
#include <string.h>
#include "base/str.h"
#include "events_internal.h"

static bool type_granted(const struct fs_credential *credential, const char *type)
{
    for (char *const *pattern = credential->event_types; pattern && *pattern; pattern++)
        if (fs_glob_match(*pattern, type))
            return true;
    return false;
}

static bool permitted(const struct fs_event *event, const struct fs_credential *credential,
                      struct fs_err *err)
{
    bool recompute = strcmp(event->type, FS_EVENT_TYPE_RECOMPUTE) == 0,
         facts = strcmp(event->type, FS_EVENT_TYPE_FACTS) == 0;
    if (recompute || facts) {
        if (event->recompute && !fs_credential_may(credential, FS_SCOPE_EVENTS) &&
            !fs_credential_may(credential, FS_SCOPE_OPERATE))
            return fs_fail(err, FS_ERR_FORBIDDEN, "%s needs the scope 'events'", event->type);
        for (size_t i = 0; i < event->fact_count; i++)
            if (!fs_credential_may_write_fact(credential, event->facts[i].fact))
                return fs_fail(err, FS_ERR_FORBIDDEN, "the fact %s needs the scope 'facts:%s'",
                               event->facts[i].fact, event->facts[i].fact);
        return true;
    }
    /* The configuration says what such a type may do, so the type is what is granted. */
    return type_granted(credential, event->type) ||
           fs_fail(err, FS_ERR_FORBIDDEN, "events of the type %.80s need a key whose event types include it",
                   event->type);
}

bool fs_events_permitted(struct fs_event *const *events, size_t count, const struct fs_credential *credential,
                         struct fs_err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!permitted(events[i], credential, err))
            return count > 1 ? fs_fail_in(err, "event %zu", i) : false;
    return true;
}
