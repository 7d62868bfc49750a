# SPDX-License-Identifier: Apache-2.0
"""The C provider `file` gives a program what the service gives: the random rules of test_rules.py, each as a flag file of its own.

Left out are rules that read the clock, which the provider takes from the machine, and contexts that OpenFeature does not know: those
whose targeting key is no string.
"""

import json

import pytest
from rules_generator import Generator
from test_rules import BUILD, DEEP, LINES, ours, run

SEEDS = range(100, 110) if DEEP else [100]
TYPES = {bool: "bool", str: "string", int: "double", float: "double", dict: "object", list: "object"}


def question(line, path):
    line["contexts"] = [context for context in line["contexts"] if isinstance(context.get("targetingKey", ""), str)]
    values = list(line["flag"]["variants"].values())
    kind = TYPES[type(values[0])] if values else "bool"
    default = {"bool": False, "string": "default", "double": -1, "object": {"default": True}}[kind]
    return {"path": str(path), "cases": [{"key": line["key"], "type": kind, "default": default, "context": context}
                                         for context in line["contexts"]]}, default


def same(mine, theirs, default):
    """What a client shows of an evaluation: the default where there is no value."""
    if "error" in theirs:
        return (mine.get("error"), mine["reason"], mine["value"]) == (theirs["error"], "ERROR", default)
    return (mine["value"], mine.get("variant"), mine["reason"]) == (theirs.get("value", default), theirs.get("variant"), theirs["reason"])


@pytest.mark.parametrize("seed", SEEDS)
def test_random_rules_give_through_the_provider_what_the_service_gives(seed, tmp_path):
    generator = Generator(seed)
    lines = [line for line in (generator.line() for _ in range(LINES)) if "timestamp" not in json.dumps(line)]
    questions = []
    for number, line in enumerate(lines):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps({"flags": {line["key"]: line["flag"]}, "$evaluators": line.get("evaluators") or {}}))
        questions.append(question(line, path))
    answers = run([str(BUILD / "tests" / "provider_lines")], "".join(json.dumps(q) + "\n" for q, _ in questions))
    wanted = ours("".join(json.dumps(line) + "\n" for line in lines))
    compared = matched = 0
    wrong, refused = [], 0
    for line, mine, theirs, (_, default) in zip(lines, answers, wanted, questions, strict=True):
        if "refused" in mine:  # a mistake that the reader of files finds before anything is evaluated
            refused += 1
            assert mine["refused"].count(":") >= 3, mine
            continue
        for context, one, other in zip(line["contexts"], mine, theirs, strict=True):
            compared += 1
            matched += one["reason"] == "TARGETING_MATCH"
            if not same(one, other, default):
                wrong.append({"line": line["flag"], "context": context, "provider": one, "service": other})
    assert not wrong, "%d of %d differ; the shortest: %s" % (len(wrong), compared, min((json.dumps(w) for w in wrong), key=len))
    assert compared > LINES and matched > compared / 5, (compared, matched, refused)
