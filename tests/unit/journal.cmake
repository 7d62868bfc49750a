# SPDX-License-Identifier: Apache-2.0
foreach(topic append read open failure retention erase forget verify migrate backup kill)
  flagstaff_unit_test(journal ${topic})
endforeach()
