/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h: the inside of the file provider. file.c is its life, table.c what was read, resolve.c evaluations,
 * watch.c how changes are noticed.
 */
#ifndef OF_FILE_FILE_H
#define OF_FILE_FILE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <openfeature/providers/file.h>

#include "core/evaluate.h"
#include "outbox.h"

enum { FILE_PROBLEM = 512, FILE_PATHS = 4096 }; /* bytes of a message about files; paths */

/* --- what was read ----------------------------------------------------------------------------------- */

/* A value, taken apart, so that reading it is one look. */
struct piece {
    of_value *value;
    of_type type;
    of_flag_value parts; /* borrows from `value` */
};

/* Takes the value over. */
struct piece piece_of(of_value *value);

/* A flag: its definition and all values that it can have, but for those that a decision brings. */
struct item {
    const struct fs_flag *flag;
    struct piece *variants; /* as flag->variants; within the table's memory */
    struct piece safe;      /* of flag->safe_value */
    of_value *metadata;     /* NULL: none */
    bool plain;             /* without rules, or disabled: the same for everybody, which is `fixed` */
    struct fs_evaluation fixed;
};

/* Immutable. Counted: the provider has one reference, and each of the details that borrow from it. */
struct table {
    of_retired retired; /* must be first */
    _Atomic(uint32_t) refs;
    struct fs_flagset *set;
    struct piece *pieces;
    size_t piece_count;
    struct item items[]; /* as set->flags */
};

/* Whether all values of the set can be had as OpenFeature's; false with the problem, which names the flag. */
bool table_fits(const struct fs_flagset *set, char *problem, size_t size);
/* Takes the set over, which fits; NULL without memory. */
struct table *table_new(struct fs_flagset *set);
struct table *table_ref(struct table *table);
void table_unref(void *table);
void table_retired(of_retired *retired);
/* The keys of the flags that are different in the two, for of_free(); they are borrowed from the tables.
 * NULL without memory. */
const char **table_changes(const struct table *old, const struct table *now, size_t *count);

/* --- context.c ---------------------------------------------------------------------------------------- */

/* What rules see: all fields but those with reserved names. NULL without memory. */
json_t *json_of_context(const of_context *context);

/* --- changes of files -------------------------------------------------------------------------------- */

/* A name in a directory that a path leads over: when it changes, the files may be others. */
struct watched {
    int wd;
    char *name; /* NULL: every name that could be a flag file's */
};

struct watch {
    int fd;        /* inotify; -1: polling */
    uint64_t seen; /* polling: how the files looked when they were read last, and at the last look */
    uint64_t look;
    char **directories; /* by place: wd at the same place of `wds` */
    int *wds;
    size_t directory_count, directory_room;
    struct watched *names;
    size_t name_count, name_room;
};

/* Begins to watch what the paths lead to now. To be followed by reading the files, in this order: then no
 * change is missed. Where inotify fails it is polling. */
void watch_open(struct watch *watch, const of_file_options *options);
void watch_close(struct watch *watch);
/* Waits until the files may be others (true), or `stop` can be read (false). */
bool watch_wait(struct watch *watch, const of_file_options *options, int stop);

/* --- the provider ------------------------------------------------------------------------------------ */

/* A line for the log, which is written when the lock is let go. */
struct line {
    struct line *next;
    of_file_level level;
    char text[];
};

struct file {
    of_provider *provider;
    of_file_options options;
    _Atomic(struct table *) table;   /* NULL: nothing is read */
    pthread_mutex_t lock;            /* over reading, and what follows */
    struct ofo_outbox outbox;        /* what OpenFeature is to be told */
    struct line *lines, **lines_end; /* and what the log is */
    bool running;
    bool stale; /* the files are wrong by now */
    bool watching;
    pthread_t watcher;
    bool alone;           /* it was shut down by its own thread, which ends by itself, and is not ended yet */
    pthread_cond_t ended; /* now it is */
    int stop;             /* eventfd */
    _Atomic(pid_t) pid;   /* of the process that started it; 0: none did */
    struct watch watch;   /* of the watcher while it runs */
};

/* options.c */
bool file_options_copy(of_file_options *to, const of_file_options *from, const char **problem);
void file_options_finish(of_file_options *options);

/* resolve.c */
of_error file_resolve(void *self, const char *key, of_type type, const of_flag_value *otherwise,
                      const of_context *context, of_resolution *resolution);

#endif
