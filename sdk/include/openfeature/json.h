/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Values to and from JSON (RFC 8259), for hooks that log and programs that configure. The SDK itself needs
 * neither.
 */
#ifndef OPENFEATURE_JSON_H
#define OPENFEATURE_JSON_H

#include <openfeature/context.h>
#include <openfeature/value.h>

OF_BEGIN_DECLS

/**
 * Writes a value as JSON on one line. Datetimes become RFC 3339 strings; a number that JSON does not know
 * (infinite or not a number) becomes null; bytes that are not UTF-8 become U+FFFD.
 * @return NUL-terminated, released with of_free(); NULL when there is no memory
 */
OF_API OF_MUST_USE char *of_value_to_json(const of_value *value);

/** Writes a context as a JSON object, as of_value_to_json(). */
OF_API OF_MUST_USE char *of_context_to_json(const of_context *context);

/**
 * Reads one JSON text. Numbers without fraction and exponent that fit become integers, the others doubles;
 * of members with the same key the last one counts. The bytes of strings are taken as they are.
 * @param text need not be NUL-terminated
 * @param length bytes
 * @param out set to a value owned by the caller, or to NULL
 * @param position where it went wrong, in bytes from the start; may be NULL
 * @return #OF_OK, #OF_ERROR_PARSE_ERROR, #OF_ERROR_TOO_DEEP, #OF_ERROR_NO_MEMORY
 */
OF_API of_error of_value_from_json(const char *text, size_t length, of_value **out, size_t *position);

OF_END_DECLS

#endif
