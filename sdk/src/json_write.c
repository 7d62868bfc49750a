/* SPDX-License-Identifier: Apache-2.0 */
/* Values as JSON text. The text grows in one buffer; running out of memory is remembered and said at the end.
 */
#include <openfeature/json.h>

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "memory_impl.h"

struct out {
    char *data;
    size_t length, capacity;
    bool failed;
};

static void put(struct out *out, const char *bytes, size_t count)
{
    if (out->failed)
        return;
    if (out->capacity - out->length < count + 1) {
        size_t capacity = (out->length + count + 1) * 2;
        char *data = ofi_realloc(out->data, capacity, 1);
        if (data == NULL) {
            out->failed = true;
            return;
        }
        out->data = data;
        out->capacity = capacity;
    }
    memcpy(out->data + out->length, bytes, count);
    out->length += count;
    out->data[out->length] = '\0';
}

static void put_text(struct out *out, const char *text)
{
    put(out, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void put_format(struct out *out, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0)
        put(out, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

/* The length of the UTF-8 sequence at `at` (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    size_t length = at[0] < 0x80                    ? 1
                    : at[0] >= 0xC2 && at[0] < 0xE0 ? 2
                    : at[0] >= 0xE0 && at[0] < 0xF0 ? 3
                    : at[0] >= 0xF0 && at[0] < 0xF5 ? 4
                                                    : 0;
    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] >= 0xA0) ||
        (at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] >= 0x90))
        return 0;
    return length;
}

static void put_string(struct out *out, const char *string, size_t length)
{
    const unsigned char *at = (const unsigned char *)string;
    put(out, "\"", 1);
    for (size_t i = 0; i < length;) {
        size_t sequence = utf8_length(at + i, length - i);
        if (at[i] == '"' || at[i] == '\\')
            put_format(out, "\\%c", at[i]);
        else if (at[i] == '\n')
            put(out, "\\n", 2);
        else if (at[i] < 0x20)
            put_format(out, "\\u%04x", (unsigned)at[i]);
        else if (sequence == 0)
            put(out, "\xEF\xBF\xBD", 3);
        else
            put(out, string + i, sequence);
        i += sequence == 0 ? 1 : sequence;
    }
    put(out, "\"", 1);
}

/* The shortest of the three usual precisions that reads back as the same double; always seen to be a double.
 */
static void put_double(struct out *out, double number)
{
    char text[40];
    if (!isfinite(number)) {
        put_text(out, "null");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        double back = 0;
        (void)snprintf(text, sizeof text, "%.*g", digits, number);
        if (sscanf(text, "%lf", &back) == 1 && back == number)
            break;
    }
    for (char *comma = strchr(text, ','); comma != NULL; comma = strchr(text, ','))
        *comma = '.'; /* a locale's decimal comma */
    put_text(out, text);
    if (strpbrk(text, ".e") == NULL)
        put_text(out, ".0");
}

/* The date of a day since 1970-01-01: the proleptic Gregorian calendar counted from a March. */
static void put_date(struct out *out, int64_t days)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    put_format(out, "%04" PRId64 "-%02" PRId64 "-%02" PRId64, year + era * 400 + (month <= 2), month, day);
}

static void put_datetime(struct out *out, of_datetime moment)
{
    enum { DAY = 86400, HOUR = 3600, MINUTE = 60 };
    /* Day and time apart, so that no moment is too far away. */
    int64_t local = moment.seconds % DAY + (int64_t)moment.offset_minutes * MINUTE;
    int64_t days = moment.seconds / DAY + local / DAY - (local % DAY < 0);
    int second = (int)(local % DAY + (local % DAY < 0 ? DAY : 0));
    int64_t minutes = moment.offset_minutes;
    int64_t offset = minutes < 0 ? -minutes : minutes;
    put(out, "\"", 1);
    put_date(out, days);
    put_format(out, "T%02d:%02d:%02d", second / HOUR, second / MINUTE % MINUTE, second % MINUTE);
    if (moment.nanoseconds != 0)
        put_format(out, ".%09" PRId32, moment.nanoseconds);
    if (offset == 0)
        put(out, "Z", 1);
    else
        put_format(out, "%c%02" PRId64 ":%02" PRId64, moment.offset_minutes < 0 ? '-' : '+', offset / MINUTE,
                   offset % MINUTE);
    put(out, "\"", 1);
}

static void put_value(struct out *out, const of_value *value);

static void put_member(struct out *out, bool first, const char *key, const of_value *value)
{
    if (!first)
        put(out, ",", 1);
    put_string(out, key, strlen(key));
    put(out, ":", 1);
    put_value(out, value);
}

static void put_value(struct out *out, const of_value *value)
{
    const of_datetime epoch = {0, 0, 0};
    const char *key = NULL;
    const of_value *member = NULL;
    size_t cursor = 0;
    switch (of_value_type(value)) {
    case OF_TYPE_BOOL:
        put_text(out, of_value_as_bool(value, false) ? "true" : "false");
        break;
    case OF_TYPE_INT:
        put_format(out, "%" PRId64, of_value_as_int(value, 0));
        break;
    case OF_TYPE_DOUBLE:
        put_double(out, of_value_as_double(value, 0));
        break;
    case OF_TYPE_STRING:
        put_string(out, of_value_as_string(value, ""), of_value_length(value));
        break;
    case OF_TYPE_DATETIME:
        put_datetime(out, of_value_as_datetime(value, epoch));
        break;
    case OF_TYPE_LIST:
        put(out, "[", 1);
        for (size_t i = 0; i < of_value_length(value); i++) {
            if (i > 0)
                put(out, ",", 1);
            put_value(out, of_value_at(value, i));
        }
        put(out, "]", 1);
        break;
    case OF_TYPE_OBJECT:
        put(out, "{", 1);
        for (bool first = true; of_value_next(value, &cursor, &key, &member); first = false)
            put_member(out, first, key, member);
        put(out, "}", 1);
        break;
    case OF_TYPE_NULL:
    default:
        put_text(out, "null");
        break;
    }
}

static char *finish(struct out *out)
{
    if (!out->failed)
        return out->data;
    of_free(out->data);
    return NULL;
}

char *of_value_to_json(const of_value *value)
{
    struct out out = {0};
    put_value(&out, value);
    return finish(&out);
}

char *of_context_to_json(const of_context *context)
{
    struct out out = {0};
    const char *key = NULL;
    const of_value *value = NULL;
    size_t cursor = 0;
    put(&out, "{", 1);
    for (bool first = true; of_context_next(context, &cursor, &key, &value); first = false)
        put_member(&out, first, key, value);
    put(&out, "}", 1);
    return finish(&out);
}
