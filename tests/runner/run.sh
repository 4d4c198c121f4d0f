#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What tests/run.sh makes of what tests do, in a tree of its own whose one suite, `unit`, is a script.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
trap 'exit 1' INT TERM HUP

mkdir -p "$tree/tests/unit" "$tree/tools"
cp "$root/tests/run.sh" "$tree/tests/"
cat >"$tree/meson.build" <<'END'
project('tree')
subdir('tests/unit')
END
# shellcheck disable=SC2016 # for the script to expand
printf '#!/bin/sh\n[ -e "$BUILD_DIR/build.ninja" ] || meson setup "$BUILD_DIR" "%s" >/dev/null\n' \
  "$tree" >"$tree/tools/build.sh"
chmod +x "$tree/tools/build.sh"

echo "test('unit', find_program('test.sh'), suite: 'unit', timeout: 20)" >"$tree/tests/unit/meson.build"
echo "unit 3" >"$tree/tests/least_cases"

# The script's commands come from standard input.
new_suite() {
  { echo '#!/bin/sh' && cat; } >"$tree/tests/unit/test.sh"
  chmod +x "$tree/tests/unit/test.sh"
}

# A summary as doctest prints it: PASSED FAILED
summary() {
  echo "echo '[doctest] test cases: $(($1 + $2)) | $1 passed | $2 failed | 0 skipped'"
  if [ "$2" != 0 ]; then echo "exit 1"; fi
}

run() {
  status=0
  CI=true BUILD_DIR="$tree/build" "$tree/tests/run.sh" "$@" >"$tree/output" 2>&1 || status=$?
}

passed=0 failed=0

# check NAME STATUS LINE…: how the run ended and what it printed, but for the seconds it took
check() {
  name=$1
  expected=$2
  shift 2
  sed 's/ ([0-9]* s)$//' "$tree/output" >"$tree/seen"
  printf '%s\n' "$@" >"$tree/expected"
  if [ "$status" = "$expected" ] && diff "$tree/expected" "$tree/seen" >"$tree/difference"; then
    passed=$((passed + 1))
    return
  fi
  failed=$((failed + 1))
  echo "FAILED: $name: it ended with $status rather than $expected"
  cat "$tree/difference"
}

summary 3 0 | new_suite
run unit
check "a suite with as many test cases as it should have passes" 0 \
  "unit: 3 passed, 0 failed" \
  "3 passed, 0 failed"

summary 2 0 | new_suite
run unit
check "a suite with fewer test cases fails" 1 \
  "unit: 2 passed, 0 failed" \
  "unit has 2 test cases, where at least 3 are expected (tests/least_cases)" \
  "2 passed, 1 failed"

{ echo "echo 'skipped: a case: there is no moon'" && summary 3 0; } | new_suite
run unit
check "what a test case leaves out is counted as skipped, with the reason, and is a failure" 1 \
  "unit: 2 passed, 0 failed, 1 skipped" \
  "  | skipped: a case: there is no moon" \
  "a skipped test is a failure here: root and continuous integration have all that it takes" \
  "2 passed, 0 failed, 1 skipped"

{ echo "echo 'skipped: there is no sun'" && echo "exit 77"; } | new_suite
run unit
check "a suite that is skipped is one, and is a failure" 1 \
  "unit: skipped" \
  "  | skipped: there is no sun" \
  "a skipped test is a failure here: root and continuous integration have all that it takes" \
  "0 passed, 0 failed, 1 skipped"

summary 2 1 | new_suite
run unit
check "a test case that fails is shown with all that the suite printed" 1 \
  "unit: 2 passed, 1 failed" \
  "  | [doctest] test cases: 3 | 2 passed | 1 failed | 0 skipped" \
  "unit ended with status 1" \
  "2 passed, 1 failed"

{ echo "echo 'skipped: a case: no memory to spare'" && summary 3 0; } | new_suite
run --sanitize=thread unit
check "with a sanitizer a test case may be skipped" 0 \
  "unit: 2 passed, 0 failed, 1 skipped" \
  "  | skipped: a case: no memory to spare" \
  "skipped is what cannot run with the thread sanitizer; the plain run has it" \
  "2 passed, 0 failed, 1 skipped"

# shellcheck disable=SC2016 # for the script to expand
{
  echo 'for options in "$ASAN_OPTIONS" "$UBSAN_OPTIONS"; do'
  echo '  path=${options#*log_path=} && echo "a fault" >>"${path%%:*}.1"'
  echo 'done'
  summary 3 0
} | new_suite
run --sanitize=address unit
check "what a sanitizer finds in any process fails the suite" 1 \
  "unit: 3 passed, 0 failed" \
  "  | a fault" \
  "  | a fault" \
  "the address sanitizer found faults, in 1 processes" \
  "3 passed, 1 failed"

run --sanitize=address fuzz
check "a suite that runs with no sanitizer is refused" 2 \
  "tests/run.sh: there is no suite 'fuzz' with a sanitizer" \
  "$("$tree/tests/run.sh" --help)"

cat >"$tree/tests/unit/meson.build" <<'END'
test('a', find_program('test.sh'), args: ['a', 'b'], suite: 'unit', timeout: 20)
test('b', find_program('test.sh'), args: ['b', 'a'], suite: 'unit', timeout: 20)
END
echo "unit 2" >"$tree/tests/least_cases"
# shellcheck disable=SC2016 # for the script to expand
{
  echo 'cd "$(dirname "$0")" && touch "$1"'
  echo 'for _ in $(seq 100); do [ -e "$2" ] && break; sleep 0.1; done'
  echo 'sleep 0.$(($(printf %d "'"'"'$1") % 2 * 5))' # so that it is known who ends first
  echo '[ -e "$2" ] || exit 1'
  summary 1 0
} | new_suite
rm -rf "$tree/build"
OMP_NUM_THREADS=2 run unit # which is how many processors nproc says
check "tests run as many at once as there are processors" 0 \
  "unit/b: 1 passed, 0 failed" \
  "unit/a: 1 passed, 0 failed" \
  "2 passed, 0 failed"

sed -i 's/timeout: 20/is_parallel: false, timeout: 20/' "$tree/tests/unit/meson.build"
# shellcheck disable=SC2016 # for the script to expand
{
  echo 'cd "$(dirname "$0")" && mkdir alone || exit 1'
  echo 'sleep 0.5'
  echo 'rmdir alone'
  summary 1 0
} | new_suite
rm -rf "$tree/build"
OMP_NUM_THREADS=2 run unit
check "tests that want the machine for themselves run alone" 0 \
  "unit/a: 1 passed, 0 failed" \
  "unit/b: 1 passed, 0 failed" \
  "2 passed, 0 failed"

cat >"$tree/tests/unit/meson.build" <<'END'
test('a', find_program('test.sh'), args: ['0'], suite: 'unit', timeout: 3)
test('b', find_program('test.sh'), args: ['4'], suite: 'unit', is_parallel: false, timeout: 20)
test('c', find_program('test.sh'), args: ['20'], suite: 'unit', timeout: 1)
END
# shellcheck disable=SC2016 # for the script to expand
{ printf 'sleep "$1"\n' && summary 1 0; } | new_suite
rm -rf "$tree/build"
run unit
check "each test has a time limit of its own" 1 \
  "unit/a: 1 passed, 0 failed" \
  "unit/b: 1 passed, 0 failed" \
  "unit/c: 0 passed, 1 failed" \
  "unit/c ran out of its 1 seconds, without a summary" \
  "2 passed, 1 failed"

cat >"$tree/tests/unit/meson.build" <<'END'
test('a', find_program('test.sh'), suite: 'unit', workdir: '/is/not/there', timeout: 20)
test('b', find_program('test.sh'), suite: 'unit', timeout: 20)
END
summary 1 0 | new_suite
rm -rf "$tree/build"
run unit
grep -v "is/not/there" "$tree/output" >"$tree/rest" && mv "$tree/rest" "$tree/output" # in the words of the shell
check "a test that cannot be started fails" 1 \
  "unit/a: 0 passed, 1 failed" \
  "unit/a ended with status 1, without a summary" \
  "unit/b: 1 passed, 0 failed" \
  "1 passed, 1 failed"

echo "# suite: of no test" >"$tree/tests/unit/meson.build"
rm -rf "$tree/build"
run unit
check "a suite without a test fails" 1 \
  "unit has 0 test cases, where at least 2 are expected (tests/least_cases)" \
  "0 passed, 1 failed"

# This is the summary of doctest, which tests/run.sh reads.
echo "[doctest] test cases: $((passed + failed)) | $passed passed | $failed failed | 0 skipped"
[ $failed = 0 ]
