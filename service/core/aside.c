/* SPDX-License-Identifier: Apache-2.0 */
/* Questions asked aside: of a source as any other, but their answers go to whoever asked, and rule nothing.
 */
#include "trial_internal.h"

struct aside {
    void (*answered)(struct fs_engine *e, void *self, uint64_t token, struct fs_answer *answers,
                     size_t count);
    void *self;
};

uint64_t fs_ask_aside(struct fs_engine *e, unsigned source, const struct fs_asked *batch, size_t count,
                      void (*answered)(struct fs_engine *e, void *self, uint64_t token,
                                       struct fs_answer *answers, size_t count),
                      void *self)
{
    struct aside *aside = FS_NEW(struct aside);
    uint64_t token = FS_ENGINE_TOKENS + ++e->next_token;
    aside->answered = answered;
    aside->self = self;
    fs_map_set(&e->asides, &token, sizeof token, aside);
    e->options.ports.ask(e->options.ports.self, source, batch, count, token);
    return token;
}

void fs_aside_forget(struct fs_engine *e, uint64_t token)
{
    fs_free(fs_map_remove(&e->asides, &token, sizeof token));
}

bool fs_aside_answered(struct fs_engine *e, uint64_t token, struct fs_answer *answers, size_t count)
{
    struct aside *aside = fs_map_remove(&e->asides, &token, sizeof token);
    if (!aside)
        return false;
    aside->answered(e, aside->self, token, answers, count);
    for (size_t i = 0; i < count; i++)
        fs_answer_finish(&answers[i]);
    fs_free(aside);
    return true;
}
