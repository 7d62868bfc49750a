/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API keys: an immutable table from key id to (hash of the secret, credential). An unknown id costs the same
 * hash and the same comparison as a wrong secret. Pure; any thread may read a keyring, one at a time may own
 * it.
 */
#include <string.h>
#include "base/alloc.h"
#include "base/digest.h"
#include "base/map.h"
#include "base/str.h"
#include "core/context.h"
#include "core/json.h"
#include "net/keyring.h"

#define PREFIX        "flagstaff_"
#define ID_LENGTH     8
#define SECRET_BYTES  32
#define SECRET_LENGTH 43

struct key {
    struct fs_sha256 hash;
    struct fs_credential *credential;
};

struct fs_keyring {
    struct fs_map keys; /* id -> struct key */
};

static void key_destroy(void *value)
{
    struct key *key = value;
    fs_credential_unref(key->credential);
    fs_free(key);
}

static bool read_hash(const char *text, struct fs_sha256 *out)
{
    if (!text || strlen(text) != 2 * sizeof out->bytes)
        return false;
    for (size_t i = 0; i < sizeof out->bytes; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *high = strchr(digits, text[2 * i]), *low = strchr(digits, text[2 * i + 1]);
        if (!high || !low)
            return false;
        out->bytes[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

/* An array of strings, NULL-terminated; NULL with `err` untouched where absent. */
static bool read_list(const json_t *object, const char *name, char ***out, struct fs_err *err)
{
    const json_t *list = json_object_get(object, name);
    *out = NULL;
    if (!list || json_is_null(list))
        return true;
    if (!json_is_array(list))
        return fs_fail(err, FS_ERR_INVALID, "%s must be a list of texts", name);
    *out = fs_calloc(json_array_size(list) + 1, sizeof **out);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text)
            return fs_fail(err, FS_ERR_INVALID, "%s[%zu] must be a text", name, i);
        (*out)[i] = fs_strdup(text);
    }
    return true;
}

static bool read_scopes(struct fs_credential *credential, const json_t *description, struct fs_err *err)
{
    const json_t *scopes = json_object_get(description, "scopes");
    if (!scopes && json_array_size(json_object_get(description, "eventTypes")))
        return true; /* may send these events, and nothing else */
    if (!json_is_array(scopes) || json_array_size(scopes) == 0)
        return fs_fail(err, FS_ERR_INVALID, "scopes must be a list with at least one scope");
    for (size_t i = 0; i < json_array_size(scopes); i++) {
        const char *scope = json_string_value(json_array_get(scopes, i));
        if (!scope || !fs_credential_add_scope(credential, scope))
            return fs_fail(err, FS_ERR_INVALID, "scopes[%zu]: there is no scope '%s'", i,
                           scope ? scope : "(not a text)");
    }
    return true;
}

static bool read_object(const json_t *description, const char *name, json_t **out, struct fs_err *err)
{
    json_t *value = json_object_get(description, name);
    *out = NULL;
    if (!value || json_is_null(value))
        return true;
    if (!json_is_object(value))
        return fs_fail(err, FS_ERR_INVALID, "%s must be an object", name);
    *out = json_deep_copy(value);
    return true;
}

static bool read_expiry(const json_t *description, int64_t *out, struct fs_err *err)
{
    const json_t *value = json_object_get(description, "expires");
    *out = 0;
    if (!value || json_is_null(value))
        return true;
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    if (json_is_string(value) && fs_parse_rfc3339(fs_str_from(json_string_value(value)), out))
        return true;
    return fs_fail(err, FS_ERR_INVALID,
                   "expires: expected a time such as 2026-11-24T14:03:00Z, or milliseconds since 1970");
}

/* The credential that a description makes. NULL with `err`. */
static struct fs_credential *read_credential(const json_t *description, const char *id, struct fs_err *err)
{
    struct fs_credential *credential = FS_NEW(struct fs_credential);
    atomic_init(&credential->references, 1);
    credential->id = fs_strdup(id);
    const char *name = fs_json_text(description, "name");
    const char *subject = fs_json_text(description, "subject");
    const char *origin = fs_json_text(description, "origin");
    credential->name = fs_strdup(name ? name : id);
    credential->subject = subject && *subject ? fs_strdup(subject) : NULL;
    credential->origin = origin && *origin ? fs_strdup(origin) : NULL;
    bool ok = read_scopes(credential, description, err) &&
              read_object(description, "actor", &credential->actor, err) &&
              read_object(description, "attributes", &credential->attributes, err) &&
              read_list(description, "mayAdd", &credential->may_add, err) &&
              read_list(description, "eventTypes", &credential->event_types, err) &&
              read_expiry(description, &credential->expires, err);
    if (ok && fs_credential_may(credential, FS_SCOPE_EVALUATE) &&
        !fs_credential_may(credential, FS_SCOPE_EVALUATE_ANY) && !credential->subject)
        ok = fs_fail(err, FS_ERR_INVALID,
                     "the scope evaluate needs a subject (for any subject there is evaluate:any)");
    if (ok)
        return credential;
    fs_credential_unref(credential);
    return NULL;
}

static bool add_key(struct fs_keyring *keyring, const json_t *entry, size_t index, struct fs_err *err)
{
    const char *id = fs_json_text(entry, "id");
    struct fs_sha256 hash;
    if (!id || !*id || !read_hash(fs_json_text(entry, "hash"), &hash))
        return fs_fail(err, FS_ERR_INVALID, "keys[%zu]: id or hash is missing or malformed", index);
    struct fs_credential *credential = read_credential(entry, id, err);
    if (!credential)
        return fs_fail_in(err, "keys[%zu] ('%s')", index, id);
    struct key *key = FS_NEW(struct key);
    key->hash = hash;
    key->credential = credential;
    struct key *former = fs_map_sets(&keyring->keys, id, key);
    if (former)
        key_destroy(former);
    return former ? fs_fail(err, FS_ERR_INVALID, "keys[%zu]: the id '%s' is there twice", index, id) : true;
}

struct fs_keyring *fs_keyring_create(const json_t *document, struct fs_err *err)
{
    struct fs_keyring *keyring = FS_NEW(struct fs_keyring);
    fs_map_init(&keyring->keys);
    const json_t *keys = document ? json_object_get(document, "keys") : NULL;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        if (!add_key(keyring, json_array_get(keys, i), i, err)) {
            fs_keyring_destroy(keyring);
            return NULL;
        }
    }
    return keyring;
}

void fs_keyring_destroy(struct fs_keyring *keyring)
{
    if (!keyring)
        return;
    fs_map_finish(&keyring->keys, key_destroy);
    fs_free(keyring);
}

bool fs_keyring_empty(const struct fs_keyring *keyring)
{
    return !keyring || keyring->keys.count == 0;
}

bool fs_keyring_has(const struct fs_keyring *keyring, const char *id)
{
    return keyring && fs_map_gets(&keyring->keys, id) != NULL;
}

struct fs_credential *fs_keyring_find(const struct fs_keyring *keyring, const char *key, int64_t wall_ms)
{
    static const struct fs_sha256 nobody; /* no secret has this hash that anybody could find */
    const size_t prefix = strlen(PREFIX);
    if (!keyring || strlen(key) != prefix + ID_LENGTH + 1 + SECRET_LENGTH ||
        strncmp(key, PREFIX, prefix) != 0 || key[prefix + ID_LENGTH] != '_')
        return NULL;
    const struct key *found = fs_map_get(&keyring->keys, key + prefix, ID_LENGTH);
    struct fs_sha256 hash = fs_sha256(key + prefix + ID_LENGTH + 1, SECRET_LENGTH);
    bool same = fs_sha256_equal(&hash, found ? &found->hash : &nobody);
    if (!same || !found || (found->credential->expires && found->credential->expires <= wall_ms))
        return NULL;
    return fs_credential_ref(found->credential);
}

static bool id_is_taken(const json_t *keys, const char *id)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *other = fs_json_text(json_array_get(keys, i), "id");
        if (other && strcmp(other, id) == 0)
            return true;
    }
    return false;
}

/* Eight characters of base32 without those that are mistaken for one another. */
static void draw_id(char id[ID_LENGTH + 1])
{
    static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789";
    for (size_t i = 0; i < ID_LENGTH; i++)
        id[i] = alphabet[fs_random_below(sizeof alphabet - 1)];
    id[ID_LENGTH] = 0;
}

/* What a new key may be described by. Documents that are stored have more, and are not looked at so. */
static bool check_description(const json_t *description, struct fs_err *err)
{
    static const char *const known[] = {"name",   "scopes",     "subject", "actor",  "attributes",
                                        "mayAdd", "eventTypes", "expires", "origin", NULL};
    static const char *const texts[] = {"name", "subject", "origin"};
    if (!json_is_object(description))
        return fs_fail(err, FS_ERR_INVALID, "a key is described by an object");
    if (!fs_json_members_known(description, known, "", FS_ERR_INVALID, err) ||
        !fs_context_attributes(json_object_get(description, "attributes"), err))
        return false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const json_t *value = json_object_get(description, texts[i]);
        if (value && !json_is_null(value) && json_string_length(value) == 0)
            return fs_fail(err, FS_ERR_INVALID, "%s must be a text, and not an empty one", texts[i]);
    }
    return true;
}

bool fs_keyring_add(json_t *document, const json_t *description, int64_t wall_ms, char key_out[80],
                    struct fs_err *err)
{
    char id[ID_LENGTH + 1], secret[SECRET_LENGTH + 2], hex[2 * FS_SHA256_SIZE + 1];
    uint8_t random[SECRET_BYTES];
    json_t *keys = json_object_get(document, "keys");
    if (!check_description(description, err))
        return false;
    if (!keys) {
        keys = json_array();
        json_object_set_new(document, "keys", keys);
    }
    do
        draw_id(id);
    while (id_is_taken(keys, id));
    struct fs_credential *credential = read_credential(description, id, err);
    if (!credential)
        return false;
    bool over = credential->expires && credential->expires <= wall_ms;
    fs_credential_unref(credential);
    if (over)
        return fs_fail(err, FS_ERR_INVALID, "expires: that is past: give a later time");

    fs_random(random, sizeof random);
    fs_base64url_encode(random, sizeof random, secret);
    struct fs_sha256 hash = fs_sha256(secret, SECRET_LENGTH);
    json_t *entry = json_deep_copy(description);
    json_object_set_new(entry, "id", json_string(id));
    json_object_set_new(entry, "hash", json_string(fs_hex(hash.bytes, sizeof hash.bytes, hex)));
    json_object_set_new(entry, "created", json_integer(wall_ms));
    json_array_append_new(keys, entry);
    snprintf(key_out, 80, PREFIX "%s_%s", id, secret);
    fs_wipe(random, sizeof random);
    fs_wipe(secret, sizeof secret);
    return true;
}

bool fs_keyring_has_admin(const json_t *document, int64_t wall_ms)
{
    const json_t *keys = json_object_get(document, "keys");
    struct fs_err ignored;
    bool found = false;
    for (size_t i = 0; !found && i < json_array_size(keys); i++) {
        const json_t *entry = json_array_get(keys, i);
        struct fs_credential *one = read_credential(entry, fs_json_text(entry, "id"), &ignored);
        found = one && (one->scopes & FS_SCOPE_ADMIN) && (!one->expires || one->expires > wall_ms);
        fs_credential_unref(one);
    }
    return found;
}

bool fs_keyring_revoke(json_t *document, const char *id)
{
    json_t *keys = json_object_get(document, "keys");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *other = fs_json_text(json_array_get(keys, i), "id");
        if (other && strcmp(other, id) == 0)
            return json_array_remove(keys, i) == 0;
    }
    return false;
}
