# SPDX-License-Identifier: Apache-2.0
"""The board in a real Chromium on the real daemon: what each view shows is so, and what one does there has its effect."""

import json
import uuid
from urllib.parse import quote

import pytest
import yaml
from browser import EXAMPLES, Page, Reader
from opa_world import access, source
from world import Daemon, Opa, eventually

pytestmark = pytest.mark.once

HTML = "<img src=x onerror=\"document.title='owned'\">\"'&"
HOSTILE = f"{HTML}\u202e\u2066"
LONG = "x" * 10_000
EXPORT = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
          "decision": {"rule": {"<": [{"var": "facts.risk"}, 50]}}, "factDefaults": {"risk": 0}}
MENU = {"variants": {"new": "new", "old": "old"}, "defaultVariant": "old", "visibility": "client",
        "targeting": {"if": [{"ends_with": [{"var": "targetingKey"}, "a"]}, "new", "old"]}}
POLICY = "package app\nimport rego.v1\ndefault approve := false\napprove if input.user == \"view-a\"\n"


@pytest.fixture(scope="module")
def site(checkout):
    """The plain example page's address."""
    reader = Reader("plain", checkout)
    yield reader.url
    reader.stop()


@pytest.fixture(scope="module")
def open_house(tmp_path_factory, site):
    """A daemon that never had a key: whoever is on this machine is an operator."""
    folder = tmp_path_factory.mktemp("open")
    o = Opa(folder / "opa", {"app.rego": POLICY}).start()
    plain = yaml.safe_load((EXAMPLES / "plain" / "flags.yaml").read_text())["flags"]
    flags = {"export": EXPORT, "menu": MENU, "approve": access("app/approve"), f"flag {HOSTILE}": EXPORT,
             **{key: {"visibility": "client", **flag} for key, flag in plain.items()}}
    d = Daemon(folder / "daemon", flags, {"sources": {"opa": source(o)}, "origins": [site]}).start()
    yield d
    assert d.stop() == 0
    o.stop()


@pytest.fixture(scope="module")
def kept_house(tmp_path_factory):
    """A daemon that asks who one is."""
    d = Daemon(tmp_path_factory.mktemp("kept") / "daemon", {"export": EXPORT}).start()
    d.key = d.add_key(["read", "operate", "admin", "events", "facts:*", "evaluate:any"], name="the admin")
    yield d
    assert d.stop() == 0


@pytest.fixture
def visit(browser):
    """visit(daemon, "#/...") opens a page of the board; each is closed at the end."""
    opened = []

    def make(daemon, place="#/", beside=None, url=None):
        opened.append(Page(browser, f"page {uuid.uuid4()}", url or f"{daemon.url}/{place}", beside))
        return opened[-1]

    yield make
    for page in opened:
        page.close()


def row(subject, flag):
    return f'.sheet .tr:has(.c-subject :text-is("{subject}")):has(.c-flag :text-is("{flag}"))'


def shows(page, subject, flag, value):
    eventually(lambda: page.texts(row(subject, flag) + " .c-value") == [value], f"{subject}'s {flag} is shown {value}")


def sign_in(page, key):
    page.fill("API key", key)
    page.click(".sign-in button")
    page.wait(".link.live")


def fill_act(page, reason, **fields):
    for label, text in fields.items():
        page.fill(label.replace("_", " "), text)
    page.fill("Reason", reason)


def submit(page):
    page.wait(".blast")
    page.click("dialog button[type=submit]")
    page.wait(".receipt")


def test_live_shows_each_flip_with_its_value_and_its_delivery_and_why_tells_the_event(open_house, client, visit):
    client(open_house, ["live-ada", "live-bo"]).wait_lease()
    page = visit(open_house)
    shows(page, "live-ada", "export", "on")
    shows(page, "live-bo", "menu", "old")
    entry = open_house.facts("live-ada", {"risk": 90}).json["entry"]
    shows(page, "live-ada", "export", "off")
    eventually(lambda: "risk" in page.text(row("live-ada", "export") + " .c-cause"), "its cause is told in words")
    eventually(lambda: "1/1" in page.text(row("live-ada", "export") + " .c-delivered"), "it is delivered")
    shows(page, "live-bo", "export", "on")
    page.click(row("live-ada", "export") + " .c-why button")
    page.wait(f'.drawer a:text-is("entry {entry}")')
    page.wait('.drawer .decision:has-text("builtin"):has-text("facts.risk < 50")')
    page.wait('.drawer .facts:has-text("risk"):has-text("90")')
    page.wait('.drawer .step:has-text("Who has it"):has-text("acknowledged")')
    page.press("Escape")
    page.wait(".drawer", "detached")


def test_two_browsers_see_the_same_flip(open_house, client, visit):
    client(open_house, ["both"]).wait_lease()
    pages = [visit(open_house, "#/?subject=both") for _ in range(2)]
    for page in pages:
        shows(page, "both", "export", "on")
    open_house.facts("both", {"risk": 90})
    for page in pages:
        shows(page, "both", "export", "off")


def test_each_other_view_shows_what_there_is(open_house, client, visit):
    client(open_house, ["view-a", "view-bo"], name="shop").wait_lease()
    entry = open_house.facts("view-bo", {"risk": 77}).json["entry"]
    page = visit(open_house, "#/flags")
    page.wait('.cards li:has-text("approve"):has-text("access flag"):has-text("opa")')
    page.go(f"{open_house.url}/#/flags/export")
    shows(page, "view-bo", "export", "off")
    page.wait('.rule:has-text("facts.risk < 50")')
    page.wait('.changes li:has-text("view-bo"):has-text("risk")')
    page.wait(".plot canvas")
    page.go(f"{open_house.url}/#/subjects")
    page.wait('.cards li:has-text("view-bo")')
    page.go(f"{open_house.url}/#/subjects/view-bo?with=view-a")
    page.wait('.plain tr:has-text("approve"):has-text("differs")')
    page.wait('.facts div:has(dt :text-is("risk")):has-text("77")')
    page.wait('[aria-label="Clients"] :text-is("shop")')
    page.go(f"{open_house.url}/#/events?entry={entry}")
    page.wait('.entries .chosen:has-text("risk = 77 for view-bo"):has-text("2 flips")')
    page.wait('.side .receipt:has-text("Complete")')
    page.go(f"{open_house.url}/#/clients")
    page.wait('.clients .tr:has-text("shop"):has-text("current"):has-text("view-"):has-text("+1")')
    page.go(f"{open_house.url}/#/sources")
    page.wait('[aria-label="opa"]:has-text("up"):has-text("approve")')
    page.click('[aria-label="opa"] button:text-is("Ask it again")')
    page.wait('[aria-label="opa"] .receipt:has-text("Complete")')
    page.wait('[aria-label="opa"] .histogram')
    page.click('[aria-label="opa"] summary:has-text("Test a question")')
    for subject, answer in (("view-a", "true"), ("view-bo", "false")):
        page.fill("Subject", subject)
        page.click('[aria-label="opa"] .question button[type=submit]')
        page.wait(f'[aria-label="opa"] .question .decision:has-text("app/approve"):has-text("answered in") .json:has-text("{answer}")')
    page.go(f"{open_house.url}/#/why/view-a/approve")
    page.wait('.drawer .decision:has-text("app/approve"):has-text("allowed")')


def test_the_slider_of_a_subject_goes_back_to_what_stood_then(open_house, client, visit):
    client(open_house, ["past"]).wait_lease()
    for risk in (90, 1):
        open_house.facts("past", {"risk": risk}, query="wait=delivered")
    page = visit(open_house, "#/subjects/past")
    value = '.plain tr:has(td:first-child :text-is("export")) .value'
    page.wait_text(value, "on")
    page.wait(".slider input")
    eventually(lambda: page.click('button[aria-label="earlier"]') is None and page.text(value) == "off", "the flip before is shown")
    page.click('.slider button:text-is("Back to now")')
    page.wait_text(value, "on")


def test_a_subject_with_two_contexts_shows_both_apart(open_house, client, visit):
    client(open_house, [{"context": {"targetingKey": "twin"}}, {"context": {"targetingKey": "twin", "plan": "gold"}}]).wait_lease()
    page = visit(open_house, "#/subjects/twin")
    page.wait('.plain tr:has-text("export")')
    hashes = {c["hash"] for c in open_house.get("/v1/contexts?subject=twin").json["contexts"]}
    assert len(hashes) == 2
    eventually(lambda: page.count('.plain tr:has(td:first-child :text-is("export"))') == 2, "a line for each context")
    for one in hashes:
        page.wait(f'.plain tbody:has-text("{one[:8]}")')
    page.wait('.plain tbody:has-text("plan"):has-text("gold")')


def test_a_kill_a_force_and_a_release_do_what_they_say_and_their_receipt_fills(open_house, client, visit):
    c = client(open_house, ["kill-ada", "kill-bo"])
    c.wait_value("menu", "new", 1)
    page = visit(open_house, "#/flags/export")
    page.click(".heading .danger")
    page.wait('.blast li:has-text("kill-ada")')
    fill_act(page, "incident 12", Only_for_this_subject="kill-ada")
    submit(page)
    c.wait_value("export", False, 1)
    assert c.value("export", 2) is True
    page.wait('.receipt strong:has-text("Complete")')
    page.wait('.receipt:has-text("1/1")')
    page.click("dialog .primary")
    page.wait('.override:has-text("incident 12")')
    shows(page, "kill-ada", "export", "off")
    page.click('.heading button:text-is("Release")')
    fill_act(page, "it is over", Only_for_this_subject="kill-ada")
    submit(page)
    c.wait_value("export", True, 1)
    page.click("dialog .primary")
    page.wait(".override", "detached")
    open_house.facts("kill-bo", {"risk": 90})
    c.wait_value("export", False, 2)
    page.click('.heading button:text-is("Force")')
    page.choose("dialog select >> nth=0", "on")
    fill_act(page, "a support case", Only_for_this_subject="kill-bo")
    submit(page)
    c.wait_value("export", True, 2)
    assert [(o["kind"], o["subject"], o["reason"]) for o in open_house.get("/v1/overrides").json["overrides"]] == [("force", "kill-bo", "a support case")]
    assert open_house.delete("/v1/overrides?flag=export&subject=kill-bo&reason=end").status == 202


def test_killing_a_flag_for_everybody_wants_its_name_and_names_the_frozen_browser_as_the_one_behind(open_house, site, visit):
    pages = [visit(open_house, url=f"{site}/?flagstaff={open_house.url}") for _ in range(2)]
    open_house.facts("ada", {"may-export": True})
    for page in pages:
        page.wait("#export")
    frozen, well = pages
    frozen.freeze()
    board = visit(open_house, "#/flags/billing-export")
    board.click(".heading .danger")
    fill_act(board, "stop the bills")
    assert board.count("dialog button[type=submit]:disabled") == 1
    board.fill("Type the flag’s name to confirm: billing-export", "billing-export")
    assert board.count("dialog button[type=submit]:disabled") == 0
    board.fill("Only for this subject", "ada")  # others of this module may still hold leases
    board.wait('.blast:has-text("1 subject"):has-text("2 connected clients")')
    submit(board)
    well.wait("#export", "hidden")
    board.wait('.receipt:has-text("On its way"):has-text("1/2")')
    board.wait('.receipt .chip.warn:has-text("flagstaff-web · ada")')
    frozen.thaw()
    frozen.wait("#export", "hidden")
    board.wait('.receipt strong:has-text("Complete")')
    board.wait('.receipt:has-text("2/2")')
    assert open_house.delete("/v1/overrides?flag=billing-export&subject=ada&reason=end").status == 202


def test_an_event_is_tried_and_then_sent(open_house, client, visit):
    c = client(open_house, ["tried"])
    c.wait_value("export", True)
    page = visit(open_house, "#/")
    page.wait(".link.live")
    page.press("t")
    page.wait(".entries li")
    page.fill("Subject", "tried")
    page.click('.side button:text-is("Try without effect")')
    page.wait('.side .blast:has-text("2 values of 1 subject change, on 1 connected client"):has-text("export")')
    assert c.value("export") is True and not c.deltas
    page.click('.side button:text-is("Send")')
    c.wait_value("export", False)
    page.wait('.side .form .receipt:has-text("Complete") .stages:has-text("on disk"):has-text("evaluated"):has-text("acknowledged")')
    page.wait('.entries li:first-child:has-text("risk = 90 for tried"):has-text("2 flips")')


def test_who_types_in_the_palette_types_there_wherever_the_focus_was(open_house, visit):
    page = visit(open_house, "#/")
    page.wait(".link.live")
    page.press("t")
    page.wait(".side .form")
    assert page.run("document.activeElement.form !== undefined"), "t leads into the form"
    page.press("Control+k")
    page.type("export")
    page.wait('[role=option]:has-text("export")')
    assert page.value("dialog input") == "export"
    page.press("Escape")
    page.wait("dialog", "detached")
    assert page.where().endswith("#/events")


def test_a_client_is_disconnected_with_a_reason(open_house, client, visit):
    c = client(open_house, ["leaver"], name="leaving")
    c.wait_lease()
    page = visit(open_house, "#/clients")
    page.click('.clients .tr:has-text("leaving") .k-end button')
    page.fill("Reason", "it is frozen")
    page.click("dialog button[type=submit]")
    c.wait(lambda c: c.closed, "it is disconnected")
    assert c.goaway["code"] == "disconnect"
    page.wait('.clients .tr:has-text("leaving"):has-text("current")', "detached")


def test_a_restart_under_the_open_page_is_told_and_the_rows_come_back_without_a_reload(open_house, client, visit):
    client(open_house, ["restart"]).wait_lease()
    page = visit(open_house, "#/?subject=restart")
    shows(page, "restart", "export", "on")
    page.run("globalThis.sameDocument = true")
    assert open_house.stop() == 0
    page.wait('.banner:has-text("Not connected"):has-text("last that was known")')
    shows(page, "restart", "export", "on")
    open_house.start()
    client(open_house, ["restart"]).wait_lease()
    open_house.facts("restart", {"risk": 90})
    shows(page, "restart", "export", "off")
    page.wait(".banner", "detached")
    page.wait(".link.live")
    assert page.run("globalThis.sameDocument") is True


def test_one_signs_in_with_a_key_that_no_script_can_read_then_and_out_again(kept_house, visit, browser):
    key = kept_house.add_key(["read", "operate"], name="Olga")
    page = visit(kept_house)
    page.fill("API key", key[:-1] + ("a" if key[-1] != "a" else "b"))
    page.click(".sign-in button")
    page.wait('[role=alert]:has-text("not known")')
    sign_in(page, key)
    page.wait('.me:has-text("Olga"):has-text("operator")', "attached")
    cookie = next(c for c in page.cookies("") if c["name"] == "flagstaff_session")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    csrf = page.run("fetch('/v1/session').then((answer) => answer.json()).then((it) => it.csrf)")
    page.go(f"{kept_house.url}/#/clients")
    page.wait(".link.live")
    kept = page.run("JSON.stringify([localStorage, sessionStorage, document.cookie, document.body.outerHTML])")
    page.click('button:text-is("Sign out")')
    page.wait(".sign-in")
    for secret in (key, key.split("_")[2], cookie["value"], csrf):
        assert secret not in kept
        assert not [url for url in page.urls("") if secret in url]
        assert secret not in kept_house.process.output
    again = visit(kept_house)
    again.wait(".sign-in")


ACTIONS = [("POST", "/v1/overrides", {"flag": "export", "kind": "kill", "reason": "x"}), ("DELETE", "/v1/overrides?flag=export&reason=x", None),
           ("POST", "/v1/events", {"specversion": "1.0", "id": "1", "source": "/x", "type": "flagstaff.recompute", "data": {}}),
           ("DELETE", "/v1/clients/x?reason=x", None), ("POST", "/v1/keys", {"name": "x", "scopes": ["admin"]})]


def attempt(page, method, path, body, token):
    """The status that a script in the page gets, with the page's cookie and the session's own token."""
    headers = {"X-Flagstaff-Csrf": token, "Content-Type": "application/cloudevents+json" if path == "/v1/events" else "application/json"}
    options = {"method": method, "headers": headers, **({"body": json.dumps(body)} if body else {})}
    return page.run(f"fetch({json.dumps(path)}, {json.dumps(options)}).then((answer) => answer.status)")


def test_a_viewer_finds_no_button_to_act_with_and_is_refused_by_the_service_all_the_same(kept_house, client, visit):
    c = client(kept_house, ["viewed"])
    c.wait_value("export", True)
    page = visit(kept_house)
    sign_in(page, kept_house.add_key(["read"], name="Vera"))
    shows(page, "viewed", "export", "on")
    page.go(f"{kept_house.url}/#/flags/export")
    page.wait('.heading:has-text("look, not act")')
    assert page.count('.heading button:text-matches("^(Kill|Force|Release)$")') == 0
    page.go(f"{kept_house.url}/#/clients")
    page.wait(".clients .sheet .tr")
    assert page.count(".k-end button") == 0
    page.go(f"{kept_house.url}/#/events")
    page.fill("Subject", "viewed")
    page.wait('.side :text("look, not act")')
    assert page.count('.side button.primary:not([disabled])') == 0
    page.go(f"{kept_house.url}/#/sources")
    page.wait('[aria-label="builtin"]')
    assert page.count('button:text-is("Ask it again")') == 0
    token = page.run("fetch('/v1/session').then((answer) => answer.json()).then((it) => it.csrf)")
    assert [attempt(page, *action, token) for action in ACTIONS] == [403] * len(ACTIONS)
    assert c.value("export") is True and not c.closed


def test_a_page_of_another_origin_can_neither_act_nor_listen_with_the_cookie(kept_house, site, visit):
    page = visit(kept_house)
    sign_in(page, kept_house.key)
    evil = visit(kept_house, url=site, beside=page)
    assert evil.cookies(""), "the same browser, and to it the same site: only the service can tell them apart"
    act = {"method": "POST", "mode": "no-cors", "credentials": "include", "body": json.dumps({"flag": "export", "kind": "kill", "reason": "x"})}
    evil.run(f"fetch('{kept_house.url}/v1/overrides', {json.dumps(act)}).catch(() => 0).then(() => 0)")
    assert kept_house.get("/v1/overrides").json["overrides"] == []
    assert evil.run(f"fetch('{kept_house.url}/v1/session', {{credentials: 'include'}}).then(() => 'read', () => 'refused')") == "refused"
    listen = (f"new Promise((done) => {{ const socket = new WebSocket('{kept_house.ws_url.replace('/v1/ws', '/v1/board')}', 'flagstaff.board.v1');"
              "socket.onopen = () => done('open'); socket.onerror = () => done('refused'); })")
    assert evil.run(listen) == "refused"


def test_a_session_that_ends_asks_to_sign_in_again_and_one_is_back_where_one_was(daemon, client, visit):
    d = daemon({"export": EXPORT}, {"sessionTtl": "2s"})
    d.key = d.add_key(["read", "evaluate:any", "admin"])
    client(d, ["ada"]).wait_lease()
    page = visit(d, "#/subjects/ada")
    sign_in(page, d.key)
    page.wait('.plain tr:has-text("export")')
    page.wait('.banner:has-text("session is over")')
    page.wait('.plain tr:has-text("export")')
    page.click('.banner a, .banner button')
    page.wait(".sign-in")
    sign_in(page, d.key)
    page.wait('h1:has-text("ada")')
    assert page.where().endswith("#/subjects/ada")


def test_a_key_that_is_revoked_ends_the_page_s_session(kept_house, visit):
    key = kept_house.add_key(["read"], name="fired")
    page = visit(kept_house, "#/flags/export")
    sign_in(page, key)
    kept_house.delete(f"/v1/keys/{key.split('_')[1]}")
    page.wait('.banner:has-text("session is over")')


def test_html_bidi_marks_and_endless_names_stay_text_in_each_view(open_house, client, visit):
    name = f"who {HOSTILE}"
    client(open_house, [name, LONG], name=HOSTILE).wait_lease()
    override = {"flag": "menu", "kind": "force", "variant": "old", "reason": HTML, "subject": name, "for": "5m"}
    assert open_house.post("/v1/overrides", override).status in (200, 202)
    open_house.facts(name, {"risk": 1, "note": HOSTILE})
    page = visit(open_house, "#/?sort=changed")
    for place in ("#/", "#/?group=1", "#/flags", f"#/flags/{quote(f'flag {HOSTILE}', safe='')}", "#/flags/menu", "#/subjects",
                  f"#/subjects/{quote(name, safe='')}", "#/events", "#/clients", "#/sources", f"#/why/{quote(name, safe='')}/export"):
        page.go(f"{open_house.url}/{place}")
        page.wait(".link.live")
        page.wait("main .name, main .entries li, main .panel")
        title, elements, inside = page.run("[document.title, document.querySelectorAll('img, script:not([src])').length, document.documentElement.scrollWidth <= innerWidth]")
        assert (title, elements, inside) == ("Flagstaff", 0, True), place
    page.wait(".drawer .step")
    assert open_house.delete(f"/v1/overrides?flag=menu&subject={quote(name, safe='')}&reason=end").status == 202
