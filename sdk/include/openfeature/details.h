/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What an evaluation gives back (specification 1.4 and types.md): details, and the string of the value form.
 * Both borrow their text from the provider and keep it alive until they are released; nothing is copied.
 */
#ifndef OPENFEATURE_DETAILS_H
#define OPENFEATURE_DETAILS_H

#include <openfeature/value.h>

OF_BEGIN_DECLS

/** @name Reasons (types.md, "Resolution Reason"). Any other string may stand in a reason's place.
 * @{ */
/** Nothing about the context was looked at. */
#define OF_REASON_STATIC "STATIC"
/** No rule applied, so the preset value did. */
#define OF_REASON_DEFAULT "DEFAULT"
/** A rule applied to the context. */
#define OF_REASON_TARGETING_MATCH "TARGETING_MATCH"
/** The subject was assigned by chance. */
#define OF_REASON_SPLIT "SPLIT"
/** The value was answered earlier and kept. */
#define OF_REASON_CACHED "CACHED"
/** The flag is switched off. */
#define OF_REASON_DISABLED "DISABLED"
/** Nobody knows. */
#define OF_REASON_UNKNOWN "UNKNOWN"
/** The value may be out of date. */
#define OF_REASON_STALE "STALE"
/** There was an error. */
#define OF_REASON_ERROR "ERROR"
/** @} */

/** The value of a flag; which member counts is said by a type beside it. */
typedef union of_flag_value {
    /** Of #OF_TYPE_BOOL. */
    bool boolean;
    /** Of #OF_TYPE_INT. */
    int64_t integer;
    /** Of #OF_TYPE_DOUBLE. */
    double number;
    /** Of #OF_TYPE_STRING: NUL-terminated; the length is in bytes. */
    struct {
        /** The text. */
        const char *data;
        /** Its bytes. */
        size_t length;
    } string;
    /** Of #OF_TYPE_OBJECT: an object or a list. */
    const of_value *object;
} of_flag_value;

/**
 * The details of one evaluation. Filled whole by the functions that evaluate, and released with
 * of_details_clear(). Every pointer is borrowed and valid until then, except `flag_key` and a string that is
 * the default value, which are the pointers that the caller gave.
 */
typedef struct of_details {
    /** The key that was asked for. */
    const char *flag_key;
    /** The type that was asked for; says which member of `value` counts. */
    of_type type;
    /** One of the specification's eight codes, or #OF_OK. With an error, `value` is the default value. */
    of_error error;
    /** The flag's value, or the default value. */
    of_flag_value value;
    /** NULL when the provider names none. */
    const char *variant;
    /** NULL when the provider gives none; #OF_REASON_ERROR when `error` is not #OF_OK. */
    const char *reason;
    /** An object of booleans, strings and numbers; empty but never NULL. Immutable. */
    const of_value *metadata;
    /** NULL when nothing is known. */
    const char *error_message;
    /** Of the library. */
    void *private_[4];
    /** Room for members to come; zero. */
    void *reserved_[2];
} of_details;

/** Releases what details hold and zeroes them. NULL and zeroed details are fine. */
OF_API void of_details_clear(of_details *details);

/** A flag's string value, alive until of_string_release(). */
typedef struct of_string {
    /** NUL-terminated, never NULL unless the default value was. */
    const char *data;
    /** Its bytes. */
    size_t length;
    /** Of the library. */
    void *private_[3];
} of_string;

/** Releases a string and zeroes it. NULL and a zeroed string are fine. */
OF_API void of_string_release(of_string *string);

OF_END_DECLS

#endif
