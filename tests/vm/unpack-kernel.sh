#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Debian's newest kernel of a release, unpacked without installing it:
#   unpack-kernel.sh RELEASE DIRECTORY
# RELEASE is the beginning of a version, such as 6.1. Afterwards DIRECTORY has the kernel as
# `vmlinuz`, its modules under lib/modules, and its version in the file `release`. What is there
# already is used as it is; remove DIRECTORY for a newer one.
set -eu

release=$1
directory=$2
if [ -e "$directory/release" ]; then exit; fi

fail() {
  echo "unpack-kernel.sh: $*" >&2
  exit 1
}

# The suites that have kernels which this project supports.
suites="bookworm trixie"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

mirror=${DEBIAN_MIRROR-}
if [ -z "$mirror" ]; then
  # shellcheck disable=SC2016 # apt replaces it
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' |
    sort -u | head -n 1)
fi
[ -n "$mirror" ] || fail "apt knows no archive of Debian here; name one in DEBIAN_MIRROR"
[ -e "$keyring" ] || fail "$keyring is missing; the package debian-archive-keyring has it"
[ "$(dpkg --print-architecture)" = amd64 ] || fail "only amd64 is known here"

# This apt has its own directories, apart from the machine's, which stays as it is.
apt_home=$(dirname "$directory")/apt
mkdir -p "$apt_home/lists/partial" "$apt_home/cache/archives/partial" "$apt_home/parts"
for suite in $suites; do echo "deb [signed-by=$keyring] $mirror $suite main"; done \
  >"$apt_home/sources.list"
with_own_apt() {
  program=$1
  shift
  "$program" -o Dir::Etc::SourceList="$apt_home/sources.list" \
    -o Dir::Etc::SourceParts="$apt_home/parts" -o Dir::State::Lists="$apt_home/lists" \
    -o Dir::Cache="$apt_home/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

rm -rf "$directory"
mkdir -p "$directory"
with_own_apt apt-get -qq -o Acquire::Languages=none update
package=$(with_own_apt apt-cache pkgnames "linux-image-$release." |
  grep -e '-amd64-unsigned$' | grep -v -e -cloud- -e -rt- | sort -V | tail -n 1)
[ -n "$package" ] || fail "there is no kernel $release in Debian's $suites"
(cd "$directory" && with_own_apt apt-get -qq download "$package")
dpkg -x "$directory/$package"_*.deb "$directory"
rm "$directory/$package"_*.deb

mv "$directory"/boot/vmlinuz-* "$directory/vmlinuz"
# Newer packages have their modules in /usr/lib.
if [ ! -d "$directory/lib" ]; then mv "$directory/usr/lib" "$directory/lib"; fi
rm -rf "${directory:?}/usr" "${directory:?}/boot"
version=$(ls "$directory/lib/modules")
/sbin/depmod -b "$directory" "$version"
echo "$version" >"$directory/release"
