/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this part share: cmocka, a file with a text in it, and loading in one line. */
#ifndef FS_TESTS_CONFIG_TESTING_H
#define FS_TESTS_CONFIG_TESTING_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/alloc.h"
#include "config/config.h"

#define RUN(tests) cmocka_run_group_tests((tests), NULL, NULL)

/* A file in a folder of this process, gone at the next call. */
static inline const char *file_with(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/flagstaff-config-%d.yaml", (int)getpid());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    return path;
}

/* Words end with a NULL. */
static inline bool load(struct fs_config *config, enum fs_command command, const char *const *words,
                        const char *const *environment, struct fs_err *err)
{
    char *argv[32] = {NULL}, *variables[32] = {NULL};
    int argc = 0;
    for (; words[argc]; argc++)
        argv[argc] = fs_strdup(words[argc]);
    for (size_t i = 0; environment && environment[i]; i++)
        variables[i] = fs_strdup(environment[i]);
    bool fine = fs_config_load(config, command, argc, argv, variables, err);
    for (int i = 0; i < argc; i++)
        fs_free(argv[i]);
    for (size_t i = 0; variables[i]; i++)
        fs_free(variables[i]);
    return fine;
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Expects the text of a configuration file to be refused with this in the error. */
static inline void is_wrong(const char *text, const char *expected)
{
    struct fs_config config;
    struct fs_err err = {0};
    const char *path = file_with(text);
    bool taken = load(&config, FS_COMMAND_SERVE, WORDS("--config", path), NULL, &err);
    if (taken || !strstr(err.text, expected))
        print_error("%s\n  gave: %s\n  wanted: %s\n", text, err.text, expected);
    assert_false(taken);
    assert_int_equal(err.code, FS_ERR_CONFIG);
    assert_non_null(strstr(err.text, expected));
    fs_config_finish(&config);
    unlink(path);
}

#endif
