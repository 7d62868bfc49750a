# SPDX-License-Identifier: Apache-2.0
foreach(topic alloc arena blob buf clock digest encode err fault glob heap histogram json list log map queue siphash str suggest
              time units utf8 vec)
  flagstaff_unit_test(base ${topic})
endforeach()
