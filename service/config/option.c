/* SPDX-License-Identifier: Apache-2.0 */
/* Names that follow from the table: of commands, of types, of environment variables. */
#include "config/option.h"
#include <string.h>
#include "base/str.h"

static const char *const commands[] = {
#define X(id, name) name,
    FS_COMMANDS(X)
#undef X
};

const char *fs_command_name(enum fs_command command)
{
    return commands[command];
}

bool fs_command_parse(const char *name, enum fs_command *out)
{
    for (unsigned i = 0; i < FS_COMMAND_COUNT; i++) {
        if (strcmp(commands[i], name) == 0) {
            *out = (enum fs_command)i;
            return true;
        }
    }
    return false;
}

const char *fs_command_suggest(const char *name)
{
    return fs_suggest(name, commands, FS_COMMAND_COUNT);
}

const char *fs_option_type_name(enum fs_option_type type)
{
    static const char *const names[] = {"text",     "choice", "path",     "list of texts", "list of paths",
                                        "duration", "size",   "number",   "boolean",       "time",
                                        "address",  "map",    "structure"};
    return names[type];
}

const char *fs_option_environment(const struct fs_option *option, char out[64])
{
    size_t length = strlen("FLAGSTAFF_");
    if (!(option->traits & FS_OPTION_ENV))
        return NULL;
    memcpy(out, "FLAGSTAFF_", length);
    for (const char *p = option->name; *p && length < 62; p++) {
        bool upper = *p >= 'A' && *p <= 'Z';
        if (upper)
            out[length++] = '_';
        out[length++] = (char)(*p == '.' ? '_' : upper ? *p : *p - ('a' - 'A'));
    }
    out[length] = 0;
    return out;
}
