# SPDX-License-Identifier: Apache-2.0
"""flagd's own suites (the features and flag files of its test bed), run by behave against the real daemon, and against the C provider
`file`, which evaluates the same files in a program.

All features are run. What is left out, and what ends otherwise by design, stands with its reason in table.yaml and nowhere else. The
test bed is not part of this repository: FLAGD_TESTBED names it (https://github.com/open-feature/flagd-testbed).
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BED = Path(os.environ.get("FLAGD_TESTBED", ROOT.parent / "shared" / "reference" / "flagd-testbed"))
BINARY = os.environ.get("FLAGSTAFF_BIN", str(ROOT / "build" / "flagstaff"))
PROVIDER = os.environ.get("FLAGSTAFF_BUILD", str(ROOT / "build")) + "/tests/provider_lines"
TABLE = yaml.safe_load((HERE / "table.yaml").read_text())
REFUSED = {row["flag"]: row for row in TABLE["refused"]}
TWICE = TABLE["twice"]

if not BED.exists():
    pytest.skip(f"flagd's test bed is not at {BED}: set FLAGD_TESTBED", allow_module_level=True)


def prepare(folder):
    """The bed's flags without those that are refused: each file by itself for its selector, and all files but those of selectors."""
    alone, together = folder / "flags", folder / "all"
    alone.mkdir(), together.mkdir()
    for file in sorted((BED / "flags").glob("*.json")):
        document = json.loads(file.read_text())
        document["flags"] = {key: flag for key, flag in document["flags"].items() if key not in REFUSED}
        (alone / file.name).write_text(json.dumps(document))
        if not file.name.startswith("selector"):
            (together / file.name).write_text(json.dumps(document))
    return alone, together


@pytest.fixture(scope="module", params=["daemon", "provider file"])
def outcomes(request, tmp_path_factory):
    """{scenario: None, or what went wrong} of all that were run, and the rows of the table that left nothing out."""
    folder = tmp_path_factory.mktemp("flagd")
    alone, together = prepare(folder)
    features = folder / "features"
    shutil.copytree(BED / "gherkin", features)
    shutil.copytree(HERE / "steps", features / "steps", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "environment.py", features)
    rows, report = folder / "rows", folder / "report.json"
    rows.touch()
    env = {**os.environ, "FLAGSTAFF_WORLD": str(ROOT / "tests" / "system"), "FLAGD_FLAGS": str(alone), "FLAGD_ALL": str(together),
           "FLAGD_FOLDER": str(folder), "FLAGD_TABLE": str(HERE / "table.yaml"), "FLAGD_LEFT_OUT": str(rows)}
    if request.param != "daemon":
        env["FLAGD_THROUGH"] = PROVIDER
    done = subprocess.run([sys.executable, "-m", "behave", "--format", "json", "--outfile", report, "--no-capture", str(features)],
                          env=env, cwd=folder, capture_output=True, text=True, timeout=600)
    assert report.exists() and "Traceback" not in done.stderr, done.stdout + done.stderr
    found = {}
    for feature in json.loads(report.read_text()):
        for scenario in feature.get("elements", []):
            if scenario["type"] == "scenario" and scenario.get("status") != "skipped":
                name = f"{Path(feature['location']).stem.split('.')[0]}: {scenario['name'].strip()}"
                assert name not in found, f"two scenarios are called {name}"
                steps = [step for step in scenario["steps"] if step.get("result", {}).get("status") != "passed"]
                found[name] = f"{steps[0]['name']}: {steps[0].get('result', {}).get('error_message', 'not run')}" if steps else None
    left_out = TABLE["left_out"] + (TABLE["left_out_of_the_provider"] if request.param != "daemon" else [])
    used = {int(line) for line in rows.read_text().split()}
    return found, [row for number, row in enumerate(left_out) if number not in used]


def expected_to_fail():
    for row in TABLE["refused"]:
        yield f"{row['feature']}: {row['scenario']}" + (f" -- @1.{row['row']}" if "row" in row else "")


def test_each_scenario_about_evaluation_passes(outcomes):
    found, _ = outcomes
    wrong = {name: why for name, why in found.items() if why and name not in expected_to_fail()}
    assert not wrong, json.dumps(wrong, indent=1)
    assert len(found) > 130, f"only {len(found)} scenarios were run"
    features = {name.partition(":")[0] for name in found}
    assert {"evaluation", "targeting", "disabled", "metadata", "selector", "connection"} <= features


def test_each_row_of_the_table_is_needed(outcomes):
    found, unused = outcomes
    assert unused == [], "a row that leaves nothing out has no business here"
    assert [name for name in expected_to_fail() if not found[name]] == [], "what passes is no exception"


@pytest.mark.parametrize("flag", REFUSED)
def test_a_flag_that_flagd_finds_wrong_at_each_evaluation_is_refused_when_the_file_is_loaded(flag):
    done = subprocess.run([BINARY, "check", str(BED / "flags" / REFUSED[flag]["file"])], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert re.search(rf"{re.escape(REFUSED[flag]['file'])}:\d+:\d+: .*{flag}.*{REFUSED[flag]['says']}", said), said


def test_one_key_in_two_files_is_refused_and_both_places_are_named():
    done = subprocess.run([BINARY, "check", *(str(BED / "flags" / name) for name in TWICE["files"])], capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and TWICE["flag"] in said, said
    assert all(re.search(rf"{re.escape(name)}:\d+", said) for name in TWICE["files"]), said
