/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests with CloudEvents: lines "Name: value", an empty line, the body. What is taken can be written into
 * the journal and read back as the same event.
 */
#include "fuzz.h"
#include "events/cloudevents.h"

static void written(const struct fs_event *event)
{
    struct fs_buf once, twice;
    struct fs_err err;
    fs_buf_init(&once, 1 << 24);
    fs_buf_init(&twice, 1 << 24);
    FUZZ_HOLDS(fs_event_write(event, &once));
    struct fs_event *back = fs_event_read(once.data, once.length, &err);
    FUZZ_HOLDS(back && fs_event_write(back, &twice));
    FUZZ_HOLDS(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    fs_event_destroy(back);
    fs_buf_finish(&once);
    fs_buf_finish(&twice);
}

static const struct fs_mappings *mappings(void)
{
    static struct fs_mappings *made;
    if (!made) {
        json_t *list = json_loads("[{\"type\":\"com.example.login*\",\"subject\":{\"var\":\"data.user\"},"
                                  "\"facts\":[{\"fact\":\"seen\","
                                  "\"value\":{\"var\":\"data.at\"}}]}]",
                                  0, NULL);
        made = fs_mappings_create(list, NULL);
        if (!made)
            made = fs_mappings_create(NULL, NULL);
        json_decref(list);
    }
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fs_str rest = fuzz_text(data, size), line;
    struct fs_events_header headers[16];
    struct fs_events_request request = {.headers = headers};
    while (fuzz_line(&rest, &line) && line.len && request.header_count < 16) {
        char *name = fuzz_copy(line), *colon = strchr(name, ':');
        char *value = colon ? colon + 1 + strspn(colon + 1, " ") : name + strlen(name);
        if (colon)
            *colon = 0;
        if (strcasecmp(name, "content-type") == 0)
            request.content_type = value;
        headers[request.header_count++] = (struct fs_events_header){name, value};
    }
    request.body = rest.ptr;
    request.length = rest.len;
    struct fs_events_options options = {
        .mappings = mappings(), .credential = "k1", .now = 1790000000000, .dedup = 604800000};
    fs_events_limits_init(&options.limits);
    struct fs_events events = {0};
    struct fs_err err = {0};
    if (fs_events_read(&request, &options, &events, &err)) {
        for (size_t i = 0; i < events.count; i++)
            written(events.items[i]);
    } else {
        FUZZ_HOLDS(err.code != FS_OK && err.text[0] && fuzz_is_line(err.text));
    }
    fs_events_finish(&events);
    for (size_t i = 0; i < request.header_count; i++)
        fs_free((char *)(uintptr_t)headers[i].name);
    return 0;
}
