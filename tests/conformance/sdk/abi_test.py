#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the binary interface of libopenfeature, or of a provider's library, with the recorded one, sdk/abi/LIBRARY.abi.

usage: abi_test.py LIBRARY INCLUDE... [--record]; INCLUDE are the folders of the public headers. What is new is fine; what went away
or changed fails, until it is recorded anew together with a new SONAME. Needs abidw and abidiff (Debian: abigail-tools) and a library
with debugging information; without them it exits with 77, which ctest takes for skipped, or fails with CI=true or
REQUIRE_ALL=1.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

from missing import skip

ROOT = pathlib.Path(__file__).resolve().parents[3]


def baseline(library):
    return ROOT / "sdk/abi" / (pathlib.Path(library).name.split(".so")[0] + ".abi")


def describe(library, includes):
    """The interface as text: types that no public header defines are opaque in it."""
    command = ["abidw", *(word for include in includes for word in ("--headers-dir", include)), "--drop-private-types",
               "--exported-interfaces-only", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", library]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.replace(f"{ROOT}/", "")


def record(library, includes):
    baseline(library).write_text(describe(library, includes))
    print(f"recorded {baseline(library).relative_to(ROOT)}")
    return 0


def compare(library, includes):
    """Both sides described alike: abidiff takes what it drops from one side only for unchanged, and then sees nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".abi") as now:
        now.write(describe(library, includes))
        now.flush()
        done = subprocess.run(["abidiff", "--no-added-syms", baseline(library), now.name], capture_output=True, text=True)
    print(done.stdout + done.stderr or "the binary interface is the recorded one")
    return 1 if done.returncode else 0


def main():
    if shutil.which("abidiff") is None:
        return skip("abidiff is not installed (Debian: abigail-tools)")
    library, *includes = (word for word in sys.argv[1:] if word != "--record")
    includes = [pathlib.Path(include).resolve() for include in includes]
    return record(library, includes) if "--record" in sys.argv else compare(library, includes)


if __name__ == "__main__":
    sys.exit(main())
