# SPDX-License-Identifier: Apache-2.0
"""dashboards/grafana: a real Prometheus reads the real daemon. Each query names what is exported and finds something; each alert is
quiet while all is well and fires when its condition is made true."""

import contextlib
import functools
import json
import re
import signal
import sqlite3
import subprocess

import prometheus as prom
import pytest
import yaml
from opa_world import Gate, access, source
from websockets.sync.client import connect
from world import ROOT, eventually

if not prom.find("prometheus") or not prom.find("promtool"):
    pytest.skip("no prometheus: script/bootstrap --tests gets it", allow_module_level=True)

pytestmark = pytest.mark.once

FOLDER = ROOT / "dashboards" / "grafana"
DASHBOARD = json.loads((FOLDER / "flagstaff.json").read_text())
PANELS = [p for p in DASHBOARD["panels"] if p["type"] != "row"]
RULES = [rule for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
# How fast this machine is, is not the daemon's doing: these are shown to be quiet on given series.
SPEED = {"FlagstaffSourceSlow", "FlagstaffChangesSlow", "FlagstaffDeliverySlow", "FlagstaffJournalSlow"}

RULE = {"rule": {"==": [{"var": "facts.access"}, "granted"]}}
DOOR = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client", "decision": RULE, "factDefaults": {"access": ""}}
REGO = 'package app\ndefault allow := false\nallow if data.allowed[input.user]\nodd := to_number("many") > 3\n'
FILES = {"app.rego": REGO, "data.json": {"allowed": {"ada": True}}}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    one = prom.Prometheus(tmp_path_factory.mktemp("prometheus"), yaml.safe_load((FOLDER / "alerts.yaml").read_text()), 5).start()
    yield one
    one.stop()


@pytest.fixture
def watched(daemon, prometheus):
    """watched(flags, config) starts a daemon that Prometheus reads, waits until it does, and finds no alert."""

    def make(flags, config=None, port=None, start=True):
        one = daemon(flags, config, start=False)
        one.port = port or prometheus.free.pop()
        return one.start() if start else one
    return make


@pytest.fixture
def alerts(prometheus):
    """What is firing."""

    class Alerts:
        seen = set()

        @staticmethod
        def find(daemon, name, **labels):
            return [a for a in prometheus.firing(daemon) if a["labels"]["alertname"] == name and labels.items() <= a["labels"].items()]

        def fires(self, daemon, name, **labels):
            found = eventually(lambda: self.find(daemon, name, **labels), f"{name} fires")[0]
            for text in found["annotations"].values():
                assert "<no value>" not in text and "<error" not in text, text
            self.seen.add(name)

        def is_over(self, daemon, name, **labels):
            eventually(lambda: not self.find(daemon, name, **labels), f"{name} is over")

        @staticmethod
        def are_none(daemon):
            prometheus.scraped(daemon)
            firing = {a["labels"]["alertname"] for a in prometheus.firing(daemon)}
            assert firing <= SPEED | {"FlagstaffAbsent"}, firing  # a reading that took too long counts as absence

    return Alerts()


def makes_true(*names):
    """The test has to see these alerts fire, and no others."""
    def mark(function):
        @functools.wraps(function)
        def run(**fixtures):
            function(**fixtures)
            assert fixtures["alerts"].seen == set(names)
        run.makes_true = set(names)
        return run
    return mark


@pytest.fixture
def gate():
    made = []

    def make(port):
        made.append(Gate(port))
        return made[-1]
    yield make
    for one in made:
        one.close()


def certificate(folder, days):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days),
                    "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    return {"tls": {"certificate": str(folder / "cert.pem"), "key": str(folder / "key.pem")}}


def queries():
    """(where, expression, what its legend names) of the whole dashboard."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], re.findall(r"\{\{\s*(\w+)\s*\}\}", target.get("legendFormat", ""))
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"], []


def filled(expression):
    """As Grafana sends it: variables with their values."""
    for name, value in {"$__rate_interval": "1m", "$__interval": "1m", "$instance": ".*", "$source": ".*"}.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, f"a variable that the dashboard does not have: {expression}"
    return expression


def test_the_dashboard_is_whole_and_its_panels_tile_the_page():
    assert DASHBOARD["schemaVersion"] >= 39 and DASHBOARD["uid"] and "id" not in DASHBOARD and "__inputs" not in DASHBOARD
    ids = [p["id"] for p in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    cells = [(x, y) for p in DASHBOARD["panels"] for g in [p["gridPos"]]
             for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])]
    assert len(set(cells)) == len(cells) and max(x for x, _ in cells) == 23
    assert len(cells) == 24 * (1 + max(y for _, y in cells)), "no holes"
    for panel in PANELS:
        assert panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        for thing in [panel, *panel["targets"]]:
            assert thing["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
    variables = {v["name"]: v for v in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource" and variables["datasource"]["query"] == "prometheus"


def test_every_alert_is_well_described_and_is_made_to_fire_below():
    made = set().union(*(getattr(f, "makes_true", set()) for f in globals().values() if callable(f)))
    assert made == {rule["alert"] for rule in RULES}
    readme = (FOLDER / "README.md").read_text()
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"].keys() == {"summary", "description"}
        assert f"`{rule['alert']}`" in readme, f"README.md says what to do about {rule['alert']}"


def use(d, client):
    """A bit of everything, so that nothing on the dashboard is without data."""
    both = client(d, ["ada", "bo"])
    both.wait_lease().wait_value("door", True)
    d.facts("ada", {"access": "granted"}, "wait=delivered")
    both.wait_value("vip", True)
    assert d.evaluate("cy", "door").status == 200
    d.set_flags({"door": access("app/allow"), "vip": DOOR, "more": DOOR})
    eventually(lambda: d.post("/v1/overrides", {"kind": "kill", "flag": "more", "reason": "a test"}).status == 202, "killed")


def test_each_query_names_what_is_exported_and_finds_it(prometheus, watched, opa, client, alerts, tmp_path):
    secure = watched({"door": DOOR}, certificate(tmp_path, 90), port=prometheus.secure, start=False)
    secure.start(ready=False)
    d = watched({"door": access("app/allow"), "vip": DOOR}, {"sources": {"opa": source(opa(FILES))}})
    prometheus.scraped(d, 1)
    use(d, client)
    prometheus.scraped(d)
    prometheus.scraped(secure)
    exported = prom.Exported(d.get("/metrics").body.decode())
    exported.types["flagstaff_certificate_expires_timestamp_seconds"] = "gauge"  # only over TLS
    exported.labels.update({"flagstaff_certificate_expires_timestamp_seconds": set(), "up": set()})
    exported.types["up"] = "gauge"
    wanted = [(where, filled(expression), legend) for where, expression, legend in queries()]
    for where, expression, legend in wanted + [(rule["alert"], rule["expr"], []) for rule in RULES]:
        names = prom.Names(expression)
        assert names.metrics, f"{where}: no metric"
        known = set(prom.FROM_PROMETHEUS)
        for metric, labels, function in names.metrics:
            assert metric in exported.labels, f"{where}: {metric} is not exported"
            known |= exported.labels[metric]
            assert labels <= exported.labels[metric] | prom.FROM_PROMETHEUS, f"{where}: {metric} has no such label: {labels}"
            counts = function in ("rate", "increase", "irate", "resets")
            assert counts == (exported.type_of(metric) in ("counter", "histogram")), f"{where}: {function} of {metric}, a {exported.type_of(metric)}"
            selector = re.search(rf"\b{metric}\b(\{{[^}}]*\}})?", expression).group(0)
            assert prometheus.query(selector), f"{where}: nothing is found for {selector}"
        assert names.grouping <= known, f"{where}: no such label: {names.grouping - known}"
        found = prometheus.query(expression)
        if where not in {rule["alert"] for rule in RULES} | {"Starts"}:
            assert found, f"{where}: nothing is found for {expression}"
            for series in found:
                assert set(legend) <= series["metric"].keys(), f"{where}: the legend names {legend}, and there is {series['metric']}"
    for variable in DASHBOARD["templating"]["list"][1:]:
        metric, label = re.fullmatch(r"label_values\((\w+).*, (\w+)\)", variable["definition"]).groups()
        assert label in exported.labels[metric] | prom.FROM_PROMETHEUS
    d.delete("/v1/overrides?flag=more&reason=a+test")
    alerts.is_over(d, "FlagstaffKillForgotten")
    for one in (d, secure):
        alerts.are_none(one)


@makes_true("FlagstaffSourceDown")
def test_a_source_that_hangs_is_down_until_it_answers(watched, opa, client, alerts):
    o = opa(FILES)
    d = watched({"door": access("app/allow")}, {"probe": "500ms", "sources": {"opa": source(o)}})
    client(d, ["ada"]).wait_value("door", True)
    alerts.are_none(d)
    o.pause()
    alerts.fires(d, "FlagstaffSourceDown", source="opa")
    o.resume()
    alerts.is_over(d, "FlagstaffSourceDown")


@makes_true("FlagstaffQuestionsWait", "FlagstaffSourceSlow", "FlagstaffChangesSlow", "FlagstaffAnswersBad", "FlagstaffSourceFailing")
def test_a_source_that_is_slow_wrong_or_silent_though_its_probes_go_well(watched, opa, client, alerts, gate):
    o = opa(FILES)
    slow = gate(o.port)
    d = watched({"door": access("app/allow"), "odd": access("app/odd")},
                {"probe": "60s", "sources": {"opa": {**source(o), "url": slow.url, "timeout": "60s", "revalidate": "1h"}}})
    c = client(d, [{"context": {"targetingKey": s}, "flags": ["door"]} for s in ["ada", *(f"s{n}" for n in range(20))]])
    c.wait_value("door", True)
    alerts.are_none(d)
    slow.shut()
    o.put("allowed/ada", False)
    d.recompute("")
    alerts.fires(d, "FlagstaffQuestionsWait", source="opa")
    slow.open.set()
    c.wait_value("door", False)
    alerts.fires(d, "FlagstaffSourceSlow", source="opa")
    alerts.fires(d, "FlagstaffChangesSlow")
    assert d.value("ada", "odd") is False
    alerts.fires(d, "FlagstaffAnswersBad")
    o.stop()
    slow.close()
    d.recompute("")
    alerts.fires(d, "FlagstaffSourceFailing", source="opa")


@makes_true("FlagstaffClientsBehind", "FlagstaffDeliverySlow", "FlagstaffLeasesEnded", "FlagstaffSlowClients", "FlagstaffKillForgotten")
def test_clients_that_stand_still(watched, client, alerts):
    big = {"variants": {"a": "x" * 300_000}, "defaultVariant": "a", "visibility": "client"}
    d = watched({"door": DOOR, "big": big}, {"lease": "5s", "limits": {"slow": "1s"}})
    frozen = client(d, [{"context": {"targetingKey": "ada"}, "flags": ["door"]}])
    frozen.wait_lease()
    alerts.are_none(d)
    frozen.ack = False
    d.facts("ada", {"access": "granted"})
    with connect(d.ws_url, subprotocols=["flagstaff.v1"], compression=None, max_size=None, max_queue=1, close_timeout=0) as lazy:
        watches = [{"watch": n, "context": {"targetingKey": f"s{n}"}, "flags": ["big"]} for n in range(1, 101)]
        lazy.send(json.dumps({"type": "hello", "protocol": "flagstaff.v1", "client": {"name": "lazy", "version": "1"}, "watches": watches}))
        alerts.fires(d, "FlagstaffSlowClients")
    alerts.fires(d, "FlagstaffClientsBehind")
    frozen.wait_value("door", True)
    frozen.send({"type": "ack", "revision": frozen.revision})
    alerts.fires(d, "FlagstaffDeliverySlow")
    frozen.renew(1)
    alerts.fires(d, "FlagstaffLeasesEnded")
    assert d.post("/v1/overrides", {"kind": "kill", "flag": "door", "reason": "a test"}).status == 202
    alerts.fires(d, "FlagstaffKillForgotten", flag="door")


@makes_true("FlagstaffForbiddenEvaluations")
def test_a_credential_that_asks_about_others(prometheus, watched, alerts):
    d = watched({"door": DOOR}, port=prometheus.keyed)
    d.key = d.add_key(["admin"], name="admin")
    prometheus.key_file.write_text(d.add_key(["metrics"], name="prometheus"))
    ada = d.add_key(["evaluate"], subject="ada", name="ada")
    assert d.evaluate("ada", "door", key=ada).status == 200
    alerts.are_none(d)
    assert d.evaluate("bo", "door", key=ada).status == 200
    alerts.fires(d, "FlagstaffForbiddenEvaluations")


@makes_true("FlagstaffJournalFailing", "FlagstaffNotReady", "FlagstaffJournalSlow", "FlagstaffJournalDamaged")
def test_a_journal_that_cannot_be_written_and_one_that_lost_an_entry(watched, alerts):
    d = watched({"door": DOOR})
    entry = d.facts("ada", {"access": "granted"}).json["entry"]
    alerts.are_none(d)
    with contextlib.closing(sqlite3.connect(f"{d.config['data']}/journal.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody else writes while this is open
        assert d.facts("bo", {"access": "granted"}).status == 503
        alerts.fires(d, "FlagstaffJournalFailing")
        alerts.fires(d, "FlagstaffNotReady")
        alerts.fires(d, "FlagstaffJournalSlow")
        other.execute("ROLLBACK")
        alerts.is_over(d, "FlagstaffJournalFailing")
        alerts.is_over(d, "FlagstaffNotReady")
        other.execute("DELETE FROM bodies WHERE number = ?", [entry])
    assert d.get("/v1/entries").status != 200
    alerts.fires(d, "FlagstaffJournalDamaged")


@makes_true("FlagstaffCertificateEnds", "FlagstaffReloadFailed", "FlagstaffAbsent")
def test_files_that_are_wrong_a_certificate_that_ends_and_a_daemon_that_is_gone(prometheus, watched, alerts, tmp_path):
    d = watched({"door": DOOR}, certificate(tmp_path, 2), port=prometheus.secure, start=False).start(ready=False)
    alerts.fires(d, "FlagstaffCertificateEnds")
    certificate(tmp_path, 90)
    d.process.send_signal(signal.SIGHUP)
    alerts.is_over(d, "FlagstaffCertificateEnds")
    alerts.are_none(d)
    (tmp_path / "cert.pem").write_text("no certificate")
    d.process.send_signal(signal.SIGHUP)
    alerts.fires(d, "FlagstaffReloadFailed", what="certificates")
    assert not alerts.find(d, "FlagstaffReloadFailed", what="flags")
    d.set_flags({"door": {**DOOR, "defaultVariant": "of"}})
    d.process.send_signal(signal.SIGHUP)
    alerts.fires(d, "FlagstaffReloadFailed", what="flags")
    d.set_flags({"door": DOOR})
    d.process.send_signal(signal.SIGHUP)
    alerts.is_over(d, "FlagstaffReloadFailed", what="flags")
    assert d.stop() == 0
    alerts.fires(d, "FlagstaffAbsent")


def test_what_is_quick_alarms_nobody_and_what_is_slow_alarms_in_time(tmp_path):
    tests = []
    for rule in (rule for rule in RULES if rule["alert"] in SPEED):
        ((metric, _, _),) = prom.Names(rule["expr"]).metrics
        more = ', source="opa"' if "source" in prom.Names(rule["expr"]).grouping else ""
        labels = f'job="flagstaff", instance="a"{more}'
        expected = {"exp_labels": {"severity": "warning", **dict(re.findall(r'(\w+)="(\w+)"', labels))}}
        for quick in (True, False):  # in the bucket that ends at 50 ms, or only in that of 5 s
            series = [{"series": f'{metric}{{{labels}, le="{le}"}}', "values": f"0+{10 if le != '0.05' or quick else 0}x15"} for le in ("0.05", "5", "+Inf")]
            tests.append({"interval": "1m", "input_series": series, "alert_rule_test": [
                {"eval_time": time, "alertname": rule["alert"], "exp_alerts": [] if quick or time == "3m" else [expected]} for time in ("3m", "12m")]})
    for group in (rules := yaml.safe_load((FOLDER / "alerts.yaml").read_text()))["groups"]:
        for rule in group["rules"]:
            rule.pop("annotations")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    prom.check_rules(tmp_path, {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests})
