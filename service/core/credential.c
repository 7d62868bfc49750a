/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a credential may: scopes from text and to text, and the lists behind facts:NAME and status:SOURCE.
 * Where credentials come from (keys, tickets, tokens) is known elsewhere.
 */
#include <string.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "core/credential.h"

static const struct {
    enum fs_scope_flag scope;
    const char *name;
} scopes[] = {
#define X(scope, name) {scope, name},
    FS_SCOPES(X)
#undef X
};

struct fs_credential *fs_credential_ref(struct fs_credential *credential)
{
    atomic_fetch_add_explicit(&credential->references, 1, memory_order_relaxed);
    return credential;
}

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        fs_free(list[i]);
    fs_free(list);
}

void fs_credential_unref(struct fs_credential *credential)
{
    if (!credential || atomic_fetch_sub_explicit(&credential->references, 1, memory_order_acq_rel) != 1)
        return;
    fs_free(credential->id);
    fs_free(credential->name);
    free_list(credential->facts);
    free_list(credential->status);
    free_list(credential->event_types);
    fs_free(credential->subject);
    json_decref(credential->actor);
    json_decref(credential->attributes);
    free_list(credential->may_add);
    fs_free(credential->origin);
    fs_free(credential);
}

static bool list_grants(char *const *list, const char *name)
{
    for (size_t i = 0; list && list[i]; i++) {
        if (strcmp(list[i], "*") == 0 || strcmp(list[i], name) == 0)
            return true;
    }
    return false;
}

bool fs_credential_may_write_fact(const struct fs_credential *credential, const char *fact)
{
    return fs_credential_may(credential, FS_SCOPE_FACTS) && list_grants(credential->facts, fact);
}

bool fs_credential_may_report(const struct fs_credential *credential, const char *source)
{
    return fs_credential_may(credential, FS_SCOPE_STATUS) && list_grants(credential->status, source);
}

static void list_add(char ***list, const char *name)
{
    size_t count = 0;
    for (; *list && (*list)[count]; count++) {
        if (strcmp((*list)[count], name) == 0)
            return;
    }
    *list = fs_realloc(*list, count + 2, sizeof **list);
    (*list)[count] = fs_strdup(name);
    (*list)[count + 1] = NULL;
}

/* The name behind "facts:" or "status:"; NULL where `scope` is another one or names nothing. */
static const char *behind(const char *scope, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(scope, prefix, length) != 0 || scope[length] != ':' || !scope[length + 1])
        return NULL;
    return scope + length + 1;
}

bool fs_credential_add_scope(struct fs_credential *credential, const char *scope)
{
    const char *name = NULL;
    if ((name = behind(scope, "facts")) != NULL) {
        credential->scopes |= FS_SCOPE_FACTS;
        list_add(&credential->facts, name);
        return true;
    }
    if ((name = behind(scope, "status")) != NULL) {
        credential->scopes |= FS_SCOPE_STATUS;
        list_add(&credential->status, name);
        return true;
    }
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        /* These two say nothing without a name. */
        if (scopes[i].scope == FS_SCOPE_FACTS || scopes[i].scope == FS_SCOPE_STATUS)
            continue;
        if (strcmp(scopes[i].name, scope) == 0) {
            credential->scopes |= (unsigned)scopes[i].scope;
            return true;
        }
    }
    return false;
}

static void add_names(struct fs_buf *buf, const char *prefix, char *const *list)
{
    for (size_t i = 0; list && list[i]; i++)
        fs_buf_addf(buf, "%s%s:%s", buf->length ? " " : "", prefix, list[i]);
}

char *fs_credential_scope_text(const struct fs_credential *credential)
{
    struct fs_buf buf;
    fs_buf_init(&buf, 1024 * 1024);
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        if (!fs_credential_may(credential, scopes[i].scope))
            continue;
        if (scopes[i].scope == FS_SCOPE_FACTS)
            add_names(&buf, "facts", credential->facts);
        else if (scopes[i].scope == FS_SCOPE_STATUS)
            add_names(&buf, "status", credential->status);
        else
            fs_buf_addf(&buf, "%s%s", buf.length ? " " : "", scopes[i].name);
    }
    char *text = fs_buf_take(&buf, NULL);
    fs_buf_finish(&buf);
    return text ? text : fs_strdup("");
}
