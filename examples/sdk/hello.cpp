/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From C++: handles in unique_ptr, a hook made of a lambda. No exception may leave a callback.
 *
 * c++ hello.cpp $(pkg-config --cflags --libs openfeature openfeature-memory)
 *
 * Output:
 * evaluated new-checkout
 * The new checkout is on.
 */
#include <iostream>
#include <memory>

#include <openfeature/openfeature.h>
#include <openfeature/providers/memory.h>

template <auto Unref> struct Release {
    template <typename T> void operator()(T *handle) const
    {
        Unref(handle);
    }
};
using Client = std::unique_ptr<of_client, Release<of_client_unref>>;
using Hook = std::unique_ptr<of_hook, Release<of_hook_unref>>;
using Provider = std::unique_ptr<of_provider, Release<of_provider_unref>>;

int main()
{
    of_api *api = of_api_global();
    {
        Provider provider(of_memory_provider_new(nullptr, 0));
        of_memory_provider_put_bool(provider.get(), "new-checkout", true);
        of_api_set_provider_and_wait(api, nullptr, provider.get(), 1000);

        of_hook_methods methods = {};
        methods.size = sizeof methods;
        methods.finally = [](void *, of_hook_context *, const of_details *details, const of_value *) {
            std::cout << "evaluated " << details->flag_key << "\n";
        };
        Hook hook(of_hook_new(&methods, nullptr));
        of_api_add_hook(api, hook.get());
    }
    Client client(of_api_client(api, nullptr));
    if (of_client_get_bool(client.get(), "new-checkout", false, nullptr, nullptr))
        std::cout << "The new checkout is on.\n";
    of_api_shutdown(api);
}
