/* SPDX-License-Identifier: Apache-2.0 */
/* YAML and JSON as documents: what is read can be written as JSON, and what is refused says why. */
#include "fuzz.h"
#include "yaml/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fs_document document = {0};
    struct fs_doc_error err = {0};
    int line = 0, column = 0;
    if (fs_document_read(&document, (const char *)data, size, &err)) {
        /* What aliases repeat is bounded, but at a million nodes; here a run is to be quick. */
        if (document.root && document.root->weight < 20000) {
            json_t *json = fs_doc_json(document.root);
            FUZZ_HOLDS(json);
            json_decref(json);
        }
        fs_doc_locate(document.root, "/flags/a~1b/0/~0", &line, &column);
    } else {
        FUZZ_HOLDS(err.text[0] && fs_utf8_valid(err.text, strlen(err.text)));
    }
    fs_document_finish(&document);
    return 0;
}
