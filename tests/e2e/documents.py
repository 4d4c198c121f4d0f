#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Holds the project's documents, all files *.md, to what they say.

usage: documents.py examples CLIENT
       documents.py links|messages

  examples   the examples print what stands below them. An example is a block of the language sh or
             python that a block of the language text follows: its output, all of it, or again and
             again from one that goes on for ever. Rates are compared by their unit alone. Or it is
             a command of CLIENT in a block of the language console: what stands below it there is
             compared but for numbers, times and spaces, and where nothing does, it succeeds.
  links      each relative link leads to a file, and to a heading in it
  messages   the programs have each message that a table lists: one whose first column has the title
             "message". Where the table has …, the program puts something in.
"""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ("agent", "tools/client", "tools/live", "tools/xdp-countctl")
EXAMPLE = re.compile(r"^```(sh|python)\n(.*?)^```\n```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (?:sudo )?xdp-countctl (.*)\n((?:[^$\n].*\n|\n)*)", re.MULTILINE)
ADDRESS = r"\d+\.\d+\.\d+\.\d+"
CHANGING = rf"[\d-]+T[\d:.]+Z|\b[0-9a-f]{{16}}\b|(?<!\S)-?(?!{ADDRESS})\d[\d,.]*( [kMG]\b)?"
INTERPRETERS = {"sh": ["/bin/sh", "-euc"], "python": [sys.executable, "-c"]}
PATIENCE = 30  # seconds

FENCE = re.compile(r"^(```+).*?^\1$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"(`+)[^`].*?\1", re.DOTALL)
LINK = re.compile(
    r"\]\(\s*([^()\s]+)[^()]*\)|\bsrc=\"([^\"]+)\"|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE
)
HEADING = re.compile(r"^#{1,6} +(.*?)[ #]*$", re.MULTILINE)
MESSAGES = re.compile(r"^\| message \|.*\n\|[ |-]+\n((?:\|.*\n)+)", re.MULTILINE)


def documents():
    """The text of each, by its path. Builds and hidden directories have none of them."""
    found = {}
    for directory, names, files in os.walk(ROOT):
        names[:] = [
            name
            for name in names
            if not name.startswith((".", "build")) or directory != str(ROOT)
        ]
        for name in files:
            if name.endswith(".md"):
                path = pathlib.Path(directory, name)
                found[path] = path.read_text(encoding="utf-8")
    for name in ("README.md", "docs/operating.md", "agent/protocol/README.md"):
        assert ROOT / name in found, f"{name} is not there"
    return found


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


def outline(text):
    """Without what is another one each time, nor the name that an interface has in a test."""
    lines = [" ".join(re.sub(CHANGING, "#", line).split()) for line in text.strip().splitlines()]
    return [line.replace("count0", "eth0") for line in lines]


def check_commands(client):
    blocks = [block for text in documents().values() for block in CONSOLE.findall(text)]
    commands = [command for block in blocks for command in COMMAND.findall(block)]
    assert len(commands) == sum(block.count("$ ") for block in blocks), "not all are the client's"
    for arguments, text in commands:
        words = shlex.split(arguments, comments=True)
        printed = subprocess.run(
            [client, *words], stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=True
        ).stdout
        assert not text.strip() or outline(text) == outline(printed), f"{arguments}\n{printed}"
    return len(commands)


def check_examples(client):
    examples = [example for text in documents().values() for example in EXAMPLE.findall(text)]
    for language, code, text in examples:
        lines = text.splitlines()
        printed = run(language, code, 2 * len(lines))
        expected = [*map(comparable, lines)]
        shown = [*map(comparable, printed)]
        assert shown in (expected + expected, expected + [""] * len(lines)), f"{code}\n{printed}"
    commands = check_commands(client)
    return f"{len(examples)} examples and {commands} commands print what they should"


def anchors(text):
    """The names that a heading can be linked to by, as hosts of repositories make them."""
    names = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        others = sum(1 for other in names if re.fullmatch(re.escape(name) + r"(-\d+)?", other))
        names.add(f"{name}-{others}" if others else name)
    return names


def broken_links(path, text, texts):
    for target in LINK.findall(CODE.sub("", FENCE.sub("", text))):
        target = "".join(target)
        if urllib.parse.urlsplit(target).scheme:
            continue
        file, _, anchor = urllib.parse.unquote(target).partition("#")
        to = (path.parent / file).resolve() if file else path
        if not to.is_relative_to(ROOT) or not to.exists():
            yield f"{path.relative_to(ROOT)}: {target}: there is no such file"
        elif anchor and anchor not in anchors(texts.get(to, "")):
            yield f"{path.relative_to(ROOT)}: {target}: there is no such heading"


def check_links():
    texts = documents()
    broken = [line for path, text in texts.items() for line in broken_links(path, text, texts)]
    assert not broken, "\n" + "\n".join(broken)
    return "every link leads somewhere"


def program_text():
    """What the sources have between quotes, with … for each place of a format."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for directory in SOURCES
        for path in sorted((ROOT / directory).glob("**/*.cpp"))
    )
    return re.sub(r"\{[^{}\s]*\}", "…", re.sub(r'"\s*\n\s*"', "", code).replace('\\"', '"'))


def check_messages():
    said = program_text()
    tables = [table for text in documents().values() for table in MESSAGES.findall(text)]
    messages = [re.match(r"\| `([^`]+)` \|", row) for table in tables for row in table.splitlines()]
    assert messages and all(messages), "a row has no message"
    missing = [match[1] for match in messages if match[1] not in said]
    assert not missing, "\n" + "\n".join(missing)
    return "the programs have every message"


CHECKS = {"examples": check_examples, "links": check_links, "messages": check_messages}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in CHECKS:
        sys.exit(__doc__)
    print(CHECKS[sys.argv[1]](*sys.argv[2:]))
