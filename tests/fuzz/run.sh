#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Fuzzes what reads JSON, with libFuzzer, ASan and UBSan. Without an argument a short run from the
# corpus, the same each time; with one, as many minutes for each target, from the corpus and all that
# earlier runs have found. An input that breaks something is kept, and named.
set -eu

targets="requests messages http config"
short_runs=20000

usage() {
  echo "usage: tests/fuzz/run.sh [MINUTES]" >&2
  exit 2
}

[ $# -le 1 ] || usage
minutes=${1-}
case $minutes in *[!0-9]* | 0*) usage ;; esac

root=$(cd "$(dirname "$0")/../.." && pwd)
fuzz_dir=$(realpath -m "${BUILD_DIR:-$root/build}/fuzz")
cd "$root"

names=
for target in $targets; do names="$names tests/fuzz/fuzz-$target"; done
# shellcheck disable=SC2086 # the words of a list
BUILD_DIR=$fuzz_dir MESON_ARGUMENTS="--native-file tests/fuzz/clang.ini" tools/build.sh $names

if [ -n "$minutes" ]; then
  kept=$fuzz_dir/kept
  set -- -max_total_time=$((minutes * 60))
else
  kept=$(mktemp -d)
  set -- -runs=$short_runs -seed=1
fi
passed=0 failed=0
for target in $targets; do
  echo "== $target"
  mkdir -p "$kept/$target"
  # What is found goes to the first directory. The time-out is far above what any input takes, for
  # machines under load.
  if "$fuzz_dir/tests/fuzz/fuzz-$target" "$@" -max_len=4096 -timeout=60 -print_final_stats=1 \
    -dict="tests/fuzz/$target.dict" -artifact_prefix="$kept/$target-" \
    "$kept/$target" "tests/fuzz/corpus/$target" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
done
if [ -z "$minutes" ] && [ $failed = 0 ]; then rm -r "$kept"; fi

# This is the summary of doctest, which tests/run.sh reads.
echo "[doctest] test cases: $((passed + failed)) | $passed passed | $failed failed | 0 skipped"
[ $failed = 0 ]
