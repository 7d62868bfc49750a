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

static FILE *open_file(const char *path, const char *what, struct fs_err *err)
{
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file)
        fs_fail(err, FS_ERR_CONFIG, "the %s %s cannot be read: %s", what, path ? path : "(none named)",
                path ? strerror(errno) : "set it");
    return file;
}

static X509 *read_certificate(const char *path, const char *what, struct fs_err *err)
{
    FILE *file = open_file(path, what, err);
    if (!file)
        return NULL;
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    if (!certificate)
        fs_fail(err, FS_ERR_CONFIG, "the %s %s holds no certificate in PEM form", what, path);
    return certificate;
}

/* Wall s; 0: it cannot be told. */
static int64_t end_of(const X509 *certificate)
{
    struct tm end;
    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) ? (int64_t)timegm(&end) : 0;
}

bool fs_tls_check(const char *certificate, const char *key, const char *client_ca, int64_t *expires,
                  struct fs_err *err)
{
    bool ok = false;
    EVP_PKEY *private_key = NULL;
    X509 *ca = NULL;
    X509 *own = read_certificate(certificate, "TLS certificate", err);
    if (!own)
        goto out;
    FILE *file = open_file(key, "TLS key", err);
    if (!file)
        goto out;
    private_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    if (!private_key) {
        fs_fail(err, FS_ERR_CONFIG, "the TLS key %s is no private key in PEM form without a passphrase", key);
        goto out;
    }
    if (!X509_check_private_key(own, private_key)) {
        fs_fail(err, FS_ERR_CONFIG, "the TLS key %s does not belong to the certificate %s", key, certificate);
        goto out;
    }
    if (client_ca) {
        ca = read_certificate(client_ca, "client CA", err);
        if (!ca)
            goto out;
    }
    *expires = end_of(own);
    ok = true;
out:
    X509_free(own);
    X509_free(ca);
    EVP_PKEY_free(private_key);
    return ok;
}
