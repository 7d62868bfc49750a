/* SPDX-License-Identifier: Apache-2.0 */
/* Plain scalars by the core schema of YAML 1.2.2 (section 10.3.2), and those with one of its tags. Private to
 * the document reader. */
#ifndef FS_YAML_SCALAR_H
#define FS_YAML_SCALAR_H

#include "yaml/document.h"

/* Gives the node's kind and value from its text. `tag` is what libyaml says (NULL: none), `plain`: written
 * without quotes. False with the reason in `why` (static text). */
bool fs_scalar_resolve(struct fs_doc_node *node, const char *tag, bool plain, const char **why);

#endif
