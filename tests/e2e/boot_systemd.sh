#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# boot_systemd.sh AGENT UNIT_FILE SYSUSERS_FILE INTERFACE: a service manager that knows the shipped
# unit and no other. It is the first process of a PID namespace, with mounts, control groups and an
# /etc of its own, in the network namespace of the caller, whose /run it uses: that should be empty.
# It answers only processes that it can see: nsenter --pid=/run/service-manager systemctl …
# What it logs is in /run/log-of-systemd. Ends with SIGTERM, and all processes with it.
set -eu

here=$(realpath "$0")

# What there is on a system that has booted: prepare AGENT UNIT_FILE SYSUSERS_FILE INTERFACE
prepare() {
  mount -t proc proc /proc
  mount -t sysfs sysfs /sys
  mount -t cgroup2 cgroup2 /sys/fs/cgroup

  # The agent is copied, since the unit may hide from it the directory where it was built.
  units=/run/systemd/system
  mkdir -p /run/agent "$units"
  cp "$1" /run/agent/xdp-count
  sed 's#^ExecStart=[^ ]*#ExecStart=/run/agent/xdp-count#' "$2" >"$units/xdp-count@.service"
  # What all units wait for, as all units do that say nothing else.
  for target in sysinit basic shutdown; do
    printf '[Unit]\nDefaultDependencies=no\n' >"$units/$target.target"
  done

  cp -a /etc /run/etc
  mount --bind /run/etc /etc
  cp "$3" /run/xdp-count.conf
  systemd-sysusers /run/xdp-count.conf

  # What udev says of a network interface.
  index=$(cat "/sys/class/net/$4/ifindex")
  mkdir -p /run/udev/data /run/udev/tags/systemd
  printf 'I:1\nE:SYSTEMD_ALIAS=/sys/subsystem/net/devices/%s\nG:systemd\nQ:systemd\nV:1\n' "$4" \
    >"/run/udev/data/n$index"
  : >"/run/udev/tags/systemd/n$index"

  mount -t tmpfs tmpfs /tmp
  mount -t tmpfs tmpfs /var/tmp
  mount -t tmpfs tmpfs /dev
  mkdir /dev/pts /dev/shm
  mount -t devpts -o ptmxmode=0666 devpts /dev/pts
  ln -s pts/ptmx /dev/ptmx
  # No console to write to. What it would say to the kernel's log is in a file.
  : >/run/log-of-systemd
  ln -s /run/log-of-systemd /dev/kmsg
  while read -r name major minor; do mknod -m 666 "/dev/$name" c "$major" "$minor"; done <<END
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
END
}

if [ "$1" = --inside ]; then
  shift
  prepare "$@"
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=test SYSTEMD_UNIT_PATH="$units" \
    /lib/systemd/systemd --system --unit=basic.target --show-status=no --log-target=kmsg
fi

# A part of the tree of groups, for the namespace to have as its own.
groups=/run/groups
mkdir "$groups"
mount -t cgroup2 cgroup2 "$groups"
group=$groups/xdp-count-test-$$
mkdir "$group"
: >/run/service-manager
manager=
clean_up() {
  trap '' TERM
  if [ -n "$manager" ]; then
    kill -s KILL "$manager" 2>/dev/null || :
    wait "$manager" || :
  fi
  # The kernel takes a moment to empty them.
  for _ in $(seq 100); do
    if find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; then break; fi
    sleep 0.05
  done
}
trap clean_up EXIT
trap 'exit 0' TERM
sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$group" \
  unshare --pid=/run/service-manager --mount --cgroup --fork --kill-child "$here" --inside "$@" &
manager=$!
wait "$manager"
