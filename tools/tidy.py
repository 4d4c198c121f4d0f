#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs clang-tidy on the project's sources, as they are compiled in a build directory.

What was clean stays so until it changes, or a header that it includes, or the settings: a stamp in the
build directory says so, and clang-tidy is not asked again. A header that is named is looked at by way
of a source that includes it.

Prints each finding once, then a line with the sum, and ends with status 1 where there are any.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNITY_SOURCE = re.compile(r"-unity\d+\.cpp$")
INCLUDE = re.compile(r'^#include ["<]([^">]+)[">]', re.MULTILINE)
FINDING = re.compile(r"^(?:(?P<place>[^:\n]+:\d+:\d+): )?(?:warning|error): ")

# What g++ 12 compiles and clang 14 does not: lambdas that capture what a structured binding names.
LACK_OF_CLANG = re.compile(r"reference to local binding '\w+' declared in enclosing")


@functools.lru_cache(maxsize=None)
def included_names(path):
    return INCLUDE.findall(path.read_text(errors="replace"))


class Source:
    def __init__(self, entry):
        directory = pathlib.Path(entry["directory"])
        self.path = pathlib.Path(os.path.normpath(directory / entry["file"]))
        self.words = shlex.split(entry["command"])
        self.folders = [
            pathlib.Path(os.path.normpath(directory / word[2:]))
            for word in self.words
            if word.startswith("-I")
        ]
        self.files = set()
        self._collect(self.path)

    def _collect(self, path):
        """Adds a file and all that it includes of ours, generated ones too."""
        if path in self.files:
            return
        self.files.add(path)
        for name in included_names(path):
            for folder in [path.parent, *self.folders]:
                if (folder / name).is_file():
                    self._collect(pathlib.Path(os.path.normpath(folder / name)))
                    break

    def fingerprint(self, settings):
        digest = hashlib.sha256(settings)
        digest.update("\0".join(self.words).encode())
        for path in sorted(self.files):
            digest.update(str(path).encode() + path.read_bytes())
        return digest.hexdigest()


def name_of(source):
    return str(source.path.relative_to(ROOT))


def separated(entries):
    """The commands, with one for each source that Meson has compiled together with others."""
    for entry in entries:
        path = pathlib.Path(entry["directory"]) / entry["file"]
        if not UNITY_SOURCE.search(entry["file"]):
            yield entry
        else:
            for source in re.findall("#include ?<(.*)>", path.read_text()):
                yield entry | {
                    "file": source,
                    "command": entry["command"].replace(entry["file"], source),
                }


def sources_of(commands):
    """The project's C++, each source once, also where it is part of several targets."""
    found = {}
    for entry in commands:
        if entry["file"].endswith(".cpp"):
            source = Source(entry)
            if source.path.is_relative_to(ROOT):
                found.setdefault(source.path, source)
    return [found[path] for path in sorted(found)]


def chosen(sources, names):
    """The sources named, and for each other file named the smallest source that includes it."""
    wanted = {}
    for name in names:
        path = pathlib.Path(os.path.abspath(name))
        users = [source for source in sources if path in source.files]
        users.sort(key=lambda source: (source.path != path, len(source.files)))
        if users:
            wanted[users[0].path] = users[0]
    return list(wanted.values())


def findings_in(output, build):
    """Each finding, as its text with the lines of code that belong to it."""
    found = []
    for line in output.splitlines():
        match = FINDING.match(line)
        if match and match["place"]:
            path, _, place = line.partition(":")
            path = os.path.relpath(build / path, ROOT)
            found.append(f"{path}:{place}")
        elif match:
            found.append(line)
        elif found:
            found[-1] += "\n" + line
    return found


class Tidy:
    def __init__(self, program, build):
        self.command = [program, "--quiet", f"-p={build / 'tidy'}"]
        # g++ has warnings that clang does not know, and warns of less in headers that are generated.
        extra = ["-Wno-unknown-warning-option", "-Wno-error"]
        # The analyzer looks less deep than it can, which takes a quarter of the time.
        extra += ["-Xclang", "-analyzer-config", "-Xclang", "mode=shallow"]
        self.command += [f"--extra-arg={word}" for word in extra]
        self.build = build
        self.stamps = build / "tidy"
        version = subprocess.run([program, "--version"], check=True, capture_output=True).stdout
        self.settings = version + " ".join(extra).encode() + (ROOT / ".clang-tidy").read_bytes()

    def look(self, source):
        """Whether it had to look at a source, whether it could in part alone, and what is wrong."""
        stamp = self.stamps / source.fingerprint(self.settings)
        if stamp.exists():
            return False, stamp.read_text() == "in part", []
        run = subprocess.run(
            [*self.command, source.path], cwd=self.build, capture_output=True, text=True
        )
        findings = findings_in(run.stdout, self.build)
        if run.returncode != 0 and not findings:
            findings = [f"{name_of(source)}: {run.stderr.strip()}"]
        ours = [text for text in findings if not LACK_OF_CLANG.search(text)]
        in_part = len(ours) < len(findings)
        if not ours:
            stamp.write_text("in part" if in_part else "")
        return True, in_part, ours


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, help="a build directory that is configured")
    parser.add_argument("files", nargs="*", help="sources and headers; without any, all sources")
    parser.add_argument("--program", default="clang-tidy", help="which clang-tidy")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at once")
    options = parser.parse_args()

    build = options.build.resolve()
    commands = list(separated(json.loads((build / "compile_commands.json").read_text())))
    (build / "tidy").mkdir(exist_ok=True)
    (build / "tidy/compile_commands.json").write_text(json.dumps(commands))
    sources = sources_of(commands)
    if options.files:
        sources = chosen(sources, options.files)
    tidy = Tidy(options.program, build)
    unchanged = 0
    in_part = []
    seen = set()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for source, (looked, partly, findings) in zip(sources, pool.map(tidy.look, sources)):
            if not looked:
                unchanged += 1
            if partly:
                in_part.append(name_of(source))
            for text in findings:
                if text not in seen:
                    seen.add(text)
                    print(text, flush=True)
    if in_part:
        print("clang 14 cannot compile lambdas that capture what a structured binding names, and looked")
        print(f"at the rest of these: {' '.join(in_part)}")
    print(
        f"clang-tidy: {len(sources)} sources, {unchanged} of them unchanged and clean before, "
        f"{len(in_part)} looked at in part, {len(seen)} findings"
    )
    return 1 if seen else 0


sys.exit(main())
