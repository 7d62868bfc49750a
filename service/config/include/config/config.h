/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of one command as they result: defaults, then the file, then the environment, then the
 * arguments; each wins over those before it, and a list replaces a list. Everything is checked before
 * anything is used. Belongs to one thread while it is made; then nobody changes it.
 */
#ifndef FS_CONFIG_CONFIG_H
#define FS_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "base/mistakes.h"
#include "config/option.h"
#include "yaml/document.h"

enum fs_origin {
    FS_ORIGIN_NONE,
    FS_ORIGIN_DEFAULT,
    FS_ORIGIN_FILE,
    FS_ORIGIN_ENVIRONMENT,
    FS_ORIGIN_ARGUMENT
};

struct fs_config_value {
    enum fs_origin origin;
    char *text;  /* of one that is no list; of an address the host */
    char **list; /* of a list; NULL-terminated */
    size_t count;
    int64_t number; /* ms, bytes, number, 0 or 1, port */
    json_t *json;
    int line, column; /* in the file */
};

/* One entry of `sources`. */
struct fs_config_source {
    const char *name;
    json_t *options; /* an object, `type` included; paths (members called ...File) no longer depend on the
                        file's folder */
    int line, column;
};

struct fs_config {
    enum fs_command command;
    struct fs_config_value values[FS_OPT_COUNT];
    struct fs_config_source *sources;
    size_t source_count;
    char **
        positional; /* NULL-terminated; what stands on the command line behind the command and is no option */
    size_t positional_count;
    char *file;                  /* the configuration file; NULL: none */
    struct fs_mistakes mistakes; /* before the one that fs_config_load() fails with */
    struct fs_document document;
};

/* Everything for one command. `argv` begins behind the command's name, `environment` is like environ (may be
 * NULL). With --help nothing but the arguments is read. False with `err`: FS_ERR_USAGE for arguments, and
 * then for nothing else; FS_ERR_CONFIG for environment and file (FILE:LINE:COLUMN), the last of all that is
 * wrong there: those before it stand in config->mistakes, and what is right can be asked for. Finish in
 * either case. */
bool fs_config_load(struct fs_config *config, enum fs_command command, int argc, char *const *argv,
                    char *const *environment, struct fs_err *err);
void fs_config_finish(struct fs_config *config); /* accepts NULL and zeroed */

/* All borrowed. */
bool fs_config_has(const struct fs_config *config, enum fs_option_id id);  /* by default or said */
bool fs_config_said(const struct fs_config *config, enum fs_option_id id); /* not by default */
const char *fs_config_text(const struct fs_config *config,
                           enum fs_option_id id); /* NULL: none. Of an address the host */
int64_t fs_config_number(const struct fs_config *config,
                         enum fs_option_id id); /* 0: none. Of an address the port */
bool fs_config_true(const struct fs_config *config, enum fs_option_id id);
const char *const *fs_config_list(const struct fs_config *config,
                                  enum fs_option_id id); /* never NULL; NULL-terminated */
const json_t *fs_config_json(const struct fs_config *config, enum fs_option_id id); /* NULL: none */

/* The state directory: `data`, or where it is without one (systemd's $STATE_DIRECTORY,
 * $XDG_STATE_HOME/flagstaff, $HOME/.local/state/flagstaff, ./flagstaff-state). Owned: fs_free(). */
char *fs_config_data(const struct fs_config *config, char *const *environment);

/* Puts FILE:LINE:COLUMN before an error whose text begins with a place in the configuration
 * ("sources.opa.url: ...", "events.mappings[1]: type: ..."), or the variable or argument where the value
 * comes from there. Leaves all others alone. */
void fs_config_locate(const struct fs_config *config, struct fs_err *err);

/* The configuration as it results, as YAML that can be read back; secrets are masked. */
void fs_config_print(const struct fs_config *config, struct fs_buf *out);

#endif
