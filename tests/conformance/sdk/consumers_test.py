#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the SDK into an empty prefix and builds every example against it, outside of our build.

usage: consumers_test.py BUILD_DIRECTORY. Once with nothing but pkg-config, once with find_package. What each program prints must be
what the comment at its head promises; examples/live, which needs a daemon, says how it is called. Examples of providers that this build
does not have are left out. The headers are also compiled alone, as strict C11 and as C++.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples/sdk"
PROVIDERS = ROOT / "examples/providers"
LIVE = ROOT / "examples/live"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wundef", "-Werror"]


def run(command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def promised(source):
    """The lines below "Output:" in the comment at the head of an example."""
    block = re.search(r" \* Output:\n(.*?) \*/", source.read_text(), re.S).group(1)
    return "".join(line.removeprefix(" * ") + "\n" for line in block.splitlines())


def check(program, source, environment):
    printed = run([program], env=environment, cwd=source.parent)
    if printed != promised(source):
        sys.exit(f"{program} printed\n{printed}instead of\n{promised(source)}")
    print(f"{program.name}: as promised")


def headers_alone(prefix, place):
    for header in sorted((prefix / "include").rglob("*.h")):
        name = header.relative_to(prefix / "include")
        for compiler, standard, suffix in (("cc", "-std=c11", "c"), ("c++", "-std=c++17", "cpp")):
            source = place / f"header.{suffix}"
            source.write_text(f"#include <{name}>\n#include <{name}>\nint nothing;\n")
            run([compiler, standard, *STRICT, f"-I{prefix}/include", "-fsyntax-only", source])
    print("every header compiles alone, as C11 and as C++17")


def with_pkg_config(prefix, place, environment):
    for source in sorted(EXAMPLES.glob("hello.c*")) + sorted(set(EXAMPLES.glob("*.c")) - {EXAMPLES / "hello.c"}):
        compiler = ["c++", "-std=c++17"] if source.suffix == ".cpp" else ["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L"]
        flags = run(["pkg-config", "--cflags", "--libs", "openfeature", "openfeature-memory"], env=environment).split()
        program = place / f"{source.name}.pkg-config"
        run([*compiler, *STRICT, source, *flags, "-pthread", "-o", program])
        check(program, source, environment)
    flags = run(["pkg-config", "--cflags", "--libs", "--static", "openfeature"], env=environment).split()
    print("static:", " ".join(flags))


def with_find_package(prefix, place, environment):
    build = place / "build"
    run(["cmake", "-S", EXAMPLES, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}"])
    run(["cmake", "--build", build])
    for source in EXAMPLES.glob("*.c"):
        check(build / source.stem, source, environment)
    check(build / "hello_cpp", EXAMPLES / "hello.cpp", environment)
    check(build / "provider_static", EXAMPLES / "provider.c", environment)


def providers_there(prefix):
    """The examples of providers that are installed: source, pkg-config module."""
    modules = {path.stem for path in prefix.rglob("openfeature-*.pc")}
    return [(source, f"openfeature-{source.stem}") for source in (PROVIDERS / "file.c", PROVIDERS / "ofrep.c", LIVE / "live.c")
            if f"openfeature-{source.stem}" in modules]


def check_provider(program, source, environment):
    if source.parent != LIVE:
        return check(program, source, environment)
    done = subprocess.run([program], env=environment, capture_output=True, text=True)
    if done.returncode != 2 or "usage:" not in done.stderr:
        sys.exit(f"{program} without arguments: {done}")
    return print(f"{program.name}: says how it is called")


def providers(prefix, place, environment):
    """The examples of the larger providers, both ways."""
    found = providers_there(prefix)
    for source, module in found:
        flags = run(["pkg-config", "--cflags", "--libs", module], env=environment).split()
        program = place / f"{source.name}.pkg-config"
        run(["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", *STRICT, source, *flags, "-o", program])
        check_provider(program, source, environment)
    for folder in sorted({source.parent for source, _ in found}):
        build = place / f"build-{folder.name}"
        run(["cmake", "-S", folder, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}"])
        run(["cmake", "--build", build])
        for source, _ in found:
            if source.parent == folder:
                check_provider(build / source.stem, source, environment)


def main():
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        prefix = place / "prefix"
        run(["cmake", "--install", sys.argv[1], "--prefix", prefix, "--component", "sdk"])
        libraries = {so.parent for so in prefix.rglob("libopenfeature.so")}
        (library,) = libraries
        environment = os.environ | {"LD_LIBRARY_PATH": str(library), "PKG_CONFIG_PATH": str(library / "pkgconfig")}
        headers_alone(prefix, place)
        with_pkg_config(prefix, place, environment)
        with_find_package(prefix, place, environment)
        providers(prefix, place, environment)


if __name__ == "__main__":
    main()
