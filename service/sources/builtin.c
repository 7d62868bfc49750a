/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in source's line in the table. Its rules are compiled by the flag file's reader and run by core.
 */
#include "sources/builtin.h"
#include <string.h>

static const char *const kinds[] = {"rule", NULL};

static bool check_query(const char *kind, const char *query, struct fs_err *err)
{
    if (strcmp(kind, "rule") != 0)
        return fs_fail(err, FS_ERR_FLAGS, "the built-in source knows 'rule', not '%s'", kind);
    if (!*query)
        return fs_fail(err, FS_ERR_FLAGS, "'rule' is empty: expected a JsonLogic rule");
    return true;
}

const struct fs_source_type fs_source_builtin = {
    .name = "builtin",
    .kinds = kinds,
    .check_query = check_query,
};
