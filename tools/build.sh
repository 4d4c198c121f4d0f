#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Builds everything from a fresh clone: installs what is missing, configures, compiles. Builds in
# the directory BUILD_DIR, or `build` at the project's root, and reuses what is there. Arguments
# name what to build instead of everything; MESON_ARGUMENTS are further words for configuring.
# Warnings are errors. For those who configure without this script they are not: another compiler
# may have other ones. With --no-tests as the first argument it installs what the programs take, and
# leaves out the tests; the next build without it adds them.
set -eu

tests=true
if [ "${1-}" = --no-tests ]; then
  tests=false
  shift
fi

root=$(cd "$(dirname "$0")/.." && pwd)
build_dir=${BUILD_DIR:-$root/build}

if $tests; then
  "$root/tools/install-deps.sh"
else
  "$root/tools/install-deps.sh" --build
fi

# A user who called sudo keeps a build directory that works without it.
owns() {
  [ "$(stat -c %u "$1")" = "$SUDO_UID" ]
}
as_owner=
if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ] && owns "$root" &&
  { [ ! -e "$build_dir" ] || owns "$build_dir"; }; then
  as_owner="sudo -u #$SUDO_UID --"
fi

# Its many lines are of interest only when it fails.
# shellcheck disable=SC2086 # the words of a command, or none
configure() {
  $as_owner meson setup --werror -Dtests=$tests ${MESON_ARGUMENTS-} "$build_dir" "$root"
}

# shellcheck disable=SC2086
add_tests() {
  $as_owner meson configure -Dtests=true "$build_dir" && $as_owner ninja -C "$build_dir" build.ninja
}

# This is quicker than Meson's own answer.
lacks_tests() {
  ! grep -q '^build tests/unit/unit-tests:' "$build_dir/build.ninja"
}

step=
if [ ! -e "$build_dir/build.ninja" ]; then
  step=configure
elif $tests && lacks_tests; then
  step=add_tests
fi
if [ -n "$step" ]; then
  echo "configuring $build_dir"
  report=$($step 2>&1) || {
    echo "$report" >&2
    exit 1
  }
fi
echo "building in $build_dir"
# shellcheck disable=SC2086
$as_owner ninja --quiet -C "$build_dir" "$@"
