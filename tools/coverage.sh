#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# How much of the agent and the client the tests run through: builds with coverage in a build of its
# own, runs suites, prints the figure and writes a report as HTML. Installs what is missing.
set -eu

usage() {
  cat <<END
usage: tools/coverage.sh [SUITE…]
Each suite is one of unit, bpf and e2e; without a name: unit and bpf, which take root for bpf. The
build and the report are in BUILD_DIR/coverage, or build/coverage.
END
}

for suite in "$@"; do
  case $suite in
    -h | --help) usage && exit ;;
    unit | bpf | e2e) ;;
    *) usage >&2 && exit 2 ;;
  esac
done
if [ $# = 0 ]; then set -- unit bpf; fi

root=$(cd "$(dirname "$0")/.." && pwd)
build_dir=$(realpath -m "${BUILD_DIR:-$root/build}/coverage")
"$root/tools/install-deps.sh" --coverage

# The programs too where no suite starts them, since all their lines count.
targets="agent/xdp-count tools/xdp-countctl/xdp-countctl"
for suite in "$@"; do targets="$targets tests/$suite/$suite-tests"; done
# It builds without optimization, so that each line has code of its own. What a process that is
# killed has run through is not written down.
# shellcheck disable=SC2086 # the words of a list
BUILD_DIR=$build_dir MESON_ARGUMENTS="-Db_coverage=true -Doptimization=0" \
  "$root/tools/build.sh" $targets

# What earlier runs have counted.
find "$build_dir" -name '*.gcda' -delete
status=0
for suite in "$@"; do
  echo "== $suite"
  "$build_dir/tests/$suite/$suite-tests" --minimal || status=$?
done

report=$build_dir/report
mkdir -p "$report"
gcovr -j "$(nproc)" --root "$root" --object-directory "$build_dir" --filter "$root/agent/" \
  --filter "$root/tools/client/" --filter "$root/tools/live/" --filter "$root/tools/xdp-countctl/" \
  --exclude-throw-branches --html-details "$report/index.html" --json-summary "$report/summary.json" \
  "$build_dir"
python3 -c '
import json, sys
sums = json.load(open(sys.argv[1]))
covered, lines, share = (sums[f"line_{name}"] for name in ("covered", "total", "percent"))
print(f"{share} % of the lines of the agent and the client: {covered} of {lines}")
' "$report/summary.json"
echo "each line: $report/index.html"
exit $status
