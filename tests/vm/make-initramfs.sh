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
  "$build_dir/tests/support/send-frames" \
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

# The drivers of QEMU's devices, which the init loads, and of those that tests make, which the kernel
# loads when it is asked for one. With each of them comes what it needs itself.
release=$(cat "$kernel/release")
modules=lib/modules/$release
mkdir -p "$root/$modules"
cp "$kernel/$modules"/modules.builtin* "$kernel/$modules/modules.order" "$root/$modules"
# Lines: insmod FILE, or builtin NAME
needed=$(for module in virtio_pci virtio_console virtio_net vmxnet3 e1000e tun veth \
  8021q bonding bridge ipvlan macvlan vrf vxlan wireguard; do
  /sbin/modprobe --config /dev/null --dirname "$kernel" --set-version "$release" \
    --show-depends "$module"
done)
for file in $(echo "$needed" | sed -n 's/^insmod \([^ ]*\).*/\1/p'); do
  directory=$root/$modules/$(dirname "${file#*"/$modules/"}")
  mkdir -p "$directory"
  cp "$file" "$directory"
done
find "$root/$modules" -name '*.xz' -exec unxz {} +
/sbin/depmod -b "$root" "$release"
cp "$here/init" "$root/init"
cp "$tests" "$root/tests"
printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n' >"$root/etc/group"

(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$output"
