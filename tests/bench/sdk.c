/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of the benches of libopenfeature in each place where they are read: see sdk.h. */
#include "sdk.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include <flagstaff/live_provider.h>
#include <openfeature/providers/memory.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "bench.h"

enum { PATIENCE_MS = 20000 };

void sdk_key(char *key, int flag)
{
    snprintf(key, SDK_KEY, "checkout-%04d.express-lane", flag);
}

static bool is_string(int flag)
{
    return flag % 5 == 4;
}

static void shuffle(char (*keys)[SDK_KEY], size_t count)
{
    uint64_t chance = 1;
    for (size_t i = count - 1; i > 0; i--) {
        chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t other = (size_t)(chance >> 33) % (i + 1);
        char spare[SDK_KEY];
        memcpy(spare, keys[i], SDK_KEY);
        memcpy(keys[i], keys[other], SDK_KEY);
        memcpy(keys[other], spare, SDK_KEY);
    }
}

static void fill_bare(struct sdk_world *world)
{
    size_t bools = 0, strings = 0;
    for (int i = 0; i < SDK_FLAGS; i++) {
        char *key = world->kept[i];
        sdk_key(key, i);
        memcpy(is_string(i) ? world->strings[strings++] : world->bools[bools++], key, SDK_KEY);
        uint64_t hash = bare_hash(key, strlen(key));
        size_t at = hash % BARE_SLOTS;
        while (world->bare[at].key != NULL)
            at = (at + 1) % BARE_SLOTS;
        world->bare[at] = (struct bare_slot){key, (uint32_t)(hash >> 32), (uint32_t)i % 2};
    }
    shuffle(world->bools, SDK_BOOLS);
    shuffle(world->strings, SDK_STRINGS);
    world->texts[0].text = SDK_OFF, world->texts[0].length = sizeof SDK_OFF - 1;
    world->texts[1].text = SDK_ON, world->texts[1].length = sizeof SDK_ON - 1;
}

static of_value *variants(bool string)
{
    of_value *values = of_value_object();
    BENCH_MUST(string ? of_value_set_string(values, "on", SDK_ON) == OF_OK &&
                            of_value_set_string(values, "off", SDK_OFF) == OF_OK
                      : of_value_set_bool(values, "on", true) == OF_OK &&
                            of_value_set_bool(values, "off", false) == OF_OK);
    return values;
}

static double heap(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)(info.uordblks + info.hblkhd);
}

/* The least of a while: when the values are there, the thread that brought them still holds what it tells. */
static double settled_heap(void)
{
    double least = heap();
    for (int i = 0; i < 20; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        double now = heap();
        least = now < least ? now : least;
    }
    return least;
}

static void start_memory(struct sdk_world *world)
{
    of_memory_flag *flags = fs_calloc(SDK_FLAGS, sizeof *flags);
    of_value *bools = variants(false), *strings = variants(true);
    double before = heap();
    for (int i = 0; i < SDK_FLAGS; i++)
        flags[i] = (of_memory_flag){.size = sizeof flags[i],
                                    .key = world->kept[i],
                                    .variants = is_string(i) ? strings : bools,
                                    .default_variant = i % 2 ? "on" : "off"};
    world->memory = of_api_new();
    world->memory_provider = of_memory_provider_new(flags, SDK_FLAGS);
    BENCH_MUST(of_api_set_provider_and_wait(world->memory, NULL, world->memory_provider, PATIENCE_MS) ==
               OF_OK);
    world->memory_client = of_api_client(world->memory, NULL);
    world->memory_heap = heap() - before;
    of_value_unref(bools), of_value_unref(strings);
    fs_free(flags);
}

void sdk_memory_put(struct sdk_world *world, int flag, bool on)
{
    BENCH_MUST(of_memory_provider_put_bool(world->memory_provider, world->kept[flag], on) == OF_OK);
}

/* Flag 0 follows the fact `n` of the subject. */
static char *flag_file(void)
{
    struct fs_buf out;
    fs_buf_init(&out, 1 << 21);
    fs_buf_addf(&out, "{\"flags\":{");
    for (int i = 0; i < SDK_FLAGS; i++) {
        char key[SDK_KEY];
        sdk_key(key, i);
        fs_buf_addf(&out, "%s\"%s\":{\"variants\":", i ? ",\n" : "", key);
        if (is_string(i))
            fs_buf_addf(&out, "{\"on\":\"" SDK_ON "\",\"off\":\"" SDK_OFF "\"},\"defaultVariant\":\"%s\"}",
                        i % 2 ? "on" : "off");
        else if (i == 0)
            fs_buf_addf(&out, "{\"on\":true,\"off\":false},\"decision\":{\"rule\":{\"==\":[{\"%%\":[{\"var\":"
                              "\"facts.n\"},2]},1]}},\"factDefaults\":{\"n\":0}}");
        else if (i % 4 < 2)
            fs_buf_addf(
                &out,
                "{\"on\":true,\"off\":false},\"decision\":{\"rule\":{\"%s\":[{\"var\":\"targetingKey\"},"
                "\"" SDK_SUBJECT "\"]}}}",
                i % 2 ? "==" : "!=");
        else
            fs_buf_addf(&out, "{\"on\":true,\"off\":false},\"defaultVariant\":\"%s\"}", i % 2 ? "on" : "off");
    }
    fs_buf_addf(&out, "}}\n");
    BENCH_MUST(!out.failed);
    return fs_buf_take(&out, NULL);
}

static of_provider *live_provider(const struct sdk_world *world, bool fixed)
{
    char url[64], problem[200];
    of_live_options options = OF_LIVE_OPTIONS_INIT;
    snprintf(url, sizeof url, "ws://127.0.0.1:%d", world->daemon.port);
    options.url = url;
    options.start_timeout = options.wait = PATIENCE_MS; /* the first look waits, no other one does */
    options.static_context = fixed;
    of_provider *provider = of_live_provider_new(&options, problem, sizeof problem);
    BENCH_MUST(provider != NULL);
    return provider;
}

static void start_live(struct sdk_world *world)
{
    char *file = flag_file();
    daemon_start_with(&world->daemon, file);
    fs_free(file);
    double before = heap();
    world->live = of_api_new();
    world->live_provider = live_provider(world, false);
    BENCH_MUST(of_api_set_provider_and_wait(world->live, NULL, world->live_provider, PATIENCE_MS) == OF_OK);
    world->live_client = of_api_client(world->live, NULL);
    BENCH_MUST(of_client_get_bool(world->live_client, world->kept[1], false, world->context, NULL));
    world->live_heap = settled_heap() - before;
    of_provider *provider = live_provider(world, true);
    world->fixed = of_static_api_new();
    BENCH_MUST(of_static_api_set_context(world->fixed, NULL, world->context) == OF_OK);
    BENCH_MUST(of_static_api_set_provider_and_wait(world->fixed, NULL, provider, PATIENCE_MS) == OF_OK);
    world->fixed_client = of_static_api_client(world->fixed, NULL);
    of_provider_unref(provider);
}

struct sdk_world *sdk_world_create(void)
{
    struct sdk_world *world = FS_NEW(struct sdk_world);
    world->context = of_context_new(SDK_SUBJECT);
    fill_bare(world);
    start_memory(world);
    start_live(world);
    return world;
}

void sdk_world_destroy(struct sdk_world *world)
{
    of_client_unref(world->memory_client);
    of_client_unref(world->live_client);
    of_static_client_unref(world->fixed_client);
    of_api_unref(world->memory);
    of_api_unref(world->live);
    of_static_api_unref(world->fixed);
    of_provider_unref(world->memory_provider);
    of_provider_unref(world->live_provider);
    of_context_unref(world->context);
    daemon_stop(&world->daemon);
    fs_free(world);
}
