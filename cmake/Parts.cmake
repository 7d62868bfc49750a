# SPDX-License-Identifier: Apache-2.0
# The parts of the service and what each may know. This table is the architecture: a part gets the
# include paths and libraries named here and no others, so a dependency that is not in the table does
# not compile. script/check-source holds the #include lines of each part against the same table.
#
#                part      parts it may know                     libraries it may know
set(FLAGSTAFF_PARTS
                "base|                                          |threads crypto"
                "yaml|     base                                 |jansson yaml"
                "core|     base                                 |jansson math"
                "flagfile| base core yaml                       |jansson"
                "sources|  base core                            |jansson"
                "events|   base core                            |jansson"
                "push|     base core                            |jansson"
                "journal|  base core                            |jansson sqlite"
                "net|      base core sources events push        |jansson websockets uv curl crypto"
                "config|   base yaml                            |jansson"
                "cli|      base yaml core flagfile config wire  |jansson curl"
                "main|     base yaml core flagfile sources events push journal net config cli|jansson")

# flagstaff_part(NAME SOURCES FILE...): the static library fs_NAME of service/NAME.
function(flagstaff_part name)
  cmake_parse_arguments(PARSE_ARGV 1 part "" "" "SOURCES")
  flagstaff_part_row(${name} uses libs)
  add_library(fs_${name} STATIC ${part_SOURCES})
  target_include_directories(fs_${name} PUBLIC include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(other IN LISTS uses)
    target_link_libraries(fs_${name} PUBLIC fs_${other})
  endforeach()
  foreach(library IN LISTS libs)
    target_link_libraries(fs_${name} PUBLIC lib::${library})
  endforeach()
  flagstaff_compile(fs_${name})
endfunction()

function(flagstaff_part_row name out_uses out_libs)
  foreach(row IN LISTS FLAGSTAFF_PARTS)
    if(row MATCHES "^ *${name}\\|([^|]*)\\|([^|]*)$")
      set(uses_text "${CMAKE_MATCH_1}") # MATCHALL below clears the matches
      set(libs_text "${CMAKE_MATCH_2}")
      string(REGEX MATCHALL "[a-z]+" uses "${uses_text}")
      string(REGEX MATCHALL "[a-z]+" libs "${libs_text}")
      set(${out_uses} ${uses} PARENT_SCOPE)
      set(${out_libs} ${libs} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "part '${name}' is not in the table of cmake/Parts.cmake")
endfunction()
