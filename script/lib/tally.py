#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what a test run really did, for script/test: prints 'PASSED FAILED SKIPPED'.

    tally.py ctest LastTest.log     one for each cmocka test function, as cmocka's own closing lines count them;
                                    a program that ends without them counts as one test
    tally.py pytest JUNIT.xml       one for each test case
"""
import re
import sys
import xml.etree.ElementTree as xml

CMOCKA = re.compile(r"^\[  (PASSED|FAILED|SKIPPED) ?\s*\] (\d+) test\(s\)", re.MULTILINE)
# A test whose executable is missing was not run, though CTest 3.25 closes it with "Test Passed." as well.
NOT_RUN = re.compile(r'^Command: ""$|^Unable to find executable', re.MULTILINE)
CTEST_CASE = re.compile(r"^\d+/\d+ Testing: .*?(?=^\d+/\d+ Testing: |\Z)", re.MULTILINE | re.DOTALL)


def of_ctest(text):
    total = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for case in CTEST_CASE.findall(text):
        seen = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
        for word, number in CMOCKA.findall(case):
            seen[word] += int(number)
        if re.search(r"^Test Passed\.$", case, re.MULTILINE) and not NOT_RUN.search(case):
            if not any(seen.values()):
                seen["PASSED"] = 1
        else:
            # It crashed, was not there, ran out of time, or a sanitizer ended it: whatever cmocka said, that is a failure.
            seen["FAILED"] = max(seen["FAILED"], 1)
        for word in total:
            total[word] += seen[word]
    return total["PASSED"], total["FAILED"], total["SKIPPED"]


def of_pytest(path):
    cases = failed = skipped = 0
    for case in xml.parse(path).getroot().iter("testcase"):
        cases += 1
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
    return cases - failed - skipped, failed, skipped


def main():
    kind, path = sys.argv[1:]
    if kind == "ctest":
        with open(path, encoding="utf-8", errors="replace") as log:
            counts = of_ctest(log.read())
    else:
        counts = of_pytest(path)
    print(*counts)


main()
