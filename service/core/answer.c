/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as values: ending, copying and comparing them. What they mean for a flag is evaluate_access.c's. */
#include "base/alloc.h"
#include "core/answer.h"
#include "core/json.h"

const char *fs_answer_state_name(enum fs_answer_state state)
{
    switch (state) {
    case FS_ANSWER_NONE:
        return "none";
    case FS_ANSWER_BAD:
        return "bad";
    case FS_ANSWER_UNDEFINED:
        return "undefined";
    case FS_ANSWER_VALUE:
        return "value";
    }
    return "none";
}

void fs_answer_finish(struct fs_answer *answer)
{
    if (!answer)
        return;
    fs_json_drop(answer->value);
    fs_free(answer->revision);
    fs_free(answer->decision_id);
    fs_free(answer->error);
    *answer = (struct fs_answer){.state = FS_ANSWER_NONE};
}

void fs_answer_copy(struct fs_answer *out, const struct fs_answer *answer)
{
    *out = (struct fs_answer){
        .state = answer->state,
        .value = fs_json_share(answer->value),
        .revision = fs_strdup(answer->revision),
        .decision_id = fs_strdup(answer->decision_id),
        .error = fs_strdup(answer->error),
    };
}

bool fs_answer_equal(const struct fs_answer *a, const struct fs_answer *b)
{
    if (a->state != b->state)
        return false;
    return a->state != FS_ANSWER_VALUE || fs_json_equal(a->value, b->value);
}
