/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are these files a certificate and its key? Checked before the library sees them, since it says nothing that
 * an operator could use.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "server_internal.h"

static FILE *open_file(const char *path, const char *option, struct fs_mistakes *mistakes)
{
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file)
        fs_mistake_new(mistakes, FS_ERR_CONFIG, "%s: %s cannot be read: %s", option,
                       path ? path : "(none named)", path ? strerror(errno) : "set it");
    return file;
}

static X509 *read_certificate(const char *path, const char *option, struct fs_mistakes *mistakes)
{
    FILE *file = open_file(path, option, mistakes);
    if (!file)
        return NULL;
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    if (!certificate)
        fs_mistake_new(mistakes, FS_ERR_CONFIG, "%s: %s holds no certificate in PEM form", option, path);
    return certificate;
}

/* Wall s; 0: it cannot be told. */
static int64_t end_of(const X509 *certificate)
{
    struct tm end;
    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) ? (int64_t)timegm(&end) : 0;
}

static EVP_PKEY *read_key(const char *path, struct fs_mistakes *mistakes)
{
    FILE *file = open_file(path, "tls.key", mistakes);
    if (!file)
        return NULL;
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    if (!key)
        fs_mistake_new(mistakes, FS_ERR_CONFIG,
                       "tls.key: %s is no private key in PEM form without a passphrase", path);
    return key;
}

bool fs_tls_check(const char *certificate, const char *key, const char *client_ca, int64_t *expires,
                  struct fs_mistakes *mistakes)
{
    X509 *own = read_certificate(certificate, "tls.certificate", mistakes);
    EVP_PKEY *private_key = read_key(key, mistakes);
    X509 *ca = client_ca ? read_certificate(client_ca, "tls.clientCa", mistakes) : NULL;
    bool fine = own && private_key && (ca || !client_ca);
    if (own && private_key && !X509_check_private_key(own, private_key))
        fine = fs_mistake_new(mistakes, FS_ERR_CONFIG, "tls.key: %s does not belong to the certificate %s",
                              key, certificate);
    *expires = own ? end_of(own) : 0;
    X509_free(own);
    X509_free(ca);
    EVP_PKEY_free(private_key);
    return fine;
}

bool fs_tls_check_own(const struct fs_server *server, int64_t *expires, struct fs_err *err)
{
    struct fs_mistakes mistakes = {0};
    bool fine =
        fs_tls_check(server->certificate, server->certificate_key, server->client_ca, expires, &mistakes);
    if (!fine && err)
        *err = mistakes.list.items[0];
    fs_mistakes_finish(&mistakes);
    return fine;
}
