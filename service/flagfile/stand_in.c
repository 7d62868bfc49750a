/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a flag deny whenever the value of `factDefaults` stands in for a fact? Its rule is reduced with that
 * one value known and all else open: `and` with a false operand is false whatever the others are. Where that
 * leads to no end, the answer is no: it may grant.
 */
#include <string.h>
#include "reading.h"

enum { DEEP = 100 };

/* What is known of a result. */
struct guess {
    enum {
        OPEN,
        TRUE_LIKE,
        FALSE_LIKE,
        KNOWN
    } kind;        /* of the middle two only how they count as a condition */
    json_t *value; /* KNOWN: owned */
};

struct reduction {
    const char *fact;
    const json_t *value; /* what stands in for it */
};

static struct guess reduce(const struct reduction *with, const json_t *logic, int depth);

static struct guess known(json_t *value_taken)
{
    return (struct guess){KNOWN, value_taken};
}

/* As flagd's JsonLogic has it: fs_truthy(). */
static bool is_true_like(const json_t *value)
{
    return json_is_true(value) || json_string_length(value) || json_array_size(value) ||
           json_object_size(value) || (json_is_number(value) && json_number_value(value) != 0);
}

static bool counts_true(struct guess guess)
{
    return guess.kind == TRUE_LIKE || (guess.kind == KNOWN && is_true_like(guess.value));
}

static bool counts_false(struct guess guess)
{
    return guess.kind == FALSE_LIKE || (guess.kind == KNOWN && !is_true_like(guess.value));
}

static struct guess coarse(struct guess guess)
{
    struct guess out = {counts_true(guess) ? TRUE_LIKE : counts_false(guess) ? FALSE_LIKE : OPEN, NULL};
    json_decref(guess.value);
    return out;
}

/* It is one of them. */
static struct guess either(struct guess a, struct guess b)
{
    if (a.kind == KNOWN && b.kind == KNOWN && json_equal(a.value, b.value)) {
        json_decref(b.value);
        return a;
    }
    a = coarse(a);
    b = coarse(b);
    return a.kind == b.kind ? a : (struct guess){OPEN, NULL};
}

static struct guess reduce_variable(const struct reduction *with, const json_t *operands)
{
    const char *path = json_string_value(json_is_array(operands) ? json_array_get(operands, 0) : operands);
    if (path && strncmp(path, "facts.", 6) == 0 && strcmp(path + 6, with->fact) == 0)
        return known(json_deep_copy(with->value));
    return (struct guess){OPEN, NULL};
}

/* The first operand that counts as `stop` is the result, else the last one. */
static struct guess reduce_until(const struct reduction *with, const json_t *operands, bool stop, int depth)
{
    struct guess last = {OPEN, NULL};
    bool open = false;
    for (size_t i = 0; i < json_array_size(operands); i++) {
        json_decref(last.value);
        last = reduce(with, json_array_get(operands, i), depth);
        if (stop ? counts_true(last) : counts_false(last))
            return open ? coarse(last) : last; /* an open one before it can only have ended the same way */
        open = open || last.kind == OPEN;
    }
    if (!open)
        return last;
    json_decref(last.value);
    return (struct guess){OPEN, NULL};
}

static struct guess reduce_if(const struct reduction *with, const json_t *operands, int depth)
{
    size_t count = json_array_size(operands);
    struct guess result = {OPEN, NULL};
    bool any = false;
    for (size_t i = 0; i < count || !any; i += 2) {
        bool last = i + 1 >= count;
        struct guess condition = last ? known(json_true()) : reduce(with, json_array_get(operands, i), depth);
        bool taken = counts_true(condition), passed = counts_false(condition);
        json_decref(condition.value);
        if (passed && !last)
            continue;
        const json_t *branch = json_array_get(operands, last ? i : i + 1);
        struct guess one = branch ? reduce(with, branch, depth) : known(json_null());
        result = any ? either(result, one) : one;
        any = true;
        if (taken || last)
            return result;
    }
    return either(result, known(json_null())); /* no `else`, and no condition that surely holds */
}

/* Operators of their operands alone, which are run where all of these are known. */
static bool is_plain(const char *operator)
{
    static const char *const plain[] = {
        "==", "===", "!=", "!==", "<",   ">",   "<=",  ">=",          "+",        "-",
        "*",  "/",   "%",  "in",  "cat", "min", "max", "starts_with", "ends_with"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(operator, plain[i]) == 0)
            return true;
    return false;
}

static struct guess run_plain(const char *operator, const json_t * operands)
{
    struct fs_rule_error err;
    struct fs_scope scope = {0};
    struct fs_arena arena;
    const char *why;
    json_t *logic = json_object(), *context = json_object(), *value = NULL;
    json_object_set_new_nocheck(logic, operator, json_deep_copy(operands));
    struct fs_rule *rule = fs_rule_compile(logic, NULL, &err);
    scope.context = context;
    fs_arena_init(&arena);
    if (rule)
        value = fs_rule_run_json(rule, &scope, &arena, &why);
    fs_arena_finish(&arena);
    fs_rule_destroy(rule);
    json_decref(logic);
    json_decref(context);
    return value ? known(value) : (struct guess){OPEN, NULL};
}

static struct guess reduce_plain(const struct reduction *with, const char *operator, const json_t * operands,
                                 int depth)
{
    json_t *values = json_array();
    bool all = true;
    for (size_t i = 0; i < json_array_size(operands); i++) {
        struct guess one = reduce(with, json_array_get(operands, i), depth);
        all = all && one.kind == KNOWN &&
              !json_is_object(one.value); /* an object would be taken for logic again */
        json_array_append_new(values, one.kind == KNOWN ? one.value : json_null());
    }
    struct guess result = all ? run_plain(operator, values) : (struct guess){OPEN, NULL};
    json_decref(values);
    return result;
}

static struct guess reduce_array(const struct reduction *with, const json_t *array, int depth)
{
    json_t *values = json_array();
    bool all = true;
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct guess one = reduce(with, json_array_get(array, i), depth);
        all = all && one.kind == KNOWN;
        json_array_append_new(values, one.kind == KNOWN ? one.value : json_null());
    }
    if (all)
        return known(values);
    json_decref(values);
    return (struct guess){OPEN, NULL};
}

static struct guess reduce_operator(const struct reduction *with, const char *operator,
                                    const json_t * operands, int depth)
{
    if (strcmp(operator, "and") == 0 || strcmp(operator, "or") == 0)
        return reduce_until(with, operands, operator[0] == 'o', depth);
    if (strcmp(operator, "if") == 0 || strcmp(operator, "?:") == 0)
        return reduce_if(with, operands, depth);
    if (strcmp(operator, "!") == 0 || strcmp(operator, "!!") == 0) {
        struct guess one = coarse(reduce(with, json_array_get(operands, 0), depth));
        bool not = !operator[1];
        return one.kind == OPEN ? one : known(json_boolean((one.kind == TRUE_LIKE) != not ));
    }
    return is_plain(operator) ? reduce_plain(with, operator, operands, depth) : (struct guess){OPEN, NULL};
}

static struct guess reduce(const struct reduction *with, const json_t *logic, int depth)
{
    if (!logic || depth > DEEP)
        return (struct guess){OPEN, NULL};
    if (json_is_array(logic))
        return reduce_array(with, logic, depth + 1);
    if (!json_is_object(logic))
        return known(json_deep_copy(logic));
    const char *operator= json_object_iter_key(json_object_iter((json_t *)(uintptr_t)logic));
    if (json_object_size(logic) != 1)
        return (struct guess){OPEN, NULL};
    const json_t *operands = json_object_get(logic, operator);
    if (strcmp(operator, "var") == 0)
        return reduce_variable(with, operands);
    json_t *list = json_is_array(operands) ? json_deep_copy(operands) : json_pack("[O]", operands);
    struct guess result = reduce_operator(with, operator, list, depth + 1);
    json_decref(list);
    return result;
}

/* Is the result of a rule or of targeting one that leads to the safe variant? */
static bool is_safe(const struct fs_flag *flag, struct guess guess, bool picks)
{
    const char *safe = flag->safe_variant >= 0 ? flag->variants[flag->safe_variant].name : "",
               *name = json_string_value(guess.value);
    if (guess.kind == KNOWN &&
        (json_is_null(guess.value) || (!flag->value && name && strcmp(name, safe) == 0)))
        return true;
    if (flag->value)
        return guess.kind == KNOWN && flag->safe_value && json_equal(guess.value, flag->safe_value);
    return !picks && flag->type == FS_TYPE_BOOLEAN && counts_false(guess);
}

bool fs_stand_in_denies(const struct fs_flag_reading *reading, const char *fact, const json_t *value)
{
    const struct fs_flag *flag = reading->flag;
    const struct reduction with = {fact, value};
    struct fs_spot decision, rule, chooser;
    bool picks = !flag->decision_count && fs_spot_find(reading->spot, "targeting", &rule);
    if (fs_spot_find(reading->spot, "value",
                     &chooser)) { /* only `value: { var: decision.value }` is followed */
        json_t *json = fs_doc_json(chooser.node);
        const char *path = json_string_value(json_object_get(json, "var"));
        bool passes = path && strcmp(path, "decision.value") == 0;
        json_decref(json);
        if (!passes)
            return false;
    }
    if (!picks &&
        (flag->decision_count != 1 || flag->targeting || !flag->decisions[0].rule ||
         !fs_spot_find(reading->spot, "decision", &decision) || !fs_spot_find(&decision, "rule", &rule)))
        return false;
    json_t *written = fs_doc_json(rule.node),
           *logic = fs_logic_expand(written, reading->file->all->evaluators, 0);
    struct guess guess = reduce(&with, logic, 0);
    bool denies = is_safe(flag, guess, picks);
    json_decref(guess.value);
    json_decref(logic);
    json_decref(written);
    return denies;
}
