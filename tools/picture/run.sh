#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Makes the picture in README.md: an agent counts varied traffic on a veth pair between two network
# namespaces of its own, `xdp-countctl top` shows it on a terminal of tmux, and what stands on that
# terminal is drawn as SVG.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD_DIR:-$root/build}
topology=$root/netns/topology.sh
client=$build/tools/xdp-countctl/xdp-countctl

usage() {
  cat <<END
usage: sudo tools/picture/run.sh [PICTURE.svg]
Without a name it is ${root}/docs/top.svg.
END
}

case "$#${1-}" in
  1--help | 1-h) usage && exit ;;
  0) set -- "$root/docs/top.svg" ;;
  1-* | 1) usage >&2 && exit 2 ;;
  1*) ;;
  *) usage >&2 && exit 2 ;;
esac
picture=$1

if [ "$(id -u)" != 0 ]; then
  echo "run.sh: making network namespaces and attaching XDP programs needs root: sudo $0" >&2
  exit 1
fi

"$root/tools/build.sh"

name=picture$$
scratch=$(mktemp -d)
agent='' server='' senders=''

terminal() {
  env LC_ALL=C.UTF-8 tmux -u -S "$scratch/tmux" -f /dev/null "$@"
}

cleanup() {
  trap '' INT TERM HUP
  # shellcheck disable=SC2086 # a list of process ids
  for process in $senders $agent $server; do kill -TERM "$process" 2>/dev/null || :; done
  for process in $senders $agent $server; do wait "$process" 2>/dev/null || :; done
  "$topology" down "$name"
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# send SECONDS_PER_PART "RATE…" ARGUMENT…: one part after the other, each at its rate, again and
# again. A rate of 0 is silence.
send() {
  seconds=$1
  rates=$2
  shift 2
  # shellcheck disable=SC2016 # for the inner shell
  "$topology" exec "$name" sender sh -c '
    program=$1 seconds=$2 rates=$3
    shift 3
    trap "kill \$! 2>/dev/null; wait; exit" TERM
    while :; do
      for rate in $rates; do
        # The command runs in the background: a shell comes to its trap only while it waits.
        if [ "$rate" = 0 ]; then sleep "$seconds" & else
          "$program" send0 --rate "$rate" --count "$((rate * seconds))" "$@" >/dev/null &
        fi
        wait $!
      done
    done' sh "$build/tests/support/send-frames" "$seconds" "$rates" "$@" &
  senders="$senders $!"
}

"$topology" up "$name"
socket=$scratch/count0.sock
"$topology" exec "$name" receiver "$build/agent/xdp-count" count0 --socket "$socket" --output none \
  2>"$scratch/log" &
agent=$!
until "$client" --socket "$socket" status >/dev/null 2>&1; do
  kill -0 "$agent" 2>/dev/null || {
    cat "$scratch/log" >&2
    exit 1
  }
  sleep 0.1
done

send 1 "4000" --source 10.0.0.1 --length 1514
send 1 "900 2100 3000 2400 1200 600" --source 10.0.0.17 --length 1200
send 2 "350 350 900 350" --source 198.51.100.7 --length 700 --vlan 100
send 1 "1500 0 0 0" --source 203.0.113.9 --length 300
send 4 "150" --source 192.0.2.33 --length 400
send 3 "0 400 800" --source 172.16.4.2 --length 98
send 1 "40 60 20 50 30" --source 100.64.8.1 --length 98
send 4 "60" --source 192.168.7.20
send 2 "5 10 15" --source 198.51.100.200 --length 120
send 5 "10" --kind arp
send 5 "50" --kind ipv6

# -D: in the foreground, and no function of this shell, so that it ends with this script.
env LC_ALL=C.UTF-8 tmux -u -S "$scratch/tmux" -f /dev/null -D >/dev/null 2>&1 &
server=$!
until [ -S "$scratch/tmux" ]; do
  kill -0 "$server"
  sleep 0.1
done
terminal new-session -d -x 106 -y 18 "exec $client --socket $socket top"
# After this pause each line has its whole trend.
sleep 30
terminal send-keys Down Down Enter
sleep 1
terminal capture-pane -e -p -N >"$scratch/screen"
terminal send-keys q

/usr/bin/python3 -B "$root/tools/picture/terminal_svg.py" "sudo xdp-countctl top" \
  <"$scratch/screen" >"$scratch/picture"
cp "$scratch/picture" "$picture"
echo "$picture"
