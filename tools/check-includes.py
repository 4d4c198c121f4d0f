#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Checks that no folder of agent/ includes from one that agent/meson.build does not let it use.

Folders of its table that are not in agent/ are in tools/.

Prints a line for each include that goes against the direction, and ends with status 1 then.
"""

import ast
import pathlib
import re
import sys

# A header in a folder, or one beside the folders, which is main()'s and the agent's.
INCLUDE = re.compile(r'^#include "(?:([a-z]+)/)?[a-z0-9_]+\.hpp"')


def allowed_uses(meson_build):
    """The table folder_uses, whose syntax Python shares: folder to the folders that it may use."""
    table = re.search(r"^folder_uses = (\{.*?^\})", meson_build.read_text(), re.MULTILINE | re.DOTALL)
    if not table:
        sys.exit(f"{meson_build} has no table folder_uses")
    return ast.literal_eval(table.group(1))


def main():
    tools = pathlib.Path(__file__).resolve().parent
    agent = tools.parent / "agent"
    uses = allowed_uses(agent / "meson.build")
    wrong = []
    known = set()
    for folder, used in uses.items():
        for other in used:
            if other not in known:
                wrong.append(f"agent/meson.build: {folder} uses {other}, which comes behind it")
        known.add(folder)
        place = agent if (agent / folder).is_dir() else tools
        for source in sorted((place / folder).glob("*.?pp")):
            for line, text in enumerate(source.read_text().splitlines(), 1):
                found = INCLUDE.match(text)
                if found and found.group(1) not in [folder, *used]:
                    name = source.relative_to(agent.parent)
                    other = found.group(1) or "what is above all folders"
                    wrong.append(f"{name}:{line}: {folder} may not use {other}")
    print("\n".join(wrong) or f"includes of {len(uses)} folders go one way")
    return 1 if wrong else 0


sys.exit(main())
