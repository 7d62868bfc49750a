# SPDX-License-Identifier: Apache-2.0
# openfeature_provider(NAME SOURCES FILE... [LIBRARIES TARGET...]): the library libopenfeature-NAME of a provider, with the
# headers below include/, an installed CMake target OpenFeature::NAME, and the pkg-config module openfeature-NAME.
function(openfeature_provider name)
  cmake_parse_arguments(PARSE_ARGV 1 part "" "" "SOURCES;LIBRARIES")
  set(target openfeature_${name})
  add_library(${target} SHARED ${part_SOURCES})
  target_include_directories(${target} PUBLIC
    "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>" PRIVATE src)
  target_link_libraries(${target} PUBLIC openfeature PRIVATE Threads::Threads ${part_LIBRARIES})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME openfeature-${name} EXPORT_NAME ${name}
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  flagstaff_compile(${target})
  add_library(OpenFeature::${name} ALIAS ${target})

  install(TARGETS ${target} EXPORT OpenFeatureTargets COMPONENT sdk LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    COMPONENT sdk)
  install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT sdk FILES_MATCHING PATTERN "*.h")
  set(OPENFEATURE_PROVIDER ${name})
  file(RELATIVE_PATH OPENFEATURE_PC_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/openfeature-provider.pc.in"
    "${CMAKE_CURRENT_BINARY_DIR}/openfeature-${name}.pc" @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/openfeature-${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
    COMPONENT sdk)
endfunction()
