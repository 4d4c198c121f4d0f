#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs the statements of a file on a ClickHouse, and prints what each is for and what it answers."""

import argparse
import ssl
import sys
import textwrap
import urllib.error
import urllib.parse
import urllib.request


def statements_in(text):
    """Each statement with the comment that is in front of it."""
    comment, lines = [], []
    for line in text.splitlines():
        code, _, said = line.partition("--")
        if not lines and not code.strip():
            if said:
                comment.append(said.strip())
            elif not line.strip():
                comment = []
            continue
        lines.append(code.rstrip())
        if lines[-1].endswith(";"):
            yield " ".join(comment), "\n".join(lines).rstrip(";")
            comment, lines = [], []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nothing", action="store_true",
                        help="fail if there is any answer, as of audit.sql there is to be none")
    parser.add_argument("--user", metavar="PATH", help="a file with USER:PASSWORD")
    parser.add_argument("--ca", metavar="PATH", help="certificates to trust, of an https:// URL")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=600,
                        help="for each statement's answer  [%(default)g]")
    parser.add_argument("--replace", metavar="OLD=NEW", action="append", default=[],
                        help="in the statements; may be given several times")
    parser.add_argument("url", help="as http://localhost:8123")
    parser.add_argument("file")
    options = parser.parse_args()

    headers = {}
    if options.user:
        with open(options.user, encoding="utf-8") as file:
            user, _, password = file.readline().rstrip("\n").partition(":")
        headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}
    url = options.url.rstrip("/") + "/?default_format=PrettyCompactNoEscapes"
    trusted = ssl.create_default_context(cafile=options.ca)
    with open(options.file, encoding="utf-8") as file:
        text = file.read()
    for change in options.replace:
        old, _, new = change.partition("=")
        text = text.replace(old, new)

    answered = False
    for comment, statement in statements_in(text):
        request = urllib.request.Request(url, statement.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=options.timeout, context=trusted) as response:
                answer = response.read().decode()
        except urllib.error.HTTPError as error:
            sys.exit(f"ask.py: {error.read().decode().strip()}\nin:\n{statement.strip()}")
        except OSError as error:
            sys.exit(f"ask.py: {options.url}: {error}")
        answered = answered or bool(answer)
        if comment:
            print(textwrap.fill(comment, 100))
        print(answer or "  nothing\n")
    return 1 if options.nothing and answered else 0


if __name__ == "__main__":
    sys.exit(main())
