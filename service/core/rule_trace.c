/* SPDX-License-Identifier: Apache-2.0 */
/* Which branch of a rule gave its result, for people who ask why. Runs the rule's conditions once more. */
#include <string.h>
#include "rule_internal.h"

static void add_step(char pointer[256], const char *key, size_t index)
{
    size_t length = strlen(pointer);
    struct fs_buf buf;
    fs_buf_init(&buf, 255 - length);
    /* Only names of operators come here; none holds "~" or "/" but "/" itself, which is never passed. */
    if (fs_buf_addf(&buf, "/%s/%zu", key, index))
        memcpy(pointer + length, buf.data, buf.length + 1);
    fs_buf_finish(&buf);
}

/* The operand that gave the result of an `if`, `and` or `or`; count where none did. */
static size_t deciding(struct fs_run *run, const struct fs_node *node)
{
    if (node->op->lazy == fs_op_if) {
        size_t i = 0;
        for (; i + 1 < node->count; i += 2) {
            if (fs_truthy(fs_node_run(run, &node->args[i])))
                return i + 1;
        }
        return i;
    }
    bool wanted = node->op->lazy == fs_op_or;
    for (size_t i = 0; i < node->count; i++) {
        if (i + 1 == node->count || fs_truthy(fs_node_run(run, &node->args[i])) == wanted)
            return i;
    }
    return node->count;
}

void fs_rule_trace(const struct fs_rule *rule, const struct fs_scope *scope, struct fs_arena *arena,
                   char pointer[256])
{
    const struct fs_node *node = &rule->root;
    struct fs_run run = fs_run_start(scope, arena);
    pointer[0] = 0;
    while (node->kind == FS_NODE_CALL && !node->referred &&
           (node->op->lazy == fs_op_if || node->op->lazy == fs_op_and || node->op->lazy == fs_op_or)) {
        size_t index = deciding(&run, node);
        if (run.failed || index >= node->count)
            break;
        add_step(pointer, node->op->name, index);
        node = &node->args[index];
    }
}
