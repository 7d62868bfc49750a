/* SPDX-License-Identifier: Apache-2.0 */
/* Durations in buckets, from 100 microseconds to a minute, three to a decade; or numbers. See
 * base/histogram.h. */
#include "base/histogram.h"

static const double seconds[FS_HISTOGRAM_BUCKETS] = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 60};

const double fs_histogram_numbers[FS_HISTOGRAM_BUCKETS] = {0,   1,   2,   3,    5,    10,   20,    50,
                                                           100, 200, 500, 1000, 2000, 5000, 10000, 100000};

const double *fs_histogram_bounds(const struct fs_histogram *histogram)
{
    return histogram->bounds ? histogram->bounds : seconds;
}

void fs_histogram_add(struct fs_histogram *histogram, double value)
{
    const double *bounds = fs_histogram_bounds(histogram);
    if (value < 0)
        value = 0;
    size_t i = 0;
    while (i < FS_HISTOGRAM_BUCKETS && value > bounds[i])
        i++;
    histogram->counts[i]++;
    histogram->sum += value;
}

void fs_histogram_write(const struct fs_histogram *histogram, const char *name, const char *labels,
                        struct fs_buf *out)
{
    const double *bounds = fs_histogram_bounds(histogram);
    const char *comma = *labels ? "," : "";
    uint64_t below = 0;
    for (size_t i = 0; i < FS_HISTOGRAM_BUCKETS; i++) {
        below += histogram->counts[i];
        fs_buf_addf(out, "%s_bucket{%s%sle=\"", name, labels, comma);
        fs_buf_add_json_number(out, bounds[i]);
        fs_buf_addf(out, "\"} %llu\n", (unsigned long long)below);
    }
    below += histogram->counts[FS_HISTOGRAM_BUCKETS];
    fs_buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma, (unsigned long long)below);
    const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
    fs_buf_addf(out, "%s_sum%s%s%s ", name, open, labels, close);
    fs_buf_add_json_number(out, histogram->sum);
    fs_buf_addf(out, "\n%s_count%s%s%s %llu\n", name, open, labels, close, (unsigned long long)below);
}
