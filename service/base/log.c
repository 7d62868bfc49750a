/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line on stderr for one event. Owns the settings, which stand still once threads run, and for each
 * thread a ring of formatted numbers. Knows nothing of what is secret: callers do.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "utf8.h"

enum { VALUE_MOST = 4096, LINE_MOST = 64 * 1024, NUMBERS = 8, NUMBER_SIZE = 24 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};
enum { LEVELS = sizeof level_names / sizeof level_names[0] };

/* Set once, before threads start (fs_log_setup), and only read after that. */
static struct {
    enum fs_log_level level;
    bool json;
    char *components; /* NULL: all */
} settings = {.level = FS_LOG_LEVEL_INFO};

static _Thread_local struct {
    char text[NUMBERS][NUMBER_SIZE];
    unsigned next;
} numbers;

void fs_log_setup(enum fs_log_level level, bool json, const char *components)
{
    fs_free(settings.components);
    settings.level = level;
    settings.json = json;
    settings.components = fs_strdup(components);
}

bool fs_log_level_parse(const char *text, enum fs_log_level *out)
{
    for (size_t i = 0; text && i < LEVELS; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum fs_log_level)i;
            return true;
        }
    }
    return false;
}

/* The last word of the list that speaks of the component decides; a list that begins by leaving one out
 * means all others. */
static bool component_listed(const char *list, const char *component)
{
    bool listed = *list == '-';
    while (*list) {
        struct fs_str word = {list, strcspn(list, ",")};
        list += word.len + (list[word.len] == ',' ? 1 : 0);
        word = fs_str_trim(word);
        bool out = fs_str_starts_with(word, FS_STR("-"));
        if (out)
            word = (struct fs_str){word.ptr + 1, word.len - 1};
        if (fs_str_is(word, component) || fs_str_is(word, "all"))
            listed = !out;
    }
    return listed;
}

bool fs_log_enabled(enum fs_log_level level, const char *component)
{
    if (level < settings.level)
        return false;
    return level > FS_LOG_LEVEL_DEBUG || !settings.components ||
           component_listed(settings.components, component);
}

/* Numbers may stand bare in JSON: a value is one when it lies in this thread's ring. */
static bool is_number(const char *value)
{
    uintptr_t at = (uintptr_t)value, start = (uintptr_t)numbers.text;
    return at >= start && at < start + sizeof numbers.text;
}

static char *next_number(void)
{
    return numbers.text[numbers.next++ % NUMBERS];
}

const char *fs_log_int(int64_t number)
{
    char *text = next_number();
    snprintf(text, NUMBER_SIZE, "%" PRId64, number);
    return text;
}

const char *fs_log_uint(uint64_t number)
{
    char *text = next_number();
    snprintf(text, NUMBER_SIZE, "%" PRIu64, number);
    return text;
}

/* Quoted as JSON does, and with the control characters above ASCII escaped too (U+0080 to U+009F and the line
 * separators): some terminals and viewers obey them. */
static void add_quoted(struct fs_buf *line, const char *text, size_t length)
{
    size_t most = fs_utf8_cut(text, length, VALUE_MOST);
    struct fs_buf quoted;
    fs_buf_init(&quoted, (size_t)VALUE_MOST * 6 + 2);
    fs_buf_add_json_string(&quoted, text, most);
    for (size_t i = 0; i < quoted.length; i++) {
        const unsigned char *at = (const unsigned char *)quoted.data + i;
        size_t left = quoted.length - i;
        if (at[0] == 0x7F) {
            fs_buf_adds(line, "\\u007f");
        } else if (left >= 2 && at[0] == 0xC2 && at[1] < 0xA0) {
            fs_buf_addf(line, "\\u%04x", at[1]);
            i += 1;
        } else if (left >= 3 && at[0] == 0xE2 && at[1] == 0x80 && (at[2] == 0xA8 || at[2] == 0xA9)) {
            fs_buf_addf(line, "\\u20%02x", at[2] - 0x80);
            i += 2;
        } else {
            if (i + 1 == quoted.length && most < length)
                fs_buf_adds(line, "..."); /* before the closing quote: something was cut off */
            fs_buf_addc(line, (char)at[0]);
        }
    }
    fs_buf_finish(&quoted);
}

/* What may stand in a text line without quotes: printable ASCII but what a reader of key=value would trip
 * over. */
static bool is_plain(const char *text, const char *also)
{
    size_t length = 0;
    for (; text[length]; length++) {
        unsigned char byte = (unsigned char)text[length];
        if ((byte <= ' ' || byte > '~' || strchr("\"=\\", byte)) && !strchr(also, byte))
            return false;
    }
    return length > 0 && length <= VALUE_MOST;
}

static void add_text(struct fs_buf *line, const char *text, const char *also)
{
    if (is_plain(text, also))
        fs_buf_adds(line, text);
    else
        add_quoted(line, text, strlen(text));
}

static void add_head(struct fs_buf *line, enum fs_log_level level, const char *component, const char *message)
{
    char when[32];
    struct fs_clock clock = fs_clock_system();
    const char *name = level_names[(unsigned)level < LEVELS ? level : FS_LOG_LEVEL_ERROR];
    fs_format_rfc3339(fs_clock_now(&clock).wall, when);
    if (!settings.json) {
        fs_buf_addf(line, "%s %-5s ", when, name);
        add_text(line, component, "");
        fs_buf_adds(line, ": ");
        add_text(line, message, " ");
        return;
    }
    fs_buf_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"component\":", when, name);
    add_quoted(line, component, strlen(component));
    fs_buf_adds(line, ",\"message\":");
    add_quoted(line, message, strlen(message));
}

static void add_pair(struct fs_buf *line, const char *key, const char *value)
{
    if (!settings.json) {
        fs_buf_addc(line, ' ');
        add_text(line, key, "");
        fs_buf_addc(line, '=');
        add_text(line, value, "");
        return;
    }
    fs_buf_addc(line, ',');
    add_quoted(line, key, strlen(key));
    fs_buf_addc(line, ':');
    if (is_number(value))
        fs_buf_adds(line, value);
    else
        add_quoted(line, value, strlen(value));
}

static void write_line(const struct fs_buf *line)
{
    for (size_t done = 0; done < line->length;) {
        ssize_t written = write(STDERR_FILENO, line->data + done, line->length - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nowhere to say that there is nowhere to say it */
        done += (size_t)written;
    }
}

void fs_log_write(enum fs_log_level level, const char *component, const char *message, ...)
{
    struct fs_buf line;
    int saved = errno;
    fs_buf_init(&line, LINE_MOST);
    add_head(&line, level, component, message);
    va_list args;
    va_start(args, message);
    for (const char *key; (key = va_arg(args, const char *));) {
        const char *value = va_arg(args, const char *);
        if (value)
            add_pair(&line, key, value);
    }
    va_end(args);
    if (line.failed) { /* too many long values: better the event alone than nothing */
        fs_buf_reset(&line);
        add_head(&line, level, component, message);
        add_pair(&line, "cut", "too long");
    }
    fs_buf_adds(&line, settings.json ? "}\n" : "\n");
    write_line(&line);
    fs_buf_finish(&line);
    errno = saved;
}
