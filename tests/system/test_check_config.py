# SPDX-License-Identifier: Apache-2.0
"""`serve --check-config` and `serve` are of one mind: what the one calls right the other starts with, and both say
everything that is wrong in one run."""

import os
import re
import subprocess

import pytest

from world import BINARY, Process

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLAG = "flags: { a: { variants: { x: 1 }, defaultVariant: x } }\n"


def run(*arguments, **more):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, **more)


def both(tmp_path, text, *arguments, **more):
    """What each of the two says is wrong with this configuration, without what stands before it."""
    config = tmp_path / "flagstaff.yaml"
    config.write_text(text)
    said = []
    for check in (["--check-config"], []):
        done = run("serve", "--config", str(config), "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), *arguments, *check, **more)
        assert done.returncode == 3, done.stderr
        assert not (tmp_path / "data").exists(), "nothing was begun"
        said.append([line for line in done.stderr.splitlines() if "warning" not in line])
    assert len(said[0]) == len(said[1]), said
    return "\n".join(said[0]).replace(str(tmp_path) + "/", "").replace("flagstaff: ", "")


def test_all_mistakes_of_sources_mappings_and_files_are_told_in_one_run_with_their_places(tmp_path):
    (tmp_path / "flags.yaml").write_text("flags:\n  a: { variants: {} }\n  a: {}\n")
    (tmp_path / "no.pem").write_text("nothing\n")
    said = both(tmp_path, """\
lisen: x
flags: [flags.yaml, gone.yaml]
sources:
  opa:
    type: opa
    url: ftp://h
    batsh: true
    timeout: 1d
  other: { type: opq }
  third: { url: http://h }
events:
  mappings:
    - type: a
      facts:
        - { subject: x, fact: 'y z', value: 1 }
    - recompute: { subject: 1 }
tls: { certificate: no.pem, key: gone.pem }
dashboardDir: gone
""")
    for line in ("flagstaff.yaml:1:1: lisen: there is no such option, did you mean listen?",
                 "flagstaff.yaml:6:5: sources.opa.url: ",
                 "flagstaff.yaml:7:5: sources.opa.batsh is not known here: did you mean 'batch'?",
                 "flagstaff.yaml:8:5: sources.opa.timeout: ",
                 "flagstaff.yaml:9:12: sources.other.type: there is no type of source called opq, did you mean opa?",
                 "flagstaff.yaml:10:3: sources.third.type: it is missing",
                 "flagstaff.yaml:15:25: events.mappings[0]: facts[0]: fact: ",
                 "flagstaff.yaml:16:7: events.mappings[1]: type: ",
                 "flagstaff.yaml:16:20: events.mappings[1]: recompute: subject is not known here",
                 "flagstaff.yaml:17:8: tls.certificate: no.pem holds no certificate",
                 "flagstaff.yaml:17:29: tls.key: gone.pem cannot be read: No such file",
                 "flagstaff.yaml:18:1: dashboardDir: gone: No such file",
                 "flags.yaml:3:3: the key 'a' stands here for the second time",
                 "flags.yaml:2:8: flags.a.variants: expected at least one variant",
                 "gone.yaml: it cannot be read: No such file"):
        assert line in said, said


@pytest.mark.parametrize("text, expected", [
    ("origins: [https://app.example/]", "1:11: origins[0]: https://app.example/: expected an origin such as https://app.example.com; there is no path in it"),
    ("origins: [https://ok.example, app.example]", "1:31: origins[1]: app.example: expected an origin such as https://app.example.com; it begins with"),
    ("origins: [https://app.example:443]", "browsers leave out the port that the scheme implies"),
    ("origins: ['https://App.example']", "browsers send it in lower case"),
    ("hosts: [https://flags.example]", "1:9: hosts[0]: https://flags.example: expected a name such as flags.example.com"),
    ("hosts: ['flags.example:x']", "its port is no number from 1 to 65535"),
    ("publicUrl: flags.example", "1:1: publicUrl: flags.example: expected scheme and host, such as https://flags.example.com"),
    ("publicUrl: https://flags.example/board", "there is no path in it"),
    ("log: { components: 'net,sorce' }", "1:8: log.components: there is no component 'sorce', did you mean source?"),
    ("retention: 1h", "1:1: retention: expected 0 (keep everything) or at least as much as dedup"),
    ("tls: { key: k }", "1:8: tls.key: it goes together with tls.certificate"),
    ("sources: { opa: { type: builtin } }", "1:19: sources.opa.type: "),
])
def test_values_that_could_never_work_are_refused(tmp_path, text, expected):
    assert "flagstaff.yaml:" in both(tmp_path, text + "\n") and expected in both(tmp_path, text + "\n")


def test_what_comes_from_elsewhere_is_told_by_its_name_there(tmp_path):
    said = both(tmp_path, "origins: [https://a.example]\n", "--origin", "x", env={**os.environ, "FLAGSTAFF_HOSTS": "a/b", "FLAGSTAFF_LEASE": "7"})
    assert "--origin: origins[0]: x: " in said and "FLAGSTAFF_HOSTS: hosts[0]: a/b: " in said and "FLAGSTAFF_LEASE: 7 of what?" in said


def test_a_data_directory_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "state").write_text("")
    (tmp_path / "flagstaff.yaml").write_text("data: state\n")
    done = run("serve", "--config", str(tmp_path / "flagstaff.yaml"), "--check-config")
    assert done.returncode == 3 and ":1:1: data: " in done.stderr and "is no directory" in done.stderr


def test_what_is_right_is_right_for_both_and_a_secret_that_is_not_there_yet_is_a_warning(tmp_path):
    (tmp_path / "flags.yaml").write_text(FLAG)
    config = tmp_path / "flagstaff.yaml"
    config.write_text("""\
flags: [flags.yaml]
sources: { opa: { type: opa, url: http://127.0.0.1:1, tokenFile: later } }
hosts: [flags.example, 'flags.example:8443', '[::1]:80']
origins: [https://app.example, 'http://[::1]:3000']
publicUrl: https://flags.example
log: { components: 'all,-net' }
""")
    done = run("serve", "--config", str(config), "--check-config")
    assert (done.returncode, done.stdout) == (0, f"{config}: the configuration is right\n"), done.stderr
    assert "flagstaff.yaml:2:55: sources.opa.tokenFile: " in done.stderr and "is down until it can be read" in done.stderr
    daemon = Process([BINARY, "serve", "--config", str(config), "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data")], name="serve")
    try:
        daemon.wait_line("listening ")
    finally:
        assert daemon.stop() == 0


def test_every_component_that_logs_can_be_chosen():
    logged = set()
    for folder, _, names in os.walk(os.path.join(ROOT, "service")):
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                logged |= set(re.findall(r'\bFS_LOG(?:_DEBUG|_INFO|_WARN|_ERROR)?\((?:\s*level,)?\s*"([a-z]+)"', file.read()))
    told = run("serve", "--check-config", "--log-components", "nope").stderr
    known = re.search(r"there are all, ([a-z, ]+) and ([a-z]+), each", told)
    assert set(known.group(1).split(", ")) | {known.group(2)} == logged
