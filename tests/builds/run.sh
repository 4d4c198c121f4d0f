#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Builds the project in each way that people build it, all of it and with warnings as errors, and
# runs the unit tests and the programs of each. With an argument it makes only the build of that
# name. The builds stay in BUILD_DIR, or `build` at the project's root, and are used again.
set -eu

known_builds="default debug debugoptimized release plain clang"
case "$# $known_builds " in
  0*) builds=$known_builds ;;
  1*" ${1-} "*) builds=$1 ;;
  *) echo "usage: tests/builds/run.sh [BUILD]; the builds are: $known_builds" >&2 && exit 2 ;;
esac

root=$(cd "$(dirname "$0")/../.." && pwd)
directory=$(realpath -m "${BUILD_DIR:-$root/build}")
version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" "$root/meson.build")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
log=$work/log
# MESON_ARGUMENTS are words, and the project's path may have spaces in it.
cd "$root"

# build NAME MESON_ARGUMENTS [TARGET…]
build() {
  build_dir=$directory/build-$1
  arguments=$2
  shift 2
  BUILD_DIR=$build_dir MESON_ARGUMENTS=$arguments "$root/tools/build.sh" "$@"
}

# check_version PROGRAM, which is one of the build's
check_version() {
  said=$("$build_dir/$1" --version) || said="status $?"
  if [ "$said" = "${1##*/} $version" ]; then return; fi
  echo "$1 --version: $said"
  return 1
}

# build_and_run NAME MESON_ARGUMENTS
build_and_run() {
  build "$@" || return 1
  if ! "$build_dir/tests/unit/unit-tests" >"$log" 2>&1; then
    cat "$log"
    return 1
  fi
  check_version agent/xdp-count && check_version tools/xdp-countctl/xdp-countctl
}

# What there is without a single option: it is built as `debugoptimized` below.
configure_default() {
  if ! meson setup "$work/default" >"$log" 2>&1; then
    cat "$log"
    return 1
  fi
  options=$(meson introspect --buildoptions "$work/default" | python3 -c '
import json, sys
values = {option["name"]: option["value"] for option in json.load(sys.stdin)}
print(*(values[name] for name in ("buildtype", "werror", "b_pie")))')
  if [ "$options" = "debugoptimized False True" ]; then return; fi
  echo "buildtype, werror and b_pie: $options"
  return 1
}

# Builds with the flags of Debian's packages that ask for all hardening, as ours does.
build_plain() {
  flags=$(cd / && DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --export=cmdline) ||
    return 1
  # Python passes the flags on as words without spaces.
  arguments=$(python3 -c '
import shlex, sys
flags = dict(word.split("=", 1) for word in shlex.split(sys.argv[1]))
for option, names in {"cpp_args": ["CPPFLAGS", "CXXFLAGS"], "cpp_link_args": ["LDFLAGS"]}.items():
    words = [word for name in names for word in shlex.split(flags[name])]
    print(f"-D{option}={words}".replace(" ", ""), end=" ")' "$flags") || return 1
  build_and_run plain "--buildtype=plain $arguments"
}

# Asio's coroutines, and so the agent, take a newer clang than Debian 12 has.
build_clang() {
  build clang "--native-file tests/builds/clang.ini" tools/xdp-countctl/xdp-countctl || return 1
  check_version tools/xdp-countctl/xdp-countctl
}

passed=0 failed=0
for name in $builds; do
  echo "== $name"
  case $name in
    default) set -- configure_default ;;
    clang) set -- build_clang ;;
    plain)
      set -- build_plain
      if ! command -v dpkg-buildflags >/dev/null; then
        echo "skipped: $name: there is no dpkg-buildflags"
        set -- true
      fi
      ;;
    *) set -- build_and_run "$name" "--buildtype=$name" ;;
  esac
  if "$@"; then
    passed=$((passed + 1))
  else
    echo "FAILED: $name"
    failed=$((failed + 1))
  fi
done

# This is the summary of doctest, which tests/run.sh reads.
echo "[doctest] test cases: $((passed + failed)) | $passed passed | $failed failed | 0 skipped"
[ "$failed" = 0 ]
