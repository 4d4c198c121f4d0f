#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Shows xdp-count at work on a veth pair between two network namespaces that this script makes and
# takes down: a table each second, a snapshot through the socket, a query for one source. On a fresh machine it
# first installs and builds what it runs: no tests.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$root/build}
topology=$root/netns/topology.sh
client=$build/tools/xdp-countctl/xdp-countctl

if [ "$(id -u)" != 0 ]; then
  echo "demo.sh: making network namespaces and attaching XDP programs needs root: sudo $0" >&2
  exit 1
fi

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$*"; }

"$root/tools/build.sh" --no-tests \
  agent/xdp-count tools/xdp-countctl/xdp-countctl tests/support/send-frames

name=demo$$
agent='' viewer='' senders=''
scratch=$(mktemp -d)

# However this ends, a second Ctrl-C included: the agent takes its program off the interface.
cleanup() {
  trap '' INT TERM HUP
  # shellcheck disable=SC2086 # a list of process ids
  for process in $senders $agent; do kill -TERM "$process" 2>/dev/null || :; done
  for process in $senders $agent $viewer; do wait "$process" 2>/dev/null || :; done
  "$topology" down "$name"
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

send() {
  "$topology" exec "$name" sender "$build/tests/support/send-frames" send0 "$@" >>"$scratch/sent" &
  senders="$senders $!"
}

say "Two network namespaces, joined by a veth pair: send0 <--> count0"
"$topology" up "$name"
"$topology" exec "$name" receiver ip -brief link show dev count0

say "xdp-count count0, while packets of several kinds come in"
socket=$scratch/count0.sock
mkfifo "$scratch/table"
# The tables are shown for a while; what the agent prints later is thrown away.
{ timeout 7 cat || :; cat >/dev/null; } <"$scratch/table" &
viewer=$!
# A shell has its background commands ignore SIGINT, which the agent would go on to do.
"$topology" exec "$name" receiver env --default-signal=INT \
  "$build/agent/xdp-count" count0 --socket "$socket" --output table >"$scratch/table" &
agent=$!
# The agent listens once its program is attached: what is sent from then on is counted.
until "$client" --socket "$socket" status >"$scratch/status" 2>&1; do
  kill -0 "$agent" # ends the script when the agent has failed
  sleep 0.1
done

send --source 10.0.0.1 --count 20000 --rate 4000 --length 1514
send --source 10.0.0.2 --sources 5 --count 500 --rate 500
send --source 198.51.100.7 --count 1000 --rate 200 --vlan 100
send --kind arp --count 50 --rate 10
send --kind ipv6 --count 250 --rate 50
sleep 7

say "What was sent"
for sender in $senders; do wait "$sender"; done
senders=
sort "$scratch/sent"

say "A snapshot through the Unix socket: nc -U $socket | head -n 1"
timeout 5 nc -U "$socket" </dev/null | head -n 1

say "The sources, asked for by xdp-countctl"
"$client" --socket "$socket" top --once --by packets

say "One source, the one inside a VLAN tag: xdp-countctl get 198.51.100.7"
"$client" --socket "$socket" get 198.51.100.7

say "Ctrl-C takes the program off the interface"
kill -INT "$agent"
wait "$agent"
agent=
"$topology" exec "$name" receiver ip -brief link show dev count0
