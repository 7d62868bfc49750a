# SPDX-License-Identifier: Apache-2.0
flagstaff_unit_test(push board)
flagstaff_unit_test(push body)
flagstaff_unit_test(push frame_read)
flagstaff_unit_test(push frame)
flagstaff_unit_test(push ofrep)
flagstaff_unit_test(push sse)
