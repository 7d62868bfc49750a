/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The logging hook (specification, Appendix A): hands what happens in evaluations to a log of yours.
 */
#ifndef OPENFEATURE_LOGGING_HOOK_H
#define OPENFEATURE_LOGGING_HOOK_H

#include <openfeature/hook.h>

OF_BEGIN_DECLS

/** How much a line of the logging hook matters. */
typedef enum of_log_level { OF_LOG_DEBUG = 1, OF_LOG_ERROR = 2 } of_log_level;

/**
 * Takes one line.
 * @param fields an object with `stage`, `domain`, `provider_name`, `flag_key`, `default_value`, and
 *        according to the stage `reason`, `variant`, `value`, `error_code`, `error_message`,
 *        `evaluation_context`; valid during the call. of_value_to_json() makes text of it.
 */
typedef void (*of_log_function)(void *user, of_log_level level, const of_value *fields);

/** Of of_logging_hook_new(): log the evaluation context too. It may hold what belongs to persons. */
#define OF_LOGGING_CONTEXT 1u

/**
 * Makes a logging hook: `before` and `after` at debug level, `error` at error level.
 * @param flags 0 or #OF_LOGGING_CONTEXT
 * @param destroy called with `user` at the end; may be NULL
 * @return owned by the caller; NULL when there is no memory
 */
OF_API OF_MUST_USE of_hook *of_logging_hook_new(of_log_function log, void *user, void (*destroy)(void *user),
                                                unsigned flags);

OF_END_DECLS

#endif
