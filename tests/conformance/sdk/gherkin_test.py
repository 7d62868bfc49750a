#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the specification's Gherkin suites, unchanged, against libopenfeature and the in-memory provider, as installed.

The suites are looked for at ../shared/reference/openfeature-spec/gherkin from the root of the repository, or where
OPENFEATURE_FEATURES says. behave and cffi come from this Python or from the one that script/bootstrap --tests makes. Without any of
these, this says so and exits with 77, which ctest takes for skipped; with CI=true or REQUIRE_ALL=1 it fails instead. Every one of the
scenarios must pass, and none may be skipped.
"""
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from missing import skip

HERE = pathlib.Path(__file__).resolve().parent
SUITES = pathlib.Path(os.environ.get("OPENFEATURE_FEATURES",
                                     HERE.parents[3] / "shared/reference/openfeature-spec/gherkin"))
SCENARIOS = 132
BOOTSTRAPPED = HERE.parents[2] / ".tools/venv/bin/python"


def count_passed(junit):
    import xml.etree.ElementTree as tree
    suites = [tree.parse(file).getroot() for file in junit.glob("*.xml")]
    total = sum(int(s.get("tests")) for s in suites)
    bad = sum(int(s.get(kind)) for s in suites for kind in ("failures", "errors", "skipped"))
    return total - bad


def main():
    missing = [name for name in ("behave", "cffi") if importlib.util.find_spec(name) is None]
    if missing and BOOTSTRAPPED.exists() and pathlib.Path(sys.prefix) != BOOTSTRAPPED.parents[1]:
        os.execv(BOOTSTRAPPED, [BOOTSTRAPPED, *sys.argv])
    if missing:
        return skip(f"not installed: {', '.join(missing)}; script/bootstrap --tests installs them")
    if not SUITES.is_dir():
        return skip(f"the suites are not at {SUITES}")
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        shutil.copytree(HERE / "gherkin", place / "run")
        for feature in SUITES.glob("*.feature"):
            shutil.copy(feature, place / "run")
        environment = os.environ | {"OPENFEATURE_FEATURES": str(SUITES), "PYTHONPATH": str(place / "run"),
                                    "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "behave", "--no-color", "--format", "progress", "--junit",
                   "--junit-directory", str(place / "junit"), str(place / "run")]
        code = subprocess.run(command, env=environment).returncode
        passed = count_passed(place / "junit")
    print(f"{passed} of {SCENARIOS} scenarios passed")
    return code if passed >= SCENARIOS else 1


if __name__ == "__main__":
    sys.exit(main())
