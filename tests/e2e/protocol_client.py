# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A client of the socket's protocol and its schemas, written from agent/protocol/README.md alone."""

import json
import math
import pathlib
import socket

import jsonschema

PROTOCOL = pathlib.Path(__file__).resolve().parents[2] / "agent" / "protocol"


def schema(name):
    """A validator for the schema of this name."""
    text = (PROTOCOL / f"{name}.schema.json").read_text(encoding="utf-8")
    validator = jsonschema.Draft202012Validator
    validator.check_schema(json.loads(text))
    return validator(json.loads(text))


def parse(text):
    """Strict JSON, which Python's own parser is a superset of. Raises ValueError."""

    def finite(number):
        if math.isinf(float(number)):
            raise ValueError(f"{number} is out of range")
        return float(number)

    def no_constant(name):
        raise ValueError(f"{name} is not JSON")

    value = json.loads(text, parse_float=finite, parse_constant=no_constant)
    json.dumps(value, ensure_ascii=False).encode()  # refuses lone surrogates
    return value


class Client:
    """Validates every line that comes."""

    messages = schema("messages")

    def __init__(self, path, seen=None):
        self.seen = [] if seen is None else seen
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rb")

    def send(self, line):
        self.socket.sendall(line + b"\n")

    def close(self):
        self.lines.close()
        self.socket.close()

    def next(self):
        """The next message; None when the agent has closed the connection."""
        line = self.lines.readline()
        if not line:
            return None
        assert line.endswith(b"\n"), line
        message = parse(line)
        self.messages.validate(message)
        self.seen.append(message)
        return message

    def answer(self, request):
        """Every line of the answer to a request, given as bytes or as an object."""
        self.send(request if isinstance(request, bytes) else json.dumps(request).encode())
        lines = []
        while not lines or lines[-1].get("more", False):
            message = self.next()
            assert message, f"closed instead of answering {request}"
            if message["type"] != "snapshot":
                lines.append(message)
        return lines
