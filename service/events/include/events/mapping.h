/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapped events: rules of the configuration (`events: mappings:`) say what an event of a foreign type
 * concerns and which facts it sets. docs/events.md has the form. Immutable once made; any thread.
 */
#ifndef FS_EVENTS_MAPPING_H
#define FS_EVENTS_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "base/mistakes.h"
#include "core/event.h"

struct fs_mappings;
struct fs_mapping;

/* From the list in the configuration; NULL (JSON or C) gives an empty one. NULL with all that is wrong
 * added to `mistakes` (FS_ERR_CONFIG), each with where first: "events.mappings[2]: facts[0]: value: ...".
 * Owned: fs_mappings_destroy(). */
struct fs_mappings *fs_mappings_create(const json_t *list, struct fs_mistakes *mistakes);
void fs_mappings_destroy(struct fs_mappings *mappings); /* accepts NULL */
/* The first mapping whose pattern fits the type, or NULL. Borrowed. */
const struct fs_mapping *fs_mappings_find(const struct fs_mappings *mappings, const char *type);

/* Fills in what the mapping makes of an event: `recompute` and `filter`, or `facts`, or both. `variables` is
 * what its rules see: the event's attributes and `data`. `since`: wall ms from which a ttl counts. False with
 * `err` where a rule gives nothing usable: an event that says nothing must not become one that says
 * "everything". */
bool fs_mapping_apply(const struct fs_mapping *mapping, const json_t *variables, int64_t since,
                      struct fs_event *event, struct fs_err *err);

#endif
