# SPDX-License-Identifier: Apache-2.0
"""docs/schema/flags.schema.json says the same of a flag file as the validator does.

The corpus beside this file is the link: good/ both take, bad/ both refuse, beyond/ the validator refuses for a reason that no
schema can see. Here stands the schema's half; the validator's is tests/unit/flagfile/test_corpus.c.
"""
import copy
import json
import os
import pathlib
import re

import jsonschema
import pytest
import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schema" / "flags.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FLAGD = pathlib.Path(os.environ.get("FLAGSTAFF_REFERENCE", ROOT.parent / "shared" / "reference")) / "flagd-schemas" / "json"


class Loader(yaml.SafeLoader):
    """PyYAML reads YAML 1.1, where `on` is true: here the core schema of YAML 1.2."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
                            ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
                            ("int", r"[-+]?[0-9]+", list("-+0123456789")),
                            ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789"))):
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile("^(?:%s)$" % pattern), first)


def read(path):
    text = path.read_text()
    return json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader)


def corpus(folder):
    files = sorted((HERE / folder).iterdir())
    assert files
    return [pytest.param(path, id=path.name) for path in files]


def flagd_samples(*folders):
    return [path for folder in folders for path in sorted((FLAGD / "test" / folder).glob("*.json"))]


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", corpus("good"))
def test_good_files_fit_the_schema(path):
    VALIDATOR.validate(read(path))


@pytest.mark.parametrize("path", corpus("bad"))
def test_bad_files_do_not_fit_the_schema(path):
    assert not VALIDATOR.is_valid(read(path))


@pytest.mark.parametrize("path", corpus("beyond"))
def test_what_only_the_validator_sees_fits_the_schema(path):
    VALIDATOR.validate(read(path))


def test_flagds_own_samples():
    """Good ones fit; bad ones do not, but for the list form of flags, which flagd's providers refuse and its daemon takes."""
    for path in flagd_samples("flags/positive", "flagd/positive"):
        VALIDATOR.validate(read(path))
    for path in flagd_samples("flags/negative"):
        assert VALIDATOR.is_valid(read(path)) == (path.name == "with-array-flags.json"), path.name


def test_every_key_of_the_schema_is_explained_in_the_reference():
    text = (ROOT / "docs" / "flag-file.md").read_text()
    keys = set(SCHEMA["properties"]) | set(SCHEMA["$defs"]["flag"]["properties"]) | set(SCHEMA["$defs"]["decision"]["properties"])
    for key in keys:
        assert "`%s`" % key in text or "`%s:" % key in text, key


def test_every_operator_of_the_schema_is_explained_in_the_reference():
    text = (ROOT / "docs" / "flag-file.md").read_text()
    rule = copy.deepcopy(SCHEMA["$defs"]["rule"]["anyOf"][2])
    for operator in rule["propertyNames"]["enum"]:
        assert "`%s`" % operator in text, operator
