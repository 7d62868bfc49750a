# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus over daemons of the tests, and the names in a PromQL expression.

Targets are ports that are set aside before it starts: it takes five seconds to notice a new one.
"""

import os
import re
import shutil
import subprocess
from urllib.parse import urlencode

import yaml
from world import ROOT, Process, eventually, free_port, http

INTERVAL = "300ms"
FROM_PROMETHEUS = {"job", "instance"}  # labels that it adds itself


def find(name):
    return shutil.which(name) or next((str(p) for p in [ROOT / ".tools" / "bin" / name] if os.access(p, os.X_OK)), None)


class Prometheus:
    def __init__(self, folder, rules, targets):
        """`rules`: what stands in a rule file. Each alert fires at once, since nobody wants to wait for its `for`."""
        self.folder, self.port, self.process = folder, free_port(), None
        self.free = [free_port() for _ in range(targets)]
        self.keyed, self.secure, self.key_file = free_port(), free_port(), folder / "key"
        for group in rules["groups"]:
            for rule in group["rules"]:
                rule.pop("for", None)
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
        as_one = [{"target_label": "job", "replacement": "flagstaff"}]
        jobs = [{"job_name": "open", "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in self.free]}]},
                {"job_name": "keyed", "static_configs": [{"targets": [f"127.0.0.1:{self.keyed}"]}],
                 "authorization": {"credentials_file": str(self.key_file)}},
                {"job_name": "secure", "static_configs": [{"targets": [f"127.0.0.1:{self.secure}"]}], "scheme": "https",
                 "tls_config": {"insecure_skip_verify": True}}]
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(
            {"global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL},
             "rule_files": ["rules.yaml"], "scrape_configs": [{**job, "relabel_configs": as_one} for job in jobs]}))

    def start(self):
        self.process = Process([find("prometheus"), f"--config.file={self.folder}/prometheus.yaml", f"--storage.tsdb.path={self.folder}/data",
                                f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], name="prometheus")
        return self

    def stop(self):
        self.process.stop()

    def ask(self, path, **query):
        answer = http("GET", f"http://127.0.0.1:{self.port}/api/v1/{path}?{urlencode(query)}")
        assert answer.status == 200, f"{query}: {answer}"
        return answer.json["data"]

    def query(self, expression):
        """The series of an instant query, each with its labels."""
        return self.ask("query", query=expression)["result"]

    def scraped(self, daemon, times=3):
        """Returns when it has read `times` times more from the daemon."""
        def count():
            try:
                found = self.query(f'count_over_time(flagstaff_ready{{instance="{instance(daemon)}"}}[1h])')
            except OSError:  # not up yet
                return 0
            return float(found[0]["value"][1]) if found else 0
        before = count()
        eventually(lambda: count() >= before + times, f"{times} more readings of {instance(daemon)}")

    def firing(self, daemon):
        """The alerts of this daemon."""
        return [a for a in self.ask("alerts")["alerts"] if a["state"] == "firing" and a["labels"].get("instance") == instance(daemon)]


def instance(daemon):
    return f"127.0.0.1:{daemon.port}"


def check_rules(folder, rules):
    """promtool's verdict on a file of rule tests."""
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump(rules))
    done = subprocess.run([find("promtool"), "test", "rules", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


TOKEN = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\[[^]]*\]|([a-zA-Z_:][\w:]*)|[\d.]\w*|\S""")
WITH_LABELS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}


class Names:
    """What an expression names: `metrics`, (metric, labels that its selector has, function that it is handed to); `grouping`, the
    labels in by (), on () and the like."""

    def __init__(self, expression):
        self.metrics, self.grouping = [], set()
        tokens = [m.group(0) for m in TOKEN.finditer(expression)]
        tokens.append("")
        at = 0
        while at < len(tokens) - 1:
            token, after = tokens[at], tokens[at + 1]
            if token in WITH_LABELS and after == "(":
                end = tokens.index(")", at)
                self.grouping |= {t for t in tokens[at + 2:end] if t != ","}
                at = end
            elif re.fullmatch(r"[a-zA-Z_:][\w:]*", token) and token not in WORDS and after != "(" and after not in WITH_LABELS:
                end, labels = at, set()
                if after == "{":
                    end = tokens.index("}", at)
                    labels = {t for t, operator in zip(tokens[at + 2:end], tokens[at + 3:end]) if operator in ("=", "!") and t[0].isalpha()}
                function = tokens[at - 2] if at >= 2 and tokens[at - 1] == "(" else None
                self.metrics.append((token, labels, function))
                at = end
            at += 1


class Exported:
    """What a daemon's /metrics say: the type of each family, and the labels of each sample's name."""

    def __init__(self, text):
        self.types, self.labels = {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                self.types[name] = kind
            elif line and not line.startswith("#"):
                name, labels = re.match(r"([\w:]+)(\{.*\})?", line).groups()
                self.labels.setdefault(name, set()).update(re.findall(r'[{,](\w+)="', labels or ""))

    def type_of(self, name):
        return self.types.get(name) or self.types.get(re.sub(r"_(bucket|sum|count)$", "", name))
