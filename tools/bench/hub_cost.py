#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the hub takes, and what it costs the agents: processor time and memory with so many agents of
so many sources, without a hub, with one that nobody looks at, and with one page open.

usage: sudo tools/bench/hub_cost.py BUILD_DIRECTORY [AGENTS SOURCES]...

Agents are real ones, each on a veth pair of its own in a network namespace made for this; nothing is
sent while it is measured. The hub finds them in a directory of sockets that is empty for it.
"""

import os
import signal
import subprocess
import sys
import time

SECONDS = 10
DEFAULT = [(1, 1000), (8, 1000), (64, 1000), (1, 100_000), (8, 100_000), (64, 100_000)]
NAMESPACE = f"hub-cost{os.getpid()}"
PORT = 8484


def cpu_seconds(processes):
    """User and system time of processes, from proc(5)."""
    ticks = 0
    for process in processes:
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def private_mib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) / 1024


def load_of(processes):
    """Per cent of a processor that they take together."""
    before = cpu_seconds(processes)
    time.sleep(SECONDS)
    return 100 * (cpu_seconds(processes) - before) / SECONDS


def inside(*command, **options):
    """Started in the namespace, so that the process is the command itself."""
    return subprocess.Popen(
        ["ip", "netns", "exec", NAMESPACE, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options,
    )


def end(processes):
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait()


def measure(build, agents, sources):
    ip = ["ip", "-n", NAMESPACE, "link"]
    started = []
    try:
        for i in range(agents):
            pair = ["add", "name", f"send{i}", "type", "veth", "peer", "name", f"count{i}"]
            subprocess.run([*ip, *pair], check=True)
            for link in f"send{i}", f"count{i}":
                subprocess.run([*ip, "set", "dev", link, "arp", "off", "up"], check=True)
            started.append(inside(f"{build}/agent/xdp-count", f"count{i}", "--output", "none"))
        for i in range(agents):
            while not os.path.exists(f"/run/xdp-count/count{i}.sock"):
                time.sleep(0.05)
            send = [f"{build}/tests/support/send-frames", f"send{i}", "--count", "1"]
            inside(*send, "--sources", str(sources)).wait()
        time.sleep(3)
        without = load_of(started)
        hub = inside(f"{build}/tools/xdp-count-hub/xdp-count-hub")
        try:
            time.sleep(3)
            followed = load_of(started), load_of([hub]), private_mib(hub)
            url = f"http://127.0.0.1:{PORT}/api/stream"
            page = inside("curl", "--silent", "--no-buffer", url)
            try:
                time.sleep(3)
                looked_at = load_of(started), load_of([hub]), private_mib(hub)
            finally:
                end([page])
        finally:
            end([hub])
    finally:
        end(started)
        for i in range(agents):
            subprocess.run([*ip, "delete", f"send{i}"], check=False)
    print(
        f"{agents:6} {sources:8}   {without:8.1f} {followed[0]:8.1f} {looked_at[0]:8.1f}"
        f"   {followed[1]:8.1f} {looked_at[1]:8.1f}   {followed[2]:8.1f} {looked_at[2]:8.1f}",
        flush=True,
    )


def main():
    if "--in-own-directory" not in sys.argv:
        os.makedirs("/run/xdp-count", exist_ok=True)
        mount = 'mount -t tmpfs -o mode=0755 tmpfs /run/xdp-count; exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", mount, "sh", *sys.argv, "--in-own-directory"]
        os.execvp("unshare", command)
    arguments = [argument for argument in sys.argv[1:] if argument != "--in-own-directory"]
    build, numbers = arguments[0], [int(number) for number in arguments[1:]]
    wanted = list(zip(numbers[::2], numbers[1::2])) or DEFAULT
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    try:
        subprocess.run(["ip", "-n", NAMESPACE, "link", "set", "dev", "lo", "up"], check=True)
        print("                  % of a processor, agents         % of one, hub      MiB of the hub")
        print("agents  sources    no hub      hub     page        hub     page        hub     page")
        for agents, sources in wanted:
            measure(build, agents, sources)
    finally:
        subprocess.run(["ip", "netns", "delete", NAMESPACE], check=True)


if __name__ == "__main__":
    main()
