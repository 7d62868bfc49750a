#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds every example against the installed SDK, outside of our build.

usage: consumers_test.py PREFIX. Once with nothing but pkg-config, once with find_package, with the shared libraries and with the static
ones. What each program prints must be what the comment at its head promises; examples/live, which needs a daemon, says how it is called
(tests/system/test_live_example.py runs it). Examples of providers that this build does not have are left out. The headers are also
compiled alone, as strict C11 and as C++.
"""
import os
import pathlib
import re
import shutil
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


def with_find_package(prefix, place, environment):
    build = place / "build"
    run(["cmake", "-S", EXAMPLES, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}"])
    run(["cmake", "--build", build])
    for source in EXAMPLES.glob("*.c"):
        check(build / source.stem, source, environment)
    check(build / "hello_cpp", EXAMPLES / "hello.cpp", environment)
    for program, source in (("provider_static", "provider.c"), ("hello_static", "hello.c")):
        check(build / program, EXAMPLES / source, environment)
        no_shared(build / program)


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


def no_shared(program):
    if "libopenfeature" in run(["readelf", "-d", program]):
        sys.exit(f"{program.name} is linked statically and asks for a shared libopenfeature")


def for_packagers(prefix):
    """What a packager looks for: an SONAME that changes when the interface may, and the licence."""
    (module,) = prefix.rglob("openfeature.pc")
    major, minor = re.search(r"^Version: (\d+)\.(\d+)", module.read_text(), re.M).groups()
    interface = major if int(major) else f"{major}.{minor}"
    for library in sorted(prefix.rglob("libopenfeature*.so")):
        soname = re.search(r"\(SONAME\).*\[(.*)\]", run(["readelf", "-d", library])).group(1)
        if soname != f"{library.name}.{interface}":
            sys.exit(f"{library.name} has the SONAME {soname}, not {library.name}.{interface}")
    if not (prefix / "share/doc/openfeature/LICENSE").exists():
        sys.exit("the licence is not installed")
    print(f"each SONAME ends in .{interface}, and the licence is there")


def symbols(library, *which):
    return {line.split()[-1].split("@")[0] for line in run(["nm", *which, library]).splitlines() if len(line.split()) > 1}


def static_names(library):
    """A static library has the names of the shared one and no others, and needs nothing that is hidden elsewhere."""
    archives = sorted(library.glob("libopenfeature*.a"))
    if {archive.stem for archive in archives} != {shared.stem for shared in library.glob("libopenfeature*.so")}:
        sys.exit(f"shared and static libraries differ: {sorted(library.glob('libopenfeature*'))}")
    for archive in archives:
        extra = symbols(archive, "--extern-only", "--defined-only") ^ symbols(archive.with_suffix(".so"), "-D", "--defined-only")
        missing = {name for name in symbols(archive, "--undefined-only") if re.match(r"(ofi|ofj|fs|fsw)_", name)}
        if extra or missing:
            sys.exit(f"{archive.name} is not what the shared library shows: {sorted(extra)}, {sorted(missing)}")
    print(f"{len(archives)} static libraries have the names of the shared ones and no others")


def static_with_pkg_config(alone, place, environment):
    """`alone` has static libraries only. With the small provider nothing is loaded at run time, libc neither."""
    sources = [(EXAMPLES / "hello.c", "openfeature-memory", ["-static"])]
    sources += [(source, module, []) for source, module in providers_there(alone)]
    for source, module, more in sources:
        flags = run(["pkg-config", "--static", "--cflags", "--libs", module], env=environment).split()
        program = place / f"{source.name}.static"
        run(["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", *STRICT, *more, source, *flags, "-o", program])
        no_shared(program)
        check_provider(program, source, environment)


ALL_STATIC = """cmake_minimum_required(VERSION 3.16)
project(every_provider LANGUAGES C)
find_package(OpenFeature 0.1 REQUIRED COMPONENTS {components})
add_executable(every every.c)
target_link_libraries(every PRIVATE {targets})
"""


def all_static_in_one(prefix, place):
    """Each provider's library in one program, with names of the program's own that the libraries have inside."""
    names = sorted(archive.stem.split("-")[1] for archive in prefix.rglob("libopenfeature-*.a"))
    folder = place / "every"
    folder.mkdir()
    makers = [f"of_{name}_provider_new" for name in names]
    (folder / "every.c").write_text("#include <stdio.h>\n" + "".join(f"extern char {maker};\n" for maker in makers) +
                                  "int ofi_free(void);\nint ofi_free(void) { return 1; }\n"
                                  "int main(void) { const void *all[] = {" + ", ".join(f"&{maker}" for maker in makers) +
                                  "}; return all[0] == NULL || ofi_free() != 1; }\n")
    (folder / "CMakeLists.txt").write_text(ALL_STATIC.format(components=" ".join(f"{name}_static" for name in names),
                                                             targets=" ".join(f"OpenFeature::{name}_static" for name in names)))
    run(["cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}"])
    run(["cmake", "--build", folder / "build"])
    run([folder / "build/every"])
    no_shared(folder / "build/every")
    print(f"one program with all of {', '.join(names)}, static")


def statically(prefix, place, environment):
    alone = place / "alone"
    shutil.copytree(prefix, alone, ignore=shutil.ignore_patterns("*.so", "*.so.*"))
    (module,) = alone.rglob("openfeature.pc")
    static_with_pkg_config(alone, place, environment | {"PKG_CONFIG_PATH": str(module.parent)})
    all_static_in_one(prefix, place)


def main():
    with tempfile.TemporaryDirectory() as place:
        place, prefix = pathlib.Path(place), pathlib.Path(sys.argv[1])
        libraries = {so.parent for so in prefix.rglob("libopenfeature.so")}
        (library,) = libraries
        environment = os.environ | {"LD_LIBRARY_PATH": str(library), "PKG_CONFIG_PATH": str(library / "pkgconfig")}
        for_packagers(prefix)
        static_names(library)
        headers_alone(prefix, place)
        with_pkg_config(prefix, place, environment)
        with_find_package(prefix, place, environment)
        providers(prefix, place, environment)
        statically(prefix, place, environment)


if __name__ == "__main__":
    main()
