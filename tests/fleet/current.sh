#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a hub sends over a bad way, with all that came twice, in the ClickHouse of today: the npm
# package chdb has it, as a library of node.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
for program in node npm; do
  if ! command -v $program >/dev/null; then
    echo "skipped: there is no $program"
    exit 77
  fi
done
modules=$BUILD_DIR/chdb
if [ ! -d "$modules/node_modules/chdb" ]; then
  mkdir -p "$modules"
  if ! npm install --silent --no-audit --no-fund --prefix "$modules" chdb@3 >"$modules/log" 2>&1; then
    tail -n 3 "$modules/log"
    echo "skipped: npm cannot install chdb"
    exit 77
  fi
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/kept"
status=0
XDP_COUNT_KEPT=$work/kept "$FLEET_TESTS_PROGRAM" --test-case='what comes twice*' \
  --no-skipped-summary >"$work/log" || status=$?
if [ $status != 0 ]; then
  cat "$work/log"
  exit $status
fi
cp "$here/current.mjs" "$modules/"
node "$modules/current.mjs" "$work/data" "$work/kept" "$here/../../tools/fleet"
