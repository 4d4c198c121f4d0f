#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Two network namespaces joined by a veth pair, so quiet that every frame is one that somebody sent
# on purpose: no IPv6, no multicast, no ARP of the kernel's own. README.md beside this file draws it.
set -eu

usage() {
  cat >&2 <<END
usage: topology.sh up NAME                              make the namespaces NAME-sender and NAME-receiver
       topology.sh down NAME                            remove them
       topology.sh exec NAME sender|receiver COMMAND…   run a command in one, with a bpffs of its own
END
  exit 2
}

sender_link=send0 sender_mac=02:00:00:00:00:01 sender_address=192.0.2.1
receiver_link=count0 receiver_mac=02:00:00:00:00:02 receiver_address=192.0.2.2

quiet_namespace() {
  ip netns add "$1"
  # This comes before there is a device: IPv6 announces itself as soon as one comes up.
  # shellcheck disable=SC2016 # for the shell in there to expand
  ip netns exec "$1" sh -c '
    for scope in all default; do
      file=/proc/sys/net/ipv6/conf/$scope/disable_ipv6
      [ ! -e "$file" ] || echo 1 >"$file"
    done'
}

# link NAMESPACE LINK MAC ADDRESS NEIGHBOUR_ADDRESS NEIGHBOUR_MAC
configure_link() {
  ip -n "$1" link set dev "$2" address "$3" arp off multicast off up
  ip -n "$1" address add "$4/24" dev "$2"
  ip -n "$1" neighbour replace "$5" lladdr "$6" dev "$2" nud permanent
}

up() {
  quiet_namespace "$1-sender"
  quiet_namespace "$1-receiver"
  ip link add name "$sender_link" netns "$1-sender" type veth \
    peer name "$receiver_link" netns "$1-receiver"
  configure_link "$1-sender" "$sender_link" "$sender_mac" "$sender_address" \
    "$receiver_address" "$receiver_mac"
  configure_link "$1-receiver" "$receiver_link" "$receiver_mac" "$receiver_address" \
    "$sender_address" "$sender_mac"
}

# Removes whatever of the topology there is, so that it also cleans up after an up() that was cut
# short.
down() {
  for namespace in "$1-sender" "$1-receiver"; do
    if [ -e "/run/netns/$namespace" ]; then ip netns delete "$namespace"; fi
  done
}

run() {
  namespace=$1-$2
  shift 2
  # `ip netns exec` mounts a new /sys, and libxdp looks for a bpffs in it. Everything is exec, so
  # that the process that the caller started is the command itself.
  exec ip netns exec "$namespace" sh -c '
    mount -t bpf bpf /sys/fs/bpf || echo "topology.sh: going on without a bpffs" >&2
    exec "$@"' sh "$@"
}

case "${1-} $#" in
  "up 2") up "$2" ;;
  "down 2") down "$2" ;;
  "exec "[4-9]* | "exec "[1-9][0-9]*)
    [ "$3" = sender ] || [ "$3" = receiver ] || usage
    shift
    run "$@"
    ;;
  *) usage ;;
esac
