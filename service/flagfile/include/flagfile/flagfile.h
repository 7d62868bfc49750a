/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flag files: from YAML or JSON to core's immutable set of flags, or to a list of all that is wrong, each
 * with file, line, column and key. The format is docs/flag-file.md: flagd's
 * (https://flagd.dev/reference/flag-definitions/) with decisions. Several files are validated as one whole:
 * one error anywhere, and there is no set. Any thread; nothing is kept between calls.
 */
#ifndef FS_FLAGFILE_FLAGFILE_H
#define FS_FLAGFILE_FLAGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include "core/flag.h"
#include "core/source.h"

#define FS_FLAGFILE_SIZE     (16 * 1024 * 1024) /* bytes of one file */
#define FS_FLAGFILE_COUNT    4096               /* files of one set */
#define FS_FLAG_PROBLEMS     1000               /* problems that are listed; more are only counted */
#define FS_FLAG_DECISIONS    16                 /* decisions of one flag */
#define FS_MAX_STALE_DEFAULT 10000              /* ms */

struct fs_flag_problem {
    char *file;
    int line, column; /* from 1; 0: the file as a whole */
    char *key;    /* path of keys, such as "flags.billing-export.decision.path"; "" for the file as a whole */
    char *text;   /* what is wrong, what was expected, what was probably meant */
    size_t order; /* private: of its file */
    bool warning; /* the file is valid, but the flag fails open or cannot do what it seems to say */
};

/* Zeroed is empty. In the order of files and lines. */
struct fs_flag_problems {
    struct fs_flag_problem *items;
    size_t count, capacity;
    size_t errors; /* of all, listed or not */
    size_t warnings;
    size_t unlisted;
};
void fs_flag_problems_finish(struct fs_flag_problems *problems); /* accepts NULL and zeroed */
/* "flags.yaml:12:5: flags.vip.safeVariant: no variant is called 'of' (did you mean 'off'?)", warnings with
 * "warning: " before the key. Owned: fs_free(). */
char *fs_flag_problem_line(const struct fs_flag_problem *problem);

/* A source that decisions may name. `builtin` is always there. */
struct fs_flagfile_source {
    const char *name;
    const struct fs_source_type *type;
};
struct fs_flagfile_sources {
    const struct fs_flagfile_source *items;
    size_t count;
};

/* Reads all of `paths`: each a file, or a directory of which each *.yaml, *.yml and *.json that is not hidden
 * is read, in the order of names. `sources` NULL: any name of a source will do, with any one key. NULL where
 * there is an error; warnings are listed in either case. The set has one reference, the caller's. `problems`
 * is initialised here; finish it always. */
struct fs_flagset *fs_flagfile_load(const char *const *paths, size_t count,
                                    const struct fs_flagfile_sources *sources,
                                    struct fs_flag_problems *problems);
/* The same for one text in memory that is called `name` in messages. */
struct fs_flagset *fs_flagfile_parse(const char *text, size_t length, const char *name,
                                     const struct fs_flagfile_sources *sources,
                                     struct fs_flag_problems *problems);

#endif
