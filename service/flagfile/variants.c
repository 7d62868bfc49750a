/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a flag can be: its type, its variants, its default and safe variant, their order. Also here: that
 * values are of the flag's type, and are given to core in that type's form (a float's 1 is 1.0).
 */
#include <string.h>
#include "base/str.h"
#include "core/json.h"
#include "reading.h"

#define GREATEST_INTEGER 9007199254740991LL /* 2^53 - 1: what every client's numbers can hold */

/* -1: no flag can have such a value. */
static int type_of(const struct fs_doc_node *node)
{
    switch (node->kind) {
    case FS_DOC_BOOLEAN:
        return FS_TYPE_BOOLEAN;
    case FS_DOC_INTEGER:
        return FS_TYPE_INTEGER;
    case FS_DOC_REAL:
        return FS_TYPE_FLOAT;
    case FS_DOC_STRING:
        return FS_TYPE_STRING;
    case FS_DOC_LIST:
    case FS_DOC_MAP:
        return FS_TYPE_OBJECT;
    case FS_DOC_NULL:
        break;
    }
    return -1;
}

static bool is_whole(double number)
{
    return number >= (double)-GREATEST_INTEGER && number <= (double)GREATEST_INTEGER &&
           number - (double)(int64_t)number == 0.0;
}

static bool fits(enum fs_type type, const struct fs_doc_node *node)
{
    int own = type_of(node);
    if (own == (int)type)
        return true;
    return (type == FS_TYPE_FLOAT && own == FS_TYPE_INTEGER) ||
           (type == FS_TYPE_INTEGER && own == FS_TYPE_FLOAT && is_whole(node->real));
}

/* The value in the form of the type, a new reference; NULL with an error. */
static json_t *value_of(struct fs_flagfile *file, const struct fs_spot *spot, enum fs_type type)
{
    const struct fs_doc_node *node = spot->node;
    if (!fits(type, node)) {
        fs_report_error(file, spot, "expected a value of type %s, got %s", fs_type_name(type),
                        fs_doc_kind_name(node->kind));
        return NULL;
    }
    if (node->kind == FS_DOC_INTEGER &&
        (node->integer > GREATEST_INTEGER || node->integer < -GREATEST_INTEGER)) {
        fs_report_error(file, spot,
                        "integers stay within 2^53-1, which is what all clients can hold; use a string");
        return NULL;
    }
    if (type == FS_TYPE_INTEGER && node->kind == FS_DOC_REAL)
        return json_integer((json_int_t)node->real);
    if (type == FS_TYPE_FLOAT && node->kind == FS_DOC_INTEGER)
        return json_real((double)node->integer);
    return fs_doc_json(node);
}

/* The type that the variants have; the first one that is of another is an error. -1 where none has a type. */
static int common_type(struct fs_flagfile *file, const struct fs_spot *variants)
{
    int type = -1;
    const char *first = NULL;
    for (size_t i = 0; i < variants->node->count; i++) {
        struct fs_spot at = fs_spot_member(variants, &variants->node->members[i]);
        int own = type_of(at.node);
        if (own < 0 || own == type)
            continue;
        if (type < 0) {
            type = own;
            first = at.key;
        } else if (fits(FS_TYPE_FLOAT, at.node) && (type == FS_TYPE_INTEGER || type == FS_TYPE_FLOAT)) {
            type = FS_TYPE_FLOAT;
        } else {
            fs_report_error(file, &at, "all variants are of one type: '%s' is of type %s, this one is %s",
                            first, fs_type_name((enum fs_type)type), fs_doc_kind_name(at.node->kind));
            return -1;
        }
    }
    return type;
}

static void read_values(struct fs_flag_reading *reading, const struct fs_spot *variants, bool typed)
{
    struct fs_flag *flag = reading->flag;
    size_t count = variants->node->count;
    flag->variants = fs_calloc(count + 1, sizeof *flag->variants);
    for (size_t i = 0; i < count; i++) {
        struct fs_spot at = fs_spot_member(variants, &variants->node->members[i]);
        json_t *value = NULL;
        if (!*at.key)
            fs_report_error(reading->file, &at, "a variant needs a name");
        if (at.node->kind == FS_DOC_NULL)
            fs_report_error(reading->file, &at, "a variant needs a value: null is none");
        else if (typed)
            value = value_of(reading->file, &at, flag->type);
        /* A variant with a bad value stays, so that its name is known to what follows. */
        flag->variants[flag->variant_count].name = fs_strdup(at.key);
        flag->variants[flag->variant_count++].value = value ? value : json_null();
    }
}

const char **fs_variant_names(const struct fs_flag *flag)
{
    const char **names = fs_calloc(flag->variant_count + 1, sizeof *names);
    for (size_t i = 0; i < flag->variant_count; i++)
        names[i] = flag->variants[i].name;
    return names;
}

int fs_variant_find(const struct fs_flag *flag, const char *name)
{
    for (size_t i = 0; i < flag->variant_count; i++) {
        if (strcmp(flag->variants[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

/* The name of a variant at the spot, as its index; -1 with an error. */
static int expect_variant(struct fs_flag_reading *reading, const struct fs_spot *spot)
{
    const char *name = fs_expect_text(reading->file, spot, "the name of a variant");
    int index = name ? fs_variant_find(reading->flag, name) : -1;
    bool told = !reading->flag->variant_count &&
                !fs_doc_find(reading->spot->node, "value"); /* that there are no variants */
    if (name && index < 0 && !told) {
        const char **names = fs_variant_names(reading->flag);
        char *hint = fs_hint(name, names, reading->flag->variant_count);
        fs_report_error(reading->file, spot, "no variant is called '%s'%s", name, hint);
        fs_free(hint);
        fs_free(names);
    }
    return index;
}

static void read_default(struct fs_flag_reading *reading)
{
    struct fs_spot at;
    reading->flag->default_variant = -1;
    if (fs_spot_find(reading->spot, "defaultVariant", &at) && at.node->kind != FS_DOC_NULL)
        reading->flag->default_variant = expect_variant(reading, &at);
}

void fs_variants_read(struct fs_flag_reading *reading)
{
    static const char *const types[] = {"boolean", "string", "integer", "float", "object", NULL};
    struct fs_spot variants, at;
    int type = -1;
    bool value = fs_doc_find(reading->spot->node, "value") != NULL,
         typed = fs_spot_find(reading->spot, "type", &at);
    if (typed)
        type = fs_expect_choice(reading->file, &at, types);
    else if (value)
        fs_report_error(reading->file, reading->spot,
                        "'type' is missing: a flag with `value` must say its type");
    if (!fs_spot_find(reading->spot, "variants", &variants)) {
        if (!value)
            fs_report_error(reading->file, reading->spot,
                            "'variants' is missing: expected a map of names and values");
    } else if (fs_expect(reading->file, &variants, FS_DOC_MAP, "a map of names and values")) {
        if (!variants.node->count)
            fs_report_error(reading->file, &variants, "expected at least one variant");
        if (!typed && !value)
            type = common_type(reading->file, &variants);
        if (type >= 0)
            reading->flag->type = (enum fs_type)type;
        read_values(reading, &variants, type >= 0);
    }
    reading->type_known = type >= 0;
    if (type >= 0)
        reading->flag->type = (enum fs_type)type;
    read_default(reading);
}

/* A boolean flag's safe variant is the one valued false. */
static void find_safe(struct fs_flag_reading *reading)
{
    struct fs_flag *flag = reading->flag;
    int found = -1;
    for (size_t i = 0; flag->type == FS_TYPE_BOOLEAN && i < flag->variant_count; i++) {
        if (!json_is_false(flag->variants[i].value))
            continue;
        if (found >= 0) {
            fs_report_error(
                reading->file, reading->spot,
                "'safeVariant' is missing: both '%s' and '%s' are false, say which is the safe one",
                flag->variants[found].name, flag->variants[i].name);
            return;
        }
        found = (int)i;
    }
    flag->safe_variant = found;
    if (found < 0 && flag->type == FS_TYPE_BOOLEAN && !flag->variant_count)
        flag->safe_value = json_false();
    else if (found < 0)
        fs_report_error(reading->file, reading->spot,
                        "'safeVariant' (or 'safeValue') is missing: this is an access flag, so it must say "
                        "what it falls to when its "
                        "answer is not known");
}

static void warn_of_granting(struct fs_flag_reading *reading, const struct fs_spot *spot)
{
    const struct fs_flag *flag = reading->flag;
    const json_t *value =
        flag->safe_variant >= 0 ? flag->variants[flag->safe_variant].value : flag->safe_value;
    if (flag->type == FS_TYPE_BOOLEAN && json_is_true(value))
        fs_report_warning(reading->file, spot,
                          "the safe value is true: the flag grants whenever its answer is not known");
}

void fs_safe_read(struct fs_flag_reading *reading, bool access)
{
    struct fs_spot variant, value;
    struct fs_flag *flag = reading->flag;
    size_t errors = reading->file->all->problems->errors;
    bool has_variant = fs_spot_find(reading->spot, "safeVariant", &variant);
    bool has_value = fs_spot_find(reading->spot, "safeValue", &value);
    flag->safe_variant = -1;
    if (has_variant && has_value)
        fs_report_error(reading->file, &value, "a flag has either 'safeVariant' or 'safeValue', not both");
    if (has_variant)
        flag->safe_variant = expect_variant(reading, &variant);
    else if (!reading->type_known)
        return; /* what is wrong with the variants has been told */
    else if (has_value)
        flag->safe_value = value_of(reading->file, &value, flag->type);
    else if (access)
        find_safe(reading);
    if (reading->file->all->problems->errors == errors && (has_variant || has_value))
        warn_of_granting(reading, has_variant ? &variant : &value);
}

void fs_order_read(struct fs_flag_reading *reading)
{
    struct fs_flag *flag = reading->flag;
    struct fs_spot spot;
    if (!fs_spot_find(reading->spot, "order", &spot) ||
        !fs_expect(reading->file, &spot, FS_DOC_LIST, "a list of all variants, the least one first"))
        return;
    flag->order = fs_calloc(spot.node->count + 1, sizeof *flag->order);
    for (size_t i = 0; i < spot.node->count; i++) {
        struct fs_spot at = fs_spot_item(&spot, i);
        int index = expect_variant(reading, &at);
        for (size_t k = 0; k < flag->order_count && index >= 0; k++) {
            if (flag->order[k] == index) {
                fs_report_error(reading->file, &at, "'%s' stands twice in the order", at.node->text);
                index = -1;
            }
        }
        if (index >= 0)
            flag->order[flag->order_count++] = index;
    }
    if (flag->order_count < flag->variant_count && flag->order_count == spot.node->count)
        fs_report_error(reading->file, &spot,
                        "the order names %zu of %zu variants; name all, the least one first",
                        flag->order_count, flag->variant_count);
}
