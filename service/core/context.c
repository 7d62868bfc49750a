/* SPDX-License-Identifier: Apache-2.0 */
/* What a client says of its subject, after the credential has had its say. See core/context.h. */
#include "core/context.h"

#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "core/json.h"

static const char *const reserved[] = {"facts", "claims", "decision", "rank", "actor"};

bool fs_context_reserved(const char *name)
{
    if (name[0] == '$')
        return true;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (!strcmp(name, reserved[i]))
            return true;
    return false;
}

static bool may_add(const struct fs_credential *credential, const char *name)
{
    if (fs_credential_may(credential, FS_SCOPE_EVALUATE_ANY))
        return true;
    for (char **allowed = credential->may_add; allowed && *allowed; allowed++)
        if (!strcmp(*allowed, name))
            return true;
    return false;
}

static void drop(struct fs_context_text *out, const char *name)
{
    if (!out->dropped)
        out->dropped = json_array();
    json_array_append_new(out->dropped, json_string(name));
}

/* Copies what the client may say; names what it may not. */
static void take_attributes(const json_t *wanted, const struct fs_credential *credential,
                            struct fs_context_text *out)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)wanted, key, value)
    {
        if (!strcmp(key, "targetingKey"))
            continue;
        /* An actor narrows and never adds a right, so whoever may evaluate anybody may name one; nobody else
         * may. */
        bool actor = !strcmp(key, "actor") && fs_credential_may(credential, FS_SCOPE_EVALUATE_ANY) &&
                     !credential->actor;
        if ((fs_context_reserved(key) && !actor) || !may_add(credential, key))
            drop(out, key);
        else
            json_object_set(out->json, key, value);
    }
}

static bool take_subject(const json_t *wanted, const struct fs_credential *credential,
                         struct fs_context_text *out, struct fs_err *err)
{
    const json_t *key = json_object_get(wanted, "targetingKey");
    if (key && !json_is_string(key) && !json_is_null(key))
        return fs_fail(err, FS_ERR_INVALID, "context.targetingKey must be a string");
    const char *subject = json_string_value(key);
    if (credential->subject) {
        if (subject && *subject && strcmp(subject, credential->subject) &&
            !fs_credential_may(credential, FS_SCOPE_EVALUATE_ANY))
            return fs_fail(err, FS_ERR_FORBIDDEN, "the credential is bound to another subject");
        subject = credential->subject;
    } else if (!fs_credential_may(credential, FS_SCOPE_EVALUATE_ANY)) {
        return fs_fail(err, FS_ERR_FORBIDDEN,
                       "the credential names no subject and may not evaluate any (scope evaluate:any)");
    }
    if (subject)
        json_object_set_new(out->json, "targetingKey", json_string(subject));
    return true;
}

static void bind_credential(const struct fs_credential *credential, struct fs_context_text *out)
{
    const char *key;
    json_t *value;
    json_object_foreach(credential->attributes, key, value)
    {
        if (strcmp(key, "targetingKey") && !fs_context_reserved(key))
            json_object_set_new(out->json, key,
                                fs_json_share(value)); /* other threads have the credential too */
    }
    if (credential->actor)
        json_object_set_new(out->json, "actor", fs_json_share(credential->actor));
}

bool fs_context_attributes(const json_t *attributes, struct fs_err *err)
{
    const char *key;
    json_t *value;
    if (attributes && !json_is_object(attributes))
        return fs_fail(err, FS_ERR_INVALID, "attributes must be an object");
    json_object_foreach((json_t *)(uintptr_t)attributes, key, value)
    {
        if (!strcmp(key, "targetingKey"))
            return fs_fail(err, FS_ERR_INVALID,
                           "attributes.targetingKey: the subject is said by `subject` alone");
        if (fs_context_reserved(key))
            return fs_fail(err, FS_ERR_INVALID, "attributes.%.60s: this name is reserved", key);
    }
    return true;
}

bool fs_context_make(const json_t *wanted, const struct fs_credential *credential,
                     const struct fs_context_rules *rules, struct fs_context_text *out, struct fs_err *err)
{
    memset(out, 0, sizeof *out);
    if (wanted && !json_is_object(wanted))
        return fs_fail(err, FS_ERR_INVALID, "context must be an object");
    if (fs_json_depth(wanted) > rules->depth)
        return fs_fail(err, FS_ERR_TOO_LARGE, "context is nested deeper than %zu levels", rules->depth);
    out->json = json_object();
    if (!take_subject(wanted, credential, out, err))
        goto fail;
    take_attributes(wanted, credential, out);
    bind_credential(credential, out);
    out->canonical = fs_json_canonical_text(out->json, rules->bytes, &out->length);
    if (!out->canonical) {
        fs_fail(err, FS_ERR_TOO_LARGE, "context is larger than %zu bytes", rules->bytes);
        goto fail;
    }
    fs_entry_text_name(rules->secret, out->canonical, out->length, out->hash);
    return true;
fail:
    fs_context_text_finish(out);
    return false;
}

void fs_context_text_finish(struct fs_context_text *text)
{
    if (!text)
        return;
    json_decref(text->json);
    json_decref(text->dropped);
    fs_free(text->canonical);
    memset(text, 0, sizeof *text);
}
