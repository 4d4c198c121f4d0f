#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs the examples of README.md as they stand there, and compares what they print.

usage: readme_examples.py

An example is a block of the language sh or python that a block of the language text follows: its
output, all of it, or again and again from one that goes on for ever. Rates are compared by their unit
alone.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
EXAMPLE = re.compile(r"^```(sh|python)\n(.*?)^```\n```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INTERPRETERS = {"sh": ["/bin/sh", "-euc"], "python": [sys.executable, "-c"]}
PATIENCE = 30  # seconds


def comparable(line):
    return re.sub(r"\d+(?= (packets|Mbit)/s)", "#", line)


def run(language, code, lines):
    """The first lines that it prints; empty ones after its end."""
    with subprocess.Popen(
        INTERPRETERS[language] + [code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        signal.alarm(PATIENCE)
        output = [process.stdout.readline().rstrip("\n") for _ in range(lines)]
        signal.alarm(0)
        # All of the pipeline, which may be one that goes on for ever.
        os.killpg(process.pid, signal.SIGKILL)
    return output


def main():
    examples = EXAMPLE.findall(README.read_text(encoding="utf-8"))
    for language, code, text in examples:
        lines = text.splitlines()
        printed = run(language, code, 2 * len(lines))
        expected = [*map(comparable, lines)]
        shown = [*map(comparable, printed)]
        assert shown in (expected + expected, expected + [""] * len(lines)), f"{code}\n{printed}"
    print(f"{len(examples)} examples print what they should")


main()
