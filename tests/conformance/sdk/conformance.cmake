# SPDX-License-Identifier: Apache-2.0
# What libopenfeature is held against besides its unit tests: the specification, its Gherkin suites, its own headers, its recorded
# binary interface, and programs that use it installed. Included by tests/unit/sdk.cmake.
find_package(Python3 COMPONENTS Interpreter)
if(NOT Python3_FOUND)
  message(STATUS "no Python: conformance/sdk is left out")
  return()
endif()

function(openfeature_conformance name)
  add_test(NAME conformance/sdk/${name} COMMAND "${Python3_EXECUTABLE}" ${ARGN})
  set_tests_properties(conformance/sdk/${name} PROPERTIES LABELS conformance TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

set(here "${CMAKE_CURRENT_LIST_DIR}")
set(sdk_include "${here}/../../../sdk/include")
get_target_property(sdk_built openfeature BINARY_DIR)

openfeature_conformance(requirements "${here}/requirements_test.py")
openfeature_conformance(headers "${here}/headers_test.py" $<TARGET_FILE:openfeature> "${sdk_include}"
  "${sdk_built}/include")
foreach(provider memory env multi file live ofrep)
  if(TARGET openfeature_${provider})
    openfeature_conformance(headers-${provider} "${here}/headers_test.py" $<TARGET_FILE:openfeature_${provider}>
      "${here}/../../../providers/${provider}/include")
  endif()
endforeach()

# The reference is made from the headers and the guide, and a warning is an error.
find_program(DOXYGEN doxygen)
if(DOXYGEN)
  add_test(NAME conformance/sdk/reference COMMAND "${DOXYGEN}" Doxyfile WORKING_DIRECTORY "${sdk_built}")
  set_tests_properties(conformance/sdk/reference PROPERTIES LABELS conformance TIMEOUT 300)
endif()

# A Python that was not built with a sanitizer cannot load a library that was.
if(NOT FLAGSTAFF_SANITIZE)
  openfeature_conformance(abi "${here}/abi_test.py" $<TARGET_FILE:openfeature> "${sdk_include}")
  foreach(provider memory env multi file live ofrep)
    if(TARGET openfeature_${provider})
      openfeature_conformance(abi-${provider} "${here}/abi_test.py" $<TARGET_FILE:openfeature_${provider}>
        "${here}/../../../providers/${provider}/include" "${sdk_include}")
    endif()
  endforeach()
  if(TARGET openfeature_memory)
    # What these two use is what was installed, in an empty prefix.
    set(prefix "${CMAKE_BINARY_DIR}/installed")
    add_test(NAME conformance/sdk/installed COMMAND "${CMAKE_COMMAND}" --install "${CMAKE_BINARY_DIR}" --prefix "${prefix}" --component sdk)
    set_tests_properties(conformance/sdk/installed PROPERTIES LABELS conformance FIXTURES_SETUP installed DEPENDS conformance/sdk/cleared)
    add_test(NAME conformance/sdk/cleared COMMAND "${CMAKE_COMMAND}" -E rm -rf "${prefix}")
    set_tests_properties(conformance/sdk/cleared PROPERTIES LABELS conformance FIXTURES_SETUP installed)
    openfeature_conformance(gherkin "${here}/gherkin_test.py")
    openfeature_conformance(consumers "${here}/consumers_test.py" "${prefix}")
    set_tests_properties(conformance/sdk/gherkin conformance/sdk/consumers PROPERTIES FIXTURES_REQUIRED installed)
    set(library "${prefix}/${CMAKE_INSTALL_LIBDIR}/${CMAKE_SHARED_LIBRARY_PREFIX}openfeature")
    set_tests_properties(conformance/sdk/gherkin PROPERTIES ENVIRONMENT
      "OPENFEATURE_LIBRARY=${library}.so;OPENFEATURE_MEMORY=${library}-memory.so;OPENFEATURE_INCLUDES=${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
  endif()
  if(TARGET openfeature_live AND FLAGSTAFF_SERVICE)
    openfeature_conformance(newcomer "${here}/newcomer_test.py" live "${CMAKE_BINARY_DIR}")
  endif()
  openfeature_conformance(newcomer-sdk "${here}/newcomer_test.py" sdk)
endif()
