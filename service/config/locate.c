/* SPDX-License-Identifier: Apache-2.0 */
/* From the name of a place in the configuration, as errors begin with, to file, line and column. */
#include <ctype.h>
#include <string.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "config_internal.h"

/* "events.mappings[1]: type: ..." as the pointer "/events/mappings/1/type". Stops at the first thing that
 * belongs to no name; what is none although it looks like one leads nowhere in the document. */
static void pointer_of(const char *text, struct fs_buf *out)
{
    fs_buf_addc(out, '/');
    for (const char *p = text; *p && *p != ' '; p++) {
        bool inner = *p == ':' && p[1] == ' ';
        if (*p == ':' && !inner)
            return;
        if (inner)
            p++;
        if (inner || *p == '.' || *p == '[')
            fs_buf_addc(out, '/');
        else if (*p != ']')
            fs_buf_addc(out, *p);
    }
}

/* The option whose place the text begins with, or what is in it; NULL: none. */
static const struct fs_option *option_of(const struct fs_config *config, const char *text,
                                         enum fs_origin *origin)
{
    for (unsigned i = 0; i < FS_OPT_COUNT; i++) {
        const struct fs_option *option = fs_option((enum fs_option_id)i);
        size_t length = strlen(option->name);
        if (strncmp(text, option->name, length) == 0 && text[length] && strchr(":.[ ", text[length])) {
            *origin = config->values[i].origin;
            return option;
        }
    }
    return NULL;
}

void fs_config_locate(const struct fs_config *config, struct fs_err *err)
{
    const struct fs_doc_node *root = config->document.root;
    struct fs_buf pointer;
    int line = 0, column = 0;
    char name[64];
    enum fs_origin origin = FS_ORIGIN_NONE;
    const struct fs_option *option = option_of(config, err->text, &origin);
    if (origin == FS_ORIGIN_ENVIRONMENT)
        fs_fail_in(err, "%s", fs_option_environment(option, name));
    else if (origin == FS_ORIGIN_ARGUMENT)
        fs_fail_in(err, "%s", option->argument);
    if (origin > FS_ORIGIN_FILE || !root || !isalpha((unsigned char)err->text[0]) ||
        !strpbrk(err->text, ".:"))
        return;
    fs_buf_init(&pointer, sizeof err->text * 2);
    pointer_of(err->text, &pointer);
    fs_doc_locate(root, pointer.data, &line, &column);
    fs_buf_finish(&pointer);
    if (line > 0)
        fs_fail_in(err, "%s:%d:%d", config->file, line, column);
}
