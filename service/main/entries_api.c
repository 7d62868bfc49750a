/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/entries: what happened, the newest first, and what each has set off. Read on the worker's thread.
 */
#include "base/alloc.h"
#include "base/str.h"
#include "entries.h"

#define DEPTH      200000 /* entries that one page looks through */
#define REACH      2000   /* behind the newest of a page: so far ticks may tell of it */
#define TICKS      2000   /* that are looked through for flips */
#define TICK_BYTES ((size_t)64 * 1024 * 1024)

struct page {
    struct fs_journal *journal;
    struct fs_server *server;
    atomic_int *readings;
    uint64_t request;
    uint64_t before; /* UINT64_MAX: from the end */
    unsigned kinds;
    size_t limit, bytes;
    json_t *list;
    struct fs_stages *stages; /* of receipts in memory, when it was asked; by rising entry */
    size_t stage_count;
};

static void page_destroy(struct page *page)
{
    fs_free(page->stages);
    json_decref(page->list);
    fs_free(page);
}

static void add_stages(const struct page *page, json_t *one, uint64_t entry)
{
    size_t low = 0, high = page->stage_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (page->stages[middle].entry < entry)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < page->stage_count && page->stages[low].entry == entry)
        fs_stages_describe(&page->stages[low], one);
}

static bool take(void *self, const struct fs_entry *entry)
{
    struct page *page = self;
    json_t *one = fs_entry_tell(entry);
    if (!one)
        return true;
    add_stages(page, one, entry->number);
    json_array_append_new(page->list, one);
    return true;
}

static bool take_tick(void *self, const struct fs_entry *entry)
{
    struct page *page = self;
    json_decref(fs_entries_flipped(page->list, entry));
    page->bytes += entry->length;
    return page->bytes < TICK_BYTES;
}

static uint64_t number_at(const struct page *page, size_t index)
{
    return (uint64_t)json_integer_value(json_object_get(json_array_get(page->list, index), "entry"));
}

static void read_page(void *arg)
{
    struct page *page = arg;
    struct fs_err err = {0};
    uint64_t last = fs_journal_last(page->journal);
    uint64_t before = page->before > last ? last + 1 : page->before;
    uint64_t from = before > DEPTH ? before - DEPTH : 1;
    page->list = json_array();
    bool fine = fs_journal_read_back(page->journal, from, before, page->kinds, page->limit, take, page, &err);
    size_t count = json_array_size(page->list);
    if (fine && count)
        fine = fs_journal_read_back(page->journal, number_at(page, count - 1), number_at(page, 0) + REACH,
                                    1u << FS_ENTRY_TICK, TICKS, take_tick, page, &err);
    if (!fine) {
        fs_api_error(page->server, page->request, &err);
    } else {
        json_t *root = json_pack("{s:O}", "entries", page->list);
        uint64_t next = count == page->limit ? number_at(page, count - 1) : from;
        if (next > 1)
            json_object_set_new(root, "next", json_integer((json_int_t)next));
        fs_api_reply(page->server, page->request, 200, root);
    }
    atomic_fetch_sub(page->readings, 1);
    page_destroy(page);
}

static bool read_wish(const struct fs_http_request *request, struct page *page, struct fs_err *err)
{
    char *limit = fs_http_query(request, "limit"), *before = fs_http_query(request, "before");
    char *kind = fs_http_query(request, "kind");
    uint64_t number = 100;
    enum fs_entry_kind one;
    bool fine = (!limit || fs_parse_u64(fs_str_from(limit), &number)) && number > 0 && number <= 1000;
    page->limit = (size_t)number;
    page->before = UINT64_MAX;
    fine = fine && (!before || (fs_parse_u64(fs_str_from(before), &page->before) && page->before > 0));
    if (!fine)
        fs_fail(err, FS_ERR_INVALID, "limit is a number from 1 to 1000, before the number of an entry");
    page->kinds = fs_entries_told();
    if (fine && kind) {
        fine = fs_entry_kind_parse(kind, &one) && (page->kinds & (1u << one));
        page->kinds = fine ? 1u << one : 0;
        if (!fine)
            fs_fail(err, FS_ERR_INVALID, "entries of the kind '%.40s' are not told here", kind);
    }
    fs_free(limit);
    fs_free(before);
    fs_free(kind);
    return fine;
}

void fs_api_entries(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err;
    struct page *page = FS_NEW(struct page);
    page->journal = daemon->journal;
    page->server = daemon->server;
    page->readings = &daemon->readings;
    page->request = message->connection;
    page->stages = fs_engine_stages(daemon->engine, &page->stage_count);
    if (!read_wish(message->request, page, &err))
        fs_api_error(daemon->server, message->connection, &err);
    else if (fs_api_read_journal(daemon, message->connection, read_page, page))
        return;
    page_destroy(page);
}
