/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the provider of flag files share: a folder of each test's own, and a program with the
 * provider. */
#ifndef SDK_FILE_WORLD_H
#define SDK_FILE_WORLD_H

#include "support.h"

#include <openfeature/providers/file.h>

int folder_setup(void **state);
int folder_teardown(void **state);
#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

/* The path of a name in the folder; good for seven more calls. */
const char *place(const char *name);
void write_file(const char *name, const char *text);
/* As editors do: by a rename. */
void replace_file(const char *name, const char *text);
/* Makes a link, or turns it. */
void link_to(const char *target, const char *name);

of_provider *provider_of(const char *name, of_file_changes changes);

/* A program with the provider of one path, and a box of its events. */
struct program {
    of_api *api;
    of_client *client;
    of_provider *provider;
    struct box box;
    size_t taken; /* events that the test has looked at */
};
extern struct program program;

of_error start_with(const char *name, of_file_changes changes);
/* Starts it, and takes the first event, which is READY. */
void start(const char *name);
/* The next event, which is of this type. */
const struct seen *next_event(of_event_type type);
void finish(void);

#endif
