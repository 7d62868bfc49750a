#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the binary interface of libopenfeature with the recorded one, sdk/abi/libopenfeature.abi.

usage: abi_test.py LIBRARY [--record]. What is new is fine; what went away or changed fails, until it is recorded anew together with a new
SONAME. Needs abidw and abidiff (Debian: abigail-tools) and a library with debugging information; without them it exits with 77,
which ctest takes for skipped, or fails with REQUIRE_ALL=1.
"""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
BASELINE = ROOT / "sdk/abi/libopenfeature.abi"
HEADERS = ROOT / "sdk/include"


def record(library):
    command = ["abidw", "--headers-dir", HEADERS, "--drop-private-types", "--no-show-locs", "--no-corpus-path",
               "--no-comp-dir-path", library]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    BASELINE.write_text(text.replace(f"{ROOT}/", ""))
    print(f"recorded {BASELINE.relative_to(ROOT)}")
    return 0


def compare(library):
    command = ["abidiff", "--headers-dir2", HEADERS, "--drop-private-types", "--no-added-syms", BASELINE, library]
    done = subprocess.run(command, capture_output=True, text=True)
    print(done.stdout + done.stderr or "the binary interface is the recorded one")
    return 1 if done.returncode else 0


def main():
    if shutil.which("abidiff") is None:
        print("abidiff is not installed (Debian: abigail-tools)")
        return 1 if os.environ.get("REQUIRE_ALL") == "1" else 77
    return record(sys.argv[1]) if "--record" in sys.argv[2:] else compare(sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
