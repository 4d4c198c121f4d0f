#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Installs what is missing, builds, and runs test suites; on a fresh machine `sudo tests/run.sh` is
# all there is to do. The last line counts test cases rather than executables, and a suite's output
# is shown only when something in it went wrong.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
known_suites=$(cd "$root/tests" && grep -l '\<suite:' -- */meson.build | cut -d/ -f1 | paste -s -d ' ' -)

# What runs with a sanitizer: the others run no program that this builds, or have sanitizers already.
sanitized_suites="unit bpf e2e"

usage() {
  cat <<END
usage: tests/run.sh [--sanitize=address|thread] [SUITE…]
The suites are: $known_suites. Without a name: unit runner style bpf fuzz e2e, and vm where QEMU
is installed. Each has a least number of test cases, in tests/least_cases.
  --sanitize=address   with AddressSanitizer and UndefinedBehaviorSanitizer, in a build of their own
  --sanitize=thread    with ThreadSanitizer, likewise
The programs under test are built so too. Suites: $sanitized_suites. What cannot run so is skipped.
END
}

bad_usage() {
  echo "tests/run.sh: $1" >&2
  usage >&2
  exit 2
}

sanitizer=
suites=$known_suites
case ${1-} in
  --sanitize=address | --sanitize=thread)
    sanitizer=${1#*=}
    suites=$sanitized_suites
    shift
    ;;
  --sanitize*) bad_usage "there is no option '$1'" ;;
esac
for suite in "$@"; do
  case $suite in
    -h | --help) usage && exit ;;
  esac
  case " $suites " in
    *" $suite "*) ;;
    *) bad_usage "there is no suite '$suite'${sanitizer:+ with a sanitizer}" ;;
  esac
done
if [ $# = 0 ] && [ -n "$sanitizer" ]; then
  # shellcheck disable=SC2086 # the words of a list
  set -- $sanitized_suites
elif [ $# = 0 ]; then
  set -- unit runner style bpf fuzz e2e
  if command -v qemu-system-x86_64 >/dev/null; then set -- "$@" vm; fi
fi

passed=0 failed=0 skipped=0

print_totals() {
  totals="$passed passed, $failed failed"
  if [ "$skipped" != 0 ]; then totals="$totals, $skipped skipped"; fi
  echo "$totals"
}

build_dir=${BUILD_DIR:-$root/build}
arguments=${MESON_ARGUMENTS-} targets=
if [ -n "$sanitizer" ]; then
  build_dir=$build_dir/$sanitizer-sanitizer
  # -w: with checks added to what it sees, g++ warns of what is right.
  arguments="-Doptimization=1 -Db_lundef=false -Dcpp_args=['-w','-fno-sanitize-recover=all']"
  targets=programs
  for suite in "$@"; do targets="$targets tests/$suite/$suite-tests"; done
fi
case $sanitizer in
  address) arguments="$arguments -Db_sanitize=address,undefined" ;;
  thread) arguments="$arguments -Db_sanitize=thread" ;;
esac

# What the suites take besides: nothing is installed where all is there.
prepare() {
  case " $* " in
    *" vm "*) "$root/tools/install-deps.sh" --vm ;;
  esac
}

# shellcheck disable=SC2086 # the words of a list, or none
if ! {
  prepare "$@" &&
    BUILD_DIR="$build_dir" MESON_ARGUMENTS="$arguments" "$root/tools/build.sh" $targets
}; then
  echo "there is nothing to run, because the build failed" >&2
  failed=1
  print_totals
  exit 1
fi
build_dir=$(cd "$build_dir" && pwd)

# Of each test, by its number: its output, the process group that it is in, when it began and how it
# ended. Tests run in the background, and a shell that waits for one in the foreground would not get
# to its trap before that ends.
runs=$(mktemp -d)
# Each program that ends with a fault says so in a file of its own, for whoever it ran.
reports=$(mktemp -d)
chmod 1777 "$reports"
# shellcheck disable=SC2317 # the trap calls it
clean_up() {
  trap '' INT TERM HUP
  signal_all TERM
  { wait; } 2>/dev/null || :
  signal_all KILL
  rm -rf "$runs" "$reports"
}
# shellcheck disable=SC2317
signal_all() {
  for group in "$runs"/*.group; do
    if [ -e "$group" ]; then kill -s "$1" -- "-$(cat "$group")" 2>/dev/null || :; fi
  done
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The options are for any one program, and for what is started with it: none gets an exit status
# that a test may expect. ThreadSanitizer has places in memory of its own, which addresses at random
# may hit.
with_sanitizer=
if [ -n "$sanitizer" ]; then
  options="exitcode=99:log_path=$reports/report"
  with_sanitizer="setarch --addr-no-randomize env ASAN_OPTIONS=$options UBSAN_OPTIONS=$options
    LSAN_OPTIONS=suppressions=$root/tests/leaks_of_libraries:print_suppressions=0
    TSAN_OPTIONS=$options:second_deadlock_stack=1"
fi

# The tests of a suite: a line for each, with its name, whether others may run beside it, its time
# limit in seconds, directory and command. Meson is written in Python, so where there is the one there
# is the other.
list_tests() {
  meson introspect --tests "$build_dir" | python3 -c '
import json, shlex, sys
tests = json.load(sys.stdin)
for test in tests:
    if any(name.split(":")[-1] == sys.argv[1] for name in test["suite"]):
        environment = [f"{name}={value}" for name, value in test["env"].items()]
        command = shlex.join(environment + test["cmd"])
        limit = str(max(test["timeout"], 0))
        directory = test["workdir"] or "."
        parallel = str(test["is_parallel"]).lower()
        print(test["name"], parallel, limit, directory, command, sep="\t")
' "$1"
}

# start_test NUMBER LIMIT DIRECTORY COMMAND…
start_test() {
  run=$runs/$1
  its_limit=$2
  its_directory=$3
  shift 3
  date +%s >"$run.begin"
  (
    status=1 # of what does not even start
    trap 'echo $status >"$run.ended" && mv "$run.ended" "$run.status"' EXIT
    trap - INT TERM HUP
    cd "$build_dir"
    cd "$its_directory" 2>"$run.log"
    # A shell has its background commands ignore SIGINT, which a test's own children would inherit.
    # shellcheck disable=SC2086 # the words of a command, or none
    timeout --kill-after=10 "$its_limit" $with_sanitizer env --default-signal=INT,QUIT "$@" \
      </dev/null >"$run.log" 2>&1 &
    echo $! >"$run.group"
    status=0
    # The shell's own message on how it ended is dropped: ours is put together below.
    { wait $!; } 2>/dev/null || status=$?
    # What a test that died has left running is in the process group that timeout made.
    kill -s KILL -- "-$(cat "$run.group")" 2>/dev/null || :
    rm "$run.group"
  ) &
}

show_output() {
  sed 's/^/  | /' "$run.log"
}

# finish_test NUMBER LIMIT SUITE NAME: counts what came of one that has ended, and says it
finish_test() {
  run=$runs/$1
  its_limit=$2
  of=$3
  label=$3
  if [ "$4" != "$3" ]; then label="$3/$4"; fi
  status=$(cat "$run.status")
  seconds=$(($(date +%s) - $(cat "$run.begin")))
  if [ "$status" = 77 ]; then
    echo "$label: skipped"
    show_output
    skipped=$((skipped + 1))
    skipped_suites="$skipped_suites $3"
    return
  fi

  # [doctest] test cases: 12 | 10 passed | 1 failed | 1 skipped
  summary=$(sed -n 's/^\[doctest\] test cases: *\([0-9].*\)/\1/p' "$run.log" | tail -n 1)
  # shellcheck disable=SC2046 # four numbers, or none
  set -- $(echo "$summary" | tr -cs 0-9 ' ')
  cases_passed=${2:-0} cases_failed=${3:-0} cases_skipped=${4:-0}

  ending="ended with status $status"
  if [ "$status" = 124 ] || { [ "$status" = 137 ] && [ "$seconds" -ge "$its_limit" ]; }; then
    ending="ran out of its $its_limit seconds"
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

  # What a test case leaves out, doctest takes for passed: see tests/support/skip.hpp.
  left_out=$(grep -c '^skipped: ' "$run.log" || :)
  cases_passed=$((cases_passed - left_out))
  cases_skipped=$((cases_skipped + left_out))

  # A failure outside the test cases counts as one more; doctest itself counts a crash inside one.
  if [ "$cases_failed" = 0 ] && { [ "$status" != 0 ] || [ -z "$summary" ]; }; then cases_failed=1; fi

  counts="$cases_passed passed, $cases_failed failed"
  if [ "$cases_skipped" != 0 ]; then counts="$counts, $cases_skipped skipped"; fi
  echo "$label: $counts ($seconds s)"
  if [ "$cases_failed" != 0 ]; then
    show_output
    echo "$label $ending"
  elif [ "$left_out" != 0 ]; then
    grep '^skipped: ' "$run.log" | sed 's/^/  | /'
  fi
  passed=$((passed + cases_passed))
  failed=$((failed + cases_failed))
  skipped=$((skipped + cases_skipped))
  echo $((cases_passed + cases_failed + cases_skipped)) >>"$runs/cases-of-$of"
}

# What the sanitizers found in all programs, those included whose end no test looks at.
show_reports() {
  found=$(find "$reports" -type f | wc -l)
  if [ "$found" = 0 ]; then return; fi
  find "$reports" -type f -exec cat {} + | sed 's/^/  | /'
  echo "the $sanitizer sanitizer found faults, in $found processes"
  failed=$((failed + 1))
}

# No suite gets smaller, or empty, without anybody's wish.
check_least() {
  ran=0
  if [ -e "$runs/cases-of-$1" ]; then ran=$(($(paste -s -d + "$runs/cases-of-$1"))); fi
  least=$(sed -n "s/^$1 //p" "$root/tests/least_cases")
  if [ "$ran" -lt "${least:-1}" ]; then
    echo "$1 has $ran test cases, where at least ${least:-1} are expected (tests/least_cases)"
    failed=$((failed + 1))
  fi
}

# wait_for_room MOST: until fewer tests than that run; those that have ended meanwhile are counted
wait_for_room() {
  most=$1
  while :; do
    still=
    left=0
    for test in $running; do
      if [ -e "$runs/${test%%:*}.status" ]; then
        # shellcheck disable=SC2046 # the words that it has
        finish_test $(echo "$test" | tr : ' ')
      else
        still="$still $test"
        left=$((left + 1))
      fi
    done
    running=$still
    if [ "$left" -lt "$most" ]; then return; fi
    sleep 0.1
  done
}

# As many at once as there are processors, but for those that want the machine for themselves.
processors=$(nproc)
tab=$(printf '\t')
started=0
running= # NUMBER:LIMIT:SUITE:NAME of each
skipped_suites=
chosen=$*
for suite in $chosen; do
  list=$(list_tests "$suite")
  while IFS=$tab read -r name parallel limit directory command; do
    [ -n "$name" ] || continue
    room=$processors
    if [ "$parallel" = false ]; then room=1; fi
    wait_for_room "$room"
    started=$((started + 1))
    if [ -n "$sanitizer" ]; then limit=$((limit * 10)); fi
    running="$running $started:$limit:$suite:$name"
    eval "set -- $command"
    start_test "$started" "$limit" "$directory" "$@"
    if [ "$parallel" = false ]; then wait_for_room 1; fi
  done <<END
$list
END
done
wait_for_room 1
show_reports
for suite in $chosen; do
  case " $skipped_suites " in
    *" $suite "*) ;;
    *) check_least "$suite" ;;
  esac
done

status=0
if [ "$failed" != 0 ]; then status=1; fi
if [ "$skipped" != 0 ] && [ -n "$sanitizer" ]; then
  echo "skipped is what cannot run with the $sanitizer sanitizer; the plain run has it"
elif [ "$skipped" != 0 ] && { [ "${CI-}" = true ] || [ "$(id -u)" = 0 ]; }; then
  echo "a skipped test is a failure here: root and continuous integration have all that it takes"
  status=1
fi
print_totals
exit $status
