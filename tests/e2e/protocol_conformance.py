#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Holds a running agent to the description of its protocol in agent/protocol.

usage: protocol_conformance.py SOCKET messages|requests|examples [LINE...]

  messages   every kind of line that the agent sends is valid, adds up, and is not once spoilt; ends
             the agent; each LINE is one that it has sent before
  requests   the agent takes and refuses what the schema takes and refuses: tests/fuzz/corpus/requests
  examples   the examples in the description are what the agent takes and answers
"""

import collections
import copy
import functools
import json
import operator
import os
import pathlib
import signal
import sys

from protocol_client import PROTOCOL, Client, parse, schema

CORPUS = pathlib.Path(__file__).resolve().parents[1] / "fuzz" / "corpus" / "requests"

# What the schema of requests cannot express, as its description says.
BEYOND_SCHEMA = {
    "bad_request.active-since-ahead",
    "bad_request.get-address-ipv6-short",
    "bad_request.n-with-fraction",
    "bad_request.prefix-host-bits",
    "bad_request.prefix-ipv6-host-bits",
}

OPTIONAL_IN_SAMPLES = ("src", "dst", "proto", "sport", "dport", "vlan")


def family_of(address):
    return "ipv6" if ":" in address else "ipv4"


def check_conserved(snapshot):
    total = collections.Counter()
    for counts in snapshot["classes"].values():
        total.update({name: counts[name] for name in ("packets", "bytes")})
    assert total == {name: snapshot["frames"][name] for name in total}, snapshot
    assert snapshot["shown"] == snapshot["tracked"] == len(snapshot["sources"]), snapshot
    for name in ("packets", "bytes"):
        for family in ("ipv4", "ipv6"):
            parts = [row for row in snapshot["sources"] if family_of(row["src"]) == family]
            parts += [snapshot["evicted"][family], snapshot["untracked"][family]]
            assert snapshot["classes"][family][name] == sum(part[name] for part in parts), snapshot
        for where in ("evicted", "untracked"):
            parts = [snapshot[where][family] for family in ("ipv4", "ipv6")]
            assert snapshot[where][name] == sum(part[name] for part in parts), snapshot


def places(value, path=()):
    """The path of every value inside of this one."""
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*path, key)
            yield from places(value[key], (*path, key))


def changed(message, path, change):
    """A copy in which change(container, key) was done to the value at `path`."""
    box = copy.deepcopy([message])
    container = box
    for key in path[:-1]:
        container = container[key]
    change(container, path[-1])
    return box[0]


def spoilt(message):
    """What was done, where, and the message with that one fault."""
    for path in places([message]):
        value = functools.reduce(operator.getitem, path, [message])
        optional = (
            path[-1] in ("id", "ns_per_packet", "lost", "slices", "trend")
            or (message.get("event") == "sample" and path[-1] in OPTIONAL_IN_SAMPLES)
            or path[1:2] + path[3:] == ("sources", "sources")  # of a row
        )
        yield "another type", path, changed(message, path, set_to({"no": ["such", "type"]}))
        if isinstance(path[-1], str) and not optional:
            yield "nothing", path, changed(message, path, operator.delitem)
        if isinstance(value, dict):
            yield "a surplus field", path, changed(message, (*path, "surplus"), set_to(1))
        if isinstance(value, (int, float)) and path[-1] != "id" and "nic_difference" not in path:
            yield "a negative number", path, changed(message, path, set_to(-1))


def set_to(value):
    return lambda container, key: operator.setitem(container, key, value)


def check_messages(path, *lines):
    seen = [parse(line) for line in lines]
    for message in seen:
        Client.messages.validate(message)
    client = Client(path, seen)
    for _ in range(3):
        check_conserved(client.next())
    source = seen[-1]["sources"][0]["src"]

    for identity in ("a \u00e9 \U0001f600", 7, -1.5, True, None, 2**64 - 1):
        (answer,) = client.answer({"cmd": "get", "address": [source, "203.0.113.9"], "id": identity})
        assert answer["id"] == identity and answer["missing"] == ["203.0.113.9"], answer
        assert answer["sources"][0]["src"] == source, answer
    # The first slice takes a second.
    while not any(row["trend"] for row in client.answer({"cmd": "top", "trend": 60})[0]["sources"]):
        pass
    for request in ("get", "top", "list", "subscribe", "unsubscribe", "status"):
        answer = client.answer({"cmd": request, **({"address": source} if request == "get" else {})})
        assert answer[-1]["type"] != "error" and "id" not in answer[-1], answer
    assert "ns_per_packet" in seen[-1], "the test has switched the kernel's statistics on"
    for command in ("top", "list"):
        (answer,) = client.answer({"cmd": command, "group": {"ipv4": 0, "ipv6": 64}})
        assert answer["rows"]["prefix4"] == 0 and answer["rows"]["prefix6"] == 64, answer
        assert sum(row["sources"] for row in answer["sources"]) > 1, answer
    (answer,) = client.answer({"cmd": "list", "active_since": 0})
    assert answer["since"] and answer["sources"], answer
    for request in ("unsubscribe", "status", "no"):
        assert client.answer({"cmd": request, "id": request})[0]["id"] == request
    for line in (b"{", b'{"cmd":"top","m":1}'):
        assert client.answer(line)[0]["type"] == "error"

    too_long = Client(path, seen)
    (answer,) = too_long.answer(b"x" * 65537)
    assert answer["code"] == "too_long" and too_long.next() is None
    too_long.close()
    while (status := client.answer({"cmd": "status"})[0])["clients"] > 1:
        pass
    others = [Client(path, seen) for _ in range(status["options"]["max_clients"] - 1)]
    for other in others:
        other.answer({"cmd": "unsubscribe"})
    excess = Client(path, seen)
    assert excess.next()["code"] == "busy" and excess.next() is None

    os.kill(status["pid"], signal.SIGINT)
    assert client.next() == {"type": "goodbye", "reason": "stopped by SIGINT"}
    assert client.next() is None

    definitions = Client.messages.schema["$defs"]
    types = {ref["$ref"].rsplit("/", 1)[1] for ref in Client.messages.schema["oneOf"]}
    assert {message["type"] for message in seen} == types, types
    codes = {message["code"] for message in seen if message["type"] == "error"}
    assert codes == set(definitions["error"]["properties"]["code"]["enum"]), codes

    # Of each kind the one that says most: what is not known of a source is null.
    kinds = {}
    for message in sorted(seen, key=lambda message: len(list(places(message)))):
        kinds[(message["type"], *message)] = message
    refused = set()
    for kind, message in kinds.items():
        for what, where, broken in spoilt(message):
            assert not Client.messages.is_valid(broken), f"valid with {what} at {where}: {broken}"
            # Rows are alike: how many there are depends on the moment.
            refused.add((kind, what, tuple("row" if isinstance(key, int) else key for key in where)))
    return f"{len(kinds)} kinds of lines are valid, {len(refused)} kinds of spoilt ones are not"


def check_requests(path):
    requests = schema("requests")
    client = Client(path)
    taken = refused = 0
    for file in sorted(CORPUS.iterdir()):
        line = file.read_bytes().removesuffix(b"\n")
        expected = file.name.split(".")[0]
        answer = client.answer(line)[-1]
        verdict = answer["code"] if answer["type"] == "error" else "ok"
        assert verdict == expected, f"{file.name}: {answer}"
        try:
            valid = requests.is_valid(parse(line))
        except ValueError:
            valid = False
        assert valid == (expected == "ok" or file.name in BEYOND_SCHEMA), file.name
        taken += expected == "ok"
        refused += expected != "ok"
    return f"{taken} requests are taken, {refused} refused"


def examples(text):
    """The JSON in the fenced blocks of a document: a list of values for each block."""
    decoder = json.JSONDecoder()
    for block in text.split("\n```json\n")[1:]:
        block = block.split("\n```")[0].strip()
        values = []
        while block:
            value, end = decoder.raw_decode(block)
            values.append(value)
            block = block[end:].strip()
        yield values


def shape(value):
    """The names of all fields. Lists count as alike: how many sources there are is no promise."""
    return {key: shape(value[key]) for key in value} if isinstance(value, dict) else None


def check_examples(path):
    text = (PROTOCOL / "README.md").read_text(encoding="utf-8")
    requests = schema("requests")
    client = Client(path)
    snapshot = client.next()
    asked = said = 0
    for block in examples(text):
        answer = None
        for value in block:
            if "cmd" in value:
                answer = client.answer(value)[0]
                assert (answer["type"] != "error") == requests.is_valid(value), value
                asked += 1
                continue
            Client.messages.validate(value)
            said += 1
            if value["type"] == "snapshot":
                answer = snapshot
            if answer and value["type"] in ("ok", "error"):
                assert answer == value, f"the agent says {answer}"
            elif answer:
                assert shape(answer) == shape(value), f"the agent says {answer}"

    for name in ("messages", "requests"):
        for path_to, field in fields(schema(name).schema):
            assert f"`{field}`" in text, f"the description does not name {path_to}"
    return f"{asked} requests and {said} lines are as described"


def fields(definition, path=""):
    """The name of every field that a schema defines."""
    if isinstance(definition, dict):
        for name, value in definition.items():
            if name == "properties":
                for field in value:
                    yield f"{path}/{field}", field
            yield from fields(value, f"{path}/{name}")


CHECKS = {"messages": check_messages, "requests": check_requests, "examples": check_examples}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[2] not in CHECKS:
        sys.exit(__doc__)
    print(CHECKS[sys.argv[2]](sys.argv[1], *sys.argv[3:]))
