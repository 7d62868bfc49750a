# SPDX-License-Identifier: Apache-2.0
"""behave's hooks: which scenarios the table leaves out, and one daemon for each set of flags that a scenario selects; with
FLAGD_THROUGH the program that it names, which has the C provider `file`, instead of the daemon."""

import json
import os
import subprocess
import sys
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

sys.path.insert(0, os.environ["FLAGSTAFF_WORLD"])
from world import Daemon  # noqa: E402

TABLE = yaml.safe_load(Path(os.environ["FLAGD_TABLE"]).read_text())
LEFT_OUT = TABLE["left_out"] + (TABLE["left_out_of_the_provider"] if "FLAGD_THROUGH" in os.environ else [])


class Program:
    """tests/conformance/rules/provider_lines.c on one set of flags."""

    TYPES = {"Boolean": "bool", "String": "string", "Integer": "int", "Float": "double", "Object": "object"}

    def __init__(self, flags):
        self.flags = flags
        self.process = subprocess.Popen([os.environ["FLAGD_THROUGH"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def evaluate(self, key, kind, default, attributes):
        case = {"key": key, "type": self.TYPES[kind], "default": default, "context": attributes}
        self.process.stdin.write(json.dumps({"path": self.flags, "cases": [case]}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "refused" not in answer, answer
        return {**answer[0], "errorCode": answer[0].get("error", "")}

    def stop(self):
        self.process.stdin.close()
        return self.process.wait(60)


def before_all(context):
    context.daemons = {}


def daemon_for(context, flags):
    if flags not in context.daemons and "FLAGD_THROUGH" in os.environ:
        context.daemons[flags] = Program(flags)
    elif flags not in context.daemons:
        folder = Path(tempfile.mkdtemp(dir=os.environ["FLAGD_FOLDER"]))
        context.daemons[flags] = Daemon(folder, {}, {"flags": [flags]}).start()
    return context.daemons[flags]


def fits(row, scenario):
    """Whether a row of the table means this scenario; of an outline the name is 'NAME -- @TABLE.ROW EXAMPLES'."""
    name, _, examples = scenario.name.partition(" -- @")
    return (fnmatchcase(Path(scenario.filename).stem, row.get("feature", "*")) and fnmatchcase(name, row.get("scenario", "*"))
            and fnmatchcase(examples.partition(" ")[2].strip(), row.get("examples", "*"))
            and ("tag" not in row or row["tag"] in scenario.effective_tags))


def before_scenario(context, scenario):
    row = next((number for number, row in enumerate(LEFT_OUT) if fits(row, scenario)), None)
    if row is not None:
        with open(os.environ["FLAGD_LEFT_OUT"], "a") as rows:
            rows.write(f"{row}\n")
        scenario.skip(LEFT_OUT[row]["reason"])
        return
    context.attributes = {}
    selector = next((s.name.split('"')[5] for s in scenario.all_steps if s.name.startswith('an option "selector"')), "")
    alone = Path(os.environ["FLAGD_FLAGS"]) / Path(selector).name
    context.daemon = daemon_for(context, str(alone) if alone.is_file() else os.environ["FLAGD_ALL"])


def after_all(context):
    for one in context.daemons.values():
        assert one.stop() == 0
