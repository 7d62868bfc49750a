/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this part share: cmocka, and a whole call with its output in memory. */
#ifndef FS_TESTS_CLI_TESTING_H
#define FS_TESTS_CLI_TESTING_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli_internal.h"
#include "base/alloc.h"

#define RUN(tests) cmocka_run_group_tests((tests), NULL, NULL)
#define WORDS(...) ((const char *const[]){"flagstaff", __VA_ARGS__, NULL})

struct outcome {
    bool parsed, done;
    int status;
    enum fs_command command;
    char *out, *words; /* what was printed on the two */
    struct fs_err err;
};

/* Parses, and runs what is run here. */
static inline struct outcome invoke(const char *const *words, const char *const *environment)
{
    struct outcome outcome = {0};
    struct fs_cli_call call;
    char *argv[40] = {NULL}, *variables[10] = {NULL};
    int argc = 0;
    size_t out_size, words_size;
    FILE *out = open_memstream(&outcome.out, &out_size),
         *errors = open_memstream(&outcome.words, &words_size);
    assert_non_null(out);
    assert_non_null(errors);
    for (; words[argc]; argc++)
        argv[argc] = fs_strdup(words[argc]);
    for (size_t i = 0; environment && environment[i]; i++)
        variables[i] = fs_strdup(environment[i]);
    outcome.parsed = fs_cli_parse_to(&call, argc, argv, variables, out, errors, &outcome.err);
    outcome.done = call.done;
    outcome.command = call.config.command;
    outcome.status = outcome.parsed ? call.status : fs_err_exit(outcome.err.code);
    if (outcome.parsed && !call.done && call.config.command != FS_COMMAND_SERVE &&
        call.config.command != FS_COMMAND_VERIFY)
        outcome.status = fs_cli_run(&call);
    fs_cli_call_finish(&call);
    fclose(out);
    fclose(errors);
    for (int i = 0; i < argc; i++)
        fs_free(argv[i]);
    for (size_t i = 0; variables[i]; i++)
        fs_free(variables[i]);
    return outcome;
}

static inline void outcome_finish(struct outcome *outcome)
{
    free(outcome->out); /* open_memstream's */
    free(outcome->words);
}

#endif
