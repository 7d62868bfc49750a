# SPDX-License-Identifier: Apache-2.0
foreach(topic cloudevents own mapping permitted)
  flagstaff_unit_test(events ${topic})
endforeach()

# What tests/conformance/cloudevents runs the published suites through.
add_executable(cloudevents_read_request ${CMAKE_SOURCE_DIR}/tests/conformance/cloudevents/read_request.c)
target_link_libraries(cloudevents_read_request PRIVATE fs_events)
flagstaff_compile(cloudevents_read_request)
set_target_properties(cloudevents_read_request PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
