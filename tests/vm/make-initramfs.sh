#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The root file system of a guest, in memory: make-initramfs.sh KERNEL_DIRECTORY BUILD_DIR TESTS OUTPUT
# TESTS is a file with the calls of `run` that the init there is to make. The file system has the
# kernel's modules, the project's programs where the tests look for them, what these call, and busybox
# for the rest.
set -eu

kernel=$1
build_dir=$2
tests=$3
output=$4
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$root/etc" \
  "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/tmp" "$root/root" "$root/var"
for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$root/$directory"; done
ln -s /run "$root/var/run"

# Files at the paths they have here, programs with their libraries.
copy() {
  for file in "$@"; do
    [ -e "$root$file" ] || (cd / && cp -L --parents "$file" "$root")
    # It says nothing of what is no program, and fails.
    libraries=$(ldd "$file" 2>/dev/null | grep -o '/[^ ]*') || continue
    for library in $libraries; do
      [ -e "$root$library" ] || cp -L --parents "$library" "$root"
    done
  done
}

copy "$build_dir/agent/xdp-count" "$build_dir/tools/xdp-countctl/xdp-countctl" \
  "$build_dir/tests/bpf/bpf-tests" "$build_dir/tests/e2e/e2e-tests" "$build_dir/tests/vm/vm-tests" \
  "$project/netns/topology.sh"
find "$root" -type f -size +1M -exec strip --strip-debug {} + 2>/dev/null || :
# libxdp loads its dispatcher from a file beside itself.
copy "$(pkg-config --variable=libdir libxdp)"/bpf/xdp-dispatcher.o
copy /bin/busybox /sbin/ip /usr/bin/env /usr/bin/timeout /usr/bin/unshare
# busybox's own sh would run busybox's ip, env and timeout instead.
copy /bin/dash
ln -s dash "$root/usr/bin/sh"
/bin/busybox --list | while read -r name; do
  [ -e "$root/usr/bin/$name" ] || [ -e "$root/usr/sbin/$name" ] ||
    ln -s /usr/bin/busybox "$root/usr/bin/$name"
done
[ -e "$root/usr/sbin/modprobe" ] || ln -s /usr/bin/busybox "$root/usr/sbin/modprobe"

mkdir -p "$root/lib/modules"
cp -r "$kernel/lib/modules/." "$root/lib/modules"
# The drivers of real hardware, file systems and the like are of no use there.
for unused in crypto fs sound arch drivers/gpu drivers/scsi drivers/md drivers/block drivers/hv \
  drivers/nvdimm drivers/infiniband drivers/ata drivers/nvme drivers/target drivers/vhost \
  drivers/net/ethernet net/netfilter net/ceph net/sunrpc net/xfrm net/sched net/bluetooth; do
  rm -rf "$root"/lib/modules/*/kernel/"$unused"
done
cp "$here/init" "$root/init"
cp "$tests" "$root/tests"
printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n' >"$root/etc/group"

(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$output"
