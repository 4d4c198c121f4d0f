#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Builds the Debian package, for the system that this runs on: installs what the build lacks (as
# root), builds in a copy of the sources, has lintian look at the result where there is one.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)

usage() {
  cat <<END
usage: tools/package/debian.sh [DIRECTORY]
The packages go to DIRECTORY, else to ${root}/build-debian.
END
}

case "$#${1-}" in
  1--help | 1-h) usage && exit ;;
  0) set -- "$root/build-debian" ;;
  1-* | 1) usage >&2 && exit 2 ;;
  1*) ;;
  *) usage >&2 && exit 2 ;;
esac
mkdir -p "$1"
destination=$(cd "$1" && pwd)

for tool in dpkg-buildpackage make; do
  if ! command -v "$tool" >/dev/null; then
    echo "debian.sh: there is no $tool; it comes with the package build-essential" >&2
    exit 1
  fi
done

version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" "$root/meson.build")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
tree=$work/xdp-count-$version
mkdir "$tree"
tar -C "$root" --exclude-vcs --exclude='./build*' -c . | tar -C "$tree" --no-same-owner -x
cp -r "$tree/tools/package/debian" "$tree/debian"

# The date is that of the sources, so that the same sources give the same package.
date=$(git -C "$root" log -1 --format=%cD 2>/dev/null || date --reference="$root/meson.build" -R)
cat >"$tree/debian/changelog" <<END
xdp-count ($version) unstable; urgency=medium

  * Version $version.

 -- xdp-count authors <maintainers@xdp-count.invalid>  $date
END

cd "$tree"
if ! dpkg-checkbuilddeps 2>/dev/null; then
  if [ "$(id -u)" != 0 ]; then
    dpkg-checkbuilddeps || :
    echo "to install it: sudo apt-get build-dep $root/tools/package" >&2
    exit 1
  fi
  echo "installing what the build depends on"
  DEBIAN_FRONTEND=noninteractive apt-get build-dep --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$tree" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
  }
fi

echo "building xdp-count $version"
dpkg-buildpackage --unsigned-source --unsigned-changes >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}
# There is a warning, for example, of a library that is linked and not used.
grep -E '^(dpkg|dh)[a-z_-]*: warning' "$work/log" || :

find "$work" -maxdepth 1 -type f ! -name log -exec mv -t "$destination" {} +
echo "in $destination:"
ls "$destination"
if command -v lintian >/dev/null; then
  lintian --fail-on error,warning --display-info \
    "$destination/xdp-count_${version}_$(dpkg --print-architecture).changes"
fi
