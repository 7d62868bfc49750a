/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demo of `flagstaff serve` without arguments: a small company whose access changes every few seconds for
 * reasons that one understands, as events of the ordinary kind, until somebody sends an event of his own and
 * takes over.
 */
#include <stdio.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon.h"

#define STEP_MS 4000

const char fs_demo_flags[] =
    "# The demo's flags. Nothing is asked of a server: the built-in source decides, from facts.\n"
    "$defaults: { visibility: client }\n"
    "flags:\n"
    "  billing-export:          # a button: for people at work whose session is not risky\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    factDefaults: { employment: none, risk: 100 }\n"
    "    decision:\n"
    "      rule: { and: [ { \"==\": [ { var: facts.employment }, active ] }, { \"<\": [ { var: facts.risk }, "
    "70 ] } ] }\n"
    "  approve-payments:        # a right on loan: an approval that ends by itself\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    factDefaults: { approval: none }\n"
    "    decision: { rule: { \"==\": [ { var: facts.approval }, granted ] } }\n"
    "  agent-tools:             # a list: what an agent may use shrinks as its risk grows\n"
    "    type: object\n"
    "    factDefaults: { risk: 100 }\n"
    "    decision:\n"
    "      rule: { if: [ { \"<\": [ { var: facts.risk }, 30 ] }, [ search, draft, send, pay ],\n"
    "                    { \"<\": [ { var: facts.risk }, 70 ] }, [ search, draft ], [] ] }\n"
    "    value: { var: decision.value }\n"
    "    safeValue: []\n"
    "  new-menu:                # an ordinary flag: no decision, half of the people\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    targeting: { fractional: [ [ \"on\", 50 ], [ \"off\", 50 ] ] }\n";

struct step {
    const char *text; /* what the terminal says */
    const char *subject;
    const char *fact;
    const char *value; /* JSON; NULL: removed */
    int64_t ttl;       /* ms; 0: until changed */
};

static const struct step steps[] = {
    {"HR: Ada starts her day", "ada", "employment", "\"active\"", 0},
    {"Risk engine: Ada's session is as usual (risk 5)", "ada", "risk", "5", 0},
    {"HR: Bo's contract begins", "bo", "employment", "\"active\"", 0},
    {"Risk engine: invoice-bot behaves (risk 10)", "invoice-bot", "risk", "10", 0},
    {"Manager: Ada may approve payments for 10 seconds", "ada", "approval", "\"granted\"", 10000},
    {"Risk engine: invoice-bot reads much at once (risk 45)", "invoice-bot", "risk", "45", 0},
    {"Security: Ada's session comes from a new country (risk 85)", "ada", "risk", "85", 0},
    {"Risk engine: invoice-bot calls unknown hosts (risk 90)", "invoice-bot", "risk", "90", 0},
    {"Ada confirms with her key (risk 5)", "ada", "risk", "5", 0},
    {"HR: Bo's contract ends", "bo", "employment", "\"ended\"", 0},
    {"An operator clears invoice-bot (risk 10)", "invoice-bot", "risk", "10", 0},
};

static struct fs_event *make_event(const struct step *step, unsigned number, int64_t wall)
{
    struct fs_event *event = FS_NEW(struct fs_event);
    event->id = fs_format("%lld-%u", (long long)wall, number);
    event->source = fs_strdup("/flagstaff/demo");
    event->type = fs_strdup("flagstaff.facts");
    event->credential = fs_strdup("demo");
    event->time = wall;
    event->facts = fs_calloc(1, sizeof *event->facts);
    event->fact_count = 1;
    event->facts[0].subject = fs_strdup(step->subject);
    event->facts[0].fact = fs_strdup(step->fact);
    event->facts[0].value = step->value ? json_loads(step->value, JSON_DECODE_ANY, NULL) : NULL;
    event->facts[0].expires = step->ttl ? wall + step->ttl : 0;
    return event;
}

static void tell(const char *text, int64_t wall)
{
    char time[32];
    printf("%.8s  %s\n", fs_format_rfc3339(wall, time) + 11, text);
    fflush(stdout);
}

/* The demo's own client: it watches for the story's people, so that the board and `flagstaff clients` have
 * something to show before anybody else has come. It has no socket: what the engine delivers to it is taken
 * within the call, and answered from the loop, as a client's acknowledgements are. */
#define AUDIENCE UINT64_MAX
static const char *const people[] = {"ada", "bo", "invoice-bot"};

bool fs_demo_takes(struct fs_daemon *daemon, const struct fs_delivery *delivery)
{
    if (delivery->connection != AUDIENCE)
        return false;
    daemon->audience.frames++;
    if ((delivery->kind == FS_DELIVER_SNAPSHOT || delivery->kind == FS_DELIVER_DELTA) && !delivery->more)
        daemon->audience.applied = delivery->revision;
    daemon->audience.leaves =
        daemon->audience.leaves || delivery->close || delivery->kind == FS_DELIVER_GOAWAY;
    return true;
}

static void audience_comes(struct fs_daemon *daemon, struct fs_time now)
{
    struct fs_credential *credential = FS_NEW(struct fs_credential);
    atomic_init(&credential->references, 1);
    credential->id = fs_strdup("demo");
    credential->name = fs_strdup("the demo itself");
    fs_credential_add_scope(credential, "evaluate:any");
    fs_engine_connect(daemon->engine, AUDIENCE, credential, NULL, false, now);
    fs_credential_unref(credential);
    size_t count = sizeof people / sizeof *people;
    struct fs_hello hello = {
        .client_name = "demo", .client_version = FLAGSTAFF_VERSION, .watch_count = count};
    fs_engine_hello(daemon->engine, AUDIENCE, &hello, now);
    for (size_t i = 0; i < count; i++) {
        json_t *context = json_pack("{s:s}", "targetingKey", people[i]);
        struct fs_watch_wish wish = {.watch = i + 1, .context = context, .of_hello = true};
        fs_engine_watch(daemon->engine, AUDIENCE, &wish, now);
        json_decref(context);
    }
    daemon->audience.here = true;
    daemon->audience.renew_due = now.mono + daemon->options->engine.lease / 3;
}

/* Says when it wants to be called again, mono ms. */
static int64_t audience_turn(struct fs_daemon *daemon, struct fs_time now)
{
    unsigned frames = daemon->audience.frames;
    uint64_t applied = daemon->audience.applied;
    daemon->audience.frames = 0;
    daemon->audience.applied = 0;
    if (frames)
        fs_engine_sent(daemon->engine, AUDIENCE, frames, now);
    if (applied)
        fs_engine_ack(daemon->engine, AUDIENCE, applied, now);
    if (daemon->audience.leaves || daemon->draining) {
        fs_engine_disconnect(daemon->engine, AUDIENCE, now);
        daemon->audience.here = false;
        return INT64_MAX;
    }
    if (now.mono >= daemon->audience.renew_due) {
        fs_engine_renew(daemon->engine, AUDIENCE, ++daemon->audience.renewals, now);
        daemon->audience.renew_due = now.mono + daemon->options->engine.lease / 3;
    }
    return daemon->audience.frames ? now.mono : daemon->audience.renew_due;
}

/* The next step where it is due. */
static int64_t story_turn(struct fs_daemon *daemon, struct fs_time now)
{
    if (!daemon->options->demo)
        return INT64_MAX;
    if (daemon->events_taken) {
        tell("Somebody sent an event: the demo leaves the stage to you.", now.wall);
        daemon->options->demo = false;
        return INT64_MAX;
    }
    if (now.mono < daemon->demo_due)
        return daemon->demo_due;
    const struct step *step = &steps[daemon->demo_step % (sizeof steps / sizeof *steps)];
    struct fs_event *event = make_event(step, daemon->demo_step++, now.wall);
    struct fs_new_entry entry = {.kind = FS_ENTRY_EVENT, .event = event};
    fs_daemon_append(daemon, &entry, 1);
    fs_event_destroy(event);
    tell(step->text, now.wall);
    daemon->demo_due = now.mono + STEP_MS;
    return daemon->demo_due;
}

int64_t fs_demo_turn(struct fs_daemon *daemon)
{
    struct fs_time now = fs_daemon_now(daemon);
    if (!daemon->audience.here && daemon->options->demo && !daemon->demo_step && !daemon->draining)
        audience_comes(daemon, now);
    int64_t due = daemon->audience.here ? audience_turn(daemon, now) : INT64_MAX;
    int64_t next = story_turn(daemon, now);
    return next < due ? next : due;
}
