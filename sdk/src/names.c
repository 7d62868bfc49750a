/* SPDX-License-Identifier: Apache-2.0 */
/* The names of errors, types, events and statuses, as the specification writes them. */
#include <openfeature/error.h>
#include <openfeature/event.h>
#include <openfeature/version.h>

const char *of_version(void)
{
    return OF_VERSION;
}

const char *of_error_name(of_error error)
{
    switch (error) {
    case OF_OK:
        return "OK";
    case OF_ERROR_PROVIDER_NOT_READY:
        return "PROVIDER_NOT_READY";
    case OF_ERROR_FLAG_NOT_FOUND:
        return "FLAG_NOT_FOUND";
    case OF_ERROR_PARSE_ERROR:
        return "PARSE_ERROR";
    case OF_ERROR_TYPE_MISMATCH:
        return "TYPE_MISMATCH";
    case OF_ERROR_TARGETING_KEY_MISSING:
        return "TARGETING_KEY_MISSING";
    case OF_ERROR_INVALID_CONTEXT:
        return "INVALID_CONTEXT";
    case OF_ERROR_PROVIDER_FATAL:
        return "PROVIDER_FATAL";
    case OF_ERROR_NO_MEMORY:
        return "NO_MEMORY";
    case OF_ERROR_INVALID_ARGUMENT:
        return "INVALID_ARGUMENT";
    case OF_ERROR_NO_THREAD:
        return "NO_THREAD";
    case OF_ERROR_TIMED_OUT:
        return "TIMED_OUT";
    case OF_ERROR_SHARED:
        return "SHARED";
    case OF_ERROR_TOO_DEEP:
        return "TOO_DEEP";
    case OF_ERROR_ALREADY_BOUND:
        return "ALREADY_BOUND";
    case OF_ERROR_OTHER_API:
        return "OTHER_API";
    case OF_ERROR_BUSY:
        return "BUSY";
    case OF_ERROR_GENERAL:
    default:
        return "GENERAL";
    }
}

const char *of_type_name(of_type type)
{
    static const char *const names[] = {"null",   "bool",     "int",  "double",
                                        "string", "datetime", "list", "object"};
    return (unsigned)type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

const char *of_event_name(of_event_type type)
{
    static const char *const names[] = {
        "UNKNOWN",        "PROVIDER_READY",       "PROVIDER_ERROR",          "PROVIDER_CONFIGURATION_CHANGED",
        "PROVIDER_STALE", "PROVIDER_RECONCILING", "PROVIDER_CONTEXT_CHANGED"};
    return names[(unsigned)type < sizeof names / sizeof names[0] ? type : 0];
}

const char *of_status_name(of_provider_status status)
{
    static const char *const names[] = {"NOT_READY", "READY", "ERROR", "STALE", "FATAL", "RECONCILING"};
    return (unsigned)status < sizeof names / sizeof names[0] ? names[status] : "UNKNOWN";
}
