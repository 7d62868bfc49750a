# SPDX-License-Identifier: Apache-2.0
foreach(topic arguments document file layers print)
  flagstaff_unit_test(config ${topic})
endforeach()
