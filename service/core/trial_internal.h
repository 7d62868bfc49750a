/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dry runs and searches share. walk.c: the walk over contexts, in slices; radius.c: whom something would
 * change; aside.c: questions whose answers rule nothing; override_show.c, try_event.c, trial_questions.c,
 * who.c, ask_source.c: what is looked for.
 */
#ifndef FS_CORE_TRIAL_INTERNAL_H
#define FS_CORE_TRIAL_INTERNAL_H

#include "core/trial.h"
#include "engine_internal.h"

struct fs_walk;
struct fs_walk_type {
    /* Looks at one context. What it cost: one for a glance, FS_WALK_EVALUATION for each evaluation. */
    size_t (*visit)(struct fs_engine *e, struct fs_walk *walk, struct fs_context *context);
    /* All were visited: it begins again, rests, or is told (and gone). */
    void (*ended)(struct fs_engine *e, struct fs_walk *walk);
    /* Its deadline has passed: likewise. NULL: it has none. */
    void (*overdue)(struct fs_engine *e, struct fs_walk *walk);
    void (*destroy)(struct fs_engine *e, struct fs_walk *walk); /* frees it; it is in no list any more */
};
#define FS_WALK_EVALUATION 8

/* First member of whatever walks. */
struct fs_walk {
    const struct fs_walk_type *type;
    struct fs_list node; /* in engine.walks */
    uint64_t token;
    struct fs_list *cursor; /* in engine.all_contexts: the next; NULL: those of `hashes` are meant */
    uint64_t last;          /* number of a context: those that came later are left out */
    FS_VEC(char *) hashes;  /* contexts of the subjects that are meant */
    size_t at;              /* of hashes */
    bool resting;           /* there is nothing to visit now */
    int64_t deadline;       /* mono ms; INT64_MAX: none */
};

/* walk.c */
/* False with `err`: too many are under way. */
bool fs_walk_fits(const struct fs_engine *e, struct fs_err *err);
/* Begins at the first context of these subjects (NULL: of all). Visits nothing yet. */
void fs_walk_begin(struct fs_engine *e, struct fs_walk *walk, const char *const *subjects);
/* Takes it into the engine and does the first slice: it may be told, and gone, within the call. */
void fs_walk_start(struct fs_engine *e, struct fs_walk *walk, uint64_t token);
/* Answers and ends it. `result` is given away; NULL: `err` says why. */
void fs_walk_tell(struct fs_engine *e, struct fs_walk *walk, json_t *result, const struct fs_err *err);

/* aside.c */
/* Asks a source beside all that is cached; its token. The batch is borrowed for the call. Answers that are
 * moved out are zeroed by `answered`, the rest is freed. */
uint64_t fs_ask_aside(struct fs_engine *e, unsigned source, const struct fs_asked *batch, size_t count,
                      void (*answered)(struct fs_engine *e, void *self, uint64_t token,
                                       struct fs_answer *answers, size_t count),
                      void *self);
void fs_aside_forget(struct fs_engine *e, uint64_t token); /* accepts 0 */

/* radius.c: whom something would change. */
struct fs_radius {
    json_t *changes; /* the first `limit` of them */
    size_t limit, flips, contexts;
    uint64_t context;       /* number of the last one counted */
    struct fs_map clients;  /* id of a connection (8 bytes) -> any */
    struct fs_map subjects; /* key -> any */
};
void fs_radius_init(struct fs_radius *radius, size_t limit);
void fs_radius_finish(struct fs_radius *radius);
/* The flag would have this value instead of its own. */
void fs_radius_add(struct fs_radius *radius, const struct fs_context *context, const struct fs_flag *flag,
                   const struct fs_evaluation *value);
/* {"contexts", "subjects", "clients", "changes", "more"}. New reference. */
json_t *fs_radius_tell(const struct fs_radius *radius);
json_t *fs_radius_value(const struct fs_evaluation *value); /* {"variant"?, "value", "reason"} */

/* An event that is tried. */
struct fs_trial {
    struct fs_walk walk;
    struct fs_event *event;
    struct fs_map overlays; /* subject -> struct fs_overlay: what its facts would be */
    bool superseded;
    struct fs_map questions; /* key -> struct fs_trial_question */
    FS_VEC(struct fs_trial_asking) sources;
    size_t to_ask;      /* all together */
    bool left_out;      /* there were more */
    bool beyond;        /* some are asked for contexts of other subjects, too */
    bool evaluating;    /* the second walk */
    json_t *unresolved; /* array */
    struct fs_radius radius;
};

struct fs_overlay {
    json_t *facts;
    FS_VEC(const char *) names; /* of those that would change; the event's */
};

enum fs_trial_state {
    FS_TRIAL_APART, /* the event does not touch it */
    FS_TRIAL_WAITS, /* to be asked, or asked */
    FS_TRIAL_ANSWERED,
    FS_TRIAL_UNRESOLVED
};

struct fs_trial_question {
    char *key;
    size_t length;
    unsigned source;
    struct fs_asked asked; /* borrowed from the key */
    enum fs_trial_state state;
    struct fs_answer answer;
};

/* One source of a trial: a batch at a time, so that what rules is not kept waiting. */
struct fs_trial_asking {
    FS_VEC(struct fs_trial_question *) waiting;
    size_t head, count; /* waiting[head, head + count) is under way */
    uint64_t token;     /* of that; 0: nothing is */
};

/* trial_questions.c */
/* What a decision would ask. */
struct fs_trial_look {
    const char *key; /* NULL: `missing` says what its input lacks */
    size_t length;
    char *owned;           /* the key, where it is not that of a question */
    struct fs_question *q; /* that is asked so now; NULL: nobody asks so */
    bool bound;            /* ... by this cell */
    char missing[64];
};
void fs_trial_look(struct fs_engine *e, const struct fs_trial *trial, const struct fs_context *context,
                   const struct fs_flag *flag, size_t decision, struct fs_trial_look *out);
void fs_trial_look_finish(struct fs_trial_look *look);
bool fs_trial_reads_changed(const struct fs_trial *trial, const struct fs_context *context,
                            const struct fs_flag *flag);
/* Notes what the event would have asked for this decision. */
void fs_trial_gather(struct fs_engine *e, struct fs_trial *trial, const struct fs_trial_look *look);
/* How a decision stands under the event: FS_TRIAL_WAITS never comes out. */
enum fs_trial_state fs_trial_state_of(const struct fs_engine *e, struct fs_trial *trial,
                                      const struct fs_trial_look *look);
/* Asks what waits; false: nothing is under way any more. */
bool fs_trial_ask(struct fs_engine *e, struct fs_trial *trial);
void fs_trial_end_asking(struct fs_engine *e, struct fs_trial *trial); /* the rest stays unresolved */
void fs_trial_questions_finish(struct fs_engine *e, struct fs_trial *trial);
/* try_event.c: all that can be asked was asked. */
void fs_trial_evaluate(struct fs_engine *e, struct fs_trial *trial);

#endif
