/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured logging on stderr: one line per event, JSON or logfmt-like text, ISO 8601 UTC, values escaped
 * (no line of a log can be forged by a value). Secrets, tokens, stream URLs and attributes of subjects are
 * never logged: that is the caller's duty, and tests grep for canaries. Any thread; a line is one write(2).
 *
 *     FS_LOG_INFO("net", "connection opened", "session", id, "address", addr);
 *     FS_LOG_WARN("source", "down", "source", name, "failures", fs_log_int(2));
 *
 * Keys and values alternate and are C strings; a NULL value is left out. The number helpers format into a
 * ring of thread-local buffers (8 deep), which lives as long as the call needs it.
 */
#ifndef FS_BASE_LOG_H
#define FS_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum fs_log_level { FS_LOG_LEVEL_DEBUG, FS_LOG_LEVEL_INFO, FS_LOG_LEVEL_WARN, FS_LOG_LEVEL_ERROR };

/* Once, before threads start. `components`: "all" or a list such as "net,source" ("all,-net" leaves out one,
 * NULL is all): debug lines of these only. */
void fs_log_setup(enum fs_log_level level, bool json, const char *components);
bool fs_log_level_parse(const char *text, enum fs_log_level *out);
bool fs_log_enabled(enum fs_log_level level, const char *component);
/* Ends with a NULL key. */
void fs_log_write(enum fs_log_level level, const char *component, const char *message, ...)
    __attribute__((sentinel));
const char *fs_log_int(int64_t number);
const char *fs_log_uint(uint64_t number);

#define FS_LOG(level, component, ...)                                                                        \
    do {                                                                                                     \
        if (fs_log_enabled((level), (component)))                                                            \
            fs_log_write((level), (component), __VA_ARGS__, (const char *)0);                                \
    } while (0)
#define FS_LOG_DEBUG(component, ...) FS_LOG(FS_LOG_LEVEL_DEBUG, component, __VA_ARGS__)
#define FS_LOG_INFO(component, ...)  FS_LOG(FS_LOG_LEVEL_INFO, component, __VA_ARGS__)
#define FS_LOG_WARN(component, ...)  FS_LOG(FS_LOG_LEVEL_WARN, component, __VA_ARGS__)
#define FS_LOG_ERROR(component, ...) FS_LOG(FS_LOG_LEVEL_ERROR, component, __VA_ARGS__)

#endif
