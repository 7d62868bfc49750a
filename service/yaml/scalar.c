/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an unquoted word of YAML 1.2 means: null, true, false, a number, or just text. libyaml leaves that to
 * us, which keeps YAML 1.1's `on`, `off`, `yes` and `no` out. Pure.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "scalar.h"

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const char *text)
{
    size_t count = 0;
    while (is_digit(text[count]))
        count++;
    return count;
}

/* [-+]? [0-9]+ */
static bool is_integer(const char *text)
{
    text += *text == '-' || *text == '+';
    size_t count = digits(text);
    return count && !text[count];
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_real(const char *text)
{
    text += *text == '-' || *text == '+';
    size_t whole = digits(text), fraction = 0;
    text += whole;
    if (*text == '.') {
        fraction = digits(++text);
        text += fraction;
    }
    if (!whole && !fraction)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        size_t exponent = digits(text);
        if (!exponent)
            return false;
        text += exponent;
    }
    return !*text;
}

/* 0o17 and 0x1F: digits behind the prefix, and nothing else. */
static int base_of_prefix(const char *text)
{
    if (strncmp(text, "0o", 2) == 0 && text[2] && !text[2 + strspn(text + 2, "01234567")])
        return 8;
    if (strncmp(text, "0x", 2) == 0 && text[2] && !text[2 + strspn(text + 2, "0123456789abcdefABCDEF")])
        return 16;
    return 0;
}

static bool set_real(struct fs_doc_node *node, const char **why)
{
    node->kind = FS_DOC_REAL;
    node->real = strtod(node->text, NULL);
    if (node->real - node->real == 0.0)
        return true;
    *why = "the number is too large";
    return false;
}

static bool set_integer(struct fs_doc_node *node, int base, const char **why)
{
    errno = 0;
    long long integer = strtoll(base == 10 ? node->text : node->text + 2, NULL, base);
    if (errno == 0) {
        node->kind = FS_DOC_INTEGER;
        node->integer = integer;
        return true;
    }
    if (base == 10)
        return set_real(node, why);
    *why = "the number is too large";
    return false;
}

static bool set_word(struct fs_doc_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    if (is_one_of(node->text, nulls)) {
        node->kind = FS_DOC_NULL;
        return true;
    }
    node->boolean = is_one_of(node->text, trues);
    if (!node->boolean && !is_one_of(node->text, falses))
        return false;
    node->kind = FS_DOC_BOOLEAN;
    return true;
}

static bool resolve_plain(struct fs_doc_node *node, const char **why)
{
    static const char *const no_json[] = {".inf",  ".Inf",  ".INF", "-.inf", "-.Inf", "-.INF", "+.inf",
                                          "+.Inf", "+.INF", ".nan", ".NaN",  ".NAN",  NULL};
    int base = base_of_prefix(node->text);
    if (set_word(node))
        return true;
    if (base || is_integer(node->text))
        return set_integer(node, base ? base : 10, why);
    if (is_real(node->text))
        return set_real(node, why);
    node->kind = FS_DOC_STRING;
    if (!is_one_of(node->text, no_json))
        return true;
    *why = "JSON knows neither infinity nor not-a-number; put quotes around it if it is meant as text";
    return false;
}

bool fs_scalar_resolve(struct fs_doc_node *node, const char *tag, bool plain, const char **why)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    if (!tag || !*tag) {
        if (plain)
            return resolve_plain(node, why);
        node->kind = FS_DOC_STRING;
        return true;
    }
    node->kind = FS_DOC_STRING;
    if (strcmp(tag, "!") == 0)
        return true;
    *why = "tags are not supported, but for !!str, !!int, !!float, !!bool and !!null";
    if (strncmp(tag, prefix, sizeof prefix - 1) != 0)
        return false;
    tag += sizeof prefix - 1;
    if (strcmp(tag, "str") == 0)
        return true;
    if (strcmp(tag, "int") && strcmp(tag, "float") && strcmp(tag, "bool") && strcmp(tag, "null"))
        return false;
    if (!resolve_plain(node, why))
        return false;
    *why = "the text is not what its tag says";
    if (strcmp(tag, "float") == 0 && node->kind == FS_DOC_INTEGER) {
        node->kind = FS_DOC_REAL;
        node->real = (double)node->integer;
    }
    return (strcmp(tag, "int") == 0 && node->kind == FS_DOC_INTEGER) ||
           (strcmp(tag, "float") == 0 && node->kind == FS_DOC_REAL) ||
           (strcmp(tag, "bool") == 0 && node->kind == FS_DOC_BOOLEAN) ||
           (strcmp(tag, "null") == 0 && node->kind == FS_DOC_NULL);
}
