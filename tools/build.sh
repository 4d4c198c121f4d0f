#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# From a fresh clone to everything built: installs what is missing, configures, compiles. Builds in
# the directory BUILD_DIR, or `build` at the project's root, and reuses what is there. Arguments name
# what to build instead of everything; MESON_ARGUMENTS are further words for configuring. Warnings are
# errors, as they are not for who configures without this script: another compiler may have other ones.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build_dir=${BUILD_DIR:-$root/build}

"$root/tools/install-deps.sh"

# Who called sudo keeps a build directory that works without it.
owns() {
  [ "$(stat -c %u "$1")" = "$SUDO_UID" ]
}
as_owner=
if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ] && owns "$root" &&
  { [ ! -e "$build_dir" ] || owns "$build_dir"; }; then
  as_owner="sudo -u #$SUDO_UID --"
fi

if [ ! -e "$build_dir/build.ninja" ]; then
  echo "configuring $build_dir"
  # Its many lines are of interest only when it fails.
  # shellcheck disable=SC2086 # the words of a command, or none
  report=$($as_owner meson setup --werror ${MESON_ARGUMENTS-} "$build_dir" "$root" 2>&1) || {
    echo "$report" >&2
    exit 1
  }
fi
echo "building in $build_dir"
# shellcheck disable=SC2086
$as_owner ninja --quiet -C "$build_dir" "$@"
