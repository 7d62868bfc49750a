/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of docs/answers.md, row by row: what is a flag's value when its source behaves so, and that was
 * the last answer. The table is read from the document; a row that is missing fails. ANSWER_TABLE=print
 * writes the table as the engine has it.
 */
#include <stdlib.h>
#include "engine_world.h"

static const char flags[] =
    "flags:\n"
    "  access:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    maxStale: 10s\n"
    "    revalidate: 5s\n"
    "    decision: { source: opa, path: app/allow, input: { user: { var: targetingKey } } }\n"
    "  other:\n"
    "    variants: { dark: dark, light: light }\n"
    "    defaultVariant: light\n";

static const char *const situations[] = {"fine",    "slow",        "refusing",   "undefined", "wrong type",
                                         "partial", "gone silent", "back again", "back empty"};
static const char *const ages[] = {"none", "fresh", "stale", "too stale"};
static const char *const kinds[] = {"access", "other"};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void is_lost(struct world *w, bool lost)
{
    world_source(w, "opa")->probes_fail = lost;
    world_source(w, "opa")->mode = lost ? WORLD_REFUSES : WORLD_ANSWERS;
}

/* From now on the source is so. */
static void begin(struct world *w, const char *situation)
{
    is_lost(w, false);
    world_policy(w, "app/allow", NULL, "true");
    if (!strcmp(situation, "slow"))
        w->hold_asks = true; /* the answer is under way for the whole time looked at */
    else if (!strcmp(situation, "refusing"))
        world_source(w, "opa")->mode = WORLD_REFUSES;
    else if (!strcmp(situation, "undefined"))
        world_policy(w, "app/allow", NULL, "undefined");
    else if (!strcmp(situation, "wrong type"))
        world_policy(w, "app/allow", NULL, "7");
    else if (!strcmp(situation, "partial"))
        world_policy(w, "app/allow", NULL, "bad");
    else if (!strcmp(situation, "gone silent"))
        is_lost(w, true);
    else if (!strncmp(situation, "back", 4)) {
        is_lost(w, true);
        world_advance(w, 3000);
        is_lost(w, false);
        world_policy(w, "app/allow", NULL, !strcmp(situation, "back empty") ? "undefined" : "true");
    }
}

static char *observe(const char *situation, const char *age, const char *kind)
{
    struct world *w = world_create(flags);
    struct world_client *c = world_client(w, "shop");
    bool none = !strcmp(age, "none"), fresh = !strcmp(age, "fresh");
    world_policy(w, "app/allow", NULL, "true");
    if (none)
        is_lost(w, true);
    world_watch(c, 1, "ada");
    if (!none) {
        world_connect(c, false);
        world_advance(w, 2000);
    }
    if (!none && !fresh) {
        is_lost(w, true);
        world_advance(w, strcmp(age, "stale") ? 15000 : 3000);
    }
    if (none)
        world_advance(w, strncmp(situation, "back", 4) ? 0 : 3000);
    begin(w, situation);
    if (none)
        world_connect(c, false);
    world_advance(w, fresh ? 5100 : 1500); /* fresh: until it was asked again */
    json_t *flag = world_flag(c, 1, kind);
    assert_non_null(flag);
    char *value = json_dumps(json_object_get(flag, "value"), JSON_ENCODE_ANY);
    const char *detail = fs_json_text(flag, "detail"), *error = fs_json_text(flag, "error");
    char *row = fs_format("| %s | %s | %s | %s | %s | %s | %s | %s |", situation, age, kind, value,
                          fs_json_text(flag, "variant"), fs_json_text(flag, "reason"), error ? error : "-",
                          detail && *detail ? detail : "-");
    free(value);
    world_destroy(w);
    return row;
}

static char *read_document(void)
{
    FILE *file = fopen(FLAGSTAFF_ROOT "/docs/answers.md", "r");
    assert_non_null(file);
    struct fs_buf text;
    fs_buf_init(&text, 1 << 20);
    char part[4096];
    size_t got;
    while ((got = fread(part, 1, sizeof part, file)) > 0)
        fs_buf_add(&text, part, got);
    fclose(file);
    size_t length;
    return fs_buf_take(&text, &length);
}

/* The line of the document that begins like this. Owned. */
static char *row_of(const char *document, const char *beginning)
{
    const char *at = strstr(document, beginning);
    if (!at)
        fail_msg("docs/answers.md has no row \"%s\"", beginning);
    return fs_strndup(at, strcspn(at, "\n"));
}

static void every_row_of_the_table_is_so(void **state)
{
    (void)state;
    const char *print = getenv("ANSWER_TABLE");
    char *document = print ? NULL : read_document();
    size_t rows = 0;
    for (size_t s = 0; s < COUNT(situations); s++)
        for (size_t a = 0; a < COUNT(ages); a++)
            for (size_t k = 0; k < COUNT(kinds); k++) {
                char *row = observe(situations[s], ages[a], kinds[k]);
                if (print) {
                    print_message("%s\n", row);
                } else {
                    char *beginning = fs_format("\n| %s | %s | %s |", situations[s], ages[a], kinds[k]);
                    char *expected = row_of(document, beginning + 1);
                    assert_string_equal(row, expected);
                    fs_free(beginning);
                    fs_free(expected);
                }
                fs_free(row);
                rows++;
            }
    assert_int_equal(rows, 72);
    fs_free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_is_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
