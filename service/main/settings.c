/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration to what the parts want to be told. Everything is borrowed from the configuration. */
#include "base/alloc.h"
#include "settings.h"

static void read_limits(const struct fs_config *config, struct fs_server_limits *limits)
{
    limits->body = (size_t)fs_config_number(config, FS_OPT_LIMITS_BODY);
    limits->header = (size_t)fs_config_number(config, FS_OPT_LIMITS_HEADER);
    limits->frame = (size_t)fs_config_number(config, FS_OPT_LIMITS_FRAME);
    limits->connections = (unsigned)fs_config_number(config, FS_OPT_LIMITS_CONNECTIONS);
    limits->connections_per_key = (unsigned)fs_config_number(config, FS_OPT_LIMITS_CONNECTIONS_PER_KEY);
    limits->requests = (unsigned)fs_config_number(config, FS_OPT_LIMITS_REQUESTS);
    limits->hello_ms = fs_config_number(config, FS_OPT_LIMITS_HELLO);
    limits->idle_ms = fs_config_number(config, FS_OPT_LIMITS_IDLE);
    limits->ping_ms = fs_config_number(config, FS_OPT_LIMITS_PING);
    limits->slow_ms = fs_config_number(config, FS_OPT_LIMITS_SLOW);
}

static void read_server(const struct fs_config *config, struct fs_server_options *server)
{
    server->host = fs_config_text(config, FS_OPT_LISTEN);
    server->port = (int)fs_config_number(config, FS_OPT_LISTEN);
    server->tls_certificate = fs_config_text(config, FS_OPT_TLS_CERTIFICATE);
    server->tls_key = fs_config_text(config, FS_OPT_TLS_KEY);
    server->tls_client_ca = fs_config_text(config, FS_OPT_TLS_CLIENT_CA);
    server->hosts = fs_config_list(config, FS_OPT_HOSTS);
    server->origins = fs_config_list(config, FS_OPT_ORIGINS);
    server->session_ttl = fs_config_number(config, FS_OPT_SESSION_TTL);
    server->public_url = fs_config_text(config, FS_OPT_PUBLIC_URL);
    server->frames = (struct fs_frame_limits){
        .watches = (size_t)fs_config_number(config, FS_OPT_LIMITS_WATCHES),
        .flags = FS_FLAGS_ASKED,
        .context_bytes = (size_t)fs_config_number(config, FS_OPT_LIMITS_CONTEXT_SIZE),
        .context_depth = (size_t)fs_config_number(config, FS_OPT_LIMITS_CONTEXT_DEPTH),
        .rate = (size_t)fs_config_number(config, FS_OPT_LIMITS_FRAMES),
        .send = FS_SEND_BYTES,
    };
    read_limits(config, &server->limits);
}

static void read_engine(const struct fs_config *config, struct fs_engine_options *engine)
{
    fs_engine_options_init(engine);
    engine->lease = fs_config_number(config, FS_OPT_LEASE);
    engine->hold = fs_config_number(config, FS_OPT_HOLD);
    engine->evaluate_timeout = fs_config_number(config, FS_OPT_EVALUATE_TIMEOUT);
    engine->probe_interval = fs_config_number(config, FS_OPT_PROBE);
    engine->contexts = (size_t)fs_config_number(config, FS_OPT_LIMITS_CONTEXTS);
    engine->watches = (size_t)fs_config_number(config, FS_OPT_LIMITS_WATCHES);
    engine->watches_total = (size_t)fs_config_number(config, FS_OPT_LIMITS_WATCHES_TOTAL);
    engine->window = FS_SEND_WINDOW;
    engine->send = FS_SEND_BYTES;
    engine->context_rules = (struct fs_context_rules){
        .bytes = (size_t)fs_config_number(config, FS_OPT_LIMITS_CONTEXT_SIZE),
        .depth = (size_t)fs_config_number(config, FS_OPT_LIMITS_CONTEXT_DEPTH),
    };
}

void fs_settings_read(const struct fs_config *config, struct fs_daemon_options *out)
{
    memset(out, 0, sizeof *out);
    out->flag_paths = fs_config_list(config, FS_OPT_FLAGS);
    out->demo = out->demo_flags = !fs_config_said(config, FS_OPT_FLAGS);
    out->mappings = fs_config_json(config, FS_OPT_EVENT_MAPPINGS);
    out->dedup = fs_config_number(config, FS_OPT_DEDUP);
    out->retention = fs_config_number(config, FS_OPT_RETENTION);
    out->drain = fs_config_number(config, FS_OPT_DRAIN);
    out->revalidate = fs_config_number(config, FS_OPT_REVALIDATE);
    out->dashboard_dir = fs_config_text(config, FS_OPT_DASHBOARD_DIR);
    out->public_url = fs_config_text(config, FS_OPT_PUBLIC_URL);
    out->facts = (size_t)fs_config_number(config, FS_OPT_LIMITS_FACTS);
    out->events = (size_t)fs_config_number(config, FS_OPT_LIMITS_EVENTS);
    read_engine(config, &out->engine);
    out->engine.remember = out->dedup; /* older events are refused */
    read_server(config, &out->server);
}
