# SPDX-License-Identifier: Apache-2.0
"""The OPA adapter and the fetch thread against a real OPA: what the hand-made responses of tests/unit/sources claim, held to the truth."""
import io
import json
import os
import pathlib
import subprocess
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opa_world import has_module
from world import ROOT, Opa, eventually, http

TOOL = pathlib.Path(os.environ.get("FLAGSTAFF_BUILD", ROOT / "build")) / "tests" / "opa_fetch_tool"

if not pathlib.Path(Opa.binary).exists():
    pytest.skip("no opa: script/bootstrap --tests builds it", allow_module_level=True)
if not TOOL.exists():
    pytest.skip(f"{TOOL} is not built", allow_module_level=True)

POLICY = """
package app.rbac
import rego.v1
default allow := false
allow if { some role in data.roles[input.user]; some g in data.grants[role]; g == input.action }
granted if allow
default blocked := false
blocked if to_number(input.score) > 10
us_users contains user if some user, _ in data.roles
members[user] := true if some user, _ in data.roles
shape := {"roles": data.roles[input.user]}
double := 1 if input.a
double := 2 if input.b
odd["the key"] := true if input.user == "bob"
list := [true, false]
fn(x) := x + 1
"""
DATA = {"roles": {"bob": ["editor"], "eve": ["viewer"]}, "grants": {"editor": ["edit", "read"], "viewer": ["read"]}, "rev": {"n": 1}}
ALLOW, GRANTED, BLOCKED = "app/rbac/allow", "app/rbac/granted", "app/rbac/blocked"
QUERIES = [["path", ALLOW], ["path", GRANTED], ["path", BLOCKED], ["path", "app/rbac/shape"], ["path", "app/rbac/double"],
           ["path", "app/rbac/odd/the key"], ["path", "app/rbac/list/0"], ["path", "nowhere/at/all"], ["users", "app/rbac/us_users"]]


class Tool:
    def __init__(self):
        self.process = subprocess.Popen([str(TOOL)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def tell(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def source(self, url, queries=None, **options):
        return self(source={"type": "opa", "url": url, **options}, queries=QUERIES if queries is None else queries)

    def ask(self, *questions):
        return self(ask=[list(q) if len(q) == 4 else [*q, "nobody"] for q in questions])

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0


@pytest.fixture
def tool():
    tool = Tool()
    yield tool
    tool.close()


@pytest.fixture
def opa(tmp_path):
    opa = Opa(tmp_path, {"rbac.rego": POLICY, "data.json": DATA}).start()
    yield opa
    opa.stop()


def states(answers):
    return [(a["state"], a["value"]) for a in answers]


MIXED = [("path", ALLOW, {"user": "bob", "action": "edit"}), ("path", ALLOW, {"user": "eve", "action": "edit"}),
         ("path", GRANTED, {"user": "bob", "action": "edit"}), ("path", GRANTED, {"user": "eve", "action": "edit"}),
         ("path", "app/rbac/shape", {"user": "eve"}), ("path", "app/rbac/odd/the key", {"user": "bob"}),
         ("path", "app/rbac/list/0", {}), ("path", "nowhere/at/all", {}),
         ("users", "app/rbac/us_users", {}, "bob"), ("users", "app/rbac/us_users", {}, "mallory")]
MIXED_ANSWERS = [("value", True), ("value", False), ("value", True), ("undefined", None), ("value", {"roles": ["viewer"]}), ("value", True),
                 ("value", True), ("undefined", None), ("value", True), ("value", False)]


@pytest.mark.parametrize("batch", [True, False])
def test_batched_and_single_questions_get_the_same_answers(tool, opa, batch):
    assert tool.source(opa.url, batch=batch)["alive"]
    assert states(tool.ask(*MIXED)) == MIXED_ANSWERS
    assert has_module(opa.url) == batch


@pytest.mark.parametrize("batch", [True, False])
def test_an_evaluation_error_is_its_own_questions_alone(tool, opa, batch):
    tool.source(opa.url, batch=batch)
    scores = ["1", "50", "x", "3", "y", "12", "7"]
    answers = tool.ask(*[("path", BLOCKED, {"score": s}) for s in scores], ("path", "app/rbac/double", {"a": 1, "b": 1}))
    assert states(answers) == [("value", False), ("value", True), ("bad", None), ("value", False), ("bad", None), ("value", True),
                               ("value", False), ("bad", None)]
    assert "eval_builtin_error" in answers[2]["error"] and "eval_conflict_error" in answers[7]["error"]


def test_thousands_of_questions_are_answered_in_their_order(tool, opa):
    tool.source(opa.url)
    questions = [("path", (ALLOW, GRANTED)[i % 2], {"user": ("bob", "eve")[i // 2 % 2], "action": "edit", "i": i}) for i in range(2000)]
    answers = states(tool.ask(*questions))
    for i, answer in enumerate(answers):
        allowed = i // 2 % 2 == 0
        assert answer == (("value", allowed) if i % 2 == 0 or allowed else ("undefined", None))


def test_a_module_that_somebody_removed_is_put_back_and_nobody_is_denied_for_it(tool, opa):
    tool.source(opa.url)
    for _ in range(3):
        assert states(tool.ask(*MIXED)) == MIXED_ANSWERS
        assert http("DELETE", opa.url + "/v1/policies/flagstaff").status == 200


def test_a_module_of_somebody_else_is_replaced(tool, opa):
    tool.source(opa.url)
    assert http("PUT", opa.url + "/v1/policies/flagstaff", "package flagstaff.batch\nversion := \"old\"\n").status == 200
    assert states(tool.ask(*MIXED)) == MIXED_ANSWERS


def test_flags_that_change_bring_another_module(tool, opa):
    tool.source(opa.url, queries=[["path", ALLOW]])
    assert states(tool.ask(MIXED[0])) == [("value", True)]
    tool.tell(queries=[["path", ALLOW], ["path", GRANTED]])
    assert states(tool.ask(MIXED[0], MIXED[2])) == [("value", True), ("value", True)]
    assert b"granted" in http("GET", opa.url + "/v1/policies/flagstaff").body


def test_a_path_that_no_module_can_hold_spoils_no_other(tool, opa):
    tool.source(opa.url, queries=QUERIES + [["path", "app/rbac/fn"]])
    answers = tool.ask(MIXED[0], ("path", "app/rbac/fn", {}), MIXED[2])
    assert [a["state"] for a in answers] == ["value", "none", "value"]


def test_an_opa_that_goes_is_no_answer_and_one_that_comes_back_is_asked_again(tool, opa):
    tool.source(opa.url)
    assert states(tool.ask(MIXED[0])) == [("value", True)]
    opa.stop()
    assert [a["state"] for a in tool.ask(*MIXED)] == ["none"] * len(MIXED)
    assert not tool(probe=True)["alive"]
    opa.start()
    assert tool(probe=True)["alive"]
    assert states(tool.ask(*MIXED)) == MIXED_ANSWERS


def test_an_opa_that_hangs_is_no_answer(tool, opa):
    tool.source(opa.url, timeout="200ms")
    assert states(tool.ask(MIXED[0])) == [("value", True)]
    opa.pause()
    try:
        answers = tool.ask(*MIXED)
        assert [a["state"] for a in answers] == ["none"] * len(MIXED)
        assert not tool(probe=True)["alive"]
    finally:
        opa.resume()
    assert tool(probe=True)["alive"]


def test_a_revision_document_makes_a_change_of_data_visible(tool, opa):
    assert tool.source(opa.url, revisionPath="rev/n")["revision"] == "rev/n=1"
    assert tool.ask(MIXED[0])[0]["revision"] == "rev/n=1"
    opa.put("rev/n", 2)
    assert tool(probe=True)["revision"] == "rev/n=2"
    assert http("DELETE", opa.url + "/v1/data/rev/n").status == 204
    probe = tool(probe=True)
    assert not probe["alive"] and "revisionPath" in probe["error"]
    assert tool.ask(MIXED[0])[0]["state"] == "none"


AUTHZ = """
package system.authz
import rego.v1
default allow := false
allow if input.path == ["health"]
allow if { input.identity == "right"; input.path[0] == "v1"; input.path[1] == "data" }
allow if { input.identity == "right"; data.modules; input.path[1] == "policies" }
"""


@pytest.mark.parametrize("modules", [True, False])
def test_opas_own_authorization(tool, tmp_path, modules):
    token = tmp_path / "token"
    token.write_text("wrong-canary\n")
    opa = Opa(tmp_path, {"rbac.rego": POLICY, "authz.rego": AUTHZ, "data.json": {**DATA, "modules": modules}},
              ["--authentication=token", "--authorization=basic"]).start()
    try:
        probe = tool.source(opa.url, tokenFile=str(token))
        assert not probe["alive"] and "401" in probe["error"] and "canary" not in probe["error"]
        answers = tool.ask(*MIXED)
        assert [a["state"] for a in answers] == ["none"] * len(MIXED)
        assert "canary" not in json.dumps(answers)
        token.write_text("right\n")
        tool.tell(reload=True)
        assert tool(probe=True)["alive"]
        assert states(tool.ask(*MIXED)) == MIXED_ANSWERS
        assert states(tool.ask(*MIXED)) == MIXED_ANSWERS
    finally:
        opa.stop()


def test_tls_with_a_client_certificate_that_is_renewed(tool, tmp_path):
    trustme = pytest.importorskip("trustme")
    ca, stranger = trustme.CA(), trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    server, good, bad = ca.issue_cert("127.0.0.1"), ca.issue_cert("flagstaff"), stranger.issue_cert("flagstaff")

    def present(certificate):
        certificate.private_key_pem.write_to_path(tmp_path / "client.key")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")

    server.private_key_pem.write_to_path(tmp_path / "server.key")
    server.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    present(bad)
    opa = Opa(tmp_path, {"rbac.rego": POLICY, "data.json": DATA},
              ["--tls-cert-file", "server.pem", "--tls-private-key-file", "server.key", "--tls-ca-cert-file", "ca.pem", "--authentication=tls"],
              up=400).start()
    try:
        files = {"certificateFile": str(tmp_path / "client.pem"), "keyFile": str(tmp_path / "client.key")}
        url = opa.url.replace("http:", "https:")
        assert not tool.source(url, caFile=str(tmp_path / "ca.pem"), **files)["alive"]
        present(good)
        assert not tool(probe=True)["alive"]  # not before it is told
        tool.tell(reload=True)
        assert tool(probe=True)["alive"]
        assert states(tool.ask(*MIXED)) == MIXED_ANSWERS
        stranger.cert_pem.write_to_path(tmp_path / "ca.pem")  # now we do not trust the server: no kept connection helps
        tool.tell(reload=True)
        probe = tool(probe=True)
        assert not probe["alive"] and "certificate" in probe["error"]
        (tmp_path / "ca.pem").unlink()
        tool.tell(reload=True)
        assert "caFile cannot be read" in tool(probe=True)["error"]
    finally:
        opa.stop()


def test_the_probe_can_be_kept_out_of_decision_logs(tool, tmp_path):
    drop = 'package system.log\n\ndrop if input.path == "flagstaff/batch/version"\n'
    opa = Opa(tmp_path, {"rbac.rego": POLICY, "log.rego": drop, "data.json": DATA}, ["--set", "decision_logs.console=true"]).start()
    log = opa.process
    try:
        assert tool.source(opa.url)["alive"]
        tool.ask(MIXED[0])
        tool(probe=True)
    finally:
        opa.stop()
    assert "flagstaff/batch" in log.output
    assert "flagstaff/batch/version" not in log.output


def bundle(revision, files, roots):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in {**files, ".manifest": json.dumps({"revision": revision, "roots": roots})}.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


class Bundles:
    """Serves one bundle, or 404 while there is none."""

    def __init__(self):
        self.bytes, outer = None, self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = outer.bytes or b""
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "application/gzip")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def configure(self, folder):
        (folder / "opa.json").write_text(json.dumps({
            "services": {"here": {"url": f"http://127.0.0.1:{self.server.server_port}"}},
            "bundles": {"app": {"service": "here", "resource": "app.tar.gz", "polling": {"min_delay_seconds": 1, "max_delay_seconds": 1}}},
            "decision_logs": {"console": True}}))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def bundles():
    bundles = Bundles()
    yield bundles
    bundles.close()


def wait_alive(tool):
    return eventually(lambda: (probe := tool(probe=True))["alive"] and probe, "the source is alive")


@pytest.mark.parametrize("roots,owns_us", [(["app", "roles", "grants", "rev"], False), ([""], True)])
def test_an_opa_fed_by_bundles(tool, tmp_path, bundles, roots, owns_us):
    files = {"rbac.rego": POLICY, "data.json": json.dumps(DATA)}
    bundles.configure(tmp_path)
    opa = Opa(tmp_path, arguments=["-c", "opa.json"]).start()
    try:
        probe = tool.source(opa.url)
        assert not probe["alive"] and "not activated" in probe["error"]
        assert [a["state"] for a in tool.ask(*MIXED)] == ["none"] * len(MIXED)
        bundles.bytes = bundle("rev-9", files, roots)
        assert wait_alive(tool)["revision"] == "app=rev-9"
        answers = tool.ask(*MIXED)
        assert states(answers) == MIXED_ANSWERS
        assert has_module(opa.url) == (not owns_us)
        assert answers[0]["revision"] == "app=rev-9"
        assert answers[0]["decision"] and ("#" in answers[0]["decision"]) == (not owns_us)
        opa.stop()
        bundles.bytes = None
        opa.start() # back, and empty: what it says is no denial
        assert [a["state"] for a in tool.ask(*MIXED)] == ["none"] * len(MIXED)
        assert not tool(probe=True)["alive"]
        bundles.bytes = bundle("rev-10", files, roots)
        assert wait_alive(tool)["revision"] == "app=rev-10"
        assert states(tool.ask(*MIXED)) == MIXED_ANSWERS
    finally:
        opa.stop()


def test_the_printed_module_compiles_and_serves_in_ones_own_bundle(tool, tmp_path, bundles):
    module = tool(module=[q for kind, q in QUERIES if kind == "path"])
    (tmp_path / "module.rego").write_text(module)
    subprocess.run([Opa.binary, "check", "--strict", "module.rego"], cwd=tmp_path, check=True)
    bundles.configure(tmp_path)
    bundles.bytes = bundle("1", {"rbac.rego": POLICY, "module.rego": module, "data.json": json.dumps(DATA)}, [""])
    opa = Opa(tmp_path, arguments=["-c", "opa.json"]).start()
    try:
        tool.source(opa.url)
        wait_alive(tool)
        answers = tool.ask(*MIXED)
        assert states(answers) == MIXED_ANSWERS
        assert "#" in answers[0]["decision"]
    finally:
        opa.stop()
