/* SPDX-License-Identifier: Apache-2.0 */
/* The binary: which command, its options, and who runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/cli.h"
#include "keys_data.h"
#include "settings.h"
#include "sources/registry.h"

extern char **environ;

static int complain(const struct fs_err *err)
{
    fprintf(stderr, "flagstaff: %s\n", err->text);
    return fs_err_exit(err->code);
}

static bool set_up_log(const struct fs_config *config, struct fs_err *err)
{
    enum fs_log_level level;
    char bad[64];
    const char *faults = getenv("FLAGSTAFF_FAULTS");
    if (!fs_log_level_parse(fs_config_text(config, FS_OPT_LOG_LEVEL), &level))
        return fs_fail(err, FS_ERR_CONFIG, "log.level: debug, info, warn or error is expected");
    fs_log_setup(level, !strcmp(fs_config_text(config, FS_OPT_LOG_FORMAT), "json"),
                 fs_config_text(config, FS_OPT_LOG_COMPONENTS));
    if (faults && !fs_fault_setup(faults, bad))
        return fs_fail(err, FS_ERR_CONFIG,
                       "FLAGSTAFF_FAULTS: %s is malformed, or this build has no fault points", bad);
    return true;
}

static int serve(const struct fs_config *config)
{
    struct fs_err err;
    struct fs_daemon_options options;
    if (!set_up_log(config, &err))
        return complain(&err);
    fs_settings_read(config, &options);
    char *data = fs_config_data(config, environ);
    options.data = data;
    int status = fs_serve(&options, config);
    fs_free(data);
    return status;
}

/* Says all that serve would refuse; how many mistakes that is. */
static size_t check_config(const struct fs_config *config)
{
    struct fs_daemon_options options;
    fs_settings_read(config, &options);
    char *data = fs_config_data(config, environ);
    options.data = data;
    size_t mistakes = fs_serve_check(&options, config);
    fs_free(data);
    return mistakes;
}

static int serve_or_check(const struct fs_config *config)
{
    if (!fs_config_true(config, FS_OPT_CHECK_CONFIG))
        return serve(config);
    if (check_config(config))
        return fs_err_exit(FS_ERR_CONFIG);
    printf("%s: the configuration is right\n", config->file ? config->file : "without a file");
    return 0;
}

/* For people, or with --output json one document for programs. */
static void print_verdict(const struct fs_config *config, const char *data, const struct fs_verdict *verdict)
{
    if (!strcmp(fs_config_text(config, FS_OPT_OUTPUT), "json")) {
        json_t *root = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I}", "data", data, "holds", !verdict->bad,
                                 "checked", (json_int_t)verdict->checked, "first", (json_int_t)verdict->first,
                                 "last", (json_int_t)verdict->last, "erased", (json_int_t)verdict->erased);
        if (verdict->bad) {
            json_object_set_new(root, "brokenAt", json_integer((json_int_t)verdict->bad));
            json_object_set_new(root, "text", json_string(verdict->text));
        }
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
    } else if (verdict->bad) {
        printf("BROKEN at entry %llu: %s\n", (unsigned long long)verdict->bad, verdict->text);
    } else {
        printf("%s: %llu entries, %llu to %llu, the chain holds\n", data,
               (unsigned long long)verdict->checked, (unsigned long long)verdict->first,
               (unsigned long long)verdict->last);
        if (verdict->erased)
            printf("%llu of them with an erased body\n", (unsigned long long)verdict->erased);
    }
}

/* Checks the audit chain of a data directory, whether or not a daemon runs on it. */
static int verify(const struct fs_config *config)
{
    struct fs_err err;
    struct fs_verdict verdict = {0};
    char *data = fs_config_data(config, environ);
    int status = 0;
    char *journal = fs_format("%s/journal.db", data);
    bool there = access(journal, F_OK) == 0;
    if (!there)
        fs_fail(&err, FS_ERR_CONFIG, "%s: %m; --data names the directory of a daemon", journal);
    fs_free(journal);
    if (!there || !fs_journal_verify(data, &verdict, &err))
        status = complain(&err);
    else {
        print_verdict(config, data, &verdict);
        status = verdict.bad ? fs_err_exit(FS_ERR_DIFFERS) : 0;
    }
    fs_free(data);
    return status;
}

int main(int argc, char **argv)
{
    struct fs_err err;
    struct fs_cli_call call;
    int status;
    if (!fs_cli_parse(&call, argc, argv, environ, &err)) {
        status = complain(&err);
        if (err.code == FS_ERR_CONFIG && call.config.command == FS_COMMAND_SERVE)
            check_config(&call.config); /* what else is wrong is said in the same run */
    } else if (call.done) {
        status = call.status; /* --help, --version, --print-config */
    } else if (call.config.command == FS_COMMAND_SERVE) {
        status = serve_or_check(&call.config);
    } else if (call.config.command == FS_COMMAND_VERIFY) {
        status = verify(&call.config);
    } else {
        call.source_type = fs_source_type_find;
        call.keys_locally = fs_keys_in_directory;
        status = fs_cli_run(&call);
    }
    fs_cli_call_finish(&call);
    return status;
}
