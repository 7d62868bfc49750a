/* SPDX-License-Identifier: Apache-2.0 */
/* Status reports of an OPA: read or refused with a reason; what is told of an error is one line of text. */
#include "fuzz.h"
#include "sources/opa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fs_opa_status status = {0};
    struct fs_err err = {0};
    if (fs_opa_status_read((const char *)data, size, &status, &err)) {
        FUZZ_HOLDS(fuzz_is_line(status.error));
    } else {
        FUZZ_HOLDS(err.code != FS_OK && err.text[0] && fuzz_is_line(err.text));
    }
    fs_opa_status_finish(&status);
    return 0;
}
