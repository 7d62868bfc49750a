/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: a line that a client sends as its key, then a document of keys. No made-up key opens anything; a made
 * key does. */
#include "fuzz.h"
#include "core/json.h"
#include "net/keyring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fs_str rest = fuzz_text(data, size), line = {0};
    struct fs_err err = {0};
    char key[80];
    fuzz_line(&rest, &line);
    char *sent = fuzz_copy(line);
    json_t *document = fs_json_read(rest.ptr, rest.len, 32, &err);
    struct fs_keyring *keyring = fs_keyring_create(document, &err);
    FUZZ_HOLDS(keyring || (err.text[0] && fuzz_is_line(err.text)));
    if (keyring)
        FUZZ_HOLDS(!fs_keyring_find(keyring, sent, 0));
    fs_keyring_destroy(keyring);
    json_t *one = json_object();
    if (document && fs_keyring_add(one, document, 1790000000000, key, &err)) {
        keyring = fs_keyring_create(one, &err);
        FUZZ_HOLDS(keyring);
        struct fs_credential *found = fs_keyring_find(keyring, key, 0);
        FUZZ_HOLDS((found || json_object_get(document, "expires")) && !fs_keyring_find(keyring, sent, 0));
        fs_credential_unref(found);
        fs_keyring_destroy(keyring);
    }
    json_decref(one);
    json_decref(document);
    fs_free(sent);
    return 0;
}
