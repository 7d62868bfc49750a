# SPDX-License-Identifier: Apache-2.0
foreach(topic help parse request table)
  flagstaff_unit_test(cli ${topic})
endforeach()
