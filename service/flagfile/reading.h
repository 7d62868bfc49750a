/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers of this part share: places in a file with the keys that lead there, reporting problems,
 * and reading members of an expected kind. Private to service/flagfile.
 *
 *   load.c      paths, files, and the set          file.c      one file: its defaults, evaluators, metadata,
 * flags flag.c      one flag                           variants.c  variants, type, safe variant, order
 *   decision.c  what a flag asks of sources        logic.c     compiling rules, what rules read and give
 *   reading.c   places, problems, expected members
 */
#ifndef FS_FLAGFILE_READING_H
#define FS_FLAGFILE_READING_H

#include "base/map.h"
#include "base/vec.h"
#include "yaml/document.h"
#include "flagfile/flagfile.h"

/* A node and how one came to it. Lives on the stack of those who go down the tree. */
struct fs_spot {
    const struct fs_spot *above; /* NULL for the root */
    const char *key;             /* NULL: item `index` of a list */
    size_t index;
    int line, column; /* of the key, or of the item */
    const struct fs_doc_node *node;
};

/* What a flag has where it does not say otherwise. */
struct fs_flag_defaults {
    enum fs_visibility visibility;
    enum fs_unleased unleased;
    bool unleased_said;
    int64_t max_stale, revalidate;
};

struct fs_flagfile;

/* All files of one set. */
struct fs_reading {
    struct fs_flag_problems *problems;
    const struct fs_flagfile_sources *sources;
    FS_VEC(struct fs_flagfile *) files;
    FS_VEC(struct fs_flag *) flags;
    struct fs_map by_key;          /* key -> struct fs_flag * */
    json_t *evaluators;            /* of all files; a bad one is null here, so that it is reported once */
    struct fs_map evaluator_files; /* name -> struct fs_flagfile * */
    json_t *metadata;              /* of all files, later ones win; NULL: none */
};

/* One file, or a path that leads to none. */
struct fs_flagfile {
    struct fs_reading *all;
    char *name;
    size_t order;
    struct fs_document document;
    struct fs_flag_defaults defaults;
    json_t *metadata; /* NULL: none */
};

/* One flag while it is read. */
struct fs_flag_reading {
    struct fs_flagfile *file;
    const struct fs_spot *spot;
    struct fs_flag *flag;
    bool unleased_said;
    bool type_known; /* the variants, or `type`, say one */
};

struct fs_spot fs_spot_member(const struct fs_spot *above, const struct fs_doc_member *member);
struct fs_spot fs_spot_item(const struct fs_spot *above, size_t index);
/* True where the map at `above` has the member. */
bool fs_spot_find(const struct fs_spot *above, const char *key, struct fs_spot *out);

void fs_report_error(struct fs_flagfile *file, const struct fs_spot *spot, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void fs_report_warning(struct fs_flagfile *file, const struct fs_spot *spot, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* At the place behind a JSON pointer from the spot. */
void fs_report_at(struct fs_flagfile *file, const struct fs_spot *spot, const char *pointer,
                  const char *text);
/* About the file as a whole (line 0), or where it is no YAML. */
void fs_report_file(struct fs_flagfile *file, int line, int column, const char *text);

/* " (did you mean 'off'?)", or what there is to choose from (" (expected a, b or c)") where nothing is near
 * and the choice is small, or "". Owned: fs_free(). */
char *fs_hint(const char *word, const char *const *words, size_t count);

/* The spot's node, where it is of that kind; else NULL with an error that says what was expected. */
const struct fs_doc_node *fs_expect(struct fs_flagfile *file, const struct fs_spot *spot,
                                    enum fs_doc_kind kind, const char *what);
const char *fs_expect_text(struct fs_flagfile *file, const struct fs_spot *spot,
                           const char *what); /* not empty */
/* The index of one of `words` (NULL-terminated); -1 with an error. */
int fs_expect_choice(struct fs_flagfile *file, const struct fs_spot *spot, const char *const *words);
/* Leaves *ms alone where it is wrong. */
void fs_expect_duration(struct fs_flagfile *file, const struct fs_spot *spot, int64_t least, int64_t *ms);
/* An error for each member of the map that is none of `known` (NULL-terminated). Keys that start with `x-`
 * and `$comment` are everybody's own. */
void fs_expect_known(struct fs_flagfile *file, const struct fs_spot *spot, const char *const *known);
bool fs_is_free_key(const char *key);
/* A flat object of booleans, strings and numbers: a new reference, NULL with an error. */
json_t *fs_expect_metadata(struct fs_flagfile *file, const struct fs_spot *spot);

/* file.c, in this order, each for all files: take what files share, check it, read the flags. */
void fs_file_collect(struct fs_flagfile *file);
void fs_file_check_evaluators(struct fs_flagfile *file, json_t *fine);
void fs_file_read(struct fs_flagfile *file);
/* The members that $defaults and flags share. */
void fs_defaults_read(struct fs_flagfile *file, const struct fs_spot *spot, struct fs_flag_defaults *out);

/* flag.c: a flag, owned by the caller, even where it has errors. */
struct fs_flag *fs_flag_read(struct fs_flagfile *file, const char *key, const struct fs_spot *spot);

/* variants.c */
void fs_variants_read(struct fs_flag_reading *reading);
/* Names that variants have, for fs_hint(). Owned: fs_free() (the names are the flag's). */
const char **fs_variant_names(const struct fs_flag *flag);
int fs_variant_find(const struct fs_flag *flag, const char *name);
/* `access`: the flag is an access flag for another reason than its safe variant. */
void fs_safe_read(struct fs_flag_reading *reading, bool access);
void fs_order_read(struct fs_flag_reading *reading);

/* decision.c */
void fs_decisions_read(struct fs_flag_reading *reading);

/* logic.c */
struct fs_rule *fs_logic_compile(struct fs_flagfile *file, const struct fs_spot *spot, bool template);
/* The JSON of a rule with each $ref replaced by what it stands for; a new reference. */
json_t *fs_logic_expand(const json_t *logic, const json_t *evaluators, int depth);
/* Does any rule of the flag read facts, or the named fact? */
bool fs_logic_reads_facts(const struct fs_flag *flag);
bool fs_logic_reads_fact(const struct fs_flag *flag, const char *name);
/* The checks on a flag's targeting or value: decisions that it names, decisions that it ignores, time. */
void fs_logic_check_decisions(struct fs_flag_reading *reading, const struct fs_spot *spot,
                              const struct fs_rule *rule);
void fs_logic_check_time(struct fs_flagfile *file, const struct fs_spot *spot, const struct fs_rule *rule);
/* stand_in.c: true where the flag surely denies whenever `value` stands in for a missing fact. The flag's
 * safe variant is known. */
bool fs_stand_in_denies(const struct fs_flag_reading *reading, const char *fact, const json_t *value);

/* Warns of results that name no variant. */
void fs_logic_check_results(struct fs_flag_reading *reading, const struct fs_spot *spot);

#endif
