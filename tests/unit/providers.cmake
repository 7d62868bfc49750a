# SPDX-License-Identifier: Apache-2.0
# The tests of the providers that speak to a server: their own with their insides in sight, and the programs that
# tests/system/test_PROVIDER_provider.py drives. Read for a build without providers too, so all of it asks for its targets.

# A program of the tests in tests/, from the files and libraries that follow.
function(provider_program target)
  cmake_parse_arguments(PARSE_ARGV 1 part "" "" "SOURCES;LIBRARIES;INCLUDES")
  add_executable(${target} ${part_SOURCES})
  target_include_directories(${target} PRIVATE ${part_INCLUDES})
  target_link_libraries(${target} PRIVATE ${part_LIBRARIES} openfeature lib::threads)
  flagstaff_compile(${target})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
endfunction()

# provider_tests(PROVIDER FOLDER TOPIC...): FOLDER/test_TOPIC.c with the provider's own files, as the ctest case unit/FOLDER/TOPIC.
function(provider_tests provider folder)
  set(source "${CMAKE_SOURCE_DIR}/providers/${provider}")
  get_target_property(files openfeature_${provider} SOURCES)
  list(TRANSFORM files PREPEND "${source}/")
  get_target_property(libraries openfeature_${provider} LINK_LIBRARIES)
  foreach(topic IN LISTS ARGN)
    set(target test_${folder}_${topic})
    provider_program(${target} SOURCES "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${folder}/test_${topic}.c" ${files}
      INCLUDES "${source}/include" "${source}/src" "${source}" "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${folder}"
      LIBRARIES sdk_support lib::cmocka ${libraries})
    add_test(NAME unit/${folder}/${topic} COMMAND ${target})
    set_tests_properties(unit/${folder}/${topic} PROPERTIES LABELS unit TIMEOUT 120)
  endforeach()
endfunction()

# PROVIDER_driver does what a test tells it, PROVIDER_contract runs the contract of all providers.
function(provider_drivers provider)
  set(drivers "${CMAKE_SOURCE_DIR}/tests/system/drivers")
  foreach(program driver contract)
    provider_program(${provider}_${program} SOURCES "${drivers}/${program}.c" "${drivers}/${provider}.c"
      LIBRARIES openfeature_${provider})
  endforeach()
  target_link_libraries(${provider}_contract PRIVATE sdk_support)
endfunction()

if(TARGET openfeature_live)
  provider_tests(live live flag gate provider life)
  target_link_libraries(test_live_life PRIVATE openfeature_multi)
  provider_drivers(live)
  # For tests/system/test_live_example.py; consumers_test.py builds it as its reader does.
  provider_program(live_example SOURCES "${CMAKE_SOURCE_DIR}/examples/live/live.c" LIBRARIES openfeature_live)
  # The wire's side of it, with the words of tests/unit/wire.
  provider_program(test_live_mirror SOURCES "${CMAKE_CURRENT_LIST_DIR}/live/test_mirror.c" "${CMAKE_CURRENT_LIST_DIR}/wire/script.c"
    INCLUDES "${CMAKE_CURRENT_LIST_DIR}" "${CMAKE_SOURCE_DIR}/providers/live/wire" LIBRARIES fs_wire lib::cmocka)
  add_test(NAME unit/live/mirror COMMAND test_live_mirror)
  set_tests_properties(unit/live/mirror PROPERTIES LABELS unit TIMEOUT 120)
endif()

if(TARGET openfeature_ofrep)
  provider_tests(ofrep ofrep_provider sse answer life)
  if(FLAGSTAFF_SANITIZE) # as test_sdk_process in sdk.cmake
    target_compile_definitions(test_ofrep_provider_life PRIVATE WITHOUT_THREADS_AFTER_FORK)
  endif()
  provider_drivers(ofrep)
endif()
