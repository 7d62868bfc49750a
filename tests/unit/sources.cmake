# SPDX-License-Identifier: Apache-2.0
flagstaff_unit_test(sources registry)
flagstaff_unit_test(sources endpoint)
flagstaff_unit_test(sources opa_module)
flagstaff_unit_test(sources opa_answers)
flagstaff_unit_test(sources opa_batch)
flagstaff_unit_test(sources opa_users)
flagstaff_unit_test(sources opa_probe)
flagstaff_unit_test(sources opa_status)

# The fetch thread with a server of its own behind it. Built from its files, not from the whole of net: it needs nothing else of it.
set(fetch_files fetch.c fetch_batch.c fetch_secret.c fetch_transfer.c)
list(TRANSFORM fetch_files PREPEND "${CMAKE_SOURCE_DIR}/service/net/")
flagstaff_unit_test(sources fetch)
target_sources(test_sources_fetch PRIVATE ${fetch_files})
target_include_directories(test_sources_fetch PRIVATE "${CMAKE_SOURCE_DIR}/service/net" "${CMAKE_SOURCE_DIR}/service/net/include")
target_link_libraries(test_sources_fetch PRIVATE lib::curl lib::threads)

# For tests/system/test_opa_fetch.py: the same against a real OPA.
add_executable(opa_fetch_tool ${CMAKE_SOURCE_DIR}/tests/system/opa_fetch_tool.c ${fetch_files})
target_include_directories(opa_fetch_tool PRIVATE "${CMAKE_SOURCE_DIR}/service/net" "${CMAKE_SOURCE_DIR}/service/net/include")
target_link_libraries(opa_fetch_tool PRIVATE fs_sources lib::curl lib::threads)
flagstaff_compile(opa_fetch_tool)
set_target_properties(opa_fetch_tool PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
