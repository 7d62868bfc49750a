/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's files ask of each other, file by file. Its state stands in engine_state.h; nobody else
 * includes either. */
#ifndef FS_CORE_ENGINE_INTERNAL_H
#define FS_CORE_ENGINE_INTERNAL_H

#include "engine_state.h"

/* question.c */
/* A question's identity, owned; and what it says, borrowed from it. */
char *fs_question_key(unsigned source, const char *kind, const char *query, const char *subject,
                      const char *input, size_t input_length, size_t *length);
struct fs_asked fs_question_of_key(const char *key, size_t length, unsigned *source);
/* Takes the key. `asker` is the context for which it is asked first. */
struct fs_question *fs_question_intern(struct fs_engine *e, char *key, size_t length,
                                       const struct fs_context *asker);
void fs_question_release(struct fs_engine *e, struct fs_question *q); /* frees it where nothing needs it */
bool fs_question_unsettled(const struct fs_question *q);
bool fs_question_holds_grants(const struct fs_question *q);
bool fs_question_live(const struct fs_question *q);
/* May its answer not be shown to somebody who has not seen it yet? */
bool fs_question_doubtful(const struct fs_engine *e, const struct fs_question *q);
void fs_question_touch(struct fs_engine *e, struct fs_question *q, enum fs_cause_kind kind, uint64_t entry,
                       int64_t time);
void fs_question_want(struct fs_engine *e, struct fs_question *q); /* queue it unless it is on its way */
/* Mono ms from which on the answer in doubt is too stale, though its source is not lost; INT64_MAX: never. */
int64_t fs_question_unheard_at(const struct fs_engine *e, const struct fs_question *q, int64_t max_stale);
int64_t fs_question_confirmed(const struct fs_engine *e, const struct fs_question *q);
void fs_question_ask_again(
    struct fs_engine *e,
    struct fs_question *q); /* somebody wants to know: wanted where its answer does not serve */
void fs_question_mark_cells(struct fs_engine *e, struct fs_question *q);
void fs_questions_ask(struct fs_engine *e);
void fs_question_due(struct fs_engine *e, struct fs_alarm *alarm);
/* answers.c */
void fs_answers_commit(struct fs_engine *e, struct fs_answers *answers, uint64_t entry);
void fs_answers_go_ahead(struct fs_engine *e); /* the journal is late: denials do not wait */
void fs_answers_append(struct fs_engine *e);
void fs_answers_destroy(struct fs_answers *answers);
/* source_state.c */
void fs_source_due(struct fs_engine *e, struct fs_source_state *source);
void fs_source_revision_seen(struct fs_engine *e, struct fs_source_state *source, const char *revision);
struct fs_receipt;
void fs_source_apply_revision(struct fs_engine *e, struct fs_source_state *source, const char *revision,
                              uint64_t entry, int64_t time, struct fs_receipt *receipt);
void fs_source_go_ahead(struct fs_engine *e, struct fs_source_state *source,
                        const char *revision); /* asks, without the entry */
void fs_source_queries(struct fs_engine *e);
void fs_source_destroy(struct fs_source_state *source);
/* ms that its questions have been unanswered until now, summed over the questions. */
int64_t fs_source_waited(const struct fs_source_state *source, int64_t mono);
void fs_source_count_unanswered(struct fs_engine *e, struct fs_source_state *source, int more);
/* facts.c */
struct fs_subject *fs_subject_intern(struct fs_engine *e, const char *key);
void fs_subject_release(struct fs_engine *e, struct fs_subject *subject);
void fs_subject_destroy(struct fs_engine *e, struct fs_subject *subject);
/* What says that a fact changes: an event and its entry. */
struct fs_fact_origin {
    int64_t stated;   /* wall ms of the event; 0: it states none */
    int64_t accepted; /* wall ms of the entry */
    uint64_t entry;
    const char *credential;
};
/* Does it count, or is a newer one known (or was the subject erased since)? `time`: by which it is ordered.
 */
bool fs_fact_counts(const struct fs_engine *e, const struct fs_fact_change *change,
                    const struct fs_fact_origin *origin, int64_t *time);
/* Applies it; false: superseded by a newer one. */
bool fs_fact_apply(struct fs_engine *e, const struct fs_fact_change *change,
                   const struct fs_fact_origin *origin);
/* What the event of this entry said of the fact is what holds now. */
bool fs_fact_stands(const struct fs_engine *e, const struct fs_fact_change *change, uint64_t entry);
/* The subject of this name was erased by that entry: of what comes in behind it, events from before `time`
 * are too late. What is known stays. */
void fs_erasure_apply(struct fs_engine *e, const char *name, int64_t time, uint64_t entry);
void fs_fact_due(struct fs_engine *e, struct fs_alarm *alarm);
void fs_facts_arm_anew(struct fs_engine *e); /* the wall clock was set forward */
/* overrides.c */
/* The one that rules this flag of the subject; NULL: none does. */
const struct fs_override *fs_override_of(const struct fs_engine *e, const struct fs_flag *flag,
                                         const char *subject);
void fs_apply_override(struct fs_engine *e, const struct fs_entry *entry);
void fs_override_replay(struct fs_engine *e, const struct fs_entry *entry); /* at a start: nobody looks yet */
void fs_override_due(struct fs_engine *e, struct fs_standing_override *standing);
void fs_overrides_arm_anew(struct fs_engine *e); /* the wall clock was set forward */
void fs_overrides_finish(struct fs_engine *e);
/* The contexts that an override of this subject (NULL: everybody) is about, until `each` returns false. */
void fs_override_contexts(struct fs_engine *e, const char *subject,
                          bool (*each)(void *self, struct fs_context *context), void *self);
/* contexts.c */
struct fs_context *fs_context_intern(struct fs_engine *e, const struct fs_context_text *text);
void fs_context_watched(struct fs_engine *e, struct fs_context *context, int by); /* +1, -1 */
void fs_context_touch(struct fs_engine *e, struct fs_context *context); /* was seen: starts its hold anew */
void fs_context_destroy(struct fs_engine *e, struct fs_context *context);
const char *fs_context_actor(const struct fs_context *context); /* its key, borrowed; NULL: none */
void fs_contexts_limit(struct fs_engine *e); /* the longest unseen go first when there are too many; those
                                                that are pinned stay */
void fs_context_due(struct fs_engine *e, struct fs_context *context);
void fs_context_asked(struct fs_engine *e, struct fs_context *context,
                      int by); /* +1, -1: somebody waits for a first value */
/* cell.c */
void fs_cell_want(struct fs_engine *e, struct fs_context *context, uint32_t flag, int by);
void fs_cell_mark(struct fs_engine *e, struct fs_context *context, uint32_t flag);
void fs_cell_note(struct fs_engine *e, struct fs_context *context, uint32_t flag, enum fs_cause_kind kind,
                  uint64_t entry, int64_t time);
void fs_cell_finish(struct fs_engine *e, struct fs_context *context, uint32_t flag);
bool fs_cell_waits(struct fs_engine *e, struct fs_context *context,
                   uint32_t flag); /* has no value yet that may be shown */
void fs_cell_bind(struct fs_engine *e, struct fs_context *context, uint32_t flag);
/* Whoever looks at a cell looks at what it asks now. */
void fs_cell_bind_where_needed(struct fs_engine *e, struct fs_context *context, uint32_t flag);
/* An answer of it is in doubt, or still to come. */
bool fs_cell_is_doubtful(const struct fs_engine *e, const struct fs_context *context, uint32_t flag);
void fs_cell_arm(struct fs_engine *e, struct fs_context *context, uint32_t flag,
                 int64_t next); /* mono ms when it is looked at again; INT64_MAX: not by itself */
/* Somebody begins to look: what was not kept current is asked again, and forgotten until then unless others
 * see it. */
void fs_cell_recall(struct fs_engine *e, struct fs_context *context, uint32_t flag);
struct fs_cause *fs_cause_create(enum fs_cause_kind kind, uint64_t entry, int64_t time);
void fs_cell_unbind(struct fs_engine *e, struct fs_cell *cell, size_t decisions);
/* binding.c: the identity of the question that a decision asks for this context with these facts, owned.
 * NULL: something that its input needs is missing, and `missing_fact` names it. */
char *fs_binding_key(struct fs_engine *e, const struct fs_context *context, const struct fs_flag *flag,
                     const struct fs_decision *decision, const json_t *facts, size_t *length,
                     char missing_fact[64]);
void fs_cell_due(struct fs_engine *e, struct fs_alarm *alarm);
void fs_cells_look_anew(struct fs_engine *e); /* the wall clock was set forward: at those that read it */
/* cell_evaluate.c */
void fs_cells_evaluate(struct fs_engine *e);
/* The branch that decides as things stand now; "": no rule does, or none may run. */
void fs_cell_trace(struct fs_engine *e, struct fs_context *context, uint32_t index, char pointer[256]);
void fs_cell_force(struct fs_engine *e, struct fs_context *context, uint32_t flag); /* a first value, now */
/* Its value as it would be now. Not published. */
void fs_cell_look(struct fs_engine *e, struct fs_context *context, uint32_t flag, struct fs_evaluation *out);
void fs_cell_safe_now(struct fs_engine *e, struct fs_context *context, uint32_t flag,
                      struct fs_evaluation *out);
/* Was the proposal overtaken before its commit? Then it is given up, and the cell looked at again. */
bool fs_cell_withdraws(struct fs_engine *e, struct fs_proposal *proposal);
void fs_cell_give_back(struct fs_cell *cell,
                       struct fs_proposal *proposal); /* the cause of a proposal that comes to nothing */
/* tick.c */
void fs_tick_propose(struct fs_engine *e);
void fs_tick_commit(struct fs_engine *e);
void fs_tick_go_ahead(struct fs_engine *e);
void fs_tick_append(struct fs_engine *e);
bool fs_tick_under_way(const struct fs_engine *e); /* something is computed that is not published yet */
/* tick_body.c */
void fs_tick_fill(struct fs_engine *e); /* sets tick_body, and how much of what is proposed it tells */
/* tick.c */
/* Takes the proposal; its context is pinned until then. */
void fs_proposals_push(struct fs_proposals *queue, const struct fs_proposal *proposal);
bool fs_proposals_pop(struct fs_proposals *queue, struct fs_proposal *out); /* false: it is empty */
static inline size_t fs_proposals_left(const struct fs_proposals *queue)
{
    return queue->count - queue->head;
}
void fs_proposal_done(struct fs_proposal *proposal); /* lets go of it */
bool fs_proposal_is_void(const struct fs_proposal *proposal);
/* The entry on its way tells a value that never came to be: the next one is to say so. `cause`: the
 * proposal's.
 */
void fs_tick_record_withdrawn(struct fs_engine *e, const struct fs_proposal *proposal,
                              const struct fs_cause *cause);
void fs_tick_drop(struct fs_engine *e); /* the tick under way, and all that is proposed */
/* The same; but what is in force already is told, as much as the journal takes. */
void fs_tick_tell_and_drop(struct fs_engine *e);
struct fs_cause *fs_cause_copy(const struct fs_cause *cause); /* of NULL: NULL */
void fs_publish(struct fs_engine *e, struct fs_proposal *proposal, uint64_t revision);
/* view.c */
bool fs_context_is_shown(const struct fs_context *context,
                         uint32_t flag); /* a watch that has its snapshot sees it */
struct fs_view *fs_view_intern(struct fs_engine *e, struct fs_context *context, bool client_only,
                               const char *const *selection);
void fs_view_release(struct fs_engine *e, struct fs_view *view);
bool fs_view_sees(const struct fs_view *view, const struct fs_flag *flag);
void fs_view_forget_bodies(struct fs_view *view);
/* kept.c: is there a watch, not of one snapshot, that sees it? */
bool fs_cell_is_kept(const struct fs_context *context, uint32_t flag);
/* The next tick tells that what stood is kept current no longer. */
void fs_cell_tell_end(struct fs_engine *e, struct fs_context *context, uint32_t flag,
                      const struct fs_evaluation *last);
/* The view has lost, or got, a watch: what it sees may be kept no longer, or is from now on. */
void fs_view_unkept(struct fs_engine *e, const struct fs_view *view);
void fs_view_kept(struct fs_engine *e, const struct fs_view *view);
/* Another set follows: flags that are not in it end. Before the tick under way is dropped. */
void fs_cells_lose_flags(struct fs_engine *e, const struct fs_flagset *next);
void fs_view_drop_idle(struct fs_engine *e, struct fs_context *context); /* views that nobody uses */
bool fs_view_waits(struct fs_engine *e, const struct fs_view *view);
void fs_view_force(struct fs_engine *e, const struct fs_view *view); /* safe values for what is not known */
size_t fs_view_states(const struct fs_engine *e, const struct fs_view *view, const uint64_t *only,
                      struct fs_flag_state **out);
static inline bool fs_bit(const uint64_t *bits, size_t index)
{
    return (bits[index / 64] >> (index % 64)) & 1;
}
static inline void fs_bit_set(uint64_t *bits, size_t index)
{
    bits[index / 64] |= UINT64_C(1) << (index % 64);
}
/* watch.c */
void fs_watch_changed(struct fs_engine *e, struct fs_watch *watch, uint32_t flag, bool takes_away);
void fs_watch_destroy(struct fs_engine *e, struct fs_watch *watch);
void fs_watch_due(struct fs_engine *e, struct fs_watch *watch);
void fs_connection_due(struct fs_engine *e, struct fs_connection *connection);
/* Its client has not acknowledged all that was pushed to it. Event streams, which acknowledge nothing, never
 * are. */
bool fs_connection_behind(const struct fs_connection *connection);
void fs_connection_note_lease(struct fs_engine *e, const struct fs_connection *connection);
void fs_connection_destroy(struct fs_engine *e, struct fs_connection *connection);
void fs_connection_want_flush(struct fs_engine *e, struct fs_connection *connection);
struct fs_connection *fs_connection_find(struct fs_engine *e, uint64_t id);
struct fs_watch *fs_watch_find(struct fs_connection *connection, uint64_t id);
/* deliver.c */
void fs_deliver_all(struct fs_engine *e);
void fs_deliver_error(struct fs_engine *e, struct fs_connection *connection, uint64_t watch, const char *code,
                      const char *text, int close);
/* describe.c: new references */
void fs_describe_time(json_t *object, const char *name, int64_t wall); /* RFC 3339; 0: nothing */
json_t *fs_describe_value(const struct fs_evaluation *value);
json_t *fs_describe_cause(const struct fs_cause *cause); /* without its time */
/* once.c */
void fs_once_check(struct fs_engine *e);
void fs_once_due(struct fs_engine *e, struct fs_once *once);
/* receipt.c */
/* `received`: mono ms; 0: now. */
struct fs_receipt *fs_receipt_open(struct fs_engine *e, uint64_t entry, int64_t time, int64_t received,
                                   const char *credential);
/* A fact has changed what a cell that this entry concerns asks: the question is waited for. */
void fs_receipt_bound(struct fs_engine *e, uint64_t entry, struct fs_question *q);
void fs_receipts_flipped(struct fs_engine *e, const struct fs_cause *cause);
void fs_receipt_question(struct fs_receipt *receipt, struct fs_question *q);
void fs_receipt_cell(struct fs_engine *e, struct fs_receipt *receipt, struct fs_context *context,
                     uint32_t flag);
void fs_receipt_superseded(struct fs_receipt *receipt);
void fs_receipt_made_again(struct fs_receipt *receipt); /* for an entry that was applied before */
struct fs_receipt *fs_receipt_find(const struct fs_engine *e, uint64_t entry);
void fs_receipts_join(struct fs_engine *e,
                      struct fs_watch *watch); /* it begins while a recomputation is under way */
void fs_receipts_check(struct fs_engine *e);
void fs_receipt_due(struct fs_engine *e, struct fs_alarm *alarm);
void fs_receipts_finish(struct fs_engine *e);
/* cause_words.c */
void fs_words_note(struct fs_engine *e, uint64_t entry, char *words); /* takes the words; NULL: none */
/* Why the cell has its value, as a sentence. Owned by the caller. */
char *fs_cell_cause_text(const struct fs_engine *e, const struct fs_context *context, uint32_t index);
/* walk.c: what needs many contexts, done in slices */
void fs_walks_turn(struct fs_engine *e);
void fs_walks_context_gone(struct fs_engine *e, const struct fs_context *context);
void fs_walks_give_up(struct fs_engine *e, enum fs_err_code code, const char *text); /* all are told so */
void fs_walks_finish(struct fs_engine *e);
/* aside.c: answers to what was asked aside of the questions. False: it is another's, and nothing was taken.
 */
bool fs_aside_answered(struct fs_engine *e, uint64_t token, struct fs_answer *answers, size_t count);
/* try_event.c: while an event is tried (engine.trying), its facts and answers stand in for those in force. */
const json_t *fs_trial_facts(const struct fs_engine *e, const struct fs_context *context);
/* False: the decision stands as it does. */
bool fs_trial_stands(struct fs_engine *e, const struct fs_context *context, const struct fs_flag *flag,
                     size_t decision, struct fs_answer *none, struct fs_standing *out);
/* apply.c */
/* Does the filter mean this question? */
bool fs_filter_means(const struct fs_engine *e, const struct fs_filter *filter, const struct fs_question *q);
void fs_apply_event(struct fs_engine *e, const struct fs_entry *entry);
/* An event has come again. It changes nothing, but where its receipt is not in memory any more (a restart,
 * many later ones), one is made of what depends on it now. */
void fs_apply_again(struct fs_engine *e, const struct fs_entry *entry);
void fs_apply_erasure(struct fs_engine *e, const struct fs_entry *entry); /* others do nothing */
void fs_apply_touch(struct fs_engine *e, struct fs_question *q, uint64_t entry, int64_t time,
                    struct fs_receipt *receipt);
/* feed.c and feed_scan.c: what boards have to know. But for the last two and fs_feed_watched(), only while
 * `feeds` is there. */
void fs_feed_before(struct fs_engine *e, struct fs_context *context, uint32_t flag); /* is about to change */
void fs_feed_changed(struct fs_engine *e, struct fs_context *context, uint32_t flag);
void fs_feed_forget(struct fs_engine *e, struct fs_context *context, uint32_t flag); /* will have no value */
void fs_feed_context_gone(struct fs_engine *e, struct fs_context *context);
void fs_feed_watched(struct fs_engine *e, struct fs_context *context); /* gained or lost a watch */
void fs_feeds_acked(struct fs_engine *e);
void fs_feeds_turn(struct fs_engine *e);
void fs_feeds_restart(struct fs_engine *e, struct fs_feeds *feeds); /* other flags: all views begin anew */
void fs_feeds_finish(struct fs_engine *e);
/* show.c */
const char *fs_source_status_name(enum fs_source_status status);
/* engine.c */
void fs_engine_append(struct fs_engine *e, enum fs_entry_kind kind, char *body, size_t length,
                      unsigned source, const char *revision);
static inline void fs_alarm_set(struct fs_engine *e, struct fs_alarm *alarm, enum fs_due due, int64_t mono)
{
    alarm->due = due;
    fs_heap_arm(&e->heap, &alarm->timer, mono);
}
static inline void fs_alarm_cancel(struct fs_engine *e, struct fs_alarm *alarm)
{
    fs_heap_cancel(&e->heap, &alarm->timer);
}
static inline int64_t fs_mono_of_wall(const struct fs_engine *e, int64_t wall)
{
    return wall == INT64_MAX ? INT64_MAX : e->now.mono + (wall - e->now.wall);
}

#endif
