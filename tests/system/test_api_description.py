# SPDX-License-Identifier: Apache-2.0
"""docs/api/openapi.yaml against the daemon's real answers: each operation with the statuses that can be had without trouble."""

import re
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from test_overrides import FLAGS, granted
from world import ROOT

API = yaml.safe_load((Path(ROOT) / "docs" / "api" / "openapi.yaml").read_text())


def operation(method, path):
    for pattern, methods in API["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path.partition("?")[0]) and method.lower() in methods:
            return f"{method} {pattern}", methods[method.lower()]
    raise AssertionError(f"{method} {path} is not described")


def test_every_answer_is_as_described(daemon, client):
    d = daemon(FLAGS)
    seen = set()

    def ask(method, path, body=None, key=None, **more):
        name, described = operation(method, path)
        answer = {"GET": lambda: d.get(path, key), "POST": lambda: d.post(path, body, key, **more), "DELETE": lambda: d.delete(path, key)}[method]()
        assert str(answer.status) in described["responses"], f"{name} answered {answer}"
        response = described["responses"][str(answer.status)]
        if "$ref" in response:
            response = API["components"]["responses"][response["$ref"].rpartition("/")[2]]
        if "content" in response:
            schema = {**response["content"]["application/json"]["schema"], "components": API["components"]}
            Draft202012Validator(schema, format_checker=FormatChecker()).validate(answer.json)
        else:
            assert answer.body == b""
        seen.add((name, answer.status))
        return answer

    def event(query="", type_="flagstaff.facts", content_type="application/cloudevents+json", id_="1", **more):
        body = {"specversion": "1.0", "id": id_, "source": "/t", "type": type_, "data": {"subject": "ada", "facts": {"access": "none"}}, **more}
        return ask("POST", "/v1/events" + query, body, content_type=content_type)

    session = granted(d, client).welcome["session"]
    assert event("?dry_run=true").json["flips"] == 1
    event()
    event("?wait=applied", id_="2")
    event(data={"subject": "ada", "facts": {"access": "other"}})
    event(type_="none.such", id_="3")
    event(content_type="text/plain")
    event(id_="4", data={"subject": "ada", "facts": {"access": "x" * 40000}})
    page = ask("GET", "/v1/entries?kind=event").json["entries"]
    assert page[0]["stages"] and ask("GET", "/v1/entries?limit=2").json["next"]
    ask("GET", "/v1/entries?kind=tick")
    assert ask("GET", f"/v1/receipts/{page[0]['entry']}").json["complete"]
    ask("GET", "/v1/receipts/x")
    ask("GET", "/v1/receipts/99999")
    ask("GET", "/v1/sources")
    assert ask("POST", "/v1/sources/builtin/test", {"flag": "door", "subject": "ada"}).json["answer"] is False
    ask("POST", "/v1/sources/builtin/test", {"query": "door"})
    ask("POST", "/v1/sources/none/test", {"query": "door"})
    order = {"kind": "kill", "flag": "door", "reason": "r", "for": "1h"}
    ask("POST", "/v1/overrides?dry_run=true", order)
    ask("POST", "/v1/overrides", order)
    ask("POST", "/v1/overrides?wait=delivered", {"kind": "force", "flag": "theme", "variant": "dark", "subject": "ada", "reason": "r"})
    d.set_flags({"door": FLAGS["door"]})
    assert len(ask("GET", "/v1/overrides").json["overrides"]) == 2
    ask("POST", "/v1/overrides", {"kind": "kill"})
    ask("POST", "/v1/overrides", {**order, "flag": "none-such"})
    ask("POST", "/v1/overrides", {**order, "reason": "x" * 2000})
    assert ask("GET", "/v1/who?flag=door&limit=1").json["contexts"]
    ask("GET", "/v1/who")
    ask("GET", "/v1/who?flag=none-such")
    assert ask("GET", "/v1/contexts?limit=1").json["contexts"]
    ask("GET", "/v1/contexts?after=x")
    ask("DELETE", "/v1/subjects?subject=ada")
    ask("DELETE", "/v1/subjects")
    ask("DELETE", "/v1/subjects?subject=nobody")
    ask("DELETE", "/v1/overrides?flag=door&reason=r&dry_run=true")
    ask("DELETE", "/v1/overrides?flag=door&reason=r&wait=applied")
    ask("DELETE", "/v1/overrides?flag=theme&subject=ada&reason=r")
    ask("DELETE", "/v1/overrides?flag=door&reason=r")
    ask("DELETE", "/v1/overrides?flag=door")
    ask("DELETE", f"/v1/clients/{session}?reason=r")
    ask("DELETE", "/v1/clients/s-none")
    d.key = d.add_key(["admin"])
    for method, path in (("GET", "/v1/overrides"), ("POST", "/v1/overrides"), ("DELETE", "/v1/overrides?flag=door&reason=r"),
                         ("GET", "/v1/who?flag=door"), ("DELETE", "/v1/clients/s-none"), ("GET", "/v1/sources"), ("GET", "/v1/entries"), ("GET", "/v1/receipts/1"), ("GET", "/v1/contexts")):
        assert ask(method, path, order).status == 403
    assert event(id_="9").status == 403
    assert ask("POST", "/v1/sources/builtin/test", {"flag": "door"}, d.add_key(["read"])).status == 403
    assert ask("DELETE", "/v1/subjects?subject=x", key=d.add_key(["read"])).status == 403
    described = {(f"{method.upper()} {path}", int(status)) for path, methods in API["paths"].items()
                 for method, one in methods.items() for status in one["responses"]}
    assert {pair for pair in described - seen if pair[1] not in (401, 429, 503)} <= {("DELETE /v1/clients/{session}", 400), ("GET /v1/contexts", 413)}
