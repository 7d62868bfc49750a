/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of operators, and those that work on text, lists and paths. To add an operator: a row in the
 * table, a function in the file of its kind (declared in rule_internal.h), a case in
 * tests/unit/core/test_operators.c.
 */
#include <math.h>
#include <string.h>
#include "rule_internal.h"

static FS_STRICT(op_not)
{
    (void)run;
    return fs_boolean(count == 0 || !fs_truthy(args[0]));
}

static FS_STRICT(op_truthy)
{
    (void)run;
    return fs_boolean(count > 0 && fs_truthy(args[0]));
}

static FS_STRICT(op_cat)
{
    size_t length = 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        if (args[i].kind != FS_NULL)
            length += fs_value_text(args[i], run->arena).len;
        if (length > FS_RULE_TEXT_LIMIT)
            return fs_run_fail(run, "a text becomes too long");
    }
    char *text = fs_arena_alloc(run->arena, length + 1);
    for (size_t i = 0; i < count; i++) {
        if (args[i].kind == FS_NULL)
            continue;
        struct fs_str part = fs_value_text(args[i], run->arena);
        memcpy(text + at, part.ptr, part.len);
        at += part.len;
    }
    return fs_string(text, length);
}

/* ToIntegerOrInfinity. */
static double to_integer(struct fs_run *run, struct fs_value value)
{
    double number = fs_to_number(run, value);
    return isnan(number) ? 0 : trunc(number);
}

static double clamp(double number, double most)
{
    return number < 0 ? 0 : number > most ? most : number;
}

/* [text, from, length]: String.prototype.substr; a negative length leaves out that many at the end. */
static FS_STRICT(op_substr)
{
    if (args[0].kind != FS_STRING)
        return fs_run_fail(run, "substr of something that is no text");
    struct fs_str text = args[0].string;
    double units = (double)fs_text_units(text);
    double from = count > 1 ? to_integer(run, args[1]) : 0;
    double start = from < 0 ? clamp(units + from, units) : clamp(from, units);
    double length = units - start;
    if (count > 2) {
        double end = fs_to_number(run, args[2]);
        length = end < 0 ? clamp(trunc(length + end), length) : clamp(to_integer(run, args[2]), length);
    }
    size_t first = fs_text_offset(text, (size_t)start);
    size_t last = fs_text_offset(text, (size_t)(start + length));
    return fs_string(text.ptr + first, last - first);
}

static FS_STRICT(op_in)
{
    if (count < 2 || (args[1].kind != FS_JSON && !fs_truthy(args[1])))
        return fs_boolean(false);
    if (args[1].kind == FS_STRING) {
        struct fs_str part = fs_value_text(args[0], run->arena);
        return fs_boolean(memmem(args[1].string.ptr, args[1].string.len, part.ptr, part.len) != NULL);
    }
    if (!fs_value_is_array(args[1]))
        return fs_run_fail(run, "`in` something that is neither list nor text");
    for (size_t i = 0; i < fs_value_count(args[1]); i++) {
        if (fs_strictly_equal(fs_value_at(args[1], i), args[0]))
            return fs_boolean(true);
    }
    return fs_boolean(false);
}

static FS_STRICT(op_merge)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        total += fs_value_is_array(args[i]) ? fs_value_count(args[i]) : 1;
    if (total > FS_RULE_LIST_LIMIT)
        return fs_run_fail(run, "a list becomes too long");
    struct fs_value *items = fs_arena_alloc(run->arena, total * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        if (!fs_value_is_array(args[i])) {
            items[at++] = args[i];
            continue;
        }
        for (size_t j = 0; j < fs_value_count(args[i]); j++)
            items[at++] = fs_value_at(args[i], j);
    }
    return (struct fs_value){.kind = FS_LIST, .list = {items, total}};
}

static bool is_missing(struct fs_run *run, struct fs_value name)
{
    struct fs_path path;
    bool found;
    struct fs_str text = fs_value_text(name, run->arena);
    fs_path_parse(run->arena, text.ptr, text.len, &path);
    if (run->frame->kind == FS_FRAME_TOP)
        fs_path_find_root(&path);
    fs_path_value(run, &path, &found);
    return !found;
}

static FS_STRICT(op_missing)
{
    size_t missing = 0;
    struct fs_value *items = fs_arena_alloc(run->arena, count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        if (is_missing(run, args[i]))
            items[missing++] = args[i];
    }
    return (struct fs_value){.kind = FS_LIST, .list = {items, missing}};
}

/* [need, paths]: what is missing, unless `need` of them are there. */
static FS_STRICT(op_missing_some)
{
    if (!fs_value_is_array(args[1]))
        return fs_run_fail(run, "missing_some wants a number and a list of paths");
    size_t total = fs_value_count(args[1]), missing = 0;
    struct fs_value *items = fs_arena_alloc(run->arena, total * sizeof *items);
    for (size_t i = 0; i < total; i++) {
        struct fs_value name = fs_value_at(args[1], i);
        if (is_missing(run, name))
            items[missing++] = name;
    }
    if ((double)(total - missing) >= fs_to_number(run, args[0]))
        missing = 0;
    (void)count;
    return (struct fs_value){.kind = FS_LIST, .list = {items, missing}};
}

static bool two_texts(const struct fs_value *args, size_t count)
{
    return count == 2 && args[0].kind == FS_STRING && args[1].kind == FS_STRING;
}

/* https://flagd.dev/reference/custom-operations/string-comparison-operation/ */
static FS_STRICT(op_starts_with)
{
    (void)run;
    return two_texts(args, count) ? fs_boolean(fs_str_starts_with(args[0].string, args[1].string)) : FS_NONE;
}

static FS_STRICT(op_ends_with)
{
    (void)run;
    return two_texts(args, count) ? fs_boolean(fs_str_ends_with(args[0].string, args[1].string)) : FS_NONE;
}

static const struct fs_operator operators[] = {
    {"if", .lazy = fs_op_if},
    {"?:", .lazy = fs_op_if},
    {"and", .lazy = fs_op_and},
    {"or", .lazy = fs_op_or},
    {"!", .strict = op_not, .flags = FS_OP_UNARY},
    {"!!", .strict = op_truthy, .flags = FS_OP_UNARY},
    {"==", .lazy = fs_op_equal, .min = 2, .flags = FS_OP_COMPARE},
    {"!=", .lazy = fs_op_not_equal, .min = 2, .flags = FS_OP_COMPARE},
    {"===", .lazy = fs_op_same, .min = 2, .flags = FS_OP_COMPARE},
    {"!==", .lazy = fs_op_not_same, .min = 2, .flags = FS_OP_COMPARE},
    {"<", .lazy = fs_op_less, .min = 2, .flags = FS_OP_COMPARE},
    {"<=", .lazy = fs_op_less_equal, .min = 2, .flags = FS_OP_COMPARE},
    {">", .lazy = fs_op_greater, .min = 2, .flags = FS_OP_COMPARE},
    {">=", .lazy = fs_op_greater_equal, .min = 2, .flags = FS_OP_COMPARE},
    {"+", .strict = fs_op_add},
    {"-", .strict = fs_op_subtract, .min = 1},
    {"*", .strict = fs_op_multiply},
    {"/", .strict = fs_op_divide, .min = 1},
    {"%", .strict = fs_op_modulo, .min = 2},
    {"max", .strict = fs_op_max, .min = 1},
    {"min", .strict = fs_op_min, .min = 1},
    {"map", .lazy = fs_op_map, .min = 2, .flags = FS_OP_ITERATE},
    {"filter", .lazy = fs_op_filter, .min = 2, .flags = FS_OP_ITERATE},
    {"reduce", .lazy = fs_op_reduce, .min = 2, .flags = FS_OP_ITERATE},
    {"all", .lazy = fs_op_all, .min = 2, .flags = FS_OP_ITERATE},
    {"some", .lazy = fs_op_some, .min = 2, .flags = FS_OP_ITERATE},
    {"none", .lazy = fs_op_none, .min = 2, .flags = FS_OP_ITERATE},
    {"cat", .strict = op_cat, .flags = FS_OP_NO_NULL},
    {"substr", .strict = op_substr, .min = 1},
    {"in", .strict = op_in},
    {"merge", .strict = op_merge},
    {"missing", .strict = op_missing, .flags = FS_OP_MISSING},
    {"missing_some", .strict = op_missing_some, .min = 2, .flags = FS_OP_MISSING},
    {"starts_with", .strict = op_starts_with, .flags = FS_OP_CUSTOM},
    {"ends_with", .strict = op_ends_with, .flags = FS_OP_CUSTOM},
    {"sem_ver", .strict = fs_op_sem_ver, .flags = FS_OP_CUSTOM},
    {"fractional", .strict = fs_op_fractional, .flags = FS_OP_CUSTOM},
};
#define FS_OPERATORS (sizeof operators / sizeof *operators)

const struct fs_operator *fs_operator_find(const char *name)
{
    for (size_t i = 0; i < FS_OPERATORS; i++) {
        if (strcmp(operators[i].name, name) == 0)
            return &operators[i];
    }
    return NULL;
}

const char *fs_operator_suggest(const char *name)
{
    const char *names[FS_OPERATORS + 2];
    for (size_t i = 0; i < FS_OPERATORS; i++)
        names[i] = operators[i].name;
    names[FS_OPERATORS] = "var";
    names[FS_OPERATORS + 1] = "$ref";
    return fs_suggest(name, names, FS_OPERATORS + 2);
}
