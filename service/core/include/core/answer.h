/* SPDX-License-Identifier: Apache-2.0 */
/* What a source said to one question, and how it stands: three answers, not two (docs/answers.md). */
#ifndef FS_CORE_ANSWER_H
#define FS_CORE_ANSWER_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

enum fs_answer_state {
    FS_ANSWER_NONE, /* no answer: time-out, refused, 401, 5xx without an evaluation error, malformed: the last
                       one may serve for maxStale */
    FS_ANSWER_BAD,  /* a bad answer: wrong type, evaluation error, partial: the safe variant at once */
    FS_ANSWER_UNDEFINED, /* a ready source has nothing to say: denied, unless `undefined: unknown` */
    FS_ANSWER_VALUE /* a value: true is allowed, false is denied, anything else is for the flag to read */
};
const char *fs_answer_state_name(enum fs_answer_state state); /* "none", "bad", "undefined", "value" */

struct fs_answer {
    enum fs_answer_state state;
    json_t *value;     /* FS_ANSWER_VALUE: owned reference */
    char *revision;    /* the source's, or NULL where it declares none */
    char *decision_id; /* the source's, or NULL; of a batch: the batch's, "#", the index */
    char *error;       /* FS_ANSWER_NONE and _BAD: what went wrong, one line, no secrets */
};

void fs_answer_finish(struct fs_answer *answer); /* accepts NULL and zeroed */
void fs_answer_copy(struct fs_answer *out, const struct fs_answer *answer);
/* Same state and value; revision, decision id and error text do not count. */
bool fs_answer_equal(const struct fs_answer *a, const struct fs_answer *b);

#endif
