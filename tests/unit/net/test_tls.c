/* SPDX-License-Identifier: Apache-2.0 */
/* TLS at the door: certificates made here, libcurl as the client. */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include "door.h"

struct identity {
    X509 *certificate;
    EVP_PKEY *key;
};

static char directory[] = "/tmp/flagstaff-tls-XXXXXX";

static char *path_of(const char *name)
{
    return fs_format("%s/%s", directory, name);
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* Signed as it is now, to NAME.crt. */
static void write_certificate(const char *name, const struct identity *made, const struct identity *by)
{
    char *path = fs_format("%s/%s.crt", directory, name);
    assert_true(X509_sign(made->certificate, by->key, EVP_sha256()) > 0);
    FILE *file = fopen(path, "we");
    PEM_write_X509(file, made->certificate);
    fclose(file);
    fs_free(path);
}

/* A certificate for localhost, by this issuer or by itself, written to NAME.crt and NAME.key. */
static struct identity make(const char *name, const struct identity *issuer, long serial)
{
    struct identity made = {X509_new(), EVP_EC_gen("P-256")};
    const struct identity *by = issuer ? issuer : &made;
    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), 86400);
    X509_set_pubkey(made.certificate, made.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(made.certificate, X509_get_subject_name(by->certificate));
    add_extension(made.certificate, by->certificate, NID_basic_constraints,
                  issuer ? "CA:FALSE" : "critical,CA:TRUE");
    add_extension(made.certificate, by->certificate, NID_subject_alt_name, "DNS:localhost");
    write_certificate(name, &made, by);

    char *key_path = fs_format("%s/%s.key", directory, name);
    FILE *file = fopen(key_path, "we");
    PEM_write_PrivateKey(file, made.key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    fs_free(key_path);
    return made;
}

static void forget(struct identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    curl_global_init(CURL_GLOBAL_ALL);
    struct identity ca = make("ca", NULL, 1);
    struct identity server = make("server", &ca, 2), client = make("client", &ca, 3),
                    other = make("other", NULL, 4);
    forget(&ca);
    forget(&server);
    forget(&client);
    forget(&other);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"ca", "server", "client", "other"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char *certificate = fs_format("%s/%s.crt", directory, names[i]),
             *key = fs_format("%s/%s.key", directory, names[i]);
        unlink(certificate);
        unlink(key);
        fs_free(certificate);
        fs_free(key);
    }
    curl_global_cleanup();
    return rmdir(directory);
}

struct call {
    const struct door *door;
    bool with_certificate;
    const char *origin; /* of a request that the door answers by itself; NULL: one that it hands over */
    CURLcode result;
    long status, http_version;
    char serial[128];
};

static size_t ignore(char *bytes, size_t size, size_t count, void *user)
{
    (void)bytes;
    (void)user;
    return size * count;
}

/* One request by libcurl in a thread of its own (the test answers it meanwhile). */
static void *perform(void *arg)
{
    struct call *call = arg;
    CURL *curl = curl_easy_init();
    char *url = fs_format("https://localhost:%d/%s", call->door->port, call->origin ? "v1/flags" : "healthz");
    char *origin = fs_format("Origin: %s", call->origin ? call->origin : "");
    struct curl_slist *headers = call->origin ? curl_slist_append(NULL, origin) : NULL;
    char *ca = path_of("ca.crt"), *certificate = path_of("client.crt"), *key = path_of("client.key");
    char *address = fs_format("localhost:%d:127.0.0.1", call->door->port);
    struct curl_slist *resolve = curl_slist_append(NULL, address);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve);
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS); /* offers h2 */
    if (call->with_certificate) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, certificate);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, key);
    }
    call->result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &call->status);
    curl_easy_getinfo(curl, CURLINFO_HTTP_VERSION, &call->http_version);
    struct curl_certinfo *info = NULL;
    curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info);
    for (struct curl_slist *line = info && info->num_of_certs ? info->certinfo[0] : NULL; line;
         line = line->next) {
        if (strncmp(line->data, "Serial Number:", 14) == 0)
            snprintf(call->serial, sizeof call->serial, "%s", line->data + 14);
    }
    curl_slist_free_all(resolve);
    curl_slist_free_all(headers);
    fs_free(origin);
    curl_easy_cleanup(curl);
    fs_free(url);
    fs_free(ca);
    fs_free(certificate);
    fs_free(key);
    fs_free(address);
    return NULL;
}

/* Makes the call; answers it with 200 where it comes through. */
static struct call call(struct door *door, bool with_certificate)
{
    struct call made = {.door = door, .with_certificate = with_certificate};
    pthread_t thread;
    pthread_create(&thread, NULL, perform, &made);
    if (fs_queue_wait(door->inbox, with_certificate ? WAIT_MS : 1000))
        fs_server_reply(door->server, door_id(door, FS_NET_REQUEST), 200, "text/plain", NULL,
                        door_blob("ok"));
    pthread_join(thread, NULL);
    return made;
}

static void open_with_tls(struct door *door, bool client_ca)
{
    char *certificate = path_of("server.crt"), *key = path_of("server.key"), *ca = path_of("ca.crt");
    door_init(door);
    door_open(door,
              (struct fs_server_options){
                  .tls_certificate = certificate, .tls_key = key, .tls_client_ca = client_ca ? ca : NULL},
              0);
    fs_free(certificate);
    fs_free(key);
    fs_free(ca);
}

static void a_request_comes_through_tls_and_http2_is_not_offered(void **state)
{
    struct door door;
    (void)state;
    open_with_tls(&door, false);
    struct call made = call(&door, true);
    assert_int_equal(made.result, CURLE_OK);
    assert_int_equal(made.status, 200);
    assert_int_equal(made.http_version, CURL_HTTP_VERSION_1_1);
    door_close(&door);
}

static void under_tls_our_own_origin_is_that_of_https(void **state)
{
    struct door door;
    (void)state;
    open_with_tls(&door, false);
    char *ours = fs_format("https://localhost:%d", door.port),
         *clear = fs_format("http://localhost:%d", door.port);
    struct call own = {.door = &door, .origin = ours}, other = {.door = &door, .origin = clear};
    perform(&own);
    assert_int_equal(own.status, 401); /* let in by its Origin, and asked for a key */
    perform(&other);
    assert_int_equal(other.status, 403);
    fs_free(ours);
    fs_free(clear);
    door_close(&door);
}

static void a_client_without_the_required_certificate_is_not_heard(void **state)
{
    struct door door;
    (void)state;
    open_with_tls(&door, true);
    assert_int_equal(call(&door, true).status, 200);
    struct call without = call(&door, false);
    assert_int_equal(without.status, 0);
    assert_int_not_equal(without.result, CURLE_OK);
    door_close(&door);
}

static void a_new_certificate_is_served_after_reload_and_a_bad_one_changes_nothing(void **state)
{
    struct door door;
    struct fs_err err = {0};
    (void)state;
    open_with_tls(&door, false);
    struct call before = call(&door, true);
    assert_non_null(strstr(before.serial, "2"));

    char *ca_certificate = path_of("ca.crt"), *ca_key = path_of("ca.key"),
         *certificate = path_of("server.crt");
    struct identity ca = {0};
    FILE *file = fopen(ca_certificate, "re");
    ca.certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    file = fopen(ca_key, "re");
    ca.key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    struct identity renewed = make("server", &ca, 5);
    int64_t first_ends = fs_server_tls(door.server).expires;
    X509_gmtime_adj(X509_getm_notAfter(renewed.certificate), 2 * 86400);
    write_certificate("server", &renewed, &ca);
    assert_true(fs_server_reload_tls(door.server, &err));
    assert_in_range(fs_server_tls(door.server).expires - first_ends, 86400 - 1, 86400 + 3600);
    assert_false(fs_server_tls(door.server).reload_failed);
    struct call after = call(&door, true);
    assert_int_equal(after.status, 200);
    assert_non_null(strstr(after.serial, "5"));

    file = fopen(certificate, "we");
    fputs("no certificate", file);
    fclose(file);
    assert_false(fs_server_reload_tls(door.server, &err));
    assert_non_null(strstr(err.text, "server.crt"));
    assert_true(fs_server_tls(door.server).reload_failed);
    assert_in_range(fs_server_tls(door.server).expires - first_ends, 86400 - 1, 86400 + 3600);
    assert_int_equal(call(&door, true).status, 200);

    struct identity restored = make("server", &ca, 2);
    forget(&renewed);
    forget(&restored);
    forget(&ca);
    fs_free(ca_certificate);
    fs_free(ca_key);
    fs_free(certificate);
    door_close(&door);
}

static void files_that_do_not_fit_are_refused_at_start_and_named(void **state)
{
    struct fs_err err = {0};
    char *certificate = path_of("server.crt"), *wrong = path_of("other.key"),
         *missing = path_of("missing.key");
    struct fs_queue *inbox = fs_queue_create(10, NULL, NULL);
    (void)state;
    struct fs_server_options options = {.tls_certificate = certificate, .tls_key = wrong, .inbox = inbox};
    assert_null(fs_server_start(&options, &err));
    assert_non_null(strstr(err.text, "does not belong"));
    options.tls_key = missing;
    assert_null(fs_server_start(&options, &err));
    assert_non_null(strstr(err.text, "missing.key"));
    options.tls_key = NULL;
    assert_null(fs_server_start(&options, &err));
    fs_queue_destroy(inbox);
    fs_free(certificate);
    fs_free(wrong);
    fs_free(missing);
}

static void plain_http_on_a_tls_port_gets_no_answer(void **state)
{
    struct door door;
    (void)state;
    open_with_tls(&door, false);
    int fd = client_connect(&door);
    client_send(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(client_answer(fd)->status, 0);
    assert_int_equal(fs_queue_length(door.inbox), 0);
    close(fd);
    door_close(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_through_tls_and_http2_is_not_offered),
        cmocka_unit_test(under_tls_our_own_origin_is_that_of_https),
        cmocka_unit_test(a_client_without_the_required_certificate_is_not_heard),
        cmocka_unit_test(a_new_certificate_is_served_after_reload_and_a_bad_one_changes_nothing),
        cmocka_unit_test(files_that_do_not_fit_are_refused_at_start_and_named),
        cmocka_unit_test(plain_http_on_a_tls_port_gets_no_answer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
