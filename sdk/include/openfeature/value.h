/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Values: what flags, contexts, metadata, hints and tracking details are made of.
 *
 * A value is counted: whoever holds a reference ends it with of_value_unref(). A value with one reference
 * may be changed by its holder; one with several is immutable, and the setters refuse it. So a value that
 * was handed to the SDK can be read from any thread without a lock.
 *
 * Setters *take* the value given to them, also when they fail, and accept NULL for it (which is what a
 * constructor returns without memory). So a structure can be built in one go and checked once. A container is
 * never put into itself: that is such a failure, and takes the reference as any other does.
 *
 * Readers accept NULL and take it for null. Strings are UTF-8; keys are NUL-terminated.
 */
#ifndef OPENFEATURE_VALUE_H
#define OPENFEATURE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openfeature/error.h>

OF_BEGIN_DECLS

/** How deeply lists and objects may be nested. */
#define OF_VALUE_MAX_DEPTH 64

/** The type of a value, and of a flag. */
typedef enum of_type {
    /** Nothing; not the type of a flag. */
    OF_TYPE_NULL = 0,
    /** `bool` */
    OF_TYPE_BOOL = 1,
    /** `int64_t` */
    OF_TYPE_INT = 2,
    /** `double` */
    OF_TYPE_DOUBLE = 3,
    /** UTF-8 text with a length. */
    OF_TYPE_STRING = 4,
    /** of_datetime; not the type of a flag. */
    OF_TYPE_DATETIME = 5,
    /** Values in order; a flag of type object may have one. */
    OF_TYPE_LIST = 6,
    /** Values under keys. */
    OF_TYPE_OBJECT = 7
} of_type;

/** A moment: seconds and nanoseconds since 1970-01-01T00:00:00Z, and the offset it was written with. */
typedef struct of_datetime {
    /** Since 1970-01-01T00:00:00Z, without leap seconds. */
    int64_t seconds;
    /** 0 to 999,999,999 */
    int32_t nanoseconds;
    /** Minutes east of UTC; says how to print it, not when it is. */
    int32_t offset_minutes;
} of_datetime;

/** A value of any type. Opaque and counted. */
typedef struct of_value of_value;

/** @return a constant string such as `bool`, never NULL. */
OF_API const char *of_type_name(of_type type);

/** @name Making values
 * Each returns a value owned by the caller, or NULL when there is no memory. Any thread.
 * @{ */
/** Makes a value of the type that is in the name. */
OF_API OF_MUST_USE of_value *of_value_null(void);
OF_API OF_MUST_USE of_value *of_value_bool(bool boolean);
OF_API OF_MUST_USE of_value *of_value_int(int64_t integer);
OF_API OF_MUST_USE of_value *of_value_double(double number);
/** Copies the string; NULL gives a null value. */
OF_API OF_MUST_USE of_value *of_value_string(const char *string);
/** Copies `length` bytes, which may include NUL. */
OF_API OF_MUST_USE of_value *of_value_string_n(const char *string, size_t length);
/** @return NULL also when the nanoseconds are out of range. */
OF_API OF_MUST_USE of_value *of_value_datetime(of_datetime moment);
OF_API OF_MUST_USE of_value *of_value_list(void);
OF_API OF_MUST_USE of_value *of_value_object(void);
/** @} */

/** Takes a further reference. NULL gives NULL. Any thread, and it cannot fail. */
OF_API of_value *of_value_ref(const of_value *value);
/** Gives up a reference; the last one frees. NULL is fine. Any thread. */
OF_API void of_value_unref(of_value *value);
/** A copy with one reference, so one that can be changed; what it contains is shared, not copied. */
OF_API OF_MUST_USE of_value *of_value_copy(const of_value *value);

/**
 * Appends to a list.
 * @param list held by the caller alone
 * @param value is taken, whatever is returned
 * @return #OF_ERROR_INVALID_ARGUMENT for what is no list, #OF_ERROR_SHARED, #OF_ERROR_TOO_DEEP,
 *         #OF_ERROR_NO_MEMORY (also when `value` is NULL)
 */
OF_API of_error of_value_append(of_value *list, of_value *value);

/**
 * Sets a member of an object; the one of the same key is replaced.
 * @param object held by the caller alone
 * @param key copied
 * @param value is taken, whatever is returned
 * @return as of_value_append()
 */
OF_API of_error of_value_set(of_value *object, const char *key, of_value *value);
/** @name Shorthands of of_value_set()
 * @{ */
/** Sets a member of an object to a value of the type that is in the name. */
OF_API of_error of_value_set_bool(of_value *object, const char *key, bool boolean);
OF_API of_error of_value_set_int(of_value *object, const char *key, int64_t integer);
OF_API of_error of_value_set_double(of_value *object, const char *key, double number);
OF_API of_error of_value_set_string(of_value *object, const char *key, const char *string);
/** @} */
/** Removes a member of an object held by the caller alone. One that is not there is fine. */
OF_API of_error of_value_remove(of_value *object, const char *key);

/** @name Reading values
 * What is asked of a value of another type is answered with `otherwise`. Any thread.
 * @{ */
/** The type of a value. */
OF_API of_type of_value_type(const of_value *value);
/** The value as the type that is in the name. */
OF_API bool of_value_as_bool(const of_value *value, bool otherwise);
/** A double that is a whole number in range counts as an integer. */
OF_API int64_t of_value_as_int(const of_value *value, int64_t otherwise);
/** An integer that a double can hold exactly counts as a double. */
OF_API double of_value_as_double(const of_value *value, double otherwise);
/** @return borrowed from the value, NUL-terminated. of_value_length() gives the bytes. */
OF_API const char *of_value_as_string(const of_value *value, const char *otherwise);
/** The value as a moment. */
OF_API of_datetime of_value_as_datetime(const of_value *value, of_datetime otherwise);
/** The bytes of a string, the items of a list, the members of an object; else 0. */
OF_API size_t of_value_length(const of_value *value);
/** @return the item, borrowed from the list, or NULL */
OF_API const of_value *of_value_at(const of_value *list, size_t index);
/** @return the member, borrowed from the object, or NULL */
OF_API const of_value *of_value_get(const of_value *object, const char *key);
/**
 * Walks the members of an object in the order in which they were set.
 * @param cursor 0 at the start; belongs to the walk
 * @param key set to the key, borrowed; may be NULL
 * @param member set to the value, borrowed; may be NULL
 * @return false at the end
 */
OF_API bool of_value_next(const of_value *object, size_t *cursor, const char **key, const of_value **member);
/** Same type and same content; the order of members does not matter, an integer is not a double. */
OF_API bool of_value_equal(const of_value *a, const of_value *b);
/** @} */

OF_END_DECLS

#endif
