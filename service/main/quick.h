/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the door answers without the core: an OFREP question about one flag that has neither decision nor
 * facts, whose value is a function of the definitions, which are immutable, and of the context, unless an
 * override stands for it; and where the core can take no more, safe values to whoever asks for all flags.
 * `quick` is shared: the core's thread sets it, the door's thread asks it.
 */
#ifndef FS_MAIN_QUICK_H
#define FS_MAIN_QUICK_H

#include "base/clock.h"
#include "core/context.h"
#include "core/flag.h"
#include "net/server.h"

struct fs_quick;

struct fs_quick *fs_quick_create(const struct fs_context_rules *rules, struct fs_clock clock);
void fs_quick_destroy(struct fs_quick *quick); /* accepts NULL */
/* The definitions from now on; takes a reference of its own. */
void fs_quick_set(struct fs_quick *quick, struct fs_flagset *set);
/* The flags that an override stands for: the core answers them. */
void fs_quick_set_overridden(struct fs_quick *quick, const char *const *keys, size_t count);
/* As struct fs_server_options wants them. */
bool fs_quick_overloaded(void *quick, const struct fs_http_request *request,
                         const struct fs_credential *credential, struct fs_quick_answer *out);
bool fs_quick_answer(void *quick, const struct fs_http_request *request,
                     const struct fs_credential *credential, struct fs_quick_answer *out);

#endif
