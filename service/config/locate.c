/* SPDX-License-Identifier: Apache-2.0 */
/* From the name of a place in the configuration, as errors begin with, to file, line and column. */
#include <ctype.h>
#include <string.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "config_internal.h"

/* "events.mappings[1].type: ..." as the pointer "/events/mappings/1/type". Stops at the first thing that
 * belongs to no name. */
static void pointer_of(const char *text, struct fs_buf *out)
{
    fs_buf_addc(out, '/');
    for (const char *p = text; *p && *p != ':' && *p != ' '; p++) {
        if (*p == '.' || *p == '[')
            fs_buf_addc(out, '/');
        else if (*p != ']')
            fs_buf_addc(out, *p);
    }
}

void fs_config_locate(const struct fs_config *config, struct fs_err *err)
{
    const struct fs_doc_node *root = config->document.root;
    struct fs_buf pointer;
    int line = 0, column = 0;
    if (!root || !isalpha((unsigned char)err->text[0]) || !strpbrk(err->text, ".:"))
        return;
    fs_buf_init(&pointer, sizeof err->text * 2);
    pointer_of(err->text, &pointer);
    fs_doc_locate(root, pointer.data, &line, &column);
    fs_buf_finish(&pointer);
    if (line > 0)
        fs_fail_in(err, "%s:%d:%d", config->file, line, column);
}
