/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text helpers: borrowed slices, exact parsers for the units that configuration and wire use, suggestions
 * for misspelled words. Pure functions; any thread.
 */
#ifndef FS_BASE_STR_H
#define FS_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed piece of text, not NUL-terminated. */
struct fs_str {
    const char *ptr;
    size_t len;
};

#define FS_STR(literal) ((struct fs_str){(literal), sizeof(literal) - 1})
struct fs_str fs_str_from(const char *text); /* NULL gives the empty slice */
bool fs_str_equal(struct fs_str a, struct fs_str b);
bool fs_str_is(struct fs_str a, const char *text);
bool fs_str_starts_with(struct fs_str text, struct fs_str prefix);
bool fs_str_ends_with(struct fs_str text, struct fs_str suffix);
struct fs_str fs_str_trim(struct fs_str text); /* ASCII white space */

/* Whole decimal number, no sign, no blanks, no overflow. */
bool fs_parse_u64(struct fs_str text, uint64_t *out);
/* "250ms", "5s", "10m", "1h", "7d", "1h30m"; a bare number is refused (which unit?). In milliseconds. */
bool fs_parse_duration(struct fs_str text, int64_t *ms_out);
/* The shortest form that fs_parse_duration reads back: 90000 gives "1m30s". Returns out. */
const char *fs_format_duration(int64_t ms, char out[32]);
/* "64KiB", "1MiB", "2GiB", "4096" (bytes), "4096B". */
bool fs_parse_size(struct fs_str text, uint64_t *bytes_out);
/* RFC 3339 date-time with offset or Z; fraction of any length (cut to ms). In ms since the epoch, UTC. */
bool fs_parse_rfc3339(struct fs_str text, int64_t *ms_out);
/* "2026-11-24T08:00:00.000Z". Returns out. */
const char *fs_format_rfc3339(int64_t ms, char out[32]);

/* Well-formed UTF-8 (Unicode 15 table 3-7: no overlongs, no surrogates). */
bool fs_utf8_valid(const char *text, size_t length);
/* The longest prefix of at most `most` bytes that does not cut a character in two. Any thread. */
size_t fs_utf8_cut(const char *text, size_t length, size_t most);

/* RFC 4648 section 5 without padding. `out` holds at least (length * 4 + 2) / 3 + 1 bytes. Returns the length
 * written. */
size_t fs_base64url_encode(const void *bytes, size_t length, char *out);
/* Strict: no padding, no white space, zero spare bits. `out` holds at least length * 3 / 4 bytes. */
bool fs_base64url_decode(struct fs_str text, void *out, size_t *length_out);
/* RFC 4648 section 4 with padding, strict (CloudEvents data_base64). */
bool fs_base64_decode(struct fs_str text, void *out, size_t *length_out);
/* Lower-case hexadecimal; `out` holds length * 2 + 1 bytes. Returns out. */
const char *fs_hex(const void *bytes, size_t length, char *out);
/* One round of percent-decoding in place; false on a broken escape. RFC 3986 section 2.1. */
bool fs_percent_decode(char *text, size_t *length);

/* The candidate that was probably meant: smallest edit distance, at most a third of the word's length
 * (at least 1, at most 3); NULL where none is near. Borrowed from `candidates`. */
const char *fs_suggest(const char *word, const char *const *candidates, size_t count);
/* Shell-style pattern with * and ? only, whole text. Linear in the product of lengths. */
bool fs_glob_match(const char *pattern, const char *text);

#endif
