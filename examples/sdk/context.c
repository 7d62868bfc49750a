/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: what is known of everything, of a request, and of one evaluation.
 *
 * cc context.c $(pkg-config --cflags --libs openfeature openfeature-memory)
 *
 * Output:
 * ada gets the gold price
 * grace gets the usual price
 */
#include <stdio.h>
#include <string.h>

#include <openfeature/openfeature.h>
#include <openfeature/providers/memory.h>

/* The rule of the flag: gold for those of the plan "gold", in Europe. */
static const char *price_rule(void *user, const of_context *context)
{
    (void)user;
    const char *plan = of_value_as_string(of_context_get(context, "plan"), "");
    const char *region = of_value_as_string(of_context_get(context, "region"), "");
    return strcmp(plan, "gold") == 0 && strcmp(region, "eu") == 0 ? "gold" : NULL;
}

static of_provider *make_provider(void)
{
    of_value *variants = of_value_object();
    of_value_set_string(variants, "gold", "the gold price");
    of_value_set_string(variants, "usual", "the usual price");
    of_memory_flag price = {.size = sizeof price,
                            .key = "price",
                            .variants = variants,
                            .default_variant = "usual",
                            .evaluator = price_rule};
    of_provider *provider = of_memory_provider_new(&price, 1);
    of_value_unref(variants);
    return provider;
}

static void serve(of_client *client, const char *user, const char *plan)
{
    of_context *context = of_context_new(user);
    of_context_set_string(context, "plan", plan);
    of_string price = of_client_get_string(client, "price", "the usual price", context, NULL);
    printf("%s gets %s\n", user, price.data);
    of_string_release(&price);
    of_context_unref(context);
}

int main(void)
{
    of_api *api = of_api_global();
    of_provider *provider = make_provider();
    of_api_set_provider_and_wait(api, NULL, provider, 1000);
    of_provider_unref(provider);

    of_context *everywhere = of_context_new(NULL);
    of_context_set_string(everywhere, "region", "eu");
    of_api_set_context(api, everywhere);
    of_context_unref(everywhere);

    of_client *client = of_api_client(api, NULL);
    serve(client, "ada", "gold");
    serve(client, "grace", "free");
    of_client_unref(client);
    of_api_shutdown(api);
    return 0;
}
