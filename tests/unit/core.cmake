# SPDX-License-Identifier: Apache-2.0
foreach(topic json operators rule fractional semver evaluate decision change flagset credential override cause)
  flagstaff_unit_test(core ${topic})
endforeach()
add_subdirectory("${CMAKE_SOURCE_DIR}/tests/conformance/rules" "${CMAKE_BINARY_DIR}/tests/conformance/rules")
include(core/engine.cmake)
