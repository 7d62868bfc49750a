# SPDX-License-Identifier: Apache-2.0
# How every target of this repository is compiled: flagstaff_compile(TARGET).

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

add_library(flagstaff_compile_flags INTERFACE)
target_compile_definitions(flagstaff_compile_flags INTERFACE _GNU_SOURCE)
target_compile_options(flagstaff_compile_flags INTERFACE
  -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2
  -Wvla -Wundef -Wimplicit-fallthrough -Werror
  -fno-common -fno-strict-aliasing)
if(CMAKE_BUILD_TYPE MATCHES "^Rel" AND NOT FLAGSTAFF_SANITIZE)
  target_compile_options(flagstaff_compile_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  target_link_options(flagstaff_compile_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(FLAGSTAFF_SANITIZE STREQUAL "address")
  set(flagstaff_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(FLAGSTAFF_SANITIZE STREQUAL "thread")
  set(flagstaff_sanitizers -fsanitize=thread -fno-omit-frame-pointer)
elseif(FLAGSTAFF_SANITIZE)
  message(FATAL_ERROR "FLAGSTAFF_SANITIZE is '${FLAGSTAFF_SANITIZE}': address or thread is known")
endif()
if(FLAGSTAFF_SANITIZE)
  target_compile_options(flagstaff_compile_flags INTERFACE ${flagstaff_sanitizers})
  target_link_options(flagstaff_compile_flags INTERFACE ${flagstaff_sanitizers})
endif()

function(flagstaff_compile target)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:flagstaff_compile_flags>)
  set_target_properties(${target} PROPERTIES C_VISIBILITY_PRESET hidden)
endfunction()
