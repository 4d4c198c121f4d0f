#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Measures from a fresh clone: builds, runs every benchmark, one after the other so that none
# disturbs another, and reports. Needs root and an otherwise idle machine; takes half an hour.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build_dir=${BUILD_DIR:-$root/build}
benches='packet-cost tick-cost hit-rate encoding-cost list-cost memory-use end-to-end
  subscribers attack'

usage() {
  cat <<END
usage: tools/bench/run.sh [FILE.jsonl]
Stores every result in FILE.jsonl and plots beside it (build/bench.jsonl, build/bench.svg,
build/bench-attack.svg).
END
}

case ${1-} in
  -h | --help) usage && exit ;;
  -*) usage >&2 && exit 2 ;;
esac
if [ $# -gt 1 ]; then usage >&2 && exit 2; fi
if [ "$(id -u)" != 0 ]; then
  echo "tools/bench/run.sh: loading BPF programs needs root: try sudo $0" >&2
  exit 1
fi

"$root/tools/build.sh"

results=${1:-$build_dir/bench.jsonl}
: >"$results"
failed=
for bench in $benches; do
  echo "measuring: $bench"
  code=0
  "$build_dir/tools/bench/bench-$bench" >>"$results" || code=$?
  # The others are still worth their time.
  if [ "$code" != 0 ]; then failed="$failed $bench (exit code $code)"; fi
done

echo
"$root/tools/bench/report.py" "$results" --svg "${results%.jsonl}.svg" \
  --attack-svg "${results%.jsonl}-attack.svg"
if [ -n "$failed" ]; then
  echo "tools/bench/run.sh: failed:$failed" >&2
  exit 1
fi
