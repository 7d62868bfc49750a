#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds docs/sdk/conformance.md against the specification and the tests.

Fails where a requirement has neither a test nor a reason, where the table has one that the specification does not have, and
where a named test does not exist or is not run. The specification is looked for at ../shared/reference from the root of the
repository, or where OPENFEATURE_SPEC says; without it the table is held against the tests alone, and where that goes well this says so and
exits with 77, which ctest takes for skipped; with CI=true or REQUIRE_ALL=1 it fails instead.
"""
import json
import os
import pathlib
import re
import sys

from missing import skip

ROOT = pathlib.Path(__file__).resolve().parents[3]
TABLE = ROOT / "docs/sdk/conformance.md"
TESTS = ROOT / "tests/unit/sdk"
SPEC = pathlib.Path(os.environ.get("OPENFEATURE_SPEC", ROOT.parent / "shared/reference/openfeature-spec"))
REASON = re.compile(r"^(Not in C|By type|By design): \S")


def requirements(rules):
    """The numbers of all rules with a level, conditions left out."""
    for rule in rules:
        if rule.get("RFC 2119 keyword"):
            yield rule["id"].split()[-1], rule["RFC 2119 keyword"]
        yield from requirements(rule.get("children", []))


def table():
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and re.match(r"\d", cells[0]):
            yield cells


def tests_of(topic):
    """The tests that the program of a topic runs."""
    source = TESTS / f"test_{topic}.c"
    if not source.exists():
        return set()
    text = source.read_text()
    defined = set(re.findall(r"^static void (\w+)\(void \*\*state\)", text, re.M))
    return defined & set(re.findall(r"(?:SDK_TEST|TEST|cmocka_unit_test)\((\w+)\)", text))


def main():
    problems, seen = [], {}
    for number, level, _, shown_by in table():
        if number in seen:
            problems.append(f"{number} stands twice in the table")
        seen[number] = level
        names = re.findall(r"`(\w+)/(\w+)`", shown_by)
        if not names and not REASON.match(shown_by):
            problems.append(f"{number} has neither a test nor a reason")
        for topic, name in names:
            if name not in tests_of(topic):
                problems.append(f"{number} names {topic}/{name}, which is no test")
    specification = SPEC / "specification.json"
    if specification.exists():
        known = dict(requirements(json.loads(specification.read_text())["rules"]))
        problems += [f"{number} is missing in the table" for number in known if number not in seen]
        problems += [f"{number} is not in the specification" for number in seen if number not in known]
        problems += [f"{n} has level {seen[n]}, not {known[n]}" for n in seen if n in known and seen[n] != known[n]]
        print(f"{len(seen)} requirements in the table, {len(known)} in the specification")
    print("\n".join(problems))
    if not specification.exists() and not problems:
        return skip(f"the specification is not at {specification} (or set OPENFEATURE_SPEC): the table was held against the tests alone")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
