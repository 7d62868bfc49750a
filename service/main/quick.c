/* SPDX-License-Identifier: Apache-2.0 */
/* OFREP on the door's thread: single evaluations of plain flags, safe values under overload. See quick.h. */
#include "quick.h"

#include <pthread.h>
#include <string.h>
#include "base/alloc.h"
#include "push/ofrep.h"

#define BULK         "/ofrep/v1/evaluate/flags"
#define PREFIX       BULK "/"
#define ANSWER_LIMIT (16 * 1024 * 1024)

struct fs_quick {
    pthread_mutex_t lock; /* guards the next two for the moment in which they are looked at */
    struct fs_flagset *set;
    struct fs_map overridden; /* keys of flags that are the core's to answer -> quick */
    struct fs_context_rules rules;
    struct fs_clock clock;
    struct fs_arena arena; /* the door's */
};

struct fs_quick *fs_quick_create(const struct fs_context_rules *rules, struct fs_clock clock)
{
    struct fs_quick *quick = FS_NEW(struct fs_quick);
    pthread_mutex_init(&quick->lock, NULL);
    quick->rules = *rules;
    quick->clock = clock;
    fs_arena_init(&quick->arena);
    return quick;
}

void fs_quick_destroy(struct fs_quick *quick)
{
    if (!quick)
        return;
    fs_flagset_unref(quick->set);
    fs_map_finish(&quick->overridden, NULL);
    fs_arena_finish(&quick->arena);
    pthread_mutex_destroy(&quick->lock);
    fs_free(quick);
}

void fs_quick_set(struct fs_quick *quick, struct fs_flagset *set)
{
    struct fs_flagset *new_ = fs_flagset_ref(set);
    pthread_mutex_lock(&quick->lock);
    struct fs_flagset *old = quick->set;
    quick->set = new_;
    pthread_mutex_unlock(&quick->lock);
    fs_flagset_unref(old);
}

void fs_quick_set_overridden(struct fs_quick *quick, const char *const *keys, size_t count)
{
    struct fs_map overridden;
    fs_map_init(&overridden);
    for (size_t i = 0; i < count; i++)
        fs_map_sets(&overridden, keys[i], quick);
    pthread_mutex_lock(&quick->lock);
    struct fs_map old = quick->overridden;
    quick->overridden = overridden;
    pthread_mutex_unlock(&quick->lock);
    fs_map_finish(&old, NULL);
}

static bool is_overridden(struct fs_quick *quick, const struct fs_flag *flag)
{
    pthread_mutex_lock(&quick->lock);
    bool is = fs_map_gets(&quick->overridden, flag->key);
    pthread_mutex_unlock(&quick->lock);
    return is;
}

static struct fs_flagset *current(struct fs_quick *quick)
{
    pthread_mutex_lock(&quick->lock);
    struct fs_flagset *set = quick->set ? fs_flagset_ref(quick->set) : NULL;
    pthread_mutex_unlock(&quick->lock);
    return set;
}

/* Only what is plain and visible to everybody who may ask at all: the rest, and every mistake, is the core's
 * to answer. */
static const struct fs_flag *find(const struct fs_flagset *set, const struct fs_http_request *request,
                                  const struct fs_credential *credential)
{
    if (!set || !credential || strcmp(request->method, "POST") ||
        strncmp(request->path, PREFIX, sizeof PREFIX - 1))
        return NULL;
    const struct fs_flag *flag = fs_flagset_find(set, request->path + sizeof PREFIX - 1);
    bool any = fs_credential_may(credential, FS_SCOPE_EVALUATE_ANY);
    if (!flag || flag->access || flag->decision_count || flag->fact_count || flag->disabled)
        return NULL;
    return any || (fs_credential_may(credential, FS_SCOPE_EVALUATE) &&
                   flag->visibility == FS_VISIBILITY_CLIENT)
               ? flag
               : NULL;
}

static bool evaluate(struct fs_quick *quick, const struct fs_flag *flag,
                     const struct fs_http_request *request, const struct fs_credential *credential,
                     struct fs_quick_answer *out)
{
    struct fs_frame_limits limits = {.context_bytes = quick->rules.bytes,
                                     .context_depth = quick->rules.depth};
    struct fs_context_text context;
    struct fs_err err;
    const char *code;
    json_t *wanted = fs_ofrep_context(request->body, request->length, &limits, &code, &err);
    bool made = wanted && fs_context_make(wanted, credential, &quick->rules, &context, &err);
    json_decref(wanted);
    if (!made)
        return false;
    struct fs_evaluation_input input = {.context = context.json, .wall_ms = fs_clock_now(&quick->clock).wall};
    struct fs_evaluation value;
    struct fs_buf body;
    char etag[FS_OFREP_ETAG_SIZE];
    fs_buf_init(&body, ANSWER_LIMIT);
    fs_evaluate(flag, &input, &quick->arena, &value);
    out->status = fs_ofrep_add_flag(&body, flag, &value, context.dropped);
    out->headers = fs_format("ETag: %s\r\n", fs_ofrep_etag(body.data, body.length, etag));
    out->body = fs_blob_copy(body.data, body.length);
    fs_buf_finish(&body);
    fs_evaluation_finish(&value);
    fs_arena_reset(&quick->arena);
    fs_context_text_finish(&context);
    return true;
}

bool fs_quick_answer(void *self, const struct fs_http_request *request,
                     const struct fs_credential *credential, struct fs_quick_answer *out)
{
    struct fs_quick *quick = self;
    struct fs_flagset *set = current(quick);
    const struct fs_flag *flag = find(set, request, credential);
    bool answered = flag && !is_overridden(quick, flag) && evaluate(quick, flag, request, credential, out);
    fs_flagset_unref(set);
    return answered;
}

/* Any error would leave the values that a browser has in force, whoever they were for. */
bool fs_quick_overloaded(void *self, const struct fs_http_request *request,
                         const struct fs_credential *credential, struct fs_quick_answer *out)
{
    struct fs_quick *quick = self;
    bool any = credential && fs_credential_may(credential, FS_SCOPE_EVALUATE_ANY);
    if (!any && !(credential && fs_credential_may(credential, FS_SCOPE_EVALUATE)))
        return false;
    if (strcmp(request->method, "POST") || strcmp(request->path, BULK))
        return false;
    struct fs_flagset *set = current(quick);
    if (!set)
        return false;
    struct fs_buf body;
    fs_buf_init(&body, ANSWER_LIMIT);
    fs_ofrep_bulk_safe(&body, set, !any, "the service has more work than it can take");
    out->status = 200;
    out->headers = fs_strdup("Cache-Control: no-store\r\n");
    out->body = fs_blob_copy(body.data, body.length);
    fs_buf_finish(&body);
    fs_flagset_unref(set);
    return true;
}
