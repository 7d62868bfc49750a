/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: the provider's own copy of its options.
 */
#include "file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openfeature/memory.h>

/* From the root on, since the process may change its directory. */
static char *copy_path(const char *path)
{
    char here[PATH_MAX] = "";
    if (path[0] != '/' && getcwd(here, sizeof here) == NULL) {
        here[0] = '\0';
    }
    size_t size = strlen(here) + strlen(path) + 2;
    char *copy = of_alloc(size);
    if (copy != NULL) {
        snprintf(copy, size, "%s%s%s", here, here[0] == '\0' ? "" : "/", path);
    }
    return copy;
}

static const char *problem_of(const of_file_options *given)
{
    if (given->paths == NULL || given->path_count == 0) {
        return "paths: name a file or a directory at least";
    }
    if (given->path_count > FILE_PATHS) {
        return "path_count: too many";
    }
    for (size_t i = 0; i < given->path_count; i++) {
        if (given->paths[i] == NULL || given->paths[i][0] == '\0') {
            return "paths: one of them is empty";
        }
    }
    if (given->changes > OF_FILE_CHANGES_NONE) {
        return "changes: not one of of_file_changes";
    }
    return NULL;
}

bool file_options_copy(of_file_options *to, const of_file_options *from, const char **problem)
{
    of_file_options given = {0};
    memset(to, 0, sizeof *to);
    if (from == NULL || from->size < sizeof from->size) {
        *problem = "start from OF_FILE_OPTIONS_INIT, and name a path";
        return false;
    }
    memcpy(&given, from, from->size < sizeof given ? from->size : sizeof given);
    *problem = problem_of(&given);
    if (*problem != NULL) {
        return false;
    }
    *problem = "out of memory";
    char **paths = of_alloc(given.path_count * sizeof *paths);
    if (paths == NULL) {
        return false;
    }
    *to = given;
    to->size = sizeof *to;
    to->poll = given.poll == 0 ? 2000 : given.poll;
    bool fine = true;
    for (size_t i = 0; i < given.path_count; i++) {
        paths[i] = copy_path(given.paths[i]);
        fine = fine && paths[i] != NULL;
    }
    to->paths = (const char *const *)paths;
    return fine;
}

void file_options_finish(of_file_options *options)
{
    union {
        const char *const *seen;
        char **owned;
    } cast = {.seen = options->paths};
    for (size_t i = 0; cast.owned != NULL && i < options->path_count; i++) {
        of_free(cast.owned[i]);
    }
    of_free(cast.owned);
    memset(options, 0, sizeof *options);
}
