/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML 1.2 (and so JSON) as a tree of nodes that know where they stand. Scalars follow the core schema of
 * YAML 1.2.2, section 10.3: `on`, `off`, `yes` and `no` are strings. Keys are strings as written. Merge
 * keys, own tags, a second document and numbers that JSON lacks are refused. An alias shares the
 * node of its anchor; what all aliases stand for is bounded. Knows nothing of flags or of core. A document
 * belongs to one thread at a time; its nodes may be read by many.
 */
#ifndef FS_YAML_DOCUMENT_H
#define FS_YAML_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/arena.h"
#include "base/vec.h"

#define FS_DOC_DEPTH 250     /* nesting of lists and maps */
#define FS_DOC_NODES 1000000 /* nodes, each counted as often as aliases repeat it */

enum fs_doc_kind {
    FS_DOC_NULL,
    FS_DOC_BOOLEAN,
    FS_DOC_INTEGER,
    FS_DOC_REAL, /* written with a fraction or an exponent, or beyond 64 bits */
    FS_DOC_STRING,
    FS_DOC_LIST,
    FS_DOC_MAP
};
const char *fs_doc_kind_name(enum fs_doc_kind kind); /* "a string", "a list", ... */

struct fs_doc_member;
struct fs_doc_node {
    enum fs_doc_kind kind;
    int line, column; /* from 1; a column is a character, not a byte */
    size_t weight;    /* nodes in it, itself included */
    const char *text; /* scalars: as read, without quotes; NUL-terminated */
    size_t length;    /* of the text */
    union {
        bool boolean;
        int64_t integer;
        double real;
    };
    size_t count; /* of items or members */
    const struct fs_doc_node **items;
    struct fs_doc_member *members;
};

struct fs_doc_member {
    const char *key; /* NUL-terminated, no NUL inside, not empty unless written so */
    int line, column;
    const struct fs_doc_node *value;
};

/* A key that stands in a map for a second time. */
struct fs_doc_duplicate {
    const char *key;
    int line, column;
    int first; /* the line where it stands first */
};

struct fs_document {
    struct fs_arena arena;
    const struct fs_doc_node *root; /* NULL for an empty document */
    /* Of these the tree has the first ones. A document with any is wrong: they are listed, so that whoever
     * reads it can tell what else is. */
    FS_VEC(struct fs_doc_duplicate) duplicates;
};
/* What is to be said of one, without its place. */
void fs_doc_duplicate_text(const struct fs_doc_duplicate *duplicate, char out[240]);

/* Where and why a text is no document. */
struct fs_doc_error {
    int line, column; /* 0: nowhere in particular */
    char text[240];
};

/* Reads a text (UTF-8, or UTF-16 with a byte order mark). False with `err`: it is no document; where it is
 * one, look at `duplicates`. Finish the document in either case. */
bool fs_document_read(struct fs_document *document, const char *text, size_t length,
                      struct fs_doc_error *err);
void fs_document_finish(struct fs_document *document); /* accepts NULL and zeroed */

/* The member of a map; NULL where it has none, or the node is no map (or NULL). */
const struct fs_doc_member *fs_doc_find(const struct fs_doc_node *map, const char *key);
/* The node as JSON: a new reference, never NULL. */
json_t *fs_doc_json(const struct fs_doc_node *node);
/* Follows a JSON pointer (RFC 6901) from `node` (NULL: nowhere) as far as it leads. The place where that is
 * (a member's place is its key's) goes to line and column, which keep their values where it leads nowhere;
 * the last node is returned. */
const struct fs_doc_node *fs_doc_locate(const struct fs_doc_node *node, const char *pointer, int *line,
                                        int *column);

#endif
