/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a change would reach: counted by context, subject and connected client, and the first ones named. */
#include "trial_internal.h"

void fs_radius_init(struct fs_radius *radius, size_t limit)
{
    memset(radius, 0, sizeof *radius);
    radius->limit = limit;
    radius->changes = json_array();
    fs_map_init(&radius->clients);
    fs_map_init(&radius->subjects);
}

void fs_radius_finish(struct fs_radius *radius)
{
    json_decref(radius->changes);
    fs_map_finish(&radius->clients, NULL);
    fs_map_finish(&radius->subjects, NULL);
}

json_t *fs_radius_value(const struct fs_evaluation *value)
{
    json_t *one =
        json_pack("{s:s*, s:s}", "variant", value->variant, "reason", fs_reason_name(value->reason));
    json_object_set_new(one, "value", value->value ? fs_json_share(value->value) : json_null());
    return one;
}

static void count_clients(struct fs_radius *radius, const struct fs_context *context, uint32_t flag)
{
    FS_LIST_EACH(&context->views, node)
    {
        const struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        if (!fs_bit(view->flags, flag))
            continue;
        FS_LIST_EACH(&view->watches, member)
        {
            struct fs_connection *connection = FS_CONTAINER(member, struct fs_watch, in_view)->connection;
            if (connection->open)
                fs_map_set(&radius->clients, &connection->id, sizeof connection->id, radius);
        }
    }
}

void fs_radius_add(struct fs_radius *radius, const struct fs_context *context, const struct fs_flag *flag,
                   const struct fs_evaluation *value)
{
    radius->flips++;
    if (radius->context != context->number) {
        radius->context = context->number;
        radius->contexts++;
        fs_map_sets(&radius->subjects, context->subject, radius);
    }
    count_clients(radius, context, (uint32_t)flag->index);
    if (json_array_size(radius->changes) >= radius->limit)
        return;
    json_array_append_new(radius->changes,
                          json_pack("{s:s, s:s, s:s, s:o, s:o}", "flag", flag->key, "subject",
                                    context->subject, "contextHash", context->hash, "from",
                                    fs_radius_value(&context->cells[flag->index].value), "to",
                                    fs_radius_value(value)));
}

json_t *fs_radius_tell(const struct fs_radius *radius)
{
    size_t named = json_array_size(radius->changes);
    return json_pack("{s:I, s:I, s:I, s:O, s:I}", "contexts", (json_int_t)radius->contexts, "subjects",
                     (json_int_t)radius->subjects.count, "clients", (json_int_t)radius->clients.count,
                     "changes", radius->changes, "more", (json_int_t)(radius->flips - named));
}
