/* SPDX-License-Identifier: Apache-2.0 */
/* Dry runs held against what the event then does, for events, facts and policies by chance. */
#include "trial_support.h"

#define SUBJECTS 4
static const char *const subjects[SUBJECTS] = {"ada", "bo", "cy", "di"};
static const char *const keys[] = {"vip", "export", "risky"};
#define KEYS 3

static unsigned draw(uint64_t *seed, unsigned below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*seed >> 33) % below;
}

/* The sources change their minds, and nobody is told. */
static void change_policies(struct world *w, uint64_t *seed)
{
    static const char *const answers[] = {"true", "false", "undefined", "bad", "none"};
    static const char *const risks[] = {"low", "high", "odd"};
    world_policy(w, "app/allow", subjects[draw(seed, SUBJECTS)], answers[draw(seed, 5)]);
    world_policy(w, "app/risk", risks[draw(seed, 3)], answers[draw(seed, 5)]);
}

static void draw_event(uint64_t *seed, char *out, size_t size)
{
    static const char *const facts[] = {"\"fact\":\"tier\",\"value\":\"gold\"",
                                        "\"fact\":\"tier\",\"value\":\"tin\"",
                                        "\"fact\":\"tier\"",
                                        "\"fact\":\"risk\",\"value\":\"high\"",
                                        "\"fact\":\"risk\",\"value\":\"low\"",
                                        "\"fact\":\"risk\",\"value\":\"odd\"",
                                        "\"fact\":\"other\",\"value\":\"thing\""};
    static const char *const filters[] = {"\"flags\":[\"risky\"]", "\"flags\":[\"export\",\"vip\"]",
                                          "\"sources\":[\"opa\"]", "\"paths\":[\"app/risk\"]",
                                          "\"sources\":[\"second\"]"};
    const char *subject = subjects[draw(seed, SUBJECTS)];
    switch (draw(seed, 4)) {
    case 0:
    case 1:
        snprintf(out, size, "{\"facts\":[{\"subject\":\"%s\",%s}]}", subject, facts[draw(seed, 7)]);
        break;
    case 2:
        snprintf(out, size, "{\"recompute\":{%s}}", filters[draw(seed, 5)]);
        break;
    default:
        snprintf(out, size, "{\"recompute\":{\"subjects\":[\"%s\"],%s}}", subject, filters[draw(seed, 5)]);
    }
}

static void read_all(struct world *w, json_t *out[SUBJECTS][KEYS])
{
    for (size_t s = 0; s < SUBJECTS; s++)
        for (size_t k = 0; k < KEYS; k++) {
            const struct fs_cell *cell = world_cell(w, subjects[s], keys[k]);
            json_decref(out[s][k]);
            out[s][k] = fs_radius_value(&cell->value);
        }
}

static const json_t *told(const json_t *result, const char *subject, const char *flag)
{
    const json_t *changes = json_object_get(result, "changes");
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *one = json_array_get(changes, i);
        if (!strcmp(fs_json_text(one, "flag"), flag) && !strcmp(fs_json_text(one, "subject"), subject))
            return one;
    }
    return NULL;
}

static void a_dry_run_tells_just_what_the_event_then_does(void **state)
{
    (void)state;
    unsigned flips = 0, unresolved = 0;
    for (uint64_t round = 1; round <= 60; round++) {
        struct world_client *c;
        struct world *w = begin(&c);
        json_t *before[SUBJECTS][KEYS] = {0}, *after[SUBJECTS][KEYS] = {0};
        uint64_t seed = round;
        for (uint64_t i = 1; i < SUBJECTS; i++)
            world_watch(c, i + 1, subjects[i]);
        world_run(w);
        for (unsigned step = 0; step < 12; step++) {
            char event[300];
            change_policies(w, &seed);
            draw_event(&seed, event, sizeof event);
            world_run(w);
            read_all(w, before);
            json_t *result = trial(w, event);
            bool known = !json_array_size(json_object_get(result, "unresolved"));
            world_event(w, event);
            world_run(w);
            read_all(w, after);
            for (size_t s = 0; s < SUBJECTS; s++)
                for (size_t k = 0; k < KEYS; k++) {
                    const json_t *change = told(result, subjects[s], keys[k]);
                    bool same = json_equal(before[s][k], after[s][k]);
                    if (change ? !json_equal(json_object_get(change, "to"), after[s][k]) : known && !same)
                        fail_msg("round %llu, step %u, %s: %s of %s", (unsigned long long)round, step, event,
                                 keys[k], subjects[s]);
                    flips += change != NULL;
                }
            unresolved += !known;
            json_decref(result);
            if (!known) { /* until it has answered again */
                world_policy(w, "app/allow", NULL, "true");
                for (size_t s = 0; s < SUBJECTS; s++)
                    world_policy(w, "app/allow", subjects[s], "true");
                world_policy(w, "app/risk", "low", "true");
                world_policy(w, "app/risk", "high", "false");
                world_policy(w, "app/risk", "odd", "false");
                world_advance(w, 120000);
            }
        }
        for (size_t s = 0; s < SUBJECTS; s++)
            for (size_t k = 0; k < KEYS; k++) {
                json_decref(before[s][k]);
                json_decref(after[s][k]);
            }
        world_destroy(w);
    }
    assert_true(flips > 100 && unresolved > 20); /* there was something to tell */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_dry_run_tells_just_what_the_event_then_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
