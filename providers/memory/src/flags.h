/* SPDX-License-Identifier: Apache-2.0 */
/* A set of flags: an immutable hash table of counted flags. Knows nothing of providers' life. */
#ifndef OF_MEMORY_FLAGS_H
#define OF_MEMORY_FLAGS_H

#include <stdatomic.h>

#include <openfeature/memory.h>
#include <openfeature/providers/memory.h>

/* A variant, with its value taken apart, so that reading it is one look. */
struct variant {
    const char *name; /* of the flag's variants; of a preset perhaps a word */
    of_type type;
    of_flag_value value;
};

/* What is read only where there is targeting. */
struct rest {
    of_memory_evaluator evaluator;
    void *user;
    of_value *values; /* what the variants point into */
    size_t count;
    struct variant variants[];
};

/* One allocation: this, the key, the rest. A plain flag is answered out of its first cache lines. */
struct flag {
    _Atomic(uint32_t) refs;
    uint32_t key_length;
    bool plain; /* neither targeting nor disabled: `preset` is the answer */
    bool disabled;
    bool lasting; /* details of `preset` borrow nothing but its name, which is a word: nobody counts */
    struct variant preset; /* without a name: none */
    of_value *metadata;
    struct rest *rest;
    char key[];
};

struct slot {
    uint64_t hash;
    struct flag *flag; /* NULL: free */
};

struct flags {
    of_retired retired; /* must be first */
    size_t count;
    size_t mask; /* slots - 1; at most five eighths of them are taken */
    struct slot slots[];
};

/* A flag with one reference; the error says why not. */
struct flag *flag_new(const of_memory_flag *given, of_error *error);
struct flag *flag_ref(struct flag *flag);
void flag_unref(void *flag);
const struct variant *flag_variant(const struct flag *flag, const char *name);

/* A set with room for `count` flags. */
struct flags *flags_new(size_t count);
/* Takes the flag; replaces one of the same key. There must be room. */
void flags_put(struct flags *flags, struct flag *flag);
struct flag *flags_find(const struct flags *flags, const char *key);
void flags_free(struct flags *flags);

#endif
