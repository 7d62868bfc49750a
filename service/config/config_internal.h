/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this part share. */
#ifndef FS_CONFIG_INTERNAL_H
#define FS_CONFIG_INTERNAL_H

#include "config/config.h"

/* --- value.c --- */

/* Sets or, of a list, extends the value from one piece of text. False with `err`: what was expected, without
 * the option's name. */
bool fs_value_parse(const struct fs_option *option, const char *text, struct fs_config_value *value,
                    struct fs_err *err);
/* Sets it from a node of the file; `folder` is the file's. The place of what is wrong goes to line and
 * column. */
bool fs_value_read(const struct fs_option *option, const struct fs_doc_node *node, const char *folder,
                   struct fs_config_value *value, int *line, int *column, struct fs_err *err);
void fs_value_finish(struct fs_config_value *value);
bool fs_option_is_list(const struct fs_option *option);
/* A path as it is meant in a file of this folder. Owned. */
char *fs_path_in(const char *folder, const char *path);

/* --- config.c --- */

/* As it is where nobody says anything. */
void fs_config_set_default(struct fs_config *config, enum fs_option_id id);

/* --- file.c, arguments.c --- */

/* False: what is wrong stands in config->mistakes. */
bool fs_config_read_file(struct fs_config *config, const char *path);
bool fs_config_read_arguments(struct fs_config *config, int argc, char *const *argv, struct fs_err *err);

#endif
