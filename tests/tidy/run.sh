#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What clang-tidy finds in all of the C++: minutes the first time, then what has changed since.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
passed=1 failed=0
"$root/tools/check.sh" --all tidy || passed=0 failed=1

# This is the summary of doctest, which tests/run.sh reads.
echo "[doctest] test cases: 1 | $passed passed | $failed failed | 0 skipped"
[ $failed = 0 ]
