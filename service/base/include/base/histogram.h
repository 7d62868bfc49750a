/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations counted in fixed buckets, as Prometheus' histograms have them: cheap enough for every event, no
 * allocation. Belongs to one thread at a time.
 */
#ifndef FS_BASE_HISTOGRAM_H
#define FS_BASE_HISTOGRAM_H

#include <stdint.h>
#include "base/buf.h"

#define FS_HISTOGRAM_BUCKETS 16

struct fs_histogram {
    uint64_t counts[FS_HISTOGRAM_BUCKETS + 1]; /* the last one: longer than all */
    double sum;                                /* seconds */
};

/* `seconds` below zero counts as zero. */
void fs_histogram_add(struct fs_histogram *histogram, double seconds);
/* Appends the lines NAME_bucket, NAME_sum and NAME_count; `labels` without braces ("source=\"opa\""), or "".
 * HELP and TYPE are the caller's. https://prometheus.io/docs/instrumenting/exposition_formats/ */
void fs_histogram_write(const struct fs_histogram *histogram, const char *name, const char *labels,
                        struct fs_buf *out);

#endif
