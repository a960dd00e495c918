"""Compares two agents at 1 Hz: measure_all.py ALL BASE SECONDS GOAL MACHINE. Prints what the first costs more, beside the goals.

CPU is the kernel's clock of each process, to the nanosecond and with threads that ended (clock_getcpuclockid(3)), and that of its children that
ended. A tick's is the scheduler's clock (schedstat) of the main thread, read between the ticks, which begin at whole seconds since boot.
"""

import os
import sys
import time

WARM_UP_SECONDS = 35
GOAL_TICK_MICROSECONDS = 100
TICKS_OF_CLOCK = os.sysconf("SC_CLK_TCK")
# Of linux/posix-timers.h: the clock of a process by its number, as the scheduler counts.
CPUCLOCK_SCHED = 2


def thread_seconds(pid, thread):
    with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


def process_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED) + (int(fields[13]) + int(fields[14])) / TICKS_OF_CLOCK


def threads(pid):
    found = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/comm", encoding="ascii", errors="replace") as file:
                found[file.read().strip()] = thread_seconds(pid, thread)
        except OSError:
            continue  # it just ended
    return found


def until_between_ticks():
    """Half a second past a whole second since boot."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    time.sleep(1 - (now - 0.5) % 1)


def row(name, value, unit, goal=None):
    mark = "" if goal is None else f"at most {goal:g}  " + ("met" if value <= goal else "MISSED")
    print(f"  {name:<44}{value:>10.2f} {unit:<5}  {mark}".rstrip())


def main():
    pids = [int(pid) for pid in sys.argv[1:3]]
    seconds, goal = int(sys.argv[3]), float(sys.argv[4])
    time.sleep(WARM_UP_SECONDS)
    until_between_ticks()
    began = time.monotonic()
    first = [process_seconds(pid) for pid in pids]
    kinds = threads(pids[0])
    main_threads = [thread_seconds(pid, pid) for pid in pids]
    ticks = []
    while time.monotonic() - began < seconds:
        until_between_ticks()
        now = [thread_seconds(pid, pid) for pid in pids]
        ticks.append([(new - old) * 1e6 for new, old in zip(now, main_threads)])
        main_threads = now
    elapsed = time.monotonic() - began
    hours = [(process_seconds(pid) - before) / elapsed * 3600 for pid, before in zip(pids, first)]

    print(f"all kinds beside the base profile, {elapsed:.0f} s, {sys.argv[5]}")
    row("CPU per hour, all kinds", hours[0], "s")
    row("CPU per hour, base profile", hours[1], "s")
    row("the other kinds", hours[0] - hours[1], "s", goal)
    # Like with like: both have longer ticks now and then, though not in the same seconds.
    more = [tick[0] - tick[1] for tick in zip(*(sorted(column) for column in zip(*ticks)))]
    row("a tick's addition, median", more[len(more) // 2], "µs")
    row("of the longest 1 of 20", more[len(more) * 19 // 20], "µs", GOAL_TICK_MICROSECONDS)
    row("of the longest", more[-1], "µs")
    last = threads(pids[0])
    costs = sorted(((last[name] - kinds.get(name, 0), name) for name in last), reverse=True)
    for cost, name in costs[:8]:
        row(f"  thread {name}", cost / elapsed * 3600, "s")


main()
