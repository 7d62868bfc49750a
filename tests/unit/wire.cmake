# SPDX-License-Identifier: Apache-2.0
# flagstaff_wire_test(TOPIC): tests/unit/wire/test_TOPIC.c against fs_wire, with its insides in sight.
function(flagstaff_wire_test topic)
  set(target test_wire_${topic})
  add_executable(${target} wire/test_${topic}.c)
  target_link_libraries(${target} PRIVATE fs_wire lib::cmocka lib::threads)
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/providers/live/wire" "${CMAKE_CURRENT_SOURCE_DIR}")
  target_compile_definitions(${target} PRIVATE FLAGSTAFF_ROOT="${CMAKE_SOURCE_DIR}")
  flagstaff_compile(${target})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_test(NAME unit/wire/${topic} COMMAND ${target})
  set_tests_properties(unit/wire/${topic} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

if(TARGET fs_wire)
  foreach(topic backoff flag garbage lease log memory reading session transcripts url)
    flagstaff_wire_test(${topic})
  endforeach()
  foreach(topic garbage memory reading session)
    target_sources(test_wire_${topic} PRIVATE wire/script.c)
  endforeach()
  target_link_libraries(test_wire_log PRIVATE lib::websockets)
  target_link_options(test_wire_memory PRIVATE
    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)

  # What tests/conformance/wire runs: a driver for the client, and the example.
  add_executable(wire_driver ${CMAKE_SOURCE_DIR}/tests/conformance/wire/driver.c)
  add_executable(wire_example ${CMAKE_SOURCE_DIR}/examples/wire/watch.c)
  foreach(program wire_driver wire_example)
    target_link_libraries(${program} PRIVATE fs_wire lib::threads)
    flagstaff_compile(${program})
    set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  endforeach()
endif()
