# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""check_schema.py SCHEMA FILE: whether each line of the file is what a JSON Schema says."""

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    VALIDATOR = jsonschema.Draft202012Validator(json.load(file))
with open(sys.argv[2], encoding="utf-8") as file:
    LINES = [json.loads(line) for line in file]
for line in LINES:
    VALIDATOR.validate(line)
print(len(LINES))
