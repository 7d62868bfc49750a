/* SPDX-License-Identifier: Apache-2.0 */
/* See file_world.h. */
#include "file_world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *at)
{
    (void)found, (void)kind, (void)at;
    return remove(path);
}

int folder_setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/file-provider-XXXXXX");
    return mkdtemp(folder) == NULL;
}

int folder_teardown(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *place(const char *name)
{
    static char paths[8][160];
    static int next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void write_file(const char *name, const char *text)
{
    FILE *file = fopen(place(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void replace_file(const char *name, const char *text)
{
    write_file("new~", text);
    assert_int_equal(rename(place("new~"), place(name)), 0);
}

void link_to(const char *target, const char *name)
{
    (void)unlink(place("link~"));
    assert_int_equal(symlink(target, place("link~")), 0);
    assert_int_equal(rename(place("link~"), place(name)), 0);
}

of_provider *provider_of(const char *name, of_file_changes changes)
{
    char problem[256] = "";
    const char *path = place(name);
    of_file_options options = OF_FILE_OPTIONS_INIT;
    options.paths = &path;
    options.path_count = 1;
    options.changes = changes;
    options.poll = 20;
    of_provider *provider = of_file_provider_new(&options, problem, sizeof problem);
    assert_string_equal(problem, "");
    assert_non_null(provider);
    return provider;
}

struct program program;

of_error start_with(const char *name, of_file_changes changes)
{
    memset(&program, 0, sizeof program);
    box_init(&program.box);
    program.api = of_api_new();
    program.client = of_api_client(program.api, NULL);
    program.provider = provider_of(name, changes);
    for (int type = OF_EVENT_READY; type <= OF_EVENT_STALE; type++)
        (void)of_api_on(program.api, (of_event_type)type, box_handler, &program.box, NULL);
    return of_api_set_provider_and_wait(program.api, NULL, program.provider, PATIENCE_MS);
}

const struct seen *next_event(of_event_type type)
{
    box_await(&program.box, program.taken + 1);
    const struct seen *seen = &program.box.seen[program.taken++];
    assert_int_equal(seen->type, type);
    return seen;
}

void start(const char *name)
{
    assert_int_equal(start_with(name, OF_FILE_CHANGES_AUTO), OF_OK);
    (void)next_event(OF_EVENT_READY);
}

void finish(void)
{
    of_client_unref(program.client);
    of_api_unref(program.api);
    of_provider_unref(program.provider);
}
