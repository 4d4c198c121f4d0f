#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A real Prometheus reads two hubs, which follow a real agent, and loads our rules; promtool judges
# metrics and rules. Debian's package of it starts a service of its own on the machine where it is
# installed, so nothing here installs it.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
shipped=$root/tools/metrics/prometheus
topology=$root/netns/topology.sh

if [ "$(id -u)" != 0 ]; then
  echo "skipped: network namespaces take root"
  exit 77
fi
for program in prometheus promtool; do
  if ! command -v $program >/dev/null; then
    echo "skipped: there is no $program; it comes with the package prometheus"
    exit 77
  fi
done

# Hubs find agents in this directory: those of this machine are not to be seen here.
if [ -z "${HAS_OWN_DIRECTORY-}" ]; then
  mkdir -p /run/xdp-count
  # shellcheck disable=SC2016 # for the inner shell
  exec env HAS_OWN_DIRECTORY=1 unshare --mount sh -c '
    mount -t tmpfs -o mode=0755 tmpfs /run/xdp-count
    exec "$@"' sh "$0"
fi

name=prometheus$$
work=$(mktemp -d)
processes=''
passed=0 failed=0

# shellcheck disable=SC2317 # the trap calls it
clean_up() {
  trap '' INT TERM HUP
  for process in $processes; do kill "$process" 2>/dev/null || :; done
  for process in $processes; do wait "$process" 2>/dev/null || :; done
  "$topology" down "$name"
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

here() {
  "$topology" exec "$name" receiver "$@"
}

# start LOG COMMAND…: in the background, in the receiver's namespace
start() {
  log=$work/$1
  shift
  "$topology" exec "$name" receiver "$@" >"$log" 2>&1 &
  processes="$processes $!"
}

# step NAME COMMAND…
step() {
  echo "== $1"
  shift
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# shellcheck disable=SC2317 # step calls it
is_silent() {
  output=$("$@" 2>&1) && [ -z "$output" ] && return
  echo "$output"
  return 1
}

# shellcheck disable=SC2317 # step calls it
check_metrics() {
  here "$CLIENT" metrics | promtool check metrics
}

"$topology" up "$name"
here ip link set dev lo up
start agent "$AGENT" count0 --output none --events --interval 0.5
for _ in $(seq 100); do
  if "$CLIENT" status >/dev/null 2>&1; then break; fi
  sleep 0.1
done
start first "$HUB" --listen 127.0.0.1:8484
start second "$HUB" --listen 127.0.0.1:8485
cat >"$work/prometheus.yml" <<END
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$shipped/alert_rules.yml]
scrape_configs:
  - job_name: xdp-count
    static_configs:
      - targets: ['127.0.0.1:8484', '127.0.0.1:8485']
END
start prometheus prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" \
  --web.listen-address=127.0.0.1:9090 --log.level=warn
"$topology" exec "$name" sender "$SEND_FRAMES" send0 --sources 40 --count 25 --rate 500 >/dev/null
"$topology" exec "$name" sender "$SEND_FRAMES" send0 --kind ipv6 --sources 4 --count 5 >/dev/null

step "the rules do what they say" promtool test rules "$shipped/alert_rules_test.yml"
step "promtool has nothing to say about the metrics" is_silent check_metrics
step "both hubs have the values of the socket" \
  here /usr/bin/python3 -B "$root/tests/prometheus/ask.py" values "$CLIENT"
step "each expression of the rules and the dashboard is answered" \
  here /usr/bin/python3 -B "$root/tests/prometheus/ask.py" expressions "$shipped/dashboard.json"
if [ "$failed" != 0 ]; then cat "$work/agent" "$work/first" "$work/second" "$work/prometheus"; fi
echo "[doctest] test cases: $((passed + failed)) | $passed passed | $failed failed | 0 skipped"
[ "$failed" = 0 ]
