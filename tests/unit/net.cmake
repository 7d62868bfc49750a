# SPDX-License-Identifier: Apache-2.0
flagstaff_unit_test(net keyring)
flagstaff_unit_test(net message)
flagstaff_unit_test(net http)
flagstaff_unit_test(net door)
flagstaff_unit_test(net websocket)
flagstaff_unit_test(net stream)
flagstaff_unit_test(net limits)
flagstaff_unit_test(net tls)
