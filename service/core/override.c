/* SPDX-License-Identifier: Apache-2.0 */
/* One override: its entry, who may order it, what it makes of a flag. See core/override.h. */
#include "core/override.h"

#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "core/json.h"
#include "evaluate_internal.h"

static const char *const names[FS_OVERRIDE_KINDS] = {"kill", "force"};

const char *fs_override_kind_name(enum fs_override_kind kind)
{
    return names[kind];
}

bool fs_override_kind_parse(const char *name, enum fs_override_kind *out)
{
    for (size_t i = 0; name && i < FS_OVERRIDE_KINDS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum fs_override_kind)i;
            return true;
        }
    }
    return false;
}

void fs_override_order_finish(struct fs_override_order *order)
{
    if (!order)
        return;
    struct fs_override *o = &order->override;
    char *texts[] = {o->flag, o->subject, o->variant, o->author, o->author_name, o->reason};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        fs_free(texts[i]);
    memset(order, 0, sizeof *order);
}

/* --- its entry ---------------------------------------------------------------------------------------- */

char *fs_override_write(const struct fs_override_order *order, size_t *length)
{
    const struct fs_override *o = &order->override;
    json_t *root =
        json_pack("{s:s, s:s, s:s*, s:s*, s:s, s:s*, s:s}", "action", order->release ? "release" : "set",
                  "flag", o->flag, "subject", o->subject, "variant", o->variant, "author", o->author,
                  "authorName", o->author_name, "reason", o->reason);
    if (!order->release || !order->any_kind)
        json_object_set_new(root, "kind", json_string(names[o->kind]));
    if (o->expires)
        json_object_set_new(root, "expires", json_integer(o->expires));
    if (o->may_grant)
        json_object_set_new(root, "mayGrant", json_true());
    char *body = fs_json_canonical_text(root, SIZE_MAX, length);
    json_decref(root);
    return body;
}

bool fs_override_read(const char *body, size_t length, uint64_t entry, int64_t time,
                      struct fs_override_order *out)
{
    struct fs_err ignored;
    json_t *root = fs_json_read(body, length, 4, &ignored);
    const char *flag = fs_json_text(root, "flag"), *action = fs_json_text(root, "action");
    struct fs_override *o = &out->override;
    memset(out, 0, sizeof *out);
    bool fine = flag && action;
    if (fine) {
        out->release = strcmp(action, "release") == 0;
        out->any_kind = !fs_override_kind_parse(fs_json_text(root, "kind"), &o->kind);
        o->flag = fs_strdup(flag);
        o->subject = fs_strdup(fs_json_text(root, "subject"));
        o->variant = fs_strdup(fs_json_text(root, "variant"));
        o->author = fs_strdup(fs_json_text(root, "author"));
        o->author_name = fs_strdup(fs_json_text(root, "authorName"));
        o->reason = fs_strdup(fs_json_text(root, "reason"));
        o->expires = json_integer_value(json_object_get(root, "expires"));
        o->may_grant = json_is_true(json_object_get(root, "mayGrant"));
        o->entry = entry;
        o->time = time;
    }
    json_decref(root);
    return fine;
}

static void set_time(json_t *object, const char *name, int64_t wall)
{
    char text[32];
    if (wall)
        json_object_set_new(object, name, json_string(fs_format_rfc3339(wall, text)));
}

json_t *fs_override_describe(const struct fs_override *o)
{
    json_t *one =
        json_pack("{s:I, s:s, s:s*, s:s, s:s*, s:s*, s:s*, s:s*}", "id", (json_int_t)o->entry, "flag",
                  o->flag, "subject", o->subject, "kind", names[o->kind], "variant", o->variant, "author",
                  o->author, "authorName", o->author_name, "reason", o->reason);
    set_time(one, "time", o->time);
    set_time(one, "expires", o->expires);
    return one;
}

/* --- what it makes of a flag -------------------------------------------------------------------------- */

/* The name of the value that stands for a safe variant where the flag has `safeValue`. */
static bool means_safe_value(const struct fs_flag *flag, const char *variant)
{
    return flag->safe_variant < 0 && flag->safe_value && strcmp(variant, "safe") == 0;
}

static void evaluate_force(const struct fs_override *override, const struct fs_flag *flag,
                           struct fs_evaluation *out)
{
    int variant = fs_flag_variant(flag, fs_str_from(override->variant));
    if (variant < 0)
        fs_evaluation_safe(out, flag, FS_REASON_STATIC);
    else
        fs_evaluation_pick(out, flag, variant, FS_REASON_STATIC);
}

/* Could it give more than the flag's sources do? */
static bool grants(const struct fs_override *override, const struct fs_flag *flag)
{
    struct fs_evaluation given = {.next_change = INT64_MAX};
    if (override->kind == FS_OVERRIDE_KILL || !flag->access)
        return false;
    evaluate_force(override, flag, &given);
    bool safe = fs_evaluation_is_safe(flag, &given);
    fs_evaluation_finish(&given);
    return !safe;
}

static bool has_variant(const struct fs_flag *flag, const char *variant)
{
    return fs_flag_variant(flag, fs_str_from(variant)) >= 0 || means_safe_value(flag, variant);
}

const char *fs_override_idle(const struct fs_override *override, const struct fs_flag *flag)
{
    if (!flag)
        return "there is no such flag";
    if (override->kind == FS_OVERRIDE_KILL)
        return NULL;
    if (!override->variant || !has_variant(flag, override->variant))
        return "the flag has no such variant";
    if (flag->disabled)
        return "the flag is disabled";
    if (!override->may_grant && grants(override, flag))
        return "it would grant, which it was not allowed to when it was ordered";
    return NULL;
}

void fs_override_evaluate(const struct fs_override *override, const struct fs_flag *flag,
                          struct fs_evaluation *out)
{
    memset(out, 0, sizeof *out);
    out->next_change = INT64_MAX;
    if (override->kind == FS_OVERRIDE_FORCE)
        evaluate_force(override, flag, out);
    else if (flag->access)
        fs_evaluation_safe(out, flag, FS_REASON_DISABLED);
    else
        out->reason = FS_REASON_DISABLED;
    out->override = names[override->kind];
    out->override_entry = override->entry;
}

/* --- who may order it --------------------------------------------------------------------------------- */

/* Characters that make a text read as another than it is: controls, and those that turn the direction of
 * writing. U+0000 to U+001F, U+007F to U+009F, U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069. */
static bool is_plain(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xd8 && p[1] == 0x9c))
            return false;
        if (p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae)))
            return false;
        if (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)
            return false;
    }
    return true;
}

static bool check_texts(const struct fs_override *o, struct fs_err *err)
{
    const char *reason = o->reason ? o->reason : "", *subject = o->subject;
    if (!reason[strspn(reason, " ")])
        return fs_fail(err, FS_ERR_INVALID, "reason: say why; it is journaled, and shown with the override");
    if (strlen(reason) > FS_OVERRIDE_REASON)
        return fs_fail(err, FS_ERR_TOO_LARGE, "reason: at most %d bytes", FS_OVERRIDE_REASON);
    if (!fs_utf8_valid(reason, strlen(reason)) || !is_plain(reason))
        return fs_fail(err, FS_ERR_INVALID,
                       "reason: one line of text, without control characters and marks of direction");
    if (subject && !*subject)
        return fs_fail(err, FS_ERR_INVALID, "subject: the subject is empty; leave it out to mean everybody");
    if (subject && strlen(subject) > FS_OVERRIDE_SUBJECT)
        return fs_fail(err, FS_ERR_TOO_LARGE, "subject: at most %d bytes", FS_OVERRIDE_SUBJECT);
    if (subject && !fs_utf8_valid(subject, strlen(subject)))
        return fs_fail(err, FS_ERR_INVALID, "subject: this is no UTF-8");
    return true;
}

static bool check_variant(const struct fs_flag *flag, const char *variant, struct fs_err *err)
{
    if (!variant)
        return fs_fail(err, FS_ERR_INVALID, "variant: which one is to be forced?");
    if (has_variant(flag, variant))
        return true;
    const char **known = fs_calloc(flag->variant_count + 1, sizeof *known);
    for (size_t i = 0; i < flag->variant_count; i++)
        known[i] = flag->variants[i].name;
    const char *meant = fs_suggest(variant, known, flag->variant_count);
    fs_fail(err, FS_ERR_INVALID, "variant: %.60s has no variant %.60s%s%.60s%s", flag->key, variant,
            meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "");
    fs_free((void *)(uintptr_t)known);
    return false;
}

static bool check_grant(struct fs_override *o, const struct fs_flag *flag, const struct fs_credential *author,
                        struct fs_err *err)
{
    bool admin = fs_credential_may(author, FS_SCOPE_ADMIN), needed = grants(o, flag);
    if (needed && !admin)
        return fs_fail(err, FS_ERR_FORBIDDEN,
                       "%.60s decides access: forcing it to %.60s, which is not its safe variant, needs the "
                       "scope admin",
                       flag->key, o->variant);
    if (needed && !o->expires)
        return fs_fail(err, FS_ERR_INVALID,
                       "%.60s decides access: forcing it to %.60s, which is not its safe variant, needs an "
                       "end: `for` or `expires`",
                       flag->key, o->variant);
    o->may_grant = admin && o->expires;
    return true;
}

bool fs_override_check(const struct fs_flagset *set, struct fs_override_order *order,
                       const struct fs_credential *author, int64_t wall, struct fs_err *err)
{
    struct fs_override *o = &order->override;
    const struct fs_flag *flag;
    if (!o->flag)
        return fs_fail(err, FS_ERR_INVALID, "flag: which one?");
    if (!fs_credential_may(author, FS_SCOPE_OPERATE))
        return fs_fail(err, FS_ERR_FORBIDDEN, "overrides need the scope operate");
    if (!check_texts(o, err))
        return false;
    if (order->release)
        return true; /* what stands may be released, whatever has become of its flag */
    flag = fs_flagset_need(set, o->flag, err);
    if (!flag)
        return false;
    if (o->expires && o->expires <= wall)
        return fs_fail(err, FS_ERR_INVALID, "expires: that is past");
    if (o->kind == FS_OVERRIDE_KILL)
        return !o->variant || fs_fail(err, FS_ERR_INVALID, "variant: a kill has none; force gives a variant");
    return check_variant(flag, o->variant, err) && check_grant(o, flag, author, err);
}
