#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Makes the pictures in README.md: an agent counts varied traffic on a veth pair between two network
# namespaces of its own. Its live view stands on a terminal of tmux, and that of a client on another;
# what stands there is drawn as SVG. The hub's page stands in Chromium.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD_DIR:-$root/build}
topology=$root/netns/topology.sh
client=$build/tools/xdp-countctl/xdp-countctl

usage() {
  cat <<END
usage: sudo tools/picture/run.sh [DIRECTORY]
Makes live-80x24.svg, live-200x60.svg and page-*.png there, light and dark in three sizes. Without a name it is ${root}/docs.
END
}

case "$#${1-}" in
  1--help | 1-h) usage && exit ;;
  0) set -- "$root/docs" ;;
  1-* | 1) usage >&2 && exit 2 ;;
  1*) ;;
  *) usage >&2 && exit 2 ;;
esac
pictures=$1

if [ "$(id -u)" != 0 ]; then
  echo "run.sh: making network namespaces and attaching XDP programs needs root: sudo $0" >&2
  exit 1
fi

# The hub finds agents in this directory: those of this machine are not to be in the picture.
if [ -z "${PICTURE_HAS_DIRECTORY-}" ]; then
  "$root/tools/build.sh"
  mkdir -p /run/xdp-count
  # shellcheck disable=SC2016 # for the inner shell
  exec env PICTURE_HAS_DIRECTORY=1 unshare --mount sh -c '
    mount -t tmpfs -o mode=0755 tmpfs /run/xdp-count
    exec "$@"' sh "$0" "$pictures"
fi

name=picture$$
scratch=$(mktemp -d)
server='' senders=''

terminal() {
  env LC_ALL=C.UTF-8 tmux -u -S "$scratch/tmux" -f /dev/null "$@"
}

cleanup() {
  trap '' INT TERM HUP
  # shellcheck disable=SC2086 # a list of process ids
  for process in $senders $server; do kill -TERM "$process" 2>/dev/null || :; done
  for process in $senders $server; do wait "$process" 2>/dev/null || :; done
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
socket=/run/xdp-count/count0.sock

# -D: in the foreground, and no function of this shell, so that it ends with this script.
env LC_ALL=C.UTF-8 tmux -u -S "$scratch/tmux" -f /dev/null -D >/dev/null 2>&1 &
server=$!
until [ -S "$scratch/tmux" ]; do
  kill -0 "$server"
  sleep 0.1
done
terminal new-session -d -s agent -x 80 -y 24 \
  "exec $topology exec $name receiver $build/agent/xdp-count count0 2>$scratch/log"
until "$client" --socket "$socket" status >/dev/null 2>&1; do
  terminal has-session -t agent || {
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
send 1 "900 1400 1100 700" --kind ipv6 --source 2001:db8:17:4::a3 --length 1280
send 2 "240 180 300" --kind ipv6 --source 2001:db8:40::53 --length 180
send 3 "0 90 30" --kind ipv6 --source fe80::5054:ff:fe12:9 --length 90
send 5 "50" --kind ipv6
# Many that send little, each in its own way.
i=0
for network in 10.8.0 10.8.3 172.20.3 203.0.113 192.0.2 198.51.100; do
  for host in 12 31 58 77 104 140 163; do
    i=$((i + 1))
    most=$((120 / i + i % 3))
    send $((2 + i % 5)) "$most $((most * (i % 4) / 3)) $((most / 2)) $((most * (i % 3) / 2))" \
      --source "$network.$host" --length $((98 + 37 * i % 900))
  done
done

"$topology" exec "$name" receiver ip link set dev lo up
cat >"$scratch/alerts.toml" <<'END'
[[alert]]
name = "loud"
of = "row"
measure = "packets"
above = 1000
clear = 500
for = 5
END
"$topology" exec "$name" receiver "$build/tools/xdp-count-hub/xdp-count-hub" \
  --config "$scratch/alerts.toml" 2>"$scratch/hub" &
senders="$senders $!"
terminal new-session -d -s client -x 200 -y 60 "exec $client --socket $socket"
# After this pause each line has its whole trend, and the page its ten minutes.
sleep "${PICTURE_SECONDS:-605}"
for session in agent client; do terminal send-keys -t "$session" Down Down Enter; done
sleep 1.5

# draw SESSION TITLE PICTURE
draw() {
  terminal capture-pane -t "$1" -e -p -N >"$scratch/screen"
  /usr/bin/python3 -B "$root/tools/picture/terminal_svg.py" "$2" <"$scratch/screen" >"$scratch/picture"
  cp "$scratch/picture" "$pictures/$3"
  echo "$pictures/$3"
}
"$topology" exec "$name" receiver env "HOME=$scratch" "$root/tools/picture/page_picture.py" \
  http://127.0.0.1:8484/ "$scratch"
for picture in "$scratch"/page-*.png; do
  cp "$picture" "$pictures"
  echo "$pictures/${picture##*/}"
done
draw agent "sudo xdp-count count0" live-80x24.svg
draw client "sudo xdp-countctl" live-200x60.svg
terminal send-keys -t agent q
