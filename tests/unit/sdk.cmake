# SPDX-License-Identifier: Apache-2.0
# The tests of libopenfeature. They know its public headers only, and run against the shared library.
add_library(sdk_support STATIC "${CMAKE_CURRENT_LIST_DIR}/sdk/support.c" "${CMAKE_CURRENT_LIST_DIR}/sdk/contract.c"
  "${CMAKE_CURRENT_LIST_DIR}/sdk/fixture.c" "${CMAKE_CURRENT_LIST_DIR}/sdk/heap.c")
target_link_libraries(sdk_support PUBLIC openfeature lib::cmocka lib::threads)
target_include_directories(sdk_support PUBLIC "${CMAKE_CURRENT_LIST_DIR}/sdk")
flagstaff_compile(sdk_support)

add_custom_target(sdk_tests)

# flagstaff_sdk_test(TOPIC [LIBRARY...]): sdk/test_TOPIC.c as the ctest case unit/sdk/TOPIC.
function(flagstaff_sdk_test topic)
  set(target test_sdk_${topic})
  add_executable(${target} "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/sdk/test_${topic}.c")
  target_link_libraries(${target} PRIVATE sdk_support openfeature lib::cmocka lib::threads ${ARGN})
  flagstaff_compile(${target})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_dependencies(sdk_tests ${target})
  add_test(NAME unit/sdk/${topic} COMMAND ${target})
  set_tests_properties(unit/sdk/${topic} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

if(TARGET openfeature)
  foreach(topic value json context api evaluation provider levels hooks destroy events starts endings tracking static utilities
          memory threads process)
    if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/sdk/test_${topic}.c")
      flagstaff_sdk_test(${topic})
    endif()
  endforeach()
endif()
# This one has a pthread_create() of its own, as sanitizers have.
if(TARGET openfeature AND NOT FLAGSTAFF_SANITIZE)
  flagstaff_sdk_test(without_threads ${CMAKE_DL_LIBS})
endif()

# ThreadSanitizer knows nothing of threads that a child of a fork starts, and AddressSanitizer's malloc may be locked in it
# by a thread that is not there.
if(TARGET test_sdk_process AND FLAGSTAFF_SANITIZE)
  target_compile_definitions(test_sdk_process PRIVATE WITHOUT_THREADS_AFTER_FORK)
endif()

# The threads test again where membarrier(2) is forbidden, from the start and later on.
if(TARGET test_sdk_threads)
  foreach(when early late)
    add_test(NAME unit/sdk/threads-without-membarrier-${when} COMMAND test_sdk_threads)
    set_tests_properties(unit/sdk/threads-without-membarrier-${when} PROPERTIES LABELS unit TIMEOUT 120
      ENVIRONMENT "FORBID_MEMBARRIER=${when}")
  endforeach()
endif()

# The providers that need no server; each also passes the contract of sdk/contract.h.
foreach(provider memory env multi file)
  if(TARGET openfeature_${provider})
    flagstaff_sdk_test(provider_${provider} openfeature_${provider} openfeature_memory)
  endif()
endforeach()
if(TARGET openfeature_multi)
  flagstaff_sdk_test(provider_multi_states openfeature_multi)
endif()
if(TARGET openfeature_file)
  flagstaff_sdk_test(provider_file_changes openfeature_file)
  foreach(topic provider_file provider_file_changes)
    target_sources(test_sdk_${topic} PRIVATE "${CMAKE_CURRENT_LIST_DIR}/sdk/file_world.c")
  endforeach()
endif()
if(TARGET openfeature_memory AND TARGET openfeature_env AND TARGET openfeature_multi)
  flagstaff_sdk_test(provider_torture openfeature_memory openfeature_env openfeature_multi)
  if(TARGET openfeature_file)
    target_link_libraries(test_sdk_provider_torture PRIVATE openfeature_file)
    target_compile_definitions(test_sdk_provider_torture PRIVATE WITH_FILE)
  endif()
endif()

# What providers share inside.
foreach(inside outbox words)
  if(TARGET provider_${inside} AND TARGET openfeature)
    flagstaff_sdk_test(${inside} provider_${inside})
  endif()
endforeach()

if(TARGET openfeature)
  include("${CMAKE_CURRENT_LIST_DIR}/../conformance/sdk/conformance.cmake")
endif()
