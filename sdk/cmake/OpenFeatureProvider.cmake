# SPDX-License-Identifier: Apache-2.0
include("${CMAKE_CURRENT_LIST_DIR}/OpenFeatureLibrary.cmake")

# openfeature_provider(NAME SOURCES FILE... [INSIDE TARGET...] [REQUIRES LIBRARY...]): the library
# libopenfeature-NAME of a provider, with the headers below include/, the installed CMake targets OpenFeature::NAME and
# OpenFeature::NAME_static, and the pkg-config module openfeature-NAME. INSIDE are the static libraries that go into it, all of them;
# REQUIRES are the outside libraries that it and they link, by their names in cmake/Libraries.cmake.
function(openfeature_provider name)
  cmake_parse_arguments(PARSE_ARGV 1 part "" "" "SOURCES;INSIDE;REQUIRES")
  list(TRANSFORM part_REQUIRES PREPEND lib:: OUTPUT_VARIABLE libraries)
  set(target openfeature_${name})
  add_library(${target} SHARED ${part_SOURCES})
  target_include_directories(${target} PUBLIC
    "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>" PRIVATE src)
  target_link_libraries(${target} PUBLIC openfeature PRIVATE Threads::Threads ${part_INSIDE} ${libraries})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME openfeature-${name} EXPORT_NAME ${name})
  openfeature_soname(${target})
  flagstaff_compile(${target})
  openfeature_static_library(${target} INSIDE ${part_INSIDE} LINKS openfeature_static m)
  set_target_properties(${target}_static PROPERTIES EXPORT_NAME ${name}_static)
  foreach(kind "" _static)
    add_library(OpenFeature::${name}${kind} ALIAS ${target}${kind})
  endforeach()

  install(TARGETS ${target} ${target}_static EXPORT OpenFeatureTargets COMPONENT sdk
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT sdk
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT sdk)
  install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT sdk FILES_MATCHING PATTERN "*.h")
  set(OPENFEATURE_PROVIDER ${name})
  set(modules "")
  set(links "")
  foreach(library IN LISTS part_REQUIRES)
    list(APPEND modules ${${library}_MODULE_NAME})
    list(APPEND links ${${library}_LDFLAGS})
  endforeach()
  list(JOIN modules " " OPENFEATURE_REQUIRES)
  list(JOIN links " " OPENFEATURE_LINKS)
  file(RELATIVE_PATH OPENFEATURE_PC_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/openfeature-provider.pc.in"
    "${CMAKE_CURRENT_BINARY_DIR}/openfeature-${name}.pc" @ONLY)
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/OpenFeatureStatic.cmake.in"
    "${CMAKE_CURRENT_BINARY_DIR}/OpenFeature-${name}_static.cmake" @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/openfeature-${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
    COMPONENT sdk)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/OpenFeature-${name}_static.cmake"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/OpenFeature" COMPONENT sdk)
endfunction()
