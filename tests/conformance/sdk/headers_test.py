#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the exported symbols of each library against its public headers.

usage: headers_test.py LIBRARY INCLUDE_DIRECTORY... The functions that the headers mark with OF_API and the dynamic symbols of the
library must be the same set. For libopenfeature it also checks what the static paradigm must not have: a client that takes
a context (3.2.2.2) and a propagator (3.3.2.1). What structures start from must be C++17 as well, and where there is a clang it must find
nothing wrong with the comments, as a host's build may ask it to.
"""
import pathlib
import re
import shutil
import subprocess
import sys

SDK = pathlib.Path(__file__).resolve().parents[3] / "sdk/include"


def declarations(text):
    """Each declaration marked OF_API, on one line, without comments."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"^\s*#(?:.*\\\n)*.*$", " ", text, flags=re.M)
    for found in re.finditer(r"\bOF_API\b([^;]*);", text):
        yield " ".join(found.group(1).split())


def name_of(declaration):
    return re.search(r"(\w+)\(", declaration).group(1)


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines() if line.split()[-2] in "TDBRVWi"}


def static_paradigm(headers):
    for header in headers:
        if header.name != "static.h":
            continue
        for declaration in declarations(header.read_text()):
            arguments = declaration.split("(", 1)[1]
            if "of_static_client *client" in arguments and "of_context" in arguments:
                yield f"{name_of(declaration)} takes a context"
            if "propagator" in declaration:
                yield f"{name_of(declaration)} has to do with a propagator"


def initializers(headers, directories):
    """Each OF_..._INIT as a C++17 program has it."""
    compiler = shutil.which("c++")
    includes = [f"-I{directory}" for directory in [*directories, SDK]]
    for header in headers if compiler else []:
        for macro, structure in re.findall(r"#define (OF_\w+_INIT)\b[^#]*?sizeof\((\w+)\)", header.read_text()):
            program = f'#include "{header}"\n{structure} one = {macro};\n'
            done = subprocess.run([compiler, "-std=c++17", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *includes,
                                   "-xc++", "-"], input=program, capture_output=True, text=True)
            if done.returncode != 0:
                yield f"{macro} is not C++17: {done.stderr}"


def documentation(headers, directories):
    """What clang's -Wdocumentation has to say, which many build with."""
    compiler = shutil.which("clang-14") or shutil.which("clang")
    includes = [f"-I{directory}" for directory in [*directories, SDK]]
    for header in headers if compiler else []:
        done = subprocess.run([compiler, "-std=c11", "-Wdocumentation", "-Werror", "-fsyntax-only", *includes, "-xc", "-"],
                              input=f'#include "{header}"\n', capture_output=True, text=True)
        if done.returncode != 0:
            yield f"{header.name}: {done.stderr}"


def main():
    library, directories = sys.argv[1], sys.argv[2:]
    headers = [h for d in directories for h in sorted(pathlib.Path(d).rglob("*.h"))]
    declared = {name_of(d) for h in headers for d in declarations(h.read_text())}
    symbols = exported(library)
    problems = [f"{name} is exported and in no header" for name in sorted(symbols - declared)]
    problems += [f"{name} is in a header and not exported" for name in sorted(declared - symbols)]
    problems += static_paradigm(headers)
    problems += initializers(headers, directories)
    problems += documentation(headers, directories)
    print(f"{len(declared)} functions in the headers, {len(symbols)} symbols exported")
    print("\n".join(problems))
    return 1 if problems or not declared else 0


if __name__ == "__main__":
    sys.exit(main())
