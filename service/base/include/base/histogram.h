/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations or numbers counted in fixed buckets, as Prometheus' histograms have them: cheap enough for every
 * event, no allocation. Belongs to one thread at a time.
 */
#ifndef FS_BASE_HISTOGRAM_H
#define FS_BASE_HISTOGRAM_H

#include <stdint.h>
#include "base/buf.h"

#define FS_HISTOGRAM_BUCKETS 16

struct fs_histogram {
    const double *bounds; /* FS_HISTOGRAM_BUCKETS, rising, static; NULL: seconds, from 100 us to a minute */
    uint64_t counts[FS_HISTOGRAM_BUCKETS + 1]; /* the last one: above all */
    double sum;
};

/* Bounds for numbers of things, from none to a hundred thousand. */
extern const double fs_histogram_numbers[FS_HISTOGRAM_BUCKETS];

/* A value below zero counts as zero. */
void fs_histogram_add(struct fs_histogram *histogram, double value);
/* The upper bounds of its buckets, FS_HISTOGRAM_BUCKETS of them; the last bucket has none. Static. */
const double *fs_histogram_bounds(const struct fs_histogram *histogram);
/* Appends the lines NAME_bucket, NAME_sum and NAME_count; `labels` without braces ("source=\"opa\""), or "".
 * HELP and TYPE are the caller's. https://prometheus.io/docs/instrumenting/exposition_formats/ */
void fs_histogram_write(const struct fs_histogram *histogram, const char *name, const char *labels,
                        struct fs_buf *out);

#endif
