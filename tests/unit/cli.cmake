# SPDX-License-Identifier: Apache-2.0
foreach(topic help parse request show table)
  flagstaff_unit_test(cli ${topic})
endforeach()
