# SPDX-License-Identifier: Apache-2.0
# The libraries that are not ours. docs/dependencies.md says why each of them.
# A part names them as lib::NAME in cmake/Parts.cmake; nothing else looks for libraries.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(flagstaff_library name module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET GLOBAL ${module})
  add_library(lib::${name} ALIAS PkgConfig::${name})
endfunction()

add_library(lib_threads INTERFACE)
target_link_libraries(lib_threads INTERFACE Threads::Threads)
add_library(lib::threads ALIAS lib_threads)

add_library(lib_math INTERFACE)
target_link_libraries(lib_math INTERFACE m)
add_library(lib::math ALIAS lib_math)

if(FLAGSTAFF_SERVICE OR FLAGSTAFF_PROVIDERS)
  flagstaff_library(jansson "jansson>=2.14")
  flagstaff_library(curl "libcurl>=7.88")
  flagstaff_library(crypto "libcrypto>=3.0")
  flagstaff_library(yaml "yaml-0.1>=0.2.5")
endif()
if(FLAGSTAFF_SERVICE)
  flagstaff_library(sqlite "sqlite3>=3.40")
  flagstaff_library(uv "libuv>=1.44")
endif()
if(FLAGSTAFF_SERVICE OR FLAGSTAFF_PROVIDERS)
  include(Websockets)
endif()
if(FLAGSTAFF_TESTS)
  flagstaff_library(cmocka "cmocka>=1.1.5")
endif()
