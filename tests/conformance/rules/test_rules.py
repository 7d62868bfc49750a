# SPDX-License-Identifier: Apache-2.0
"""Rules give what flagd gives: value, variant, reason and error, held against @openfeature/flagd-core 4.0.1.

flagd-core has two ways to run a rule, a compiler and an interpreter, which do not always agree with each other. Where they agree, the
service must agree with both. Where they do not, it agrees with one of the two, but for rules in which they disagree twice. One difference is
wanted: what fails whatever the context is, is PARSE_ERROR here. FLAGSTAFF_RULES_SEED=N runs one seed alone.
"""

import json
import os
import pathlib
import subprocess

import pytest

from rules_generator import Generator

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("FLAGSTAFF_BUILD", ROOT / "build"))
MODULES = pathlib.Path(os.environ.get("FLAGSTAFF_NODE_MODULES", ROOT / "tests" / "node" / "node_modules"))
DEEP = os.environ.get("TEST_DEPTH") == "deep"
SEEDS = [int(os.environ["FLAGSTAFF_RULES_SEED"])] if "FLAGSTAFF_RULES_SEED" in os.environ else range(40 if DEEP else 4)
LINES = 2500


def run(command, text, **environment):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=600, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours(text):
    return run([str(BUILD / "tests" / "evaluate_lines")], text)


def flagds(text):
    return run(["node", str(HERE / "oracle.cjs")], text, NODE_PATH=str(MODULES))


def outcome(result):
    return {name: result[name] for name in ("value", "variant", "reason", "error") if name in result}


def fails_always(mine, theirs):
    return mine.get("error") == "PARSE_ERROR" and "fails whatever" in mine.get("detail", "") and theirs.get("error") == "GENERAL"


def test_the_oracle_is_the_version_that_the_rules_are_written_to():
    package = json.loads((MODULES / "@openfeature" / "flagd-core" / "package.json").read_text())
    assert package["version"] == "4.0.1"


@pytest.mark.parametrize("seed", SEEDS)
def test_random_rules_give_what_flagd_gives(seed):
    generator = Generator(seed)
    lines = [generator.line() for _ in range(LINES)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    compared = matched = disputed = neither = 0
    wrong = []
    for line, own, (compiled, interpreted) in zip(lines, ours(text), flagds(text), strict=True):
        for context, mine, theirs, others in zip(line["contexts"], own, compiled, interpreted, strict=True):
            compared += 1
            disputed += theirs != others
            matched += mine["reason"] == "TARGETING_MATCH"
            if outcome(mine) in (theirs, others) or fails_always(mine, theirs):
                continue
            if theirs != others:
                neither += 1
            else:
                wrong.append({"key": line["key"], "targeting": line["flag"].get("targeting"), "default": line["flag"].get("defaultVariant"),
                              "context": context, "wall": line["wall"], "ours": mine, "flagd": theirs, "flagd interpreted": others})
    assert not wrong, "%d of %d differ; the shortest: %s" % (len(wrong), compared, json.dumps(min(wrong, key=lambda w: len(json.dumps(w["targeting"]))), indent=1))
    # The test tests something: rules match often, and flagd-core seldom contradicts itself.
    assert matched > compared / 4
    assert disputed < compared / 20
    assert neither < disputed / 50
