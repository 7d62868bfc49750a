/* SPDX-License-Identifier: Apache-2.0 */
/* base/histogram.h: what Prometheus reads. */
#include "testing.h"
#include "base/histogram.h"

static const char *written(const struct fs_histogram *histogram, const char *labels, struct fs_buf *out)
{
    fs_buf_init(out, 65536);
    fs_histogram_write(histogram, "x_seconds", labels, out);
    return out->data;
}

static void each_duration_is_counted_in_its_bucket_and_all_above(void **state)
{
    (void)state;
    struct fs_histogram histogram = {0};
    struct fs_buf out;
    fs_histogram_add(&histogram, 0.0002);
    fs_histogram_add(&histogram, 0.02);
    fs_histogram_add(&histogram, -1);
    const char *text = written(&histogram, "", &out);
    assert_non_null(strstr(text, "x_seconds_bucket{le=\"0.0001\"} 1\n"));
    assert_non_null(strstr(text, "x_seconds_bucket{le=\"0.00025\"} 2\n"));
    assert_non_null(strstr(text, "x_seconds_bucket{le=\"0.01\"} 2\n"));
    assert_non_null(strstr(text, "x_seconds_bucket{le=\"0.025\"} 3\n"));
    assert_non_null(strstr(text, "x_seconds_sum 0.0202\n"));
    assert_non_null(strstr(text, "x_seconds_count 3\n"));
    fs_buf_finish(&out);
}

static void numbers_have_bounds_of_their_own(void **state)
{
    (void)state;
    struct fs_histogram histogram = {.bounds = fs_histogram_numbers};
    struct fs_buf out;
    fs_histogram_add(&histogram, 0);
    fs_histogram_add(&histogram, 4);
    const char *text = written(&histogram, "", &out);
    assert_non_null(strstr(text, "x_seconds_bucket{le=\"0\"} 1\n"));
    assert_non_null(strstr(text, "x_seconds_bucket{le=\"3\"} 1\n"));
    assert_non_null(strstr(text, "x_seconds_bucket{le=\"5\"} 2\n"));
    fs_buf_finish(&out);
}

static void what_is_longer_than_all_buckets_is_counted_as_infinite(void **state)
{
    (void)state;
    struct fs_histogram histogram = {0};
    struct fs_buf out;
    fs_histogram_add(&histogram, 3600);
    const char *text = written(&histogram, "source=\"opa\"", &out);
    assert_non_null(strstr(text, "x_seconds_bucket{source=\"opa\",le=\"60\"} 0\n"));
    assert_non_null(strstr(text, "x_seconds_bucket{source=\"opa\",le=\"+Inf\"} 1\n"));
    assert_non_null(strstr(text, "x_seconds_count{source=\"opa\"} 1\n"));
    fs_buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_duration_is_counted_in_its_bucket_and_all_above),
        cmocka_unit_test(numbers_have_bounds_of_their_own),
        cmocka_unit_test(what_is_longer_than_all_buckets_is_counted_as_infinite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
