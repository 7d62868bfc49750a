# SPDX-License-Identifier: Apache-2.0
"""What a test of conformance/sdk does where something that it needs is not there."""
import os


def skip(why):
    """Says it, and gives the exit status: 77, which ctest takes for skipped; where nothing may be skipped, that of a failure."""
    print(f"{why}\n[  SKIPPED ] 1 test(s)")  # as cmocka says it: ctest's log has a skipped test for a passed one, and script/test counts these lines
    return 1 if os.environ.get("REQUIRE_ALL") == "1" or os.environ.get("CI") == "true" else 77
