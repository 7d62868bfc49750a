/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would change, and who has what: questions to the engine that need many contexts, or a source, and are
 * answered later. Nothing here changes a value, a fact, an answer that rules, or what anybody is sent.
 * Contexts are looked at a slice a turn, so a million of them hold up no event. All functions belong to the
 * engine's thread.
 *
 * Each begins a search known by the caller's `token`, and is answered once, by ports.found, perhaps within
 * the call. False with `err`: it was not begun. At most FS_SEARCHES are under way.
 */
#ifndef FS_CORE_TRIAL_H
#define FS_CORE_TRIAL_H

#include "core/engine.h"

#define FS_SEARCHES       8
#define FS_TRIAL_ANSWERS  10000 /* questions that one dry run of an event asks */
#define FS_TRIAL_PROBLEMS 100   /* unresolved ones that it names */

/* What the override would change, were it in force now: {"contexts", "subjects", "clients" (connected),
 * "changes" (up to `limit`), "more" (the rest)}. Moves the order out. */
bool fs_engine_try_override(struct fs_engine *engine, struct fs_override_order *order, size_t limit,
                            uint64_t token, struct fs_time now, struct fs_err *err);
/* What the event would change, were it applied now: the same, and "event", "flips", "unresolved" (questions
 * without an answer: the values that need them are left out of the flips), perhaps "superseded". Sources are
 * asked as the event would have them asked, for `timeout` ms at most; what they say rules nothing. Takes the
 * event in any case. */
bool fs_engine_try_event(struct fs_engine *engine, struct fs_event *event, size_t limit, int64_t timeout,
                         uint64_t token, struct fs_time now, struct fs_err *err);
/* Who has which variant: {"flag", "variants": {name: contexts}, "contexts": [..], "next"?}, in the order of
 * the contexts' hashes, from the one behind `after` (NULL: the first) on. The flag must exist. */
bool fs_engine_find_who(struct fs_engine *engine, const char *flag, const char *variant, const char *after,
                        size_t limit, uint64_t token, struct fs_time now, struct fs_err *err);

/* A question for a source, beside all that is cached. Borrowed. */
struct fs_source_question {
    const char *source;
    const char *flag;     /* as this flag asks it, for the context; NULL: as the members below say */
    const char *decision; /* its name; NULL: the first one of this source */
    const json_t *context;
    const char *kind, *query, *subject; /* subject: of kind "users" */
    const json_t *input;                /* NULL: {} */
};
/* What the source says to it now: {"source", "kind", "query", "input", "subject"?, "state", "answer",
 * "revision", "decision"?, "error"}. The daemon's own source is asked by its flags' rules. */
bool fs_engine_ask_source(struct fs_engine *engine, const struct fs_source_question *question, uint64_t token,
                          struct fs_time now, struct fs_err *err);

/* Answers all that are under way, with FS_ERR_UNAVAILABLE: the service is going away. */
void fs_engine_searches_give_up(struct fs_engine *engine, struct fs_time now);
/* Nobody waits with this token any more; unknown ones are ignored. */
void fs_engine_search_forget(struct fs_engine *engine, uint64_t token);

#endif
