/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OFREP requests and the contexts in them, for two credentials: one that may say anything, and one with
 * subject, actor and attributes of its own, which no request changes.
 */
#include "fuzz.h"
#include "core/context.h"
#include "core/json.h"
#include "push/ofrep.h"

static void make(const json_t *wanted, struct fs_credential *credential, bool bound)
{
    static const struct fs_context_rules limits = {.bytes = 8192, .depth = 8};
    struct fs_context_text text = {0};
    struct fs_err err = {0};
    if (!fs_context_make(wanted, credential, &limits, &text, &err)) {
        FUZZ_HOLDS(err.code != FS_OK && err.text[0] && fuzz_is_line(err.text));
        return;
    }
    FUZZ_HOLDS(strlen(text.hash) == 64 && strlen(text.canonical) == text.length);
    if (bound) {
        FUZZ_HOLDS(strcmp(fs_json_text(text.json, "targetingKey"), "ada") == 0);
        FUZZ_HOLDS(strcmp(fs_json_text(text.json, "role"), "guest") == 0);
        FUZZ_HOLDS(strcmp(fs_json_text(json_object_get(text.json, "actor"), "key"), "bot") == 0);
        FUZZ_HOLDS(!json_object_get(text.json, "facts") && !json_object_get(text.json, "decision"));
    }
    fs_context_text_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fs_frame_limits limits = {.context_bytes = 8192, .context_depth = 8};
    char page[] = "page", *may_add[] = {page, NULL};
    struct fs_credential any = {.id = (char[]){"a"}, .scopes = FS_SCOPE_EVALUATE_ANY};
    struct fs_credential own = {
        .id = (char[]){"b"}, .scopes = FS_SCOPE_EVALUATE, .subject = (char[]){"ada"}, .may_add = may_add};
    const char *code = NULL;
    struct fs_err err = {0};
    json_t *wanted = fs_ofrep_context((const char *)data, size, &limits, &code, &err);
    FUZZ_HOLDS(wanted || (code && err.text[0] && fuzz_is_line(err.text)));
    if (wanted) {
        own.actor = json_pack("{s:s}", "key", "bot");
        own.attributes = json_pack("{s:s}", "role", "guest");
        make(wanted, &any, false);
        make(wanted, &own, true);
        json_decref(own.actor);
        json_decref(own.attributes);
    }
    json_decref(wanted);
    return 0;
}
