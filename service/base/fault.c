/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points: which are set, how often each was reached. Exists for tests; a build without
 * FLAGSTAFF_FAULT_POINTS keeps nothing of it but the refusal to be asked for faults.
 */
#include "base/fault.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/str.h"

bool fs_fault_wait(const char *value)
{
    uint64_t ms;
    if (!value || strncmp(value, "ms:", 3) != 0 || !fs_parse_u64(fs_str_from(value + 3), &ms))
        return false;
    struct timespec pause = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
    return true;
}

static bool refuse(struct fs_str word, char bad[64])
{
    snprintf(bad, 64, "%.*s", (int)(word.len < 63 ? word.len : 63), word.ptr);
    return false;
}

#ifdef FLAGSTAFF_FAULT_POINTS

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "fatal.h"

/* Never freed: a value that was handed out lives for ever, also when its point is set anew. */
struct point {
    struct point *older;
    char *name;
    char *value; /* NULL: cleared */
    uint64_t from, to, calls;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct point *newest;    /* under lock */
static atomic_bool any_was_set; /* spares the lock while nothing is set */

static bool parse_range(struct fs_str text, uint64_t *from, uint64_t *to)
{
    const char *dash = memchr(text.ptr, '-', text.len);
    struct fs_str first = {text.ptr, dash ? (size_t)(dash - text.ptr) : text.len};
    *to = UINT64_MAX;
    if (!fs_parse_u64(first, from))
        return false;
    if (dash && !fs_parse_u64((struct fs_str){dash + 1, text.len - first.len - 1}, to))
        return false;
    return *from >= 1 && *to >= *from;
}

/* VALUE[:N[-M]], where a VALUE of the form ms:NUMBER keeps its number. */
static bool parse_value(struct fs_str text, struct point *point)
{
    size_t skip = fs_str_starts_with(text, FS_STR("ms:")) ? 3 : 0;
    const char *colon = text.len > skip ? memchr(text.ptr + skip, ':', text.len - skip) : NULL;
    struct fs_str value = {text.ptr, colon ? (size_t)(colon - text.ptr) : text.len};
    uint64_t ms = 0;
    point->from = 1;
    point->to = UINT64_MAX;
    if (value.len == 0)
        return false;
    if (skip && !fs_parse_u64((struct fs_str){value.ptr + skip, value.len - skip}, &ms))
        return false;
    if (colon && !parse_range((struct fs_str){colon + 1, text.len - value.len - 1}, &point->from, &point->to))
        return false;
    point->value = fs_strndup(value.ptr, value.len);
    return true;
}

static void add(struct point *point)
{
    pthread_mutex_lock(&lock);
    point->older = newest;
    newest = point;
    pthread_mutex_unlock(&lock);
    atomic_store(&any_was_set, true);
}

static bool set(struct fs_str name, struct fs_str value)
{
    struct point *point = FS_NEW(struct point);
    if (name.len == 0 || (value.ptr && !parse_value(value, point))) {
        fs_free(point);
        return false;
    }
    point->name = fs_strndup(name.ptr, name.len);
    add(point);
    return true;
}

const char *fs_fault(const char *name)
{
    const char *value = NULL;
    if (!atomic_load_explicit(&any_was_set, memory_order_acquire))
        return NULL;
    pthread_mutex_lock(&lock);
    for (struct point *point = newest; point; point = point->older) {
        if (strcmp(point->name, name) != 0)
            continue;
        point->calls++;
        if (point->calls >= point->from && point->calls <= point->to)
            value = point->value;
        break;
    }
    pthread_mutex_unlock(&lock);
    return value;
}

void fs_fault_set(const char *point, const char *value)
{
    struct fs_str text = value ? fs_str_from(value) : (struct fs_str){NULL, 0};
    if (!set(fs_str_from(point), text))
        fs_base_fatal("fs_fault_set: malformed point or value");
}

bool fs_fault_setup(const char *text, char bad[64])
{
    struct fs_str rest = fs_str_from(text);
    while (rest.len > 0) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        struct fs_str word = {rest.ptr, comma ? (size_t)(comma - rest.ptr) : rest.len};
        const char *equals = memchr(word.ptr, '=', word.len);
        if (!equals)
            return refuse(word, bad);
        struct fs_str name = {word.ptr, (size_t)(equals - word.ptr)};
        if (!set(name, (struct fs_str){equals + 1, word.len - name.len - 1}))
            return refuse(word, bad);
        size_t taken = word.len + (comma ? 1 : 0);
        rest = (struct fs_str){rest.ptr + taken, rest.len - taken};
    }
    return true;
}

#else

bool fs_fault_setup(const char *text, char bad[64])
{
    struct fs_str word = fs_str_from(text);
    return word.len == 0 || refuse(word, bad);
}

#endif
