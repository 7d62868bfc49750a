/* SPDX-License-Identifier: Apache-2.0 */
/* A document's node as JSON, and the place of a JSON pointer (RFC 6901) in a document. Knows base and jansson
 * only. */
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "yaml/document.h"

json_t *fs_doc_json(const struct fs_doc_node *node)
{
    json_t *json;
    switch (node->kind) {
    case FS_DOC_BOOLEAN:
        return json_boolean(node->boolean);
    case FS_DOC_INTEGER:
        return json_integer(node->integer);
    case FS_DOC_REAL:
        return json_real(node->real);
    case FS_DOC_STRING:
        /* libyaml has checked the encoding, and the reader that no NUL is inside. */
        return json_stringn_nocheck(node->text, node->length);
    case FS_DOC_LIST:
        json = json_array();
        for (size_t i = 0; i < node->count; i++)
            json_array_append_new(json, fs_doc_json(node->items[i]));
        return json;
    case FS_DOC_MAP:
        json = json_object();
        for (size_t i = 0; i < node->count; i++)
            json_object_set_new_nocheck(json, node->members[i].key, fs_doc_json(node->members[i].value));
        return json;
    case FS_DOC_NULL:
        break;
    }
    return json_null();
}

/* One token of a pointer, its escapes undone. Owned. Moves the pointer behind it. */
static char *next_token(const char **pointer)
{
    const char *start = *pointer + 1;
    size_t length = strcspn(start, "/"), filled = 0;
    char *token = fs_strndup(start, length);
    for (size_t i = 0; i < length; i++) {
        char c = token[i];
        if (c == '~' && (token[i + 1] == '0' || token[i + 1] == '1'))
            c = token[++i] == '0' ? '~' : '/';
        token[filled++] = c;
    }
    token[filled] = 0;
    *pointer = start + length;
    return token;
}

const struct fs_doc_node *fs_doc_locate(const struct fs_doc_node *node, const char *pointer, int *line,
                                        int *column)
{
    while (*pointer == '/') {
        char *token = next_token(&pointer);
        const struct fs_doc_member *member = fs_doc_find(node, token);
        uint64_t index = 0;
        bool item = node && node->kind == FS_DOC_LIST && fs_parse_u64(fs_str_from(token), &index) &&
                    index < node->count;
        fs_free(token);
        if (member) {
            node = member->value;
            *line = member->line;
            *column = member->column;
        } else if (item) {
            node = node->items[index];
            *line = node->line;
            *column = node->column;
        } else {
            break;
        }
    }
    return node;
}
