# SPDX-License-Identifier: Apache-2.0
"""The project's scripts where somebody's own cmake or a missing program comes in between."""

import os
import shutil
import subprocess
import sys

import pytest
from world import ROOT


@pytest.fixture
def checkout(tmp_path):
    """A copy of the scripts alone; nothing in it can be built."""
    shutil.copytree(ROOT / "script", tmp_path / "script")
    shutil.copy(ROOT / "CMakePresets.json", tmp_path)
    (tmp_path / "build").mkdir()
    return tmp_path


def build(checkout):
    return subprocess.run([checkout / "script/build"], env={**os.environ, "FLAGSTAFF_BOOTSTRAPPED": "1"}, capture_output=True, text=True,
                          timeout=60)


def test_bootstrap_takes_no_program_of_its_own_for_the_machines(checkout):
    """... though .tools is a link, and PATH names what it leads to: a wrapper would wrap itself."""
    real, machines = checkout / "elsewhere", checkout / "machine"
    for folder in (real / "bin", machines):
        folder.mkdir(parents=True)
        (folder / "node").write_text("#!/bin/sh\n")
        (folder / "node").chmod(0o755)
    (checkout / ".tools").symlink_to(real)
    function = (checkout / "script/bootstrap").read_text().partition("\nmachines() {")[2].partition("\n}\n")[0]
    for own in (real / "bin", checkout / ".tools/bin"):
        done = subprocess.run(["bash", "-euc", f"machines() {{{function}\n}}; machines node"], capture_output=True, text=True, timeout=60,
                              env={"tools": str(checkout / ".tools"), "PATH": f"{own}:{machines}:/usr/bin:/bin"})
        assert done.stdout.strip() == str(machines / "node"), done


def test_build_says_to_remove_a_folder_that_another_generator_has_taken(checkout):
    (checkout / "build/CMakeCache.txt").write_text("CMAKE_GENERATOR:INTERNAL=Unix Makefiles\n")
    done = build(checkout)
    assert done.returncode == 1 and "Unix Makefiles" in done.stderr and "rm -r build" in done.stderr


def test_build_says_to_remove_a_folder_that_was_configured_without_a_part(checkout):
    (checkout / "build/CMakeCache.txt").write_text("CMAKE_GENERATOR:INTERNAL=Ninja\nFLAGSTAFF_SERVICE:BOOL=OFF\n")
    done = build(checkout)
    assert done.returncode == 1 and "FLAGSTAFF_SERVICE=OFF" in done.stderr and "rm -r build" in done.stderr


def tally(build_directory):
    log = build_directory / "Testing/Temporary/LastTest.log"
    return subprocess.run([ROOT / "script/lib/tally.py", "ctest", log], capture_output=True, text=True, timeout=60).stdout.split()


def test_tests_whose_program_is_missing_count_as_failed(tmp_path):
    (tmp_path / "CTestTestfile.cmake").write_text(f'add_test(gone "{tmp_path}/gone")\nadd_test(fine "/bin/true")\n')
    assert subprocess.run(["ctest", "--test-dir", tmp_path], capture_output=True, timeout=60).returncode != 0
    assert tally(tmp_path) == ["1", "1", "0"]


@pytest.mark.parametrize("required", [False, True])
def test_what_lacks_what_it_is_held_against_counts_as_skipped_and_as_failed_where_nothing_may_be(tmp_path, required):
    test = ROOT / "tests/conformance/sdk/requirements_test.py"
    (tmp_path / "CTestTestfile.cmake").write_text(f'add_test(lacking "{sys.executable}" "{test}")\n'
                                                  'set_tests_properties(lacking PROPERTIES SKIP_RETURN_CODE 77)\n')
    environment = {**os.environ, "OPENFEATURE_SPEC": str(tmp_path), "CI": "", "REQUIRE_ALL": "1" if required else ""}
    done = subprocess.run(["ctest", "--test-dir", tmp_path], env=environment, capture_output=True, timeout=60)
    assert (done.returncode != 0) is required
    assert tally(tmp_path) == (["0", "1", "1"] if required else ["0", "0", "1"])
