#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs in a clean root: installs the packages that are in /packages, uses them, purges them.
set -eu

package=$(echo /packages/xdp-count_*.deb)
hub_package=$(echo /packages/xdp-count-hub_*.deb)
version=$(dpkg-deb -f "$package" Version)
work=$(mktemp -d)
topology=/source/netns/topology.sh

fail() {
  echo "$*"
  exit 1
}

# Shows lines of a command's output that match, and all when it fails.
show() {
  pattern=$1
  shift
  "$@" >"$work/log" 2>&1 || {
    cat "$work/log"
    fail "failed: $*"
  }
  grep -E "$pattern" "$work/log" || :
}

# Every file with its owner, mode, target and content, apart from dpkg's and apt's own records and
# the copies that the tools for users make of their files.
list_files() {
  find / -xdev \( -path "$work" -o -path /source -o -path /packages \
    -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache -o -path /var/log \
    -o -path '/etc/*-' \) -prune \
    -o -printf '%p %y %m %u:%g %l\n' -type f -exec sha256sum {} + | sort
}

echo "-- what it depends on"
show '^[0-9]+ upgraded' apt-get update
show '^[0-9]+ upgraded' apt-get satisfy --yes --no-install-recommends -o Dpkg::Use-Pty=0 \
  "$(dpkg-deb -f "$package" Depends), $(dpkg-deb -f "$hub_package" Depends |
    sed 's/xdp-count (= [^)]*), //'), iproute2"
mkdir -p /run/netns # stays once `ip netns` has made it
list_files >"$work/before"

echo "-- install"
show xdp-count apt-get install --yes --no-install-recommends -o Dpkg::Use-Pty=0 "$package" \
  "$hub_package"
for file in sbin/xdp-count bin/xdp-countctl bin/xdp-count-hub systemd/system/xdp-count@.service \
  systemd/system/xdp-count-hub.service sysusers.d/xdp-count.conf man8/xdp-count.8.gz \
  man8/xdp-count-hub.8.gz man1/xdp-countctl.1.gz completions/xdp-count \
  completions/xdp-countctl completions/xdp-count-hub doc/xdp-count/copyright \
  share/xdp-count/alert_rules.yml doc/xdp-count/README.md doc/xdp-count/docs/operating.md doc/xdp-count/docs/live-80x24.svg \
  doc/xdp-count/agent/protocol/README.md doc/xdp-count/tools/bench/attack.svg; do
  path=$(dpkg -L xdp-count xdp-count-hub | grep "/$file\$") || fail "there is no $file in a package"
  ls "$path" || fail "$path was not installed"
done
getent passwd xdp-count || fail "there is no user xdp-count"
unit=$(systemctl is-enabled xdp-count@count0.service || :)
[ "$unit" = disabled ] || fail "the service is '$unit' rather than disabled"

echo "-- use"
for program in xdp-count xdp-countctl xdp-count-hub; do
  $program --version
  [ "$($program --version)" = "$program $version" ] || fail "that is not $program $version"
  $program --help | grep -q -- --help || fail "the help is not one"
done
# This is what an administrator does.
show . systemctl enable xdp-count@count0.service
mkdir -p /etc/xdp-count
usermod --append --groups xdp-count nobody
echo 'OPTIONS=--max-sources 1000' >/etc/xdp-count/count0.conf

$topology up package
$topology exec package receiver xdp-count --output none count0 2>"$work/agent" &
agent=$!
for _ in $(seq 100); do
  if xdp-countctl status >"$work/status" 2>&1; then break; fi
  sleep 0.1
done
grep -E '^(version|agent|interface|mode)' "$work/status"
# Seven times 14 bytes of Ethernet, 20 of IPv4, 8 of UDP and 6 of its own.
# shellcheck disable=SC2016 # for the inner shell
$topology exec package sender bash -c 'for i in {1..7}; do echo hello >/dev/udp/192.0.2.2/9; done'
kill -TERM $agent
wait $agent || fail "the agent ended with $?"
$topology down package
cat "$work/agent"
grep -q 'counted 7 frames, 336 bytes, .*: 7 IPv4 and 0 IPv6 packets, 1 sources tracked,' "$work/agent" ||
  fail "that is not what was sent"

echo "-- purge"
echo 'OPTIONS=--listen [::1]:8484' >/etc/default/xdp-count-hub
show xdp-count apt-get purge --yes -o Dpkg::Use-Pty=0 xdp-count xdp-count-hub
if dpkg -s xdp-count >/dev/null 2>&1; then fail "dpkg still knows of it"; fi
list_files >"$work/after"
diff "$work/before" "$work/after" || fail "that is not what there was before"
echo "-- purge where there was such a user before"
useradd --system --user-group xdp-count
list_files >"$work/before"
show xdp-count apt-get install --yes --no-install-recommends -o Dpkg::Use-Pty=0 "$package"
show xdp-count apt-get purge --yes -o Dpkg::Use-Pty=0 xdp-count
list_files >"$work/after"
diff "$work/before" "$work/after" || fail "that is not what there was before"
getent passwd xdp-count || fail "the user is gone that the package did not make"
getent group xdp-count || fail "the group is gone that the package did not make"
echo "left behind: nothing ($(grep -c -v '^[0-9a-f]\{64\} ' "$work/after") files as before)"
rm -rf "$work"
