#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Asks the Prometheus at 127.0.0.1:9090, and fails where its answers are not what they should be.

usage: ask.py values CLIENT             what it has of each hub is what the client prints
       ask.py expressions DASHBOARD     each expression of rules and dashboard is answered
"""

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HUBS = "127.0.0.1:8484", "127.0.0.1:8485"
PATIENCE = 30  # seconds

# These change without any traffic, or from reader to reader.
CHANGING = re.compile("xdp_count_(ticks_total|last_tick|clients|memory_bytes|program_seconds)")

# Of what the agent here does not have.
MAY_BE_EMPTY = re.compile("xdp_count_program_seconds|> 0|> 1000|== 0")


def ask(path, **parameters):
    url = f"http://127.0.0.1:9090{path}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(url) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        sys.exit(f"{parameters}: {error.read().decode()}")


def printed_by(client):
    """The series that `xdp-countctl metrics` prints, with their values as text."""
    text = subprocess.run([client, "metrics"], check=True, capture_output=True, text=True).stdout
    series = {}
    for line in text.splitlines():
        match = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line)
        if match and not CHANGING.match(match[1]):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2]))
            series[match[1], tuple(sorted(labels.items()))] = float(match[3])
    return series


def known_of(hub):
    """The same series as Prometheus knows them of a hub."""
    series = {}
    for result in ask("/api/v1/query", query=f'{{__name__=~"xdp_count_.+",instance="{hub}"}}')["result"]:
        labels = dict(result["metric"])
        name = labels.pop("__name__")
        for added in "instance", "job":
            labels.pop(added)
        if not CHANGING.match(name):
            series[name, tuple(sorted(labels.items()))] = float(result["value"][1])
    return series


def check_values(client):
    """Hubs and Prometheus come to know of what was counted within seconds."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            expected = printed_by(client)
            found = [known_of(hub) for hub in HUBS]
        except OSError:  # it does not listen yet
            expected, found = None, []
        if expected and all(series == expected for series in found):
            break
        if time.monotonic() > end:
            sys.exit(f"expected {expected}\nfound {found}")
        time.sleep(0.5)
    frames = sum(value for (name, _), value in expected.items() if name == "xdp_count_frames_total")
    print(f"{len(expected)} series of each hub, {frames:.0f} frames")
    if frames != 1020:
        sys.exit("that is not what was sent")


def check_expressions(path):
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    expressions = [
        target["expr"].replace("$interface", ".*").replace("$__rate_interval", "30s")
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    rules = [rule for group in ask("/api/v1/rules")["groups"] for rule in group["rules"]]
    expressions += [rule["query"] for rule in rules]
    end = time.monotonic() + PATIENCE
    while True:  # a rate takes two scrapes
        empty = [
            expression
            for expression in expressions
            if not ask("/api/v1/query", query=expression)["result"] and not MAY_BE_EMPTY.search(expression)
        ]
        if not empty or time.monotonic() > end:
            break
        time.sleep(0.5)
    print(f"{len(rules)} rules and {len(expressions) - len(rules)} expressions of the dashboard")
    if empty or len(rules) < 6:
        sys.exit("no answer to: " + "\n".join(empty))


if __name__ == "__main__":
    {"values": check_values, "expressions": check_expressions}[sys.argv[1]](sys.argv[2])
