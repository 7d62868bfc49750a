/* SPDX-License-Identifier: Apache-2.0 */
/* What flagstaff watch prints: one line for each flip, with its cause and how long it took from there to
 * here. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "watch_internal.h"

void fs_watch_end(struct watching *watching, enum fs_err_code code, const char *text)
{
    if (watching->code == FS_OK) {
        watching->code = code;
        snprintf(watching->text, sizeof watching->text, "%s", text);
    }
    pthread_kill(watching->main, SIGTERM);
}

static void flushed(struct watching *watching)
{
    if (fflush(watching->call->out) == 0)
        return;
    watching->call->reader_gone = errno == EPIPE;
    if (watching->call->reader_gone)
        pthread_kill(watching->main, SIGTERM);
    else
        fs_watch_end(watching, FS_ERR_GENERAL, "the output cannot be written");
}

static json_t *value_of(const struct fsw_flag *flag)
{
    if (!flag || !flag->has_value)
        return NULL;
    switch (flag->type) {
    case FSW_BOOLEAN:
        return json_boolean(flag->value.as.boolean);
    case FSW_STRING:
        return json_string(flag->value.as.string);
    case FSW_INTEGER:
        return json_integer(flag->value.as.integer);
    case FSW_FLOAT:
        return json_real(flag->value.as.number);
    case FSW_OBJECT:
        break;
    }
    return json_incref((json_t *)(uintptr_t)flag->value.as.object);
}

/* From the cause's moment to the arrival of the frame; -1 where no moment is said. Two machines' clocks may
 * differ. */
static int64_t delay_of(const struct fsw_flag *flag, int64_t received)
{
    int64_t time;
    if (!flag || !flag->cause.time || !fs_parse_rfc3339(fs_str_from(flag->cause.time), &time))
        return -1;
    return received > time ? received - time : 0;
}

static json_t *describe(const struct fsw_flag *flag)
{
    if (!flag)
        return json_null();
    json_t *one = json_pack("{s:s*, s:s*, s:o*}", "variant", flag->variant, "reason", flag->reason, "value",
                            value_of(flag));
    if (flag->error_code)
        json_object_set_new(one, "errorCode", json_string(flag->error_code));
    return one;
}

static void print_json(struct watching *watching, json_t *line_taken)
{
    json_dumpf(line_taken, watching->call->out, JSON_COMPACT);
    fputc('\n', watching->call->out);
    json_decref(line_taken);
}

static void print_object(struct watching *watching, const struct fsw_change *change,
                         const struct fsw_flip *flip)
{
    char time[32];
    int64_t delay = delay_of(flip->after, change->received);
    json_t *line = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:I, s:b}", "time", fs_format_rfc3339(change->received, time), "subject",
        (const char *)change->watch_user, "flag", flip->key, "before", describe(flip->before), "after",
        describe(flip->after), "revision", (json_int_t)change->revision, "snapshot", change->snapshot);
    if (flip->after && flip->after->cause.kind) {
        json_t *cause =
            json_pack("{s:s, s:s*}", "kind", flip->after->cause.kind, "time", flip->after->cause.time);
        if (flip->after->cause.entry)
            json_object_set_new(cause, "entry", json_integer((json_int_t)flip->after->cause.entry));
        json_object_set_new(line, "cause", cause);
    }
    if (delay >= 0)
        json_object_set_new(line, "delay", json_integer(delay));
    print_json(watching, line);
}

static char *text_of(const struct fsw_flag *flag, bool snapshot)
{
    json_t *value = value_of(flag);
    char *text = !flag ? fs_strdup(snapshot ? "" : "(none)") : fs_cli_value(value);
    json_decref(value);
    return text;
}

/* "event 1207, 38 ms"; of a first value only what kind of cause it has. */
static char *why_of(const struct fsw_change *change, const struct fsw_flip *flip)
{
    const struct fsw_flag *flag = flip->after;
    int64_t delay = delay_of(flag, change->received);
    if (!flag || !flag->cause.kind)
        return fs_strdup("");
    char *entry = flag->cause.entry ? fs_format(" %" PRIu64, flag->cause.entry) : fs_strdup("");
    bool fresh = delay >= 0 && !(change->snapshot && !flip->before);
    char *text = fresh ? fs_format("%s%s, %" PRId64 " ms", flag->cause.kind, entry, delay)
                       : fs_format("%s%s", flag->cause.kind, entry);
    fs_free(entry);
    return text;
}

static bool is_safe_now(const struct fsw_flag *flag)
{
    return flag && flag->access && flag->variant && flag->safe_variant &&
           strcmp(flag->variant, flag->safe_variant) == 0;
}

static void print_line(struct watching *watching, const struct fsw_change *change,
                       const struct fsw_flip *flip)
{
    struct fs_cli_call *call = watching->call;
    char time[32], *before = text_of(flip->before, change->snapshot),
                   *after = flip->after ? text_of(flip->after, false) : fs_strdup("(removed)");
    bool same = *before && strcmp(before, after) == 0; /* only the reason is another */
    char *both = same      ? fs_format("%s, as before", after)
                 : *before ? fs_format("%s -> %s", before, after)
                           : fs_strdup(after);
    char *why = why_of(change, flip), *clean_key = fs_cli_clean(flip->key), *clean_value = fs_cli_clean(both);
    char *subject = fs_cli_clean(change->watch_user);
    const char *reason = flip->after && flip->after->reason ? flip->after->reason : "";
    fs_format_rfc3339(change->received, time);
    fprintf(call->out, "%.12s  %-*s  %-24s  ", time + 11, (int)watching->subject_width, subject, clean_key);
    enum fs_color color = is_safe_now(flip->after)  ? FS_COLOR_BAD
                          : fs_reason_color(reason) ? fs_reason_color(reason)
                                                    : FS_COLOR_GOOD;
    fs_cli_paint(call, color, clean_value);
    fprintf(call->out, "%*s  %-16s  %s\n",
            fs_text_width(clean_value) < 16 ? (int)(16 - fs_text_width(clean_value)) : 0, "", reason, why);
    fs_free(before);
    fs_free(after);
    fs_free(both);
    fs_free(why);
    fs_free(clean_key);
    fs_free(clean_value);
    fs_free(subject);
}

/* Flags that were asked for by name and are not in a subject's first snapshot: mistyped, probably. */
static void doubt_flags(struct watching *watching, const struct fsw_change *change)
{
    const struct fs_config *config = &watching->call->config;
    const char *const *flags = fs_config_list(config, FS_OPT_FLAG);
    size_t subject = 0;
    while (subject < config->positional_count && config->positional[subject] != change->watch_user)
        subject++;
    if (!change->snapshot || watching->seen[subject])
        return;
    watching->seen[subject] = true;
    for (; *flags; flags++) {
        bool found = false;
        for (size_t i = 0; i < change->count; i++)
            found = found || strcmp(change->flips[i].key, *flags) == 0;
        if (!found)
            fprintf(watching->call->err,
                    "flagstaff watch: %s: there is no flag %s, or it is not visible to this key\n",
                    config->positional[subject], *flags);
    }
}

void fs_watch_print_change(void *user, const struct fsw_change *change)
{
    struct watching *watching = user;
    const struct fs_cli_call *call = watching->call;
    for (size_t i = 0; i < change->count; i++) {
        if (fs_cli_json(call))
            print_object(watching, change, &change->flips[i]);
        else
            print_line(watching, change, &change->flips[i]);
    }
    doubt_flags(watching, change);
    char *dropped = json_array_size(change->dropped) ? fs_cli_value(change->dropped) : NULL;
    if (dropped)
        fprintf(call->err, "flagstaff watch: the key may not set these attributes: %s\n", dropped);
    fs_free(dropped);
    flushed(watching);
}

static const char *state_name(enum fsw_state state)
{
    static const char *const names[] = {"connecting", "ready", "stale", "lease-over", "closed"};
    return names[state];
}

static void end_refused(struct watching *watching, const struct fsw_state_info *info)
{
    const struct fs_config *config = &watching->call->config;
    bool keyed = fs_config_said(config, FS_OPT_KEY_FILE) || fs_config_said(config, FS_OPT_KEY);
    if (info->goaway && strcmp(info->goaway, "revoked") == 0)
        fs_watch_end(watching, FS_ERR_UNAUTHENTICATED, "the key was revoked");
    else if (info->code == 403 || info->code == 4403)
        fs_watch_end(watching, FS_ERR_FORBIDDEN,
                     "the daemon refuses: the key lacks the scope evaluate or evaluate:any, or this Host is "
                     "not allowed");
    else
        fs_watch_end(watching, FS_ERR_UNAUTHENTICATED,
                     keyed ? "the daemon does not know the key: is it revoked, or over?"
                           : "a key is needed; give it with --key-file");
}

void fs_watch_print_state(void *user, const struct fsw_state_info *info)
{
    struct watching *watching = user;
    const struct fs_cli_call *call = watching->call;
    struct fs_clock clock = fs_clock_system();
    char time[32];
    bool refused = info->code == 401 || info->code == 403 || info->code == 4401 || info->code == 4403 ||
                   (info->goaway && strcmp(info->goaway, "revoked") == 0);
    if (refused && info->state != FSW_CLOSED) {
        end_refused(watching, info);
        return;
    }
    bool repeated = info->state == info->before && strcmp(info->message, watching->message) == 0;
    snprintf(watching->message, sizeof watching->message, "%s", info->message);
    if (info->state == FSW_CLOSED || repeated)
        return;
    if (fs_cli_json(call)) {
        json_t *line = json_pack("{s:s, s:s}", "time", fs_format_rfc3339(fs_clock_now(&clock).wall, time),
                                 "state", state_name(info->state));
        if (*info->message)
            json_object_set_new(line, "message", json_string(info->message));
        print_json(watching, line);
        flushed(watching);
        return;
    }
    static const char *const words[] = {
        "connecting", "connected", "the connection is lost, what was printed may be old; trying again",
        "the lease is over: clients fall to their safe values; trying again", ""};
    char *message = fs_cli_clean(info->message);
    if (info->state == FSW_CONNECTING && *message) {
        const char *url = fs_config_text(&call->config, FS_OPT_URL);
        bool tls = strncasecmp(url, "https://", 8) == 0 && strstr(message, "SSL");
        fprintf(call->err, "flagstaff watch: no daemon can be reached at %s (%s); %s; trying again\n", url,
                message, tls ? "is it http:// and not https://?" : "is it running? flagstaff serve");
        fs_free(message);
        return;
    }
    fprintf(call->err, "flagstaff watch: %s%s%s%s\n", words[info->state], *message ? " (" : "", message,
            *message ? ")" : "");
    fs_free(message);
}

void fs_watch_print_error(void *user, const struct fsw_watch_error *error)
{
    struct watching *watching = user;
    char *message = fs_cli_clean(error->message ? error->message : "");
    char *subject = fs_cli_clean(error->watch_user);
    fprintf(watching->call->err, "flagstaff watch: %s: %s: %s%s\n", subject, error->code, message,
            error->retried ? "; trying again" : "");
    if (!error->retried)
        fs_watch_end(watching, FS_ERR_FORBIDDEN, message);
    fs_free(message);
    fs_free(subject);
}
