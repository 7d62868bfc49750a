/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts as JSON: who has acknowledged, who is behind or held and until when, and the moment after which
 * nobody holds the old value. */
#include "receipt_internal.h"

static json_t *describe_watch(const struct fs_engine *e, const struct fs_concerned_watch *concerned)
{
    json_t *one =
        json_pack("{s:s, s:s, s:s, s:I}", "session", concerned->session, "client", concerned->client,
                  "subject", concerned->subject, "watch", (json_int_t)concerned->watch);
    if (concerned->state == FS_HOLDS && concerned->until > e->now.mono)
        fs_describe_time(one, "until", e->now.wall + (concerned->until - e->now.mono));
    return one;
}

/* Has it been asked for again since the change? */
static bool has_fetched(const struct fs_engine *e, const struct fs_receipt *receipt,
                        const struct fs_context *context)
{
    return receipt->applied && e->now.wall - (e->now.mono - context->fetched) >= receipt->applied_at &&
           context->fetched_revision >= receipt->revision;
}

/* OFREP clients hold no lease: what can be told is who has asked again since. */
void fs_receipt_count_ofrep(const struct fs_engine *e, struct fs_receipt *receipt, size_t *concerned,
                            size_t *fetched)
{
    *concerned = receipt->ofrep_concerned + receipt->fetchers.count;
    *fetched = receipt->ofrep_fetched;
    for (size_t i = 0; i < receipt->contexts.count; i++) {
        const struct fs_context *context = receipt->contexts.items[i]->context;
        *concerned += context->fetched != 0;
        *fetched += context->fetched && has_fetched(e, receipt, context);
    }
    for (size_t i = 0; i < receipt->fetchers.count; i++) {
        struct fs_fetcher *fetcher = &receipt->fetchers.items[i];
        const struct fs_context *context = fetcher->fetched ? NULL : fs_map_gets(&e->contexts, fetcher->hash);
        if (context && context->fetched)
            fetcher->fetched = has_fetched(e, receipt, context);
        *fetched += fetcher->fetched;
    }
}

static json_t *describe_unresolved(const struct fs_engine *e, const struct fs_receipt *receipt)
{
    json_t *list = json_array();
    for (size_t i = 0; i < receipt->questions.count; i++) {
        const struct fs_touched *touched = &receipt->questions.items[i];
        if (!touched->unresolved && !receipt->applied)
            continue;
        const struct fs_source_state *source = e->sources.items[touched->source];
        json_t *one = json_pack("{s:s, s:s, s:s}", "source", source->name, "query", touched->query, "error",
                                source->error[0] ? source->error : "no answer");
        bool repeated = false;
        for (size_t j = 0; j < json_array_size(list) && !repeated; j++)
            repeated = json_equal(json_array_get(list, j), one);
        if (repeated)
            json_decref(one);
        else
            json_array_append_new(list, one);
    }
    return list;
}

#define LISTED 100 /* clients named in a receipt */

json_t *fs_receipt_describe(const struct fs_engine *e, struct fs_receipt *receipt)
{
    json_t *behind = json_array(), *held = json_array();
    size_t acknowledged = 0, expired = 0, behind_count = 0, held_count = 0, ofrep_concerned, ofrep_fetched;
    fs_receipt_count_ofrep(e, receipt, &ofrep_concerned, &ofrep_fetched);
    int64_t safe_at = 0;
    bool known = receipt->applied;
    for (size_t i = 0; i < receipt->watches.count; i++) {
        const struct fs_concerned_watch *concerned = receipt->watches.items[i];
        int64_t at = concerned->settled_at;
        if (concerned->state == FS_HOLDS) {
            at = e->now.wall + (concerned->until - e->now.mono);
            known &= concerned->queued ||
                     !concerned->open; /* until then a lease may still be granted before the change */
            size_t *count = concerned->open ? &behind_count : &held_count;
            if ((*count)++ < LISTED)
                json_array_append_new(concerned->open ? behind : held, describe_watch(e, concerned));
        }
        acknowledged += concerned->state == FS_ACKNOWLEDGED;
        expired += concerned->state == FS_EXPIRED;
        safe_at = at > safe_at ? at : safe_at;
    }
    if (safe_at < receipt->applied_at)
        safe_at = receipt->applied_at;
    int64_t restart = e->started.wall + e->options.prior_lease;
    if (e->options.prior_lease && safe_at < restart)
        safe_at = restart;
    json_t *times = json_object();
    fs_describe_time(times, "accepted", receipt->time);
    fs_describe_time(times, "applied", receipt->applied_at);
    fs_describe_time(times, "queued", receipt->queued_at);
    json_t *root =
        json_pack("{s:I, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "entry",
                  (json_int_t)receipt->entry, "applied", receipt->applied, "complete", receipt->complete,
                  "concerned", (json_int_t)receipt->watches.count, "acknowledged", (json_int_t)acknowledged,
                  "behindCount", (json_int_t)behind_count, "heldCount", (json_int_t)held_count, "expired",
                  (json_int_t)expired, "behind", behind, "held", held, "ofrep",
                  json_pack("{s:I, s:I}", "concerned", (json_int_t)ofrep_concerned, "fetched",
                            (json_int_t)ofrep_fetched),
                  "unresolved", describe_unresolved(e, receipt), "times", times);
    struct fs_stages stages;
    fs_receipt_stages(receipt, &stages);
    json_object_set_new(root, "flips", json_integer((json_int_t)stages.flips));
    fs_stages_describe(&stages, root);
    if (receipt->again)
        json_object_set_new(root, "again", json_true());
    if (receipt->superseded)
        json_object_set_new(root, "superseded", json_true());
    if (receipt->applied)
        json_object_set_new(root, "revision", json_integer((json_int_t)receipt->revision));
    if (known && !receipt->superseded && !receipt->late && !receipt->questions.count)
        fs_describe_time(root, "safe_at", safe_at);
    return root;
}
