#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py DIST OUT: the files below DIST as a table in C, gzipped, each with its type and the hash of its bytes.

The same files give the same text: names are in order, and gzip's header holds no time.
"""
import gzip
import hashlib
import sys
from pathlib import Path

TYPES = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2", ".json": "application/json",
}


def rows(data):
    return "\n".join("    " + ",".join(str(byte) for byte in data[at:at + 40]) + "," for at in range(0, len(data), 40))


def main(dist, out):
    dist = Path(dist)
    arrays, table = [], []
    for number, path in enumerate(sorted(p for p in dist.rglob("*") if p.is_file())):
        kind = TYPES.get(path.suffix) or sys.exit(f"embed.py: no type is known for {path}")
        data = gzip.compress(path.read_bytes(), 9, mtime=0)
        digest = hashlib.sha256(data).hexdigest()
        arrays.append(f"static const unsigned char file_{number}[] = {{\n{rows(data)}\n}};\n")
        table.append(f'    {{"{path.relative_to(dist).as_posix()}", "{kind}", "\\"{digest}\\"", file_{number}, sizeof file_{number}}},')
    if not table:
        sys.exit(f"embed.py: there is nothing in {dist}")
    text = "/* Made by dashboards/web/embed.py. */\n#include \"assets.h\"\n\n" + "\n".join(arrays)
    text += "\nconst struct fs_asset fs_assets[] = {\n" + "\n".join(table) + "\n};\n"
    text += "const size_t fs_asset_count = sizeof fs_assets / sizeof *fs_assets;\n"
    Path(out).write_text(text)


main(*sys.argv[1:])
