/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 3339 dates from and to milliseconds since the epoch, in UTC and by arithmetic alone: no time zone
 * database, no locale, no libc calendar. Reads no clock. Pure.
 */
#include "base/str.h"

enum { DAY_SECONDS = 86400 };

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 0000-01-01 to the first of January of `year` (proleptic Gregorian, year >= 0). */
static int64_t days_before_year(int64_t year)
{
    if (year == 0)
        return 0;
    int64_t past = year - 1; /* whole years after year 0, which is a leap year itself */
    return 366 + past * 365 + past / 4 - past / 100 + past / 400;
}

static const int64_t epoch_day = 719528; /* days from 0000-01-01 to 1970-01-01 */

static int64_t day_number(int year, int month, int day)
{
    int64_t days = days_before_year(year) - epoch_day + day - 1;
    for (int m = 1; m < month; m++)
        days += days_in_month(year, m);
    return days;
}

/* Takes exactly `count` digits. */
static bool take_digits(struct fs_str *text, size_t count, int *out)
{
    int number = 0;
    if (text->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        number = number * 10 + (text->ptr[i] - '0');
    }
    text->ptr += count;
    text->len -= count;
    *out = number;
    return true;
}

/* Takes one byte that is `a` or `b`. */
static bool take_byte(struct fs_str *text, char a, char b)
{
    if (text->len == 0 || (text->ptr[0] != a && text->ptr[0] != b))
        return false;
    text->ptr++;
    text->len--;
    return true;
}

static bool take_fraction(struct fs_str *text, int *ms)
{
    int weight = 100;
    size_t count = 0;
    *ms = 0;
    if (!take_byte(text, '.', '.'))
        return true;
    for (int digit = 0; take_digits(text, 1, &digit); count++) {
        *ms += digit * weight;
        weight /= 10;
    }
    return count > 0;
}

static bool take_offset(struct fs_str *text, int *seconds)
{
    int hours = 0, minutes = 0;
    *seconds = 0;
    if (take_byte(text, 'Z', 'z'))
        return true;
    if (text->len == 0)
        return false;
    int sign = text->ptr[0] == '-' ? -1 : 1;
    if (!take_byte(text, '+', '-') || !take_digits(text, 2, &hours) || !take_byte(text, ':', ':') ||
        !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool fs_parse_rfc3339(struct fs_str text, int64_t *ms_out)
{
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, offset = 0;
    if (!take_digits(&text, 4, &year) || !take_byte(&text, '-', '-') || !take_digits(&text, 2, &month) ||
        !take_byte(&text, '-', '-') || !take_digits(&text, 2, &day) || !take_byte(&text, 'T', 't'))
        return false;
    if (!take_digits(&text, 2, &hour) || !take_byte(&text, ':', ':') || !take_digits(&text, 2, &minute) ||
        !take_byte(&text, ':', ':') || !take_digits(&text, 2, &second) || !take_fraction(&text, &ms) ||
        !take_offset(&text, &offset) || text.len > 0)
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t seconds =
        day_number(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second - offset;
    /* A leap second ends a UTC day (RFC 3339 section 5.7) and counts as the first second of the next. */
    if (second == 60 && seconds % DAY_SECONDS != 0)
        return false;
    *ms_out = seconds * 1000 + ms;
    return true;
}

/* A number with leading zeros and the mark after it. */
struct field {
    size_t digits;
    int64_t number;
    char mark;
};

static char *put_field(char *to, const struct field *field)
{
    int64_t number = field->number;
    for (size_t at = field->digits; at > 0; number /= 10)
        to[--at] = (char)('0' + number % 10);
    to[field->digits] = field->mark;
    return to + field->digits + 1;
}

const char *fs_format_rfc3339(int64_t ms, char out[32])
{
    const int64_t first = -epoch_day * DAY_SECONDS * 1000;
    const int64_t last = (days_before_year(10000) - epoch_day) * DAY_SECONDS * 1000 - 1;
    /* Four digits of year is all that the format has. */
    ms = ms < first ? first : ms > last ? last : ms;
    int64_t since = ms - first;
    int64_t day = since / (DAY_SECONDS * 1000LL);
    int64_t rest = since % (DAY_SECONDS * 1000LL);
    int64_t year =
        day * 400 / 146097; /* never too small by more than one, never too large by more than one */
    while (days_before_year(year + 1) <= day)
        year++;
    while (days_before_year(year) > day)
        year--;
    day -= days_before_year(year);
    int month = 1;
    for (; day >= days_in_month((int)year, month); month++)
        day -= days_in_month((int)year, month);
    const struct field fields[] = {
        {4, year, '-'},
        {2, month, '-'},
        {2, day + 1, 'T'},
        {2, rest / 3600000, ':'},
        {2, rest / 60000 % 60, ':'},
        {2, rest / 1000 % 60, '.'},
        {3, rest % 1000, 'Z'},
    };
    char *to = out;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        to = put_field(to, &fields[i]);
    *to = '\0';
    return out;
}
