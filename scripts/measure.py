"""Measures one running agent: measure.py PID SECONDS PROGRAM MESSAGES FLOOR. Prints a table beside the goals.

CPU is the scheduler's clock (schedstat), summed over the threads; the first seconds, in which everything starts and what only that needed is given
back (AgentLimits.settledTicks), are left out.
"""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

WARM_UP_SECONDS = 25
# What a QoS 1 PUBLISH adds to topic and payload: header, lengths, packet id, properties.
PUBLISH_OVERHEAD_BYTES = 8
# What Benchmarks/floor.c costs on the machine on which the goal was set: reading alone, of all that a tick does.
REFERENCE_FLOOR_MICROSECONDS = 195


def text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def fields(path):
    """`name: number …` lines as a dictionary."""
    found = {}
    for line in text(path).splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdigit():
            found[name] = int(words[0])
    return found


def snapshot(pid):
    cpu = 0
    wakeups = 0
    tasks = glob.glob(f"/proc/{pid}/task/*")
    for task in tasks:
        try:
            cpu += int(text(task + "/schedstat").split()[0])
            wakeups += fields(task + "/status")["voluntary_ctxt_switches"]
        except (OSError, KeyError):
            continue  # a thread that just ended
    io = fields(f"/proc/{pid}/io")
    return {"at": time.monotonic(), "wall": time.time(), "cpu": cpu, "wakeups": wakeups, "threads": len(tasks),
            "wchar": io["wchar"], "disk": io["write_bytes"]}


def memory(pid):
    rollup = fields(f"/proc/{pid}/smaps_rollup")
    return {name: rollup.get(name, 0) / 1024 for name in ("Rss", "Pss", "Anonymous")}


def stripped_megabytes(program):
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(program, folder)
        subprocess.run(["strip", copy], check=False, stderr=subprocess.DEVNULL)
        return os.path.getsize(copy) / 1e6


def received(path, begin, end):
    """What came in the window: live ticks, their values, their bytes, and the bytes of all messages together."""
    ticks = values = size = total = 0
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            came, _, rest = line.rstrip("\n").partition(" ")
            topic, _, payload = rest.partition(" ")
            try:
                if not begin <= float(came) < end:
                    continue
                message = len(topic.encode()) + len(payload.encode())
                total += message + PUBLISH_OVERHEAD_BYTES
                if not topic.endswith("/metrics"):
                    continue
                held = leaves(json.loads(payload)["m"])
            except (ValueError, KeyError):
                continue
            ticks += 1
            values += held
            size += message
    return ticks, values, size, total


def leaves(branch):
    return sum(map(leaves, branch.values())) if isinstance(branch, dict) else 1


def row(name, value, unit, goal=None, digits=1):
    mark = ""
    if goal is not None:
        mark = f"at most {goal:g}  " + ("met" if value <= goal else "MISSED")
    print(f"  {name:<36}{value:>12,.{digits}f} {unit:<6}  {mark}".rstrip())


def main():
    pid, seconds, program, messages = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    try:
        time.sleep(WARM_UP_SECONDS)
        first = snapshot(pid)
        # Beside the agent, in the same seconds: both meet the same neighbours and the same clock rate.
        with subprocess.Popen([sys.argv[5], str(seconds - WARM_UP_SECONDS - 2)], stdout=subprocess.PIPE) as other:
            time.sleep(seconds - WARM_UP_SECONDS)
            floor = float(other.communicate()[0])
        last = snapshot(pid)
        held = memory(pid)
    except OSError as error:
        print(f"bench: the agent is gone: {error}", file=sys.stderr)
        return 1
    elapsed = last["at"] - first["at"]
    cpu_microseconds = (last["cpu"] - first["cpu"]) / 1000
    time.sleep(1)
    ticks, values, size, total = received(messages, first["wall"], last["wall"])
    if ticks == 0 or values == 0:
        print("bench: no tick reached the subscriber", file=sys.stderr)
        return 1
    per_tick = cpu_microseconds / elapsed
    hour = per_tick * 3600 / 1e6

    print(f"godwitd, {ticks} ticks in {elapsed:.0f} s, {values / ticks:.0f} values each, {last['threads']} threads")
    row("CPU per hour of running, here", hour, "s", digits=2)
    row("  at the reference machine's speed", hour * REFERENCE_FLOOR_MICROSECONDS / floor, "s", 2.5, 2)
    row("CPU per tick", per_tick, "µs", digits=0)
    row("  a C program only reading the files", floor, "µs", digits=0)
    row("  the agent is that times", per_tick / floor, "", digits=2)
    row("CPU per value", cpu_microseconds / values, "µs", digits=2)
    row("wake-ups", (last["wakeups"] - first["wakeups"]) / elapsed, "/s")
    row("RSS", held["Rss"], "MiB", 10)
    row("PSS", held["Pss"], "MiB")
    row("anonymous memory", held["Anonymous"], "MiB", 2)
    row("on the wire per value, json", size / values, "B", 30)
    # libmosquitto writes to its socket with write(2), so the kernel's count holds the messages too.
    row("written per value, to files", max(0, last["wchar"] - first["wchar"] - total) / values, "B")
    row("written per value, to the device", (last["disk"] - first["disk"]) / values, "B")
    row("godwitd, stripped", stripped_megabytes(program), "MB", 10)
    return 0


sys.exit(main())
