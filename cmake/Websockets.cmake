# SPDX-License-Identifier: Apache-2.0
# Which libwebsockets is linked; decided here and nowhere else (docs/decisions/0010-a-libwebsockets-of-our-own.md).
#
#   lib::websockets          the daemon's and its command line's: one of our own, static, with libwebsockets/heads.patch
#   lib::websockets_system   the system's shared one, for what is installed for others: libopenfeature-live, a client
set(FLAGSTAFF_LIBWEBSOCKETS_ROOT "${CMAKE_SOURCE_DIR}/.tools/lws" CACHE PATH
    "Where the daemon's own libwebsockets is installed: lib/libwebsockets.a and include")
option(FLAGSTAFF_SYSTEM_LIBWEBSOCKETS "Link the daemon with the system's libwebsockets, WHICH IS OPEN TO REQUEST SMUGGLING" OFF)
set(flagstaff_websockets_patch 1) # LWS_FLAGSTAFF_PATCH, which the patch puts into the library's header

function(flagstaff_own_websockets)
  set(root "${FLAGSTAFF_LIBWEBSOCKETS_ROOT}")
  set(how "Do one of these, then configure again:
  script/bootstrap --libwebsockets         builds it into .tools/lws (half a minute, no root)
  -DFLAGSTAFF_LIBWEBSOCKETS_ROOT=PREFIX    where you have built it (CONTRIBUTING.md, 'Without script/bootstrap')
  -DFLAGSTAFF_SERVICE=OFF                  no daemon: the SDK and its providers link the system's")
  if(NOT EXISTS "${root}/lib/libwebsockets.a" OR NOT EXISTS "${root}/include/libwebsockets.h")
    message(FATAL_ERROR "The daemon links a libwebsockets of its own, and there is none in ${root}.\n${how}")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${root}/include/libwebsockets.h")
  file(STRINGS "${root}/include/libwebsockets.h" patch REGEX "^#define LWS_FLAGSTAFF_PATCH ${flagstaff_websockets_patch}$")
  file(STRINGS "${root}/include/lws_config.h" http2 REGEX "^#define LWS_WITH_HTTP2")
  if(NOT patch OR http2)
    message(FATAL_ERROR "The libwebsockets in ${root} is without today's cmake/libwebsockets/heads.patch, or has HTTP/2.\n${how}")
  endif()
  pkg_check_modules(tls REQUIRED IMPORTED_TARGET "libssl>=3.0" "libcrypto>=3.0")
  add_library(own_websockets STATIC IMPORTED GLOBAL)
  set_target_properties(own_websockets PROPERTIES
    IMPORTED_LOCATION "${root}/lib/libwebsockets.a"
    INTERFACE_INCLUDE_DIRECTORIES "${root}/include"
    INTERFACE_LINK_LIBRARIES "PkgConfig::uv;PkgConfig::tls;Threads::Threads;m"
    # Nothing that is loaded later with the system's library may meet these functions instead of its own.
    INTERFACE_LINK_OPTIONS "-Wl,--exclude-libs,libwebsockets.a")
  add_library(lib::websockets ALIAS own_websockets)
endfunction()

if(FLAGSTAFF_PROVIDERS OR FLAGSTAFF_SYSTEM_LIBWEBSOCKETS OR NOT FLAGSTAFF_SERVICE)
  flagstaff_library(websockets_system "libwebsockets>=4.1.6")
endif()
if(FLAGSTAFF_SERVICE AND NOT FLAGSTAFF_SYSTEM_LIBWEBSOCKETS)
  flagstaff_own_websockets()
else()
  add_library(lib::websockets ALIAS PkgConfig::websockets_system)
endif()
if(FLAGSTAFF_SERVICE AND FLAGSTAFF_SYSTEM_LIBWEBSOCKETS)
  message(WARNING "FLAGSTAFF_SYSTEM_LIBWEBSOCKETS: the daemon links the system's libwebsockets. 4.1.6 and those after it "
    "take a header whose name is the beginning of a known one (X, X-A, Auth) for one that includes the line behind it: 'X: 1' hides an "
    "Origin, an Authorization, a Content-Length. A proxy in front does not help. Never serve anybody but yourself with this build; "
    "the tests unit/net/heads and tests/system/test_door.py fail with it. Where it has HTTP/2, CVE-2026-19773 is in it.")
endif()
