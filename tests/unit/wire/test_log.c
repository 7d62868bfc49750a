/* SPDX-License-Identifier: Apache-2.0 */
/* libwebsockets' log, which is one for the whole process: the program's where it has set it, else silent. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <libwebsockets.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire/wire.h"

/* Makes a client in a process of its own, where the log has these levels (0: as it comes), and tells whether
 * `level` is logged then. */
static bool is_logged(int levels, int level)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        if (levels != 0) {
            lws_set_log_level(levels, NULL);
        }
        struct fsw_options options = FSW_OPTIONS_INIT;
        options.url = "ws://127.0.0.1:9";
        struct fsw_client *client = fsw_client_create(&options, NULL, 0);
        int result = client == NULL ? 2 : lwsl_visible(level) ? 1 : 0;
        fsw_client_destroy(client);
        _exit(result);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 1;
}

static void a_program_that_has_set_the_log_keeps_it(void **state)
{
    (void)state;
    assert_true(is_logged(LLL_ERR | LLL_USER, LLL_ERR));
    assert_true(is_logged(LLL_ERR | LLL_USER, LLL_USER));
    assert_true(is_logged(LLL_ERR, LLL_ERR));
}

static void a_log_that_nobody_has_set_is_turned_off(void **state)
{
    (void)state;
    assert_false(is_logged(0, LLL_ERR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_that_has_set_the_log_keeps_it),
        cmocka_unit_test(a_log_that_nobody_has_set_is_turned_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
