/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of flagstaff.board.v1, both ways, against the shapes of
 * docs/protocol/flagstaff.board.v1.schema.json. */
#include "flags.h"
#include "push/board.h"

static const struct fs_cause cause = {
    .kind = FS_CAUSE_EVENT, .entries = {12}, .time = 1795512604512, .count = 1};
static const struct fs_board_extra extra = {.version = "0.1.0", .journal_healthy = true};
#define HASH "0000000000000000000000000000000000000000000000000000000000000000"

static struct fs_feed_row row_of(const struct fs_flag *flag, const struct fs_evaluation *value, uint64_t cell)
{
    static char said[] = "operator ada: INC-1";
    return (struct fs_feed_row){.cell = cell,
                                .cause_text = said,
                                .subject = "ada",
                                .hash = HASH,
                                .source = "opa",
                                .flag = flag,
                                .value = value,
                                .cause = &cause,
                                .changed = 1795512604600,
                                .revision = 7,
                                .acked = 1,
                                .watching = 2};
}

static void assert_frame(const struct fs_feed_frame *frame, size_t taken, const char *expected)
{
    size_t got;
    struct fs_blob *blob = fs_board_frame(frame, &extra, &got);
    assert_int_equal(got, taken);
    assert_json((const char *)blob->bytes, expected);
    fs_blob_unref(blob);
}

static void rows_of_a_snapshot_have_their_texts_in_a_dictionary(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("export", FS_TYPE_BOOLEAN, "{\"on\":true,\"off\":false}", "off");
    struct fs_evaluation on = evaluated(flag, 0, FS_REASON_TARGETING_MATCH);
    struct fs_feed_row rows[] = {row_of(flag, &on, 1), row_of(flag, &on, 2)};
    rows[1].subject = "bo";
    rows[1].source = NULL;
    struct fs_feed_frame frame = {.kind = FS_FEED_ROWS_PART,
                                  .view = 3,
                                  .first = true,
                                  .more = true,
                                  .revision = 9,
                                  .total = 5,
                                  .rows = rows,
                                  .row_count = 2};
    assert_frame(
        &frame, 2,
        "{\"type\":\"rows\",\"id\":3,\"first\":true,\"revision\":9,\"total\":5,\"dict\":[\"ada\",\"" HASH
        "\",\"export\",\"on\",\"TARGETING_MATCH\",\"opa\",\"event\",\"watched\",\"operator ada: "
        "INC-1\",\"bo\"],\"rows\":["
        "[1,0,1,2,3,true,4,5,6,12,1795512604512,1795512604600,7,1,2,7,null,8],"
        "[2,9,1,2,3,true,4,null,6,12,1795512604512,1795512604600,7,1,2,7,null,8]],\"more\":true}");
    fs_flag_destroy(flag);
}

static void changes_have_plain_texts_and_what_has_gone(void **state)
{
    (void)state;
    const uint64_t gone[] = {4, 5};
    struct fs_flag *flag = flag_of("ratio", FS_TYPE_FLOAT, "{\"one\":1.0}", NULL);
    struct fs_evaluation one = evaluated(flag, 0, FS_REASON_STATIC);
    snprintf(one.detail, sizeof one.detail, "the source does not answer");
    struct fs_feed_row row = row_of(flag, &one, 1);
    row.state = FS_FEED_SEEN;
    struct fs_feed_frame frame = {.kind = FS_FEED_CHANGES,
                                  .view = 1,
                                  .revision = 9,
                                  .before = 8,
                                  .total = 1,
                                  .rows = &row,
                                  .row_count = 1,
                                  .gone = gone,
                                  .gone_count = 2};
    assert_frame(
        &frame, 1,
        "{\"type\":\"changes\",\"id\":1,\"gone\":[4,5],\"rows\":[[1,\"ada\",\"" HASH
        "\",\"ratio\",\"one\",1.0,\"STATIC\",\"opa\",\"event\",12,1795512604512,1795512604600,7,1,2,"
        "\"seen\",\"the source does not answer\",\"operator ada: INC-1\"]],\"revision\":9,\"total\":1}");
    fs_flag_destroy(flag);
}

static void an_access_flag_without_a_value_is_shown_as_clients_hold_it(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("export", FS_TYPE_BOOLEAN, "{\"on\":true,\"off\":false}", "off");
    struct fs_evaluation none = evaluated(flag, -1, FS_REASON_ERROR);
    struct fs_feed_row row = row_of(flag, &none, 1);
    struct fs_feed_frame frame = {.kind = FS_FEED_CHANGES, .view = 1, .rows = &row, .row_count = 1};
    size_t taken;
    struct fs_blob *blob = fs_board_frame(&frame, &extra, &taken);
    assert_non_null(strstr((const char *)blob->bytes, "\"export\",\"off\",false,\"ERROR\""));
    fs_blob_unref(blob);
    fs_flag_destroy(flag);
}

static void a_frame_takes_as_many_rows_as_it_holds_and_one_at_least(void **state)
{
    (void)state;
    char large[70010] = "\"";
    memset(large + 1, 'x', 70000);
    large[70001] = '"';
    struct fs_flag *flag = flag_of("text", FS_TYPE_STRING, "{}", NULL);
    json_t *value = json_of(large);
    struct fs_evaluation huge = {.value = value, .variant = "v"};
    struct fs_feed_row rows[] = {row_of(flag, &huge, 1), row_of(flag, &huge, 2)};
    for (enum fs_feed_frame_kind kind = FS_FEED_ROWS_PART; kind <= FS_FEED_CHANGES; kind++) {
        struct fs_feed_frame frame = {
            .kind = kind, .view = 1, .revision = 9, .before = 8, .rows = rows, .row_count = 2};
        size_t taken;
        struct fs_blob *blob = fs_board_frame(&frame, &extra, &taken);
        json_t *json = json_of((const char *)blob->bytes);
        assert_int_equal(taken, 1);
        assert_int_equal(json_array_size(json_object_get(json, "rows")), 1);
        assert_true(kind == FS_FEED_CHANGES || json_is_true(json_object_get(json, "more")));
        /* What is not whole does not move the point from which one resumes. */
        assert_int_equal(json_integer_value(json_object_get(json, "revision")),
                         kind == FS_FEED_CHANGES ? 8 : 9);
        json_decref(json);
        fs_blob_unref(blob);
    }
    json_decref(value);
    fs_flag_destroy(flag);
}

static void the_other_frames(void **state)
{
    (void)state;
    const struct fs_feed_delivered moved[] = {{7, 1, 2}, {9, 3, 3}};
    const struct fs_feed_source source = {"opa", "down"};
    struct fs_feed_frame frame = {
        .kind = FS_FEED_DELIVERED, .view = 2, .delivered = moved, .delivered_count = 2};
    assert_frame(&frame, 0, "{\"type\":\"delivered\",\"id\":2,\"cells\":[[7,1,2],[9,3,3]]}");
    frame =
        (struct fs_feed_frame){.kind = FS_FEED_WELCOME, .epoch = "e-1", .revision = 3, .time = 1795512604512};
    assert_frame(&frame, 0,
                 "{\"type\":\"welcome\",\"protocol\":\"flagstaff.board.v1\",\"epoch\":\"e-1\",\"revision\":3,"
                 "\"time\":\"2026-11-24T09:30:04.512Z\",\"version\":\"0.1.0\",\"limits\":{\"views\":4,"
                 "\"rows\":10000}}");
    frame = (struct fs_feed_frame){.kind = FS_FEED_PULSE,
                                   .time = 1795512604512,
                                   .revision = 3,
                                   .subjects = 1,
                                   .contexts = 2,
                                   .cells = 3,
                                   .clients = 4,
                                   .behind = 5,
                                   .overrides = 2,
                                   .flips = 6,
                                   .sources = &source,
                                   .source_count = 1};
    assert_frame(
        &frame, 0,
        "{\"type\":\"pulse\",\"time\":\"2026-11-24T09:30:04.512Z\",\"revision\":3,\"subjects\":1,"
        "\"contexts\":2,\"cells\":3,\"clients\":4,\"behind\":5,\"flips\":6,\"sources\":[{\"name\":\"opa\","
        "\"state\":\"down\"}],\"overrides\":2,\"journal\":{\"healthy\":true}}");
    frame = (struct fs_feed_frame){.kind = FS_FEED_GOAWAY, .code = "drain", .reconnect = 500};
    assert_frame(&frame, 0, "{\"type\":\"goaway\",\"code\":\"drain\",\"reconnectAfter\":500}");
}

static void a_view_is_read_with_what_it_leaves_out(void **state)
{
    (void)state;
    static const char whole[] = "{\"type\":\"view\",\"id\":2,\"filter\":{\"q\":\"a\",\"source\":\"o*\","
                                "\"flag\":\"\"},\"sort\":\"flag\","
                                "\"limit\":5,\"since\":{\"epoch\":\"e-1\",\"revision\":7},\"more\":1}";
    static const char bare[] = "{\"type\":\"view\",\"id\":1}";
    struct fs_frame_fault fault;
    struct fs_board_request *request = fs_board_read(whole, sizeof whole - 1, &fault);
    assert_non_null(request);
    assert_int_equal(request->view.id, 2);
    assert_int_equal(request->view.limit, 5);
    assert_int_equal(request->view.sort, FS_FEED_BY_FLAG);
    assert_string_equal(request->view.filter.q, "a");
    assert_string_equal(request->view.filter.source, "o*");
    assert_null(request->view.filter.flag);
    assert_true(request->view.resumes);
    assert_int_equal(request->view.since, 7);
    fs_board_request_destroy(request);
    request = fs_board_read(bare, sizeof bare - 1, &fault);
    assert_int_equal(request->view.limit, 1000);
    assert_int_equal(request->view.sort, FS_FEED_BY_CHANGED);
    assert_false(request->view.resumes);
    fs_board_request_destroy(request);
}

static void assert_fault(const char *text, const char *code, uint64_t view, int close)
{
    struct fs_frame_fault fault;
    assert_null(fs_board_read(text, strlen(text), &fault));
    assert_string_equal(fault.code, code);
    assert_int_equal(fault.watch, view);
    assert_int_equal(fault.close, close);
    struct fs_blob *blob = fs_board_fault(&fault);
    json_t *json = json_of((const char *)blob->bytes);
    assert_string_equal(json_string_value(json_object_get(json, "code")), code);
    assert_int_equal(json_integer_value(json_object_get(json, "id")), view);
    json_decref(json);
    fs_blob_unref(blob);
}

static void what_is_wrong_is_said_and_only_what_is_no_frame_ends_the_connection(void **state)
{
    (void)state;
    assert_fault("", "bad_frame", 0, 4400);
    assert_fault("[1]", "bad_frame", 0, 4400);
    assert_fault("{}", "bad_frame", 0, 4400);
    assert_fault("{\"type\":\"hello\"}", "unknown_type", 0, 0);
    assert_fault("{\"type\":\"view\"}", "bad_frame", 0, 0);
    assert_fault("{\"type\":\"view\",\"id\":0}", "bad_frame", 0, 0);
    assert_fault("{\"type\":\"view\",\"id\":1,\"limit\":0}", "bad_frame", 1, 0);
    assert_fault("{\"type\":\"view\",\"id\":1,\"limit\":10001}", "bad_frame", 1, 0);
    assert_fault("{\"type\":\"view\",\"id\":1,\"sort\":7}", "bad_frame", 1, 0);
    assert_fault("{\"type\":\"view\",\"id\":1,\"filter\":[]}", "bad_frame", 1, 0);
    assert_fault("{\"type\":\"view\",\"id\":1,\"filter\":{\"q\":1}}", "bad_frame", 1, 0);
    assert_fault("{\"type\":\"view\",\"id\":1,\"filter\":{\"q\":\"a\\u0000\"}}", "bad_frame", 0, 4400);
    assert_fault("{\"type\":\"view\",\"id\":1,\"since\":{\"epoch\":\"e\"}}", "bad_frame", 1, 0);
    assert_fault("{\"type\":\"entries\"}", "bad_frame", 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_snapshot_have_their_texts_in_a_dictionary),
        cmocka_unit_test(changes_have_plain_texts_and_what_has_gone),
        cmocka_unit_test(an_access_flag_without_a_value_is_shown_as_clients_hold_it),
        cmocka_unit_test(a_frame_takes_as_many_rows_as_it_holds_and_one_at_least),
        cmocka_unit_test(the_other_frames),
        cmocka_unit_test(a_view_is_read_with_what_it_leaves_out),
        cmocka_unit_test(what_is_wrong_is_said_and_only_what_is_no_frame_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
