#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Installs what is missing, builds, and runs test suites; on a fresh machine `sudo tests/run.sh` is
# all there is to do. The last line counts test cases rather than executables, and a suite's output
# is shown only when something in it went wrong.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
known_suites=$(cd "$root/tests" && grep -l '\<suite:' -- */meson.build | cut -d/ -f1 | paste -s -d ' ' -)

usage() {
  cat <<END
usage: tests/run.sh [SUITE…]
The suites are: $known_suites. Without a name: unit bpf e2e fuzz, and vm where QEMU is installed.
END
}

for suite in "$@"; do
  case $suite in
    -h | --help) usage && exit ;;
  esac
  case " $known_suites " in
    *" $suite "*) ;;
    *)
      echo "tests/run.sh: there is no suite '$suite'" >&2
      usage >&2
      exit 2
      ;;
  esac
done
if [ $# = 0 ]; then
  set -- unit bpf e2e fuzz
  if command -v qemu-system-x86_64 >/dev/null; then set -- "$@" vm; fi
fi

passed=0 failed=0 skipped=0

print_totals() {
  totals="$passed passed, $failed failed"
  if [ "$skipped" != 0 ]; then totals="$totals, $skipped skipped"; fi
  echo "$totals"
}

# What the suites take besides: nothing is installed where all is there.
prepare() {
  case " $* " in
    *" vm "*) "$root/tools/install-deps.sh" --vm ;;
  esac
}

if ! { prepare "$@" && "$root/tools/build.sh"; }; then
  echo "there is nothing to run, because the build failed" >&2
  failed=1
  print_totals
  exit 1
fi
build_dir=$(cd "${BUILD_DIR:-$root/build}" && pwd)

# A test runs in the background, since a shell that waits for one in the foreground would not get
# to its trap before the test ends.
child=
log=$(mktemp)
# shellcheck disable=SC2317 # the trap calls it
clean_up() {
  trap '' INT TERM HUP
  if [ -n "$child" ]; then
    kill "$child" 2>/dev/null || :
    { wait "$child"; } 2>/dev/null || :
    kill -s KILL -- "-$child" 2>/dev/null || :
  fi
  rm -f "$log"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The tests of the suites given: a line for each, with its suite, name, time limit in seconds,
# directory and command. Meson is written in Python, so where there is the one there is the other.
list_tests() {
  meson introspect --tests "$build_dir" | python3 -c '
import json, shlex, sys
tests = json.load(sys.stdin)
for suite in sys.argv[1:]:
    for test in tests:
        if any(name.split(":")[-1] == suite for name in test["suite"]):
            environment = [f"{name}={value}" for name, value in test["env"].items()]
            command = shlex.join(environment + test["cmd"])
            limit = str(max(test["timeout"], 0))
            directory = test["workdir"] or "."
            print(suite, test["name"], limit, directory, command, sep="\t")
' "$@"
}

show_output() {
  sed 's/^/  | /' "$log"
}

# run_test SUITE NAME LIMIT DIRECTORY COMMAND…
run_test() {
  label=$1
  if [ "$2" != "$1" ]; then label="$1/$2"; fi
  limit=$3
  directory=$4
  shift 4
  printf '%s: ' "$label"
  start=$(date +%s)
  # A shell has its background commands ignore SIGINT, which a test's own children would inherit.
  (cd "$build_dir" && cd "$directory" && exec timeout --kill-after=10 "$limit" \
    env --default-signal=INT,QUIT "$@") </dev/null >"$log" 2>&1 &
  child=$!
  status=0
  # Not the shell's own word on how it ended: it is put together below.
  { wait "$child"; } 2>/dev/null || status=$?
  # What a test that died has left running is in the process group that timeout made.
  kill -s KILL -- "-$child" 2>/dev/null || :
  child=
  seconds=$(($(date +%s) - start))

  if [ "$status" = 77 ]; then
    echo "skipped"
    show_output
    skipped=$((skipped + 1))
    return
  fi

  # [doctest] test cases: 12 | 10 passed | 1 failed | 1 skipped
  summary=$(sed -n 's/^\[doctest\] test cases: *\([0-9].*\)/\1/p' "$log" | tail -n 1)
  # shellcheck disable=SC2046 # four numbers, or none
  set -- $(echo "$summary" | tr -cs 0-9 ' ')
  cases_passed=${2:-0} cases_failed=${3:-0} cases_skipped=${4:-0}

  ending="ended with status $status"
  if [ "$status" = 124 ] || { [ "$status" = 137 ] && [ "$seconds" -ge "$limit" ]; }; then
    ending="ran out of its $limit seconds"
  elif [ "$status" -gt 128 ]; then
    ending="died of signal $((status - 128))"
  fi
  if [ -z "$summary" ]; then
    ending="$ending, without a summary"
  elif [ "$status" -gt 1 ] && [ "$cases_skipped" != 0 ]; then
    # doctest calls skipped what it did not come to.
    ending="$ending, with $cases_skipped test cases not run"
    cases_skipped=0
  fi

  # A failure outside the test cases counts as one more; doctest itself counts a crash inside one.
  if [ "$cases_failed" = 0 ] && { [ "$status" != 0 ] || [ -z "$summary" ]; }; then cases_failed=1; fi

  counts="$cases_passed passed, $cases_failed failed"
  if [ "$cases_skipped" != 0 ]; then counts="$counts, $cases_skipped skipped"; fi
  echo "$counts ($seconds s)"
  if [ "$cases_failed" != 0 ]; then
    show_output
    echo "$label $ending"
  fi
  passed=$((passed + cases_passed))
  failed=$((failed + cases_failed))
  skipped=$((skipped + cases_skipped))
}

tab=$(printf '\t')
list=$(list_tests "$@")
while IFS=$tab read -r suite name limit directory command; do
  [ -n "$suite" ] || continue
  eval "set -- $command"
  run_test "$suite" "$name" "$limit" "$directory" "$@"
done <<END
$list
END

status=0
if [ "$failed" != 0 ]; then status=1; fi
if [ "$skipped" != 0 ] && { [ "${CI-}" = true ] || [ "$(id -u)" = 0 ]; }; then
  echo "a skipped test is a failure here: root and continuous integration have all that it takes"
  status=1
fi
if [ $((passed + failed)) = 0 ]; then
  echo "nothing ran"
  status=1
fi
print_totals
exit $status
