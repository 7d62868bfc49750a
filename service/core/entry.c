/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the journal's kinds of entry, from the one table in core/entry.h, and of clear texts. */
#include <string.h>
#include "base/digest.h"
#include "base/str.h"
#include "core/entry.h"
#include "core/json.h"

static const char *const names[] = {
#define X(kind, name) [kind] = name,
    FS_ENTRY_KINDS(X)
#undef X
};

const char *fs_entry_kind_name(enum fs_entry_kind kind)
{
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

bool fs_entry_kind_parse(const char *name, enum fs_entry_kind *out)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum fs_entry_kind)i;
            return true;
        }
    }
    return false;
}

void fs_entry_text_name(const uint8_t secret[FS_ENTRY_SECRET_SIZE], const char *text, size_t length,
                        char out[65])
{
    struct fs_sha256 digest = fs_hmac_sha256(secret, FS_ENTRY_SECRET_SIZE, text, length);
    fs_hex(digest.bytes, sizeof digest.bytes, out);
}

bool fs_entry_erasure(const struct fs_entry *entry, char name[65], int64_t *time)
{
    struct fs_err ignored;
    json_t *body = entry->kind == FS_ENTRY_ERASURE && entry->body
                       ? fs_json_read(entry->body, entry->length, 64, &ignored)
                       : NULL;
    const char *subject = fs_json_text(body, "subject");
    bool fine = subject && strlen(subject) == 64;
    if (fine) {
        int64_t newest = json_integer_value(json_object_get(body, "time"));
        memcpy(name, subject, 65);
        *time = newest > entry->time ? newest : entry->time;
    }
    json_decref(body);
    return fine;
}
