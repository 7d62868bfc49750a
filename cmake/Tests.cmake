# SPDX-License-Identifier: Apache-2.0
# flagstaff_unit_test(PART TOPIC): tests/unit/PART/test_TOPIC.c against the library of that part alone,
# as the ctest case unit/PART/TOPIC. Each runs in a process of its own.
function(flagstaff_unit_test part topic)
  set(target test_${part}_${topic})
  add_executable(${target} ${part}/test_${topic}.c)
  target_link_libraries(${target} PRIVATE fs_${part} lib::cmocka)
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/service/${part}" "${CMAKE_CURRENT_SOURCE_DIR}")
  target_compile_definitions(${target} PRIVATE FLAGSTAFF_ROOT="${CMAKE_SOURCE_DIR}")
  flagstaff_compile(${target})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_test(NAME unit/${part}/${topic} COMMAND ${target})
  set_tests_properties(unit/${part}/${topic} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
