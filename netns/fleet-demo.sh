#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Shows what a fleet is asked: three machines, each an agent on a veth pair and a hub that records,
# send their histories to one ClickHouse, which is killed meanwhile; a flood comes to one of them. On a
# fresh machine it first builds what it runs; the package clickhouse-server has to be there.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$root/build}
topology=$root/netns/topology.sh
fleet=$root/tools/fleet

if [ "$(id -u)" != 0 ]; then
  echo "fleet-demo.sh: making network namespaces and attaching XDP programs needs root: sudo $0" >&2
  exit 1
fi
clickhouse=$(command -v clickhouse-server) || {
  echo "fleet-demo.sh: there is no clickhouse-server: apt-get install clickhouse-server" >&2
  exit 1
}

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$*"; }

"$root/tools/build.sh" --no-tests programs tests/support/send-frames

name=fleet$$
machines="amber birch cedar"
processes='' senders='' server=''
scratch=$(mktemp -d)

cleanup() {
  trap '' INT TERM HUP
  for process in $senders $processes $server; do kill "$process" 2>/dev/null || :; done
  for process in $senders $processes $server; do wait "$process" 2>/dev/null || :; done
  for machine in $machines; do "$topology" down "$name$machine"; done
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# run PLACE MACHINE COMMAND…: in the background, in the network namespace of PLACE, with the agents'
# sockets of MACHINE.
run() {
  place=$name$1 files=$scratch/$2
  shift 2
  # shellcheck disable=SC2016 # for the inner shell
  "$topology" exec "$place" receiver unshare --mount sh -c '
    mkdir -p /run/xdp-count && mount --bind "$0" /run/xdp-count && exec "$@"' \
    "$files/sockets" "$@" >>"$files/log" 2>&1 &
  processes="$processes $!"
}

start_server() {
  "$topology" exec "${name}amber" receiver "$clickhouse" --config-file "$scratch/config.xml" \
    >>"$scratch/clickhouse.log" 2>&1 &
  server=$!
  echo "SELECT 1;" >"$scratch/one.sql"
  until ask "$scratch/one.sql" >/dev/null 2>&1; do
    kill -0 "$server" # ends the script when it has failed
    sleep 0.1
  done
}

# ask FILE [OPTION]…: the answers of its statements
ask() {
  file=$1
  shift
  "$topology" exec "${name}amber" receiver "$fleet/ask.py" "$@" http://127.0.0.1:8123 "$file"
}

# send MACHINE OPTION…: in the background
send() {
  sender=$name$1
  shift
  "$topology" exec "$sender" sender "$build/tests/support/send-frames" send0 "$@" >>"$scratch/sent" &
  senders="$senders $!"
}

say "Three machines, each with an agent on its veth pair, and a ClickHouse"
for machine in $machines; do
  mkdir -p "$scratch/$machine/sockets"
  "$topology" up "$name$machine"
done
ip -n "${name}amber-receiver" link set lo up
cat >"$scratch/config.xml" <<END
<yandex>
  <logger><level>warning</level><console>1</console></logger>
  <http_port>8123</http_port><tcp_port>9000</tcp_port><listen_host>127.0.0.1</listen_host>
  <path>$scratch/data/</path><tmp_path>$scratch/data/tmp/</tmp_path>
  <mark_cache_size>67108864</mark_cache_size>
  <users_config>$scratch/users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
</yandex>
END
cat >"$scratch/users.xml" <<END
<yandex>
  <profiles><default/></profiles><quotas><default/></quotas>
  <users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile>
    <quota>default</quota></default></users>
</yandex>
END
mkdir "$scratch/data" "$scratch/data/tmp"
start_server
ask "$fleet/schema.sql" >/dev/null
for machine in $machines; do
  run "$machine" "$machine" "$build/agent/xdp-count" count0
  # Hubs are where the server is: they know their agents by the sockets.
  run amber "$machine" "$build/tools/xdp-count-hub/xdp-count-hub" \
    --listen "unix:$scratch/$machine/hub.sock" \
    --history "$scratch/$machine/history.db" --history-interval 2 \
    --clickhouse http://127.0.0.1:8123 --site demo --machine "$machine"
done
for machine in $machines; do
  until [ -e "$scratch/$machine/sockets/count0.sock" ]; do sleep 0.1; done
  tail -n 2 "$scratch/$machine/log"
done

say "Who always sends does so, to each of them; a flood from 3,000 addresses comes to birch"
for machine in $machines; do
  send "$machine" --source 10.0.0.1 --sources 5 --count 3000 --rate 1000
  send "$machine" --kind ipv6 --count 600 --rate 40
done
send amber --source 198.51.100.7 --count 3000 --rate 200
send cedar --source 198.51.100.7 --count 1000 --rate 200
sleep 4
begin=$(date -u '+%Y-%m-%d %H:%M:%S')
send birch --source 203.0.0.1 --sources 3000 --count 30 --rate 30000
sleep 2
echo "and the server is killed"
kill -s KILL "$server"
wait "$server" 2>/dev/null || :
sleep 3
end=$(date -u '+%Y-%m-%d %H:%M:%S')
sleep 2
start_server
echo "it is there again"
for sender in $senders; do wait "$sender"; done
senders=''
sort "$scratch/sent"

say "What the agents have counted, and what ClickHouse has of it"
counted() {
  for machine in $machines; do
    "$build/tools/xdp-countctl/xdp-countctl" --socket "$scratch/$machine/sockets/count0.sock" \
      status --json | sed 's/.*"frames":{"packets":\([0-9]*\).*/\1/'
  done | awk '{ sum += $1 } END { print sum }'
}
cat >"$scratch/sum.sql" <<END
SELECT sum(ipv4_packets + ipv6_packets + arp_packets + other_packets + malformed_packets) AS packets
FROM xdp_count.bucket FINAL WHERE level = 0;
END
for _ in $(seq 100); do
  ask "$scratch/sum.sql" | grep -qw "$(counted)" && break
  sleep 0.5
done
echo "counted: $(counted) packets"
ask "$scratch/sum.sql"

say "The usual questions, of the time of the flood: tools/fleet/queries.sql"
ask "$fleet/queries.sql" --replace "2026-11-20 03:12:00=$begin" --replace "2026-11-20 03:13:00=$end" \
  --replace "2026-11-20 03:00:00=$begin" --replace "2026-11-20 04:00:00=$end" \
  --replace "2026-11-20 00:00:00=$(date -u '+%Y-%m-%d 00:00:00')" \
  --replace "2026-11-21 00:00:00=$(date -u -d tomorrow '+%Y-%m-%d 00:00:00')"

say "The audit: nothing is missing, nothing is twice"
ask "$fleet/audit.sql" --nothing

say "One machine alone, without the server: xdp-countctl history top"
"$build/tools/xdp-countctl/xdp-countctl" history top --file "$scratch/birch/history.db" --from -5m -n 5
