/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of options. An option exists here or not at all: its place in the file, its environment
 * variable, its argument, --help, docs/configuration.md and --print-config all come from this row. Knows
 * nothing of what options do.
 */
#ifndef FS_CONFIG_OPTION_H
#define FS_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

/*        id                      name */
#define FS_COMMANDS(X)                                                                                       \
    X(FS_COMMAND_SERVE, "serve")                                                                             \
    X(FS_COMMAND_CHECK, "check")                                                                             \
    X(FS_COMMAND_GET, "get")                                                                                 \
    X(FS_COMMAND_WATCH, "watch")                                                                             \
    X(FS_COMMAND_TRIGGER, "trigger")                                                                         \
    X(FS_COMMAND_KILL, "kill")                                                                               \
    X(FS_COMMAND_FORCE, "force")                                                                             \
    X(FS_COMMAND_RELEASE, "release")                                                                         \
    X(FS_COMMAND_OVERRIDES, "overrides")                                                                     \
    X(FS_COMMAND_WHO, "who")                                                                                 \
    X(FS_COMMAND_WHY, "why")                                                                                 \
    X(FS_COMMAND_HISTORY, "history")                                                                         \
    X(FS_COMMAND_CLIENTS, "clients")                                                                         \
    X(FS_COMMAND_CONTEXTS, "contexts")                                                                       \
    X(FS_COMMAND_DISCONNECT, "disconnect")                                                                   \
    X(FS_COMMAND_FLAGS, "flags")                                                                             \
    X(FS_COMMAND_SOURCES, "sources")                                                                         \
    X(FS_COMMAND_KEYS, "keys")                                                                               \
    X(FS_COMMAND_VERIFY, "verify")                                                                           \
    X(FS_COMMAND_BACKUP, "backup")                                                                           \
    X(FS_COMMAND_ERASE, "erase")                                                                             \
    X(FS_COMMAND_OPA_MODULE, "opa-module")                                                                   \
    X(FS_COMMAND_VERSION, "version")

enum fs_command {
#define X(id, name) id,
    FS_COMMANDS(X)
#undef X
        FS_COMMAND_COUNT
};
#define FS_COMMAND_BIT(command) (1u << (unsigned)(command))

enum fs_option_type {
    FS_OPTION_TEXT,
    FS_OPTION_CHOICE, /* one of the words in `unit`, which are separated by | */
    FS_OPTION_PATH,   /* from the file: relative to the file's folder */
    FS_OPTION_TEXTS,  /* a list; an argument may be repeated, in the environment a comma separates */
    FS_OPTION_PATHS,
    FS_OPTION_DURATION, /* "30s"; in milliseconds */
    FS_OPTION_SIZE,     /* "64KiB"; in bytes */
    FS_OPTION_NUMBER,
    FS_OPTION_BOOL,    /* an argument without a value */
    FS_OPTION_TIME,    /* RFC 3339; kept as text, and in milliseconds since 1970 */
    FS_OPTION_ADDRESS, /* "127.0.0.1:8080" */
    FS_OPTION_SOURCES, /* a map of names and objects; file only */
    FS_OPTION_JSON     /* anything; in the file only */
};
const char *fs_option_type_name(enum fs_option_type type); /* "duration", "list of paths", ... */

enum fs_option_id {
#define X(id) id,
#include "config/option_ids.h"
#undef X
    FS_OPT_COUNT
};

#define FS_OPTION_FILE     1u /* may stand in the file */
#define FS_OPTION_ENV      2u /* has an environment variable */
#define FS_OPTION_SECRET   4u /* never shown */
#define FS_OPTION_RELOADED 8u /* what it names is read again on SIGHUP */

struct fs_option {
    const char *name;     /* "limits.body": its place in the file; the environment's name is made of it */
    const char *argument; /* "--listen"; NULL: none */
    char letter;          /* 'c' for -c; 0: none */
    const char *unit;     /* what stands for a value in help: "ADDRESS:PORT" */
    enum fs_option_type type;
    const char *initial; /* the default as one would write it; NULL: none */
    unsigned commands;   /* bits */
    unsigned traits;     /* FS_OPTION_FILE and the others */
    int64_t least, most; /* of numbers, durations and sizes; 0 and 0: any that is not negative */
    const char *help;    /* sentences; parts for one command only begin with its name and end with " |" ("get:
                            This. | why: That.") */
};

const struct fs_option *fs_option(enum fs_option_id id);
/* "FLAGSTAFF_LIMITS_BODY"; NULL where it has none. Returns out. */
const char *fs_option_environment(const struct fs_option *option, char out[64]);
static inline bool fs_option_is_of(const struct fs_option *option, enum fs_command command)
{
    return (option->commands & FS_COMMAND_BIT(command)) != 0;
}
/* Appends the parts of the option's help that concern this command. */
void fs_option_describe(const struct fs_option *option, enum fs_command command, struct fs_buf *out);
/* The section "Options" of a command's --help, its own before those of all, wrapped to `width` columns. */
void fs_option_help(enum fs_command command, size_t width, struct fs_buf *out);
/* Appends `text` in lines of at most `width` columns, each after `indent` blanks. */
void fs_text_wrap(struct fs_buf *out, const char *text, size_t indent, size_t width);
/* docs/configuration.md. */
void fs_option_document(struct fs_buf *out);

const char *fs_command_name(enum fs_command command);
bool fs_command_parse(const char *name, enum fs_command *out);
/* The command that was probably meant, or NULL. */
const char *fs_command_suggest(const char *name);

#endif
