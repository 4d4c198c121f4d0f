#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Builds the Debian package in a clean root, lets lintian judge it, installs it in another, counts
# real packets with it, purges it, and compares what is there with what was there before.
#
# The roots are copies of the directory CLEAN_ROOT, a Debian system as debootstrap makes it with
# --variant=minbase, or else of what debootstrap makes now. They get the package sources and the name
# resolution of this machine, which has to run the same release.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)

if [ "$(id -u)" != 0 ]; then
  echo "skipped: roots and namespaces take root"
  exit 77
fi
if [ -z "${CLEAN_ROOT-}" ] && ! command -v debootstrap >/dev/null; then
  echo "skipped: there is neither debootstrap nor a CLEAN_ROOT"
  exit 77
fi

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' INT TERM HUP
passed=0 failed=0

make_clean_root() {
  if [ -n "${CLEAN_ROOT-}" ]; then
    cp -a "$CLEAN_ROOT" "$work/clean"
  else
    # shellcheck source=/dev/null
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # This is where this machine gets that release from.
    # shellcheck disable=SC2016 # for apt-get
    archive=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $release" | head -n 1)
    debootstrap --variant=minbase "$release" "$work/clean" ${archive:+"$archive"}
  fi
  apt=$work/clean/etc/apt
  rm -rf "$apt/sources.list" "$apt/sources.list.d"
  for sources in sources.list sources.list.d; do
    if [ -e "/etc/apt/$sources" ]; then cp -a "/etc/apt/$sources" "$apt/"; fi
  done
  apt-config dump | grep '^Acquire::' >"$apt/apt.conf.d/50this-machine"
  cp -L /etc/hosts /etc/resolv.conf "$work/clean/etc/"
}

# in_root ROOT COMMAND…: with the kernel's file systems, the sources in /source and the packages in
# /packages. All mounts and processes end with it.
# shellcheck disable=SC2317 # step calls it
in_root() {
  mkdir -p "$1/source" "$1/packages" "$work/packages"
  in_root=$1
  shift
  # shellcheck disable=SC2016 # for the inner shell
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    unshare --mount --pid --fork --kill-child sh -euc '
      new_root=$1
      # `ip netns exec` wants / to be a mount point.
      mount --bind "$new_root" "$new_root"
      mount -t proc proc "$new_root/proc"
      mount --rbind /sys "$new_root/sys"
      mount --rbind /dev "$new_root/dev"
      mount --bind -o ro "$2" "$new_root/source"
      mount --bind "$3" "$new_root/packages"
      shift 3
      exec chroot "$new_root" "$@"' sh "$in_root" "$root" "$work/packages" "$@"
}

# step NAME COMMAND…: shows what it writes, and counts how it ends.
step() {
  name=$1
  shift
  echo "== $name"
  if ("$@"); then
    passed=$((passed + 1))
  else
    echo "FAILED: $name"
    failed=$((failed + 1))
    finish
  fi
}

finish() {
  echo "[doctest] test cases: $((passed + failed)) | $passed passed | $failed failed | 0 skipped"
  [ "$failed" = 0 ]
  exit
}

echo "== making a clean root"
make_clean_root
cp -a "$work/clean" "$work/build"
step "the package builds, and lintian has nothing to say" \
  in_root "$work/build" /source/tests/package/build_package.sh
step "it installs, counts real packets, and leaves nothing behind when it is purged" \
  in_root "$work/clean" /source/tests/package/install_use_purge.sh
finish
