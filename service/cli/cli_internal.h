/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share. */
#ifndef FS_CLI_INTERNAL_H
#define FS_CLI_INTERNAL_H

#include <jansson.h>
#include "base/buf.h"
#include "base/str.h"
#include "base/vec.h"
#include "cli/cli.h"

#define FS_HELP_WIDTH 100

/* --- command.c: the table of commands --- */

struct fs_cli_command {
    const char *summary;  /* one line */
    const char *operands; /* "SUBJECT [FLAG]", or "" */
    size_t least, most;   /* how many operands */
    const char *about;    /* a paragraph, or "" */
    const char *examples; /* lines */
    int (*run)(struct fs_cli_call *call,
               struct fs_err *err); /* NULL: run elsewhere. An exit status; -1: failed, with err */
};
const struct fs_cli_command *fs_cli_command(enum fs_command command);

int fs_cli_check(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_get(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_watch(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_trigger(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_kill(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_force(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_release(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_overrides(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_who(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_why(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_history(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_contexts(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_disconnect(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_clients(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_flags(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_sources(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_keys(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_erase(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_backup(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_opa_module(struct fs_cli_call *call, struct fs_err *err);
int fs_cli_version(struct fs_cli_call *call, struct fs_err *err);

/* --- client.c: requests to the daemon --- */

struct fs_reply {
    long status;
    char *text; /* the body; owned */
    size_t length;
    json_t *json; /* the body as JSON; NULL where it is none */
};
struct fs_request {
    const char *method;
    const char *path;         /* with its query */
    const char *content_type; /* of the body; NULL: application/json */
    const char *body;         /* NULL: none */
    int64_t wait;             /* ms that the daemon may take beyond --timeout; -1: as long as it wants */
    const char *patience;     /* words for standard error where no answer has come for 3 s; NULL: none */
};
/* One request with the call's --url, key and --timeout. An answer other than 2xx is a failure with the
 * daemon's own words. False with `err`; finish the reply in either case. */
bool fs_client_ask(const struct fs_cli_call *call, const struct fs_request *request, struct fs_reply *reply,
                   struct fs_err *err);
void fs_reply_finish(struct fs_reply *reply);
/* GET of a path whose answer is JSON. */
bool fs_client_get(const struct fs_cli_call *call, const char *path, struct fs_reply *reply,
                   struct fs_err *err);
/* Appends "?name=value" or "&name=value", encoded. Nothing where value is NULL. */
void fs_query_add(struct fs_buf *path, const char *name, const char *value);
/* The same of an option under its own name ("limit"), where it was said. */
void fs_query_option(struct fs_buf *path, const struct fs_config *config, enum fs_option_id id);
void fs_percent_encode(struct fs_buf *out, const char *text);
/* The API key: of --key-file, or the environment; NULL where there is none. Owned; wipe it. False with err:
 * the file cannot be read. */
bool fs_client_key(const struct fs_cli_call *call, char **key, struct fs_err *err);
/* --url without slashes at its end, checked. Owned; NULL with err. */
char *fs_client_url(const struct fs_cli_call *call, struct fs_err *err);

/* --- context.c --- */

/* NAME=VALUE pairs as an object: VALUE is JSON or else text. NULL with err. */
json_t *fs_cli_pairs(const char *const *pairs, const char *option, struct fs_err *err);
/* Sets the member to the texts of an option; nothing where it was not said. */
void fs_cli_set_list(json_t *object, const char *name, const char *const *list);
/* Is the time of --expires still to come? */
bool fs_cli_ends_later(const struct fs_config *config, struct fs_err *err);
/* The context of a subject with --attribute. NULL with err. */
json_t *fs_cli_context(const struct fs_cli_call *call, const char *subject, struct fs_err *err);

/* --- text.c, table.c: output --- */

enum fs_color { FS_COLOR_NONE, FS_COLOR_GOOD, FS_COLOR_BAD, FS_COLOR_WARN, FS_COLOR_DIM };

bool fs_cli_json(const struct fs_cli_call *call);
bool fs_cli_colored(const struct fs_cli_call *call);
/* A JSON document for --output json. */
int fs_cli_print_json(const struct fs_cli_call *call, const json_t *json);
/* Text of others, safe for a terminal: control characters become visible escapes. Owned. */
char *fs_cli_clean(const char *text);
/* A value in one line of JSON; "-" for NULL. Owned. */
char *fs_cli_value(const json_t *value);
/* The member as text: a string as it is, anything else as JSON, absent as "-". Owned. */
char *fs_cli_member(const json_t *object, const char *name);
/* The subjects of contexts or watches: three names, then a count. Owned. */
char *fs_cli_subjects(const json_t *list);
/* "event 12" or "event 12, 13 and 2 more", of a cause. Owned. */
char *fs_cli_cause(const json_t *cause);
/* The same of what has a cause, with the sentence that the daemon says it in. Owned. */
char *fs_cli_cause_text(const json_t *holder);
/* Writes `text`, in colour where that is wanted. */
void fs_cli_paint(const struct fs_cli_call *call, enum fs_color color, const char *text);
enum fs_color fs_reason_color(const char *reason);

struct fs_table {
    const char *const *heads; /* NULL-terminated; borrowed */
    size_t columns;
    struct {
        FS_VEC(char *) text;
        FS_VEC(enum fs_color) color;
    } cells;
};
void fs_table_init(struct fs_table *table, const char *const *heads);
void fs_table_finish(struct fs_table *table);
/* Adds one cell; rows fill from the left. */
void fs_table_add(struct fs_table *table, const char *text);
void fs_table_paint(struct fs_table *table, const char *text, enum fs_color color);
void fs_table_take(struct fs_table *table, char *text_owned);
/* The member's text: green where it is `good`, red where it is `bad`, else yellow. */
void fs_table_judge(struct fs_table *table, const json_t *one, const char *name, const char *good,
                    const char *bad);
/* Prints it with columns aligned; `empty` where it has no row. */
void fs_table_print(const struct fs_table *table, const struct fs_cli_call *call, const char *empty);
/* Columns that the text takes on a terminal, one for each character. */
size_t fs_text_width(const char *text);

/* --- show.c --- */

/* GETs `path` and prints its member `name` as a table whose rows `add` makes, or all of it as JSON. An exit
 * status; -1: failed, with `err`. */
int fs_cli_show(struct fs_cli_call *call, const char *path, const char *name, const char *const *heads,
                void (*add)(struct fs_table *table, const json_t *one), const char *empty,
                struct fs_err *err);

/* --- dry_run.c --- */

/* Before a question whether to do it: whom the order would reach, on standard error. */
void fs_dry_run_ask(const struct fs_cli_call *call, const char *verb, const json_t *radius);
/* What an event would change, as a table or JSON. An exit status. */
int fs_dry_run_print(const struct fs_cli_call *call, const json_t *result);

/* --- receipt.c --- */

/* Asks for what is journaled: with --wait and --wait-timeout, whose names go to the end of `path`. */
bool fs_receipt_ask(const struct fs_cli_call *call, const struct fs_request *request, struct fs_buf *path,
                    struct fs_reply *reply, struct fs_err *err);
/* Prints the answer: entries, or the receipt that --wait wants. `nobody` is said where nobody is concerned,
 * `again` where it is not complete in time, which is a failure (-1, with err). */
int fs_receipt_conclude(const struct fs_cli_call *call, const json_t *answer, const char *nobody,
                        const char *again, struct fs_err *err);

#endif
