# SPDX-License-Identifier: Apache-2.0
# What libopenfeature and the library of each provider have in common: the SONAME, and the static library beside the shared one.

# openfeature_soname(TARGET): until 1.0 a minor version may change the binary interface (CHANGELOG.md), so it stands in the SONAME.
function(openfeature_soname target)
  set(interface ${PROJECT_VERSION_MAJOR})
  if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(interface 0.${PROJECT_VERSION_MINOR})
  endif()
  set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${interface})
endfunction()

# openfeature_static_library(TARGET [INSIDE TARGET...] [LINKS TARGET...]): the library TARGET_static from the objects of the shared TARGET
# and the static libraries INSIDE. It is one object in which all that the shared library hides is local: a program's own names, those of
# another library and those of two providers with the same parts inside do not meet.
function(openfeature_static_library target)
  cmake_parse_arguments(PARSE_ARGV 1 part "" "" "INSIDE;LINKS")
  set(object "${CMAKE_CURRENT_BINARY_DIR}/${target}.static.o")
  set(inside "")
  foreach(library IN LISTS part_INSIDE)
    list(APPEND inside $<TARGET_FILE:${library}>)
  endforeach()
  add_custom_command(OUTPUT "${object}"
    COMMAND "${CMAKE_LINKER}" -r -o "${object}" $<TARGET_OBJECTS:${target}> --start-group ${inside} --end-group
    COMMAND "${CMAKE_OBJCOPY}" --localize-hidden "${object}"
    DEPENDS $<TARGET_OBJECTS:${target}> ${part_INSIDE} ${inside} VERBATIM COMMAND_EXPAND_LISTS)
  set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  add_library(${target}_static STATIC "${object}")
  get_target_property(name ${target} OUTPUT_NAME)
  set_target_properties(${target}_static PROPERTIES OUTPUT_NAME ${name} LINKER_LANGUAGE C)
  target_include_directories(${target}_static INTERFACE $<TARGET_PROPERTY:${target},INTERFACE_INCLUDE_DIRECTORIES>)
  target_link_libraries(${target}_static INTERFACE Threads::Threads ${part_LINKS})
endfunction()
