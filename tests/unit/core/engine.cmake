# SPDX-License-Identifier: Apache-2.0
# The tests of the engine as a whole, against the world of engine_world.h. They read their flags by service/flagfile.
add_library(engine_world STATIC core/engine_world.c core/engine_asking.c core/engine_client.c)
target_link_libraries(engine_world PUBLIC fs_flagfile fs_core lib::cmocka)
target_include_directories(engine_world PUBLIC "${CMAKE_SOURCE_DIR}/service/core" "${CMAKE_CURRENT_SOURCE_DIR}/core")
flagstaff_compile(engine_world)
foreach(topic answer_table facts feed holding index journal leases mass ofrep override random receipts receipts_meanwhile reload resume stages time trial trial_chance watches)
  flagstaff_unit_test(core engine_${topic})
  target_link_libraries(test_core_engine_${topic} PRIVATE engine_world)
endforeach()
set_tests_properties(unit/core/engine_random PROPERTIES TIMEOUT 1800) # TEST_DEPTH=deep
