/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands: one row for each, in the order of FS_COMMANDS. Help and documentation come from it
 * and from the options' table. */
#include "cli_internal.h"

/* clang-format off */
static const struct fs_cli_command table[FS_COMMAND_COUNT] = {
    [FS_COMMAND_SERVE] = {"Run the daemon.", "", 0, 0,
        "Runs in the foreground and logs to standard error. Without arguments: on this machine only, with the built-in source and the demo's flags. "
        "SIGTERM ends it after clients were told to go, SIGHUP reads flags, keys and certificates again.",
        "flagstaff serve\n"
        "flagstaff serve --config /etc/flagstaff/flagstaff.yaml\n"
        "flagstaff serve --flags flags.yaml --listen 127.0.0.1:9000 --data ./state\n", NULL},
    [FS_COMMAND_CHECK] = {"Check flag files.", "[FILE...]", 0, SIZE_MAX,
        "Says everything that is wrong, with file, line, column and key, and lists flags that fail open. Without FILE the flags of the configuration "
        "are checked. Ends with 3 where something is wrong.",
        "flagstaff check flags.yaml\n"
        "flagstaff check --config flagstaff.yaml\n", fs_cli_check},
    [FS_COMMAND_GET] = {"Show a subject's flags as they are now.", "SUBJECT [FLAG]", 1, 2,
        "Asks once, over OFREP. What is printed may be old the moment after: programs that act on flags watch them.",
        "flagstaff get ada\n"
        "flagstaff get ada billing-export --output json\n"
        "flagstaff get ada --attribute department=ops --attribute level=3\n", fs_cli_get},
    [FS_COMMAND_WATCH] = {"Show a subject's flags as they change.", "SUBJECT...", 1, 1000,
        "Prints the flags as they are and then each flip, with its cause and how long it took from there to here. Reconnects by itself; ends with Ctrl-C.",
        "flagstaff watch ada\n"
        "flagstaff watch ada bob --flag billing-export\n"
        "flagstaff watch ada --output json | jq .flag\n", fs_cli_watch},
    [FS_COMMAND_TRIGGER] = {"Send an event.", "[EVENT.json|-]", 0, 1,
        "With --fact or --remove it changes facts of the subjects, else it has what the filters name asked again (nothing named: everything). "
        "A file, or - for standard input, is sent as it is: one CloudEvent, or a list of them. With --wait the receipt is printed, and "
        "what is not complete in time ends with 7. With --dry-run nothing is sent on: the flips that it would cause are printed.",
        "flagstaff trigger --subject ada --fact risk=90 --ttl 15m --wait delivered\n"
        "flagstaff trigger --subject ada --remove risk\n"
        "flagstaff trigger --subject ada --fact risk=90 --dry-run\n"
        "flagstaff trigger --source opa --path app/rbac\n"
        "flagstaff trigger event.json\n", fs_cli_trigger},
    [FS_COMMAND_KILL] = {"Take a flag away, whatever its sources say.", "FLAG", 1, 1,
        "A flag that decides access falls to its safe variant, another one is off. First it says whom that changes, and asks; --yes does not. "
        "It holds until it is released or expires, and across restarts. Needs the scope operate.",
        "flagstaff kill billing-export --reason INC-4711 --wait delivered\n"
        "flagstaff kill billing-export --subject ada --for 30m --reason stolen-laptop --yes\n", fs_cli_kill},
    [FS_COMMAND_FORCE] = {"Give one variant of a flag, whatever its sources say.", "FLAG VARIANT", 2, 2,
        "A kill beats it. Where the flag decides access, any variant but the safe one needs the scope admin and an end (--for, --expires).",
        "flagstaff force new-menu on --reason launch\n"
        "flagstaff force billing-export on --subject ada --for 30m --reason INC-4711 --yes\n", fs_cli_force},
    [FS_COMMAND_RELEASE] = {"End a kill or a force.", "FLAG", 1, 1,
        "Without --subject that of everybody; those of subjects stay. From then on the flag's sources decide again.",
        "flagstaff release billing-export --reason INC-4711-is-over\n"
        "flagstaff release billing-export --subject ada --kind force --reason over --yes\n", fs_cli_release},
    [FS_COMMAND_OVERRIDES] = {"Show what is killed or forced.", "", 0, 0, "",
        "flagstaff overrides\n", fs_cli_overrides},
    [FS_COMMAND_WHO] = {"Show who has which variant of a flag now.", "FLAG [VARIANT]", 1, 2,
        "Everybody whose value is known: who is watched, and who asked a moment ago.",
        "flagstaff who billing-export\n"
        "flagstaff who billing-export on --limit 1000\n", fs_cli_who},
    [FS_COMMAND_WHY] = {"Explain a value.", "SUBJECT FLAG", 2, 2,
        "From the events over questions, answers and the branch of the rule to the clients that have it.",
        "flagstaff why ada billing-export\n"
        "flagstaff why ada billing-export --at 2026-11-24T14:03:00Z\n", fs_cli_why},
    [FS_COMMAND_HISTORY] = {"Show past changes, the latest first.", "[SUBJECT [FLAG]]", 0, 2, "",
        "flagstaff history ada\n"
        "flagstaff history ada billing-export --limit 100\n"
        "flagstaff history --before 1207\n", fs_cli_history},
    [FS_COMMAND_CLIENTS] = {"Show who is connected, and who is behind.", "", 0, 0,
        "In the order in which they came, 100 at a time. Over HTTP: /v1/clients?limit=COUNT&after=NUMBER, where NUMBER is the `next` "
        "of the page before, and of a client with more than 100 watches not all are named.",
        "flagstaff clients\n"
        "flagstaff clients --limit 1000 --after 1207\n"
        "flagstaff clients --output json\n", fs_cli_clients},
    [FS_COMMAND_CONTEXTS] = {"Show the contexts that are known.", "[SUBJECT]", 0, 1,
        "Who is watched, and who asked a moment ago, in the order in which they came, 100 at a time. Over HTTP: "
        "/v1/contexts?limit=COUNT&after=NUMBER, where NUMBER is the `next` of the page before.",
        "flagstaff contexts\n"
        "flagstaff contexts ada --output json\n"
        "flagstaff contexts --limit 1000 --after 1207\n", fs_cli_contexts},
    [FS_COMMAND_DISCONNECT] = {"End a client's connection.", "SESSION", 1, 1,
        "`flagstaff clients` shows the sessions. That it was ordered goes into the journal, with the key's name and the reason. The client comes back by itself "
        "where its key still stands: to keep it out, revoke that. Needs the scope operate. A session that is not there ends with 4.",
        "flagstaff disconnect s-7f3a --reason stuck\n", fs_cli_disconnect},
    [FS_COMMAND_FLAGS] = {"Show the flags that are defined.", "", 0, 0, "",
        "flagstaff flags\n", fs_cli_flags},
    [FS_COMMAND_SOURCES] = {"Show the sources and how they are, or ask one.", "[test SOURCE [QUERY]]", 0, 3,
        "Half of the answers and 99 of 100 came within P50 and P99. `test` puts one question to a source and prints what it says now, with its "
        "revision and the time it took; nothing else comes of it. It asks QUERY with --input, or what --flag asks for --subject; a QUERY with "
        "--subject is a list of subjects (`users`). Needs the scope operate or admin.",
        "flagstaff sources\n"
        "flagstaff sources test opa app/rbac/allow --input '{\"user\":\"ada\"}'\n"
        "flagstaff sources test opa --flag billing-export --subject ada\n", fs_cli_sources},
    [FS_COMMAND_KEYS] = {"Add, list and revoke API keys.", "add|list|revoke [ID]", 1, 2,
        "A new key is printed once, on standard output. Changes take effect at once; revoking a key closes its connections. The first key ends the "
        "development mode in which every caller on this machine is an operator, so make one with the scope admin first; while no key has it, "
        "adding one says so.",
        "flagstaff keys add --name ops --scope admin --scope read --scope operate > ops.key\n"
        "flagstaff keys add --name shop --scope evaluate:any --scope tickets\n"
        "flagstaff keys add --name ada --scope evaluate --subject ada --may-add locale\n"
        "flagstaff keys list --key-file ops.key\n"
        "flagstaff keys revoke k3f9a2cd\n"
        "flagstaff keys add --data ./state --create --name ops --scope admin > ops.key\n", fs_cli_keys},
    [FS_COMMAND_VERIFY] = {"Check the journal's chain.", "", 0, 0,
        "Reads the whole journal, whether a daemon runs on it or not. Ends with 8 where the chain is broken, and says at which entry.",
        "flagstaff verify --data /var/lib/flagstaff\n", NULL},
    [FS_COMMAND_BACKUP] = {"Copy the journal while the daemon runs.", "FILE", 1, 1,
        "The daemon writes FILE, on its machine and with its rights, and FILE.key beside it. It writes over nothing: a file that is there ends with 1, "
        "a directory that is not with 4.",
        "flagstaff backup /backup/flagstaff-monday.db\n", fs_cli_backup},
    [FS_COMMAND_ERASE] = {"Erase a person from the journal.", "SUBJECT", 1, 1,
        "Removes the subject's facts, and erases what the journal tells of it: events that name it, its contexts and those in which it acts for "
        "another, its history. What cannot be undone is done at once. The audit chain still verifies. Free text is not searched: reasons of overrides "
        "about others, values that hold a name. Where nothing is told of such a subject it says so and ends with 4. Needs the scope admin.",
        "flagstaff erase ada\n", fs_cli_erase},
    [FS_COMMAND_OPA_MODULE] = {"Print the Rego module for batched questions.", "", 0, 0,
        "For those who own their bundles, or whose OPA lets nobody write policies. It follows from the flags as they are now.",
        "flagstaff opa-module --source opa > flagstaff.rego\n", fs_cli_opa_module},
    [FS_COMMAND_VERSION] = {"Print the version.", "", 0, 0, "", "flagstaff version\n", fs_cli_version},
};
/* clang-format on */

const struct fs_cli_command *fs_cli_command(enum fs_command command)
{
    return &table[command];
}

int fs_cli_version(struct fs_cli_call *call, struct fs_err *err)
{
    (void)err;
    fprintf(call->out, "flagstaff %s\n", FLAGSTAFF_VERSION);
    return 0;
}
