/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How large things are: the libraries without symbols, and what an API with a provider of 5,000 flags takes
 * of the heap. The floor are the same flags in the bare table, with their keys. Nothing here is a matter of
 * time, so each is looked at once.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <flagstaff/live_provider.h>
#include <openfeature/providers/memory.h>

#include "bench.h"
#include "sdk.h"

/* The size of the library that a function is in, when stripped; 0 where there is no strip. */
static double stripped(const void *function)
{
    Dl_info info;
    struct stat status = {0};
    char command[1024], file[] = "/tmp/flagstaff-bench-XXXXXX";
    int fd = mkstemp(file);
    BENCH_MUST(fd >= 0 && dladdr(function, &info) != 0);
    close(fd);
    snprintf(command, sizeof command, "strip -o %s '%s'", file, info.dli_fname);
    if (system(command) == 0)
        BENCH_MUST(stat(file, &status) == 0);
    unlink(file);
    return (double)status.st_size / 1000;
}

int main(void)
{
    BENCH_MUST(mallopt(M_ARENA_MAX, 1) == 1);
    struct sdk_world *world = sdk_world_create();
    printf("Libraries, stripped, kB\n  libopenfeature %.1f, memory %.1f, live with its wire %.1f\n\n",
           stripped((const void *)(uintptr_t)of_api_new),
           stripped((const void *)(uintptr_t)of_memory_provider_new),
           stripped((const void *)(uintptr_t)of_live_provider_new));
    printf("Heap of an API with 5,000 flags, kB\n  floor: the bare table and its keys %.0f\n",
           (sizeof(struct bare_slot) * BARE_SLOTS + sizeof world->kept) / 1000.0);
    printf("  memory %.0f\n  live %.0f\n", world->memory_heap / 1000, world->live_heap / 1000);
    sdk_world_destroy(world);
    return 0;
}
