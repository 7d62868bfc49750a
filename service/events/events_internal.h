/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this part share. */
#ifndef FS_EVENTS_INTERNAL_H
#define FS_EVENTS_INTERNAL_H

#include "base/str.h"
#include "base/vec.h"
#include "core/rule.h"
#include "events/cloudevents.h"

/* --- content types (cloudevents.c) --- */

/* Type and subtype without parameters, whatever the case. */
bool fs_media_is(const char *content_type, const char *type);
/* Is data of this type JSON: application/json, text/json, anything +json? NULL is. JSON format section 3.1.
 */
bool fs_media_is_json(const char *content_type);

/* --- CloudEvents (attributes.c, binary.c, structured.c) --- */

/* Checks all attributes as the specification's section 3 has them. */
bool fs_attributes_check(const json_t *attributes, const struct fs_events_limits *limits, struct fs_err *err);
/* A name of lower-case letters and digits that is not "data". Section 3.1, "Attribute Naming Convention". */
bool fs_attribute_name_check(const char *name, struct fs_err *err);
/* The data of binary mode and of data_base64. */
bool fs_cloudevent_set_bytes(struct fs_cloudevent *event, const char *bytes, size_t length, bool json,
                             size_t depth, struct fs_err *err);
bool fs_cloudevent_read_binary(const struct fs_events_request *request, const struct fs_events_limits *limits,
                               struct fs_cloudevent *out, struct fs_err *err);
bool fs_cloudevent_read_structured(const json_t *json, const struct fs_events_limits *limits,
                                   struct fs_cloudevent *out, struct fs_err *err);
void fs_cloudevent_finish(struct fs_cloudevent *event);

/* --- reading JSON members (reading.c) --- */

/* A list that grows to be one of struct fs_filter's. */
struct fs_texts {
    FS_VEC(char *) all;
};
void fs_texts_add(struct fs_texts *texts, const char *text, size_t length);
char **fs_texts_take(struct fs_texts *texts); /* NULL-terminated; NULL where it is empty */
void fs_texts_finish(struct fs_texts *texts);
/* Appends a change to the event; the text is copied, `value` is a reference that is taken over. */
void fs_event_add_fact(struct fs_event *event, const char *subject, const char *fact, json_t *value,
                       int64_t expires);
/* Is one fact of one subject set twice? Which of the two would win nobody can say. */
bool fs_event_facts_differ(const struct fs_event *event, struct fs_err *err);
bool fs_subject_check(const char *subject, size_t length, size_t limit, struct fs_err *err);

/* --- types of our own (own.c) --- */

bool fs_event_read_recompute(const struct fs_cloudevent *cloudevent, const struct fs_events_limits *limits,
                             struct fs_event *event, struct fs_err *err);
/* `since`: from when a ttl counts. An expiry that is past is taken: the fact is known to be gone. */
bool fs_event_read_facts(const struct fs_cloudevent *cloudevent, const struct fs_events_options *options,
                         int64_t since, struct fs_event *event, struct fs_err *err);

/* --- mappings (mapping.c makes them, mapping_apply.c uses them) --- */

enum fs_filter_kind {
    FS_FILTER_SUBJECTS,
    FS_FILTER_SOURCES,
    FS_FILTER_PATHS,
    FS_FILTER_FLAGS,
    FS_FILTER_KINDS
};
extern const char *const fs_filter_names[FS_FILTER_KINDS + 1]; /* NULL-terminated */
char ***fs_filter_list(struct fs_filter *filter, enum fs_filter_kind kind);

struct fs_mapped_fact {
    struct fs_rule *subject;
    char *fact;
    struct fs_rule *value; /* NULL: the fact is removed */
    int64_t ttl;           /* ms; 0: for ever */
};

struct fs_mapping {
    char *type; /* pattern */
    bool recompute;
    struct fs_rule *filter[FS_FILTER_KINDS]; /* each a rule that gives a text or a list; NULL: not narrowed */
    FS_VEC(struct fs_mapped_fact) facts;
};

struct fs_mappings {
    FS_VEC(struct fs_mapping *) all;
};

#endif
