#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Makes the table of page_file.hpp from the files of the page.

usage: embed_files.py OUTPUT PATH=FILE...
"""

import sys

TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def main():
    output, *files = sys.argv[1:]
    arrays = []
    entries = []
    for number, argument in enumerate(files):
        path, file = argument.split("=", 1)
        with open(file, "rb") as opened:
            content = opened.read()
        # Characters rather than a string: compilers limit the length of those.
        characters = ",".join(f"'\\x{byte:02x}'" for byte in content)
        arrays.append(f"constexpr char content{number}[] = {{{characters}}};")
        kind = TYPES[file.rsplit(".", 1)[1]]
        entries.append(f'    {{"{path}", "{kind}", {{content{number}, {len(content)}}}}},')
    with open(output, "w", encoding="ascii") as source:
        source.write(
            "\n".join(
                [
                    '#include "page_file.hpp"',
                    "namespace xdp_count {",
                    "namespace {",
                    *arrays,
                    "constexpr PageFile files[] = {",
                    *entries,
                    "};",
                    "}  // namespace",
                    "const PageFile* page_file(std::string_view path) {",
                    "  for (const PageFile& file : files)",
                    "    if (file.path == path) return &file;",
                    "  return nullptr;",
                    "}",
                    "}  // namespace xdp_count",
                    "",
                ]
            )
        )


if __name__ == "__main__":
    main()
