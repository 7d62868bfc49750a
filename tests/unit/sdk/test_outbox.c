/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox of providers: told without the lock, in order, whoever tells and whatever listeners do. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "outbox.h"

enum { THREADS = 4, EACH = 200 };

static of_provider *provider;
static pthread_mutex_t lock;
static struct ofo_outbox outbox;
static char heard[4096];       /* messages and changed flags */
static bool reenter;           /* the listener puts something down itself, once */
static atomic_long last, told; /* in order of the messages' numbers */
static atomic_bool disordered;

static void listen(void *user, of_provider *inner, const of_provider_event *event)
{
    size_t length = strlen(heard);
    (void)user;
    assert_ptr_equal(inner, provider);
    assert_int_equal(pthread_mutex_lock(&lock), 0); /* it is free: an error-checking one would say so */
    (void)snprintf(heard + length, sizeof heard - length, "%s%s",
                   event->message == NULL ? "-" : event->message, event->type == OF_EVENT_STALE ? "? " : " ");
    for (size_t i = 0; i < event->flags_changed_count; i++) {
        length = strlen(heard);
        (void)snprintf(heard + length, sizeof heard - length, "%s", event->flags_changed[i]);
    }
    bool again = reenter;
    reenter = false;
    if (again)
        (void)ofo_put_error(&outbox, OF_ERROR_GENERAL, "nested");
    ofo_unlock(&outbox);
}

static void count(void *user, of_provider *inner, const of_provider_event *event)
{
    (void)user, (void)inner;
    long number = strtol(event->message, NULL, 10);
    if (number <= atomic_exchange(&last, number))
        atomic_store(&disordered, true);
    atomic_fetch_add(&told, 1);
}

static void start(of_provider_listener listener)
{
    const of_provider_methods methods = {.size = sizeof methods, .name = "inner"};
    pthread_mutexattr_t attributes;
    (void)pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    (void)pthread_mutex_init(&lock, &attributes);
    heard[0] = '\0';
    provider = of_provider_new(&methods, NULL);
    assert_int_equal(of_provider_adopt(provider, listener, NULL), OF_OK);
    assert_true(ofo_init(&outbox, provider, &lock));
}

static void end(void)
{
    of_provider_release(provider);
    ofo_finish(&outbox);
    of_provider_unref(provider);
    (void)pthread_mutex_destroy(&lock);
}

static void what_was_put_down_is_told_in_order_when_the_lock_is_let_go(void **state)
{
    (void)state;
    const char *keys[] = {"a", "b"};
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    event.flags_changed = keys;
    event.flags_changed_count = 2;
    start(listen);
    (void)pthread_mutex_lock(&lock);
    assert_int_equal(ofo_put_error(&outbox, OF_ERROR_GENERAL, "one"), OF_ERROR_GENERAL);
    ofo_put_status(&outbox, OF_EVENT_READY, "two");
    ofo_put(&outbox, &event);
    keys[0] = "x"; /* it has its own */
    assert_string_equal(heard, "");
    ofo_unlock(&outbox);
    assert_string_equal(heard, "one two - ab");
    end();
}

static void a_listener_may_put_down_more_and_waits_for_nobody(void **state)
{
    (void)state;
    start(listen);
    reenter = true;
    (void)pthread_mutex_lock(&lock);
    ofo_put_status(&outbox, OF_EVENT_STALE, "one");
    ofo_put_status(&outbox, OF_EVENT_READY, "two");
    ofo_unlock(&outbox);
    assert_string_equal(heard, "one? two nested ");
    end();
}

static void without_memory_one_event_stands_for_several_and_none_is_lost(void **state)
{
    (void)state;
    const char *const keys[] = {"a"};
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    event.flags_changed = keys;
    event.flags_changed_count = 1;
    start(listen);
    (void)pthread_mutex_lock(&lock);
    failing_install();
    failing_set(1, true);
    (void)ofo_put_error(&outbox, OF_ERROR_GENERAL, "lost");
    ofo_put(&outbox, &event);
    ofo_put(&outbox, &event);
    ofo_put_status(&outbox, OF_EVENT_STALE, "newest");
    failing_set(0, false);
    ofo_unlock(&outbox);
    assert_string_equal(heard, "- newest? ");
    assert_int_equal(of_provider_get_status(provider), OF_STATUS_STALE);
    end();
}

static void what_is_told_for_want_of_memory_comes_after_what_was_put_down_before(void **state)
{
    (void)state;
    start(listen);
    (void)pthread_mutex_lock(&lock);
    failing_install();
    failing_set(1, true);
    ofo_put_status(&outbox, OF_EVENT_STALE, "old");
    failing_set(0, false);
    ofo_put_status(&outbox, OF_EVENT_READY, "between");
    failing_set(1, true);
    ofo_put_status(&outbox, OF_EVENT_STALE, "newest");
    failing_set(0, false);
    ofo_unlock(&outbox);
    assert_string_equal(heard, "between newest? ");
    assert_int_equal(of_provider_get_status(provider), OF_STATUS_STALE);
    end();
}

static long next;

static void *put_many(void *unused)
{
    char text[32];
    for (int i = 0; i < EACH; i++) {
        (void)pthread_mutex_lock(&lock);
        (void)snprintf(text, sizeof text, "%ld", ++next);
        ofo_put_status(&outbox, OF_EVENT_READY, text);
        long mine = next;
        ofo_unlock(&outbox);
        if (atomic_load(&told) < mine) /* all up to its own were told */
            atomic_store(&disordered, true);
    }
    return unused;
}

static void many_threads_tell_in_the_order_in_which_they_put_down_and_return_when_it_is_told(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    start(count);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&told), THREADS * EACH);
    assert_false(atomic_load(&disordered));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_down_is_told_in_order_when_the_lock_is_let_go),
        cmocka_unit_test(a_listener_may_put_down_more_and_waits_for_nobody),
        cmocka_unit_test(without_memory_one_event_stands_for_several_and_none_is_lost),
        cmocka_unit_test(what_is_told_for_want_of_memory_comes_after_what_was_put_down_before),
        cmocka_unit_test(many_threads_tell_in_the_order_in_which_they_put_down_and_return_when_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
