/* SPDX-License-Identifier: Apache-2.0 */
/* The words that providers keep for good: each once, bounded, from many threads at once. The room is the
 * process's, so the order of these tests counts. */
#include "support.h"

#include <stdio.h>

#include "words.h"

enum { THREADS = 4, WORDS = 200 };

static const char *seen[THREADS][WORDS];

static void *keep_all(void *place)
{
    const char **own = place;
    char text[32];
    for (int i = 0; i < WORDS; i++) {
        (void)snprintf(text, sizeof text, "word %d", i);
        own[i] = ofw_word(text);
    }
    return NULL;
}

static void many_threads_get_the_same_word(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    char text[32];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_all, seen[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < WORDS; i++) {
        (void)snprintf(text, sizeof text, "word %d", i);
        assert_string_equal(seen[0][i], text);
        for (int t = 1; t < THREADS; t++)
            assert_ptr_equal(seen[t][i], seen[0][i]);
    }
}

static void a_word_has_a_number_and_other_texts_have_none(void **state)
{
    (void)state;
    char own[] = "on";
    const char *word = ofw_word(own);
    assert_string_equal(word, "on");
    assert_ptr_not_equal(word, own);
    assert_ptr_equal(ofw_word("on"), word);
    assert_true(ofw_number(word) > 0);
    assert_ptr_equal(ofw_text(ofw_number(word)), word);
    assert_int_equal(ofw_number(own), 0);
    assert_int_equal(ofw_number(NULL), 0);
    assert_string_equal(ofw_word(""), "");
    assert_null(ofw_word(NULL));
}

static void what_is_too_long_is_not_kept(void **state)
{
    (void)state;
    char text[OFW_LONGEST + 2];
    memset(text, 'x', sizeof text);
    text[OFW_LONGEST + 1] = '\0';
    assert_null(ofw_word(text));
    text[OFW_LONGEST] = '\0';
    assert_string_equal(ofw_word(text), text);
}

static void when_the_room_is_full_words_stay_and_no_new_ones_are_kept(void **state)
{
    (void)state;
    char text[32];
    int kept = 0;
    for (int i = 0; i < OFW_ROOM; i++) {
        (void)snprintf(text, sizeof text, "filling %d", i);
        kept += ofw_word(text) != NULL;
    }
    assert_in_range(kept, 1000, 4096);
    assert_null(ofw_word("one more that is new"));
    assert_ptr_equal(ofw_word("word 7"), seen[0][7]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_get_the_same_word),
        cmocka_unit_test(a_word_has_a_number_and_other_texts_have_none),
        cmocka_unit_test(what_is_too_long_is_not_kept),
        cmocka_unit_test(when_the_room_is_full_words_stay_and_no_new_ones_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
