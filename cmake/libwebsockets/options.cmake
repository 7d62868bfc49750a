# SPDX-License-Identifier: Apache-2.0
# How libwebsockets is built for the daemon: a first cache for its own CMake, `cmake -C`. What is off here is out of reach.
# Asserts stay on, as in Debian's package: no NDEBUG.
set(CMAKE_BUILD_TYPE "None" CACHE STRING "")
set(CMAKE_C_FLAGS "-O2 -g -fno-strict-aliasing -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
    CACHE STRING "")
set(LIB_SUFFIX "" CACHE STRING "")

macro(options value)
  foreach(name IN ITEMS ${ARGN})
    set(${name} ${value} CACHE BOOL "")
  endforeach()
endmacro()

options(ON LWS_WITH_STATIC LWS_STATIC_PIC LWS_WITH_LIBUV LWS_IPV6 LWS_WITH_CUSTOM_HEADERS LWS_WITH_HTTP_UNCOMMON_HEADERS
  LWS_WITHOUT_EXTENSIONS LWS_WITHOUT_DAEMONIZE LWS_WITHOUT_TESTAPPS DISABLE_WERROR)
options(OFF LWS_WITH_SHARED LWS_WITH_EVLIB_PLUGINS
  LWS_WITH_HTTP2 # CVE-2026-19773, also by `Upgrade: h2c`
  LWS_ROLE_RAW_FILE LWS_UNIX_SOCK LWS_WITH_HTTP_BASIC_AUTH LWS_WITH_SYS_SMD LWS_WITH_LEJP LWS_WITH_LEJP_CONF LWS_WITH_LWSAC
  LWS_WITH_DIR LWS_WITH_UDP LWS_WITH_EXPORT_LWSTARGETS
  LWS_HAVE_SYS_CAPABILITY_H LWS_HAVE_LIBCAP) # it drops no privileges: the service has none
