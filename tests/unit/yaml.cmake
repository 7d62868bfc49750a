# SPDX-License-Identifier: Apache-2.0
flagstaff_unit_test(yaml document)
