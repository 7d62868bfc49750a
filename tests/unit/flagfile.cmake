# SPDX-License-Identifier: Apache-2.0
flagstaff_unit_test(flagfile design)
flagstaff_unit_test(flagfile variants)
flagstaff_unit_test(flagfile decisions)
flagstaff_unit_test(flagfile logic)
flagstaff_unit_test(flagfile files)
flagstaff_unit_test(flagfile corpus)
flagstaff_unit_test(flagfile docs)
