"""Compares two agents: measure_absent.py WITH WITHOUT SECONDS KIND…. Prints what the kinds cost a tick, beside the goal.

CPU is the scheduler's clock (schedstat) of the main threads, where the ticks are. The seconds are taken in short pieces and their
median counts: a commit or a look for the hardware falls into few of them.
"""

import statistics
import sys
import time

TICKS_PER_SECOND = 10
PIECE_SECONDS = 2
WARM_UP_SECONDS = 5
GOAL_MICROSECONDS = 5


def cpu(pid):
    with open(f"/proc/{pid}/task/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


def main():
    pids = sys.argv[1:3]
    seconds, kinds = int(sys.argv[3]), sys.argv[4:]
    time.sleep(WARM_UP_SECONDS)
    differences = []
    before = [cpu(pid) for pid in pids]
    for _ in range(max(seconds // PIECE_SECONDS, 5)):
        time.sleep(PIECE_SECONDS)
        now = [cpu(pid) for pid in pids]
        used = [new - old for new, old in zip(now, before)]
        before = now
        differences.append((used[0] - used[1]) / (PIECE_SECONDS * TICKS_PER_SECOND) / 1000)
    print(f"absent sensors: {statistics.median(differences):.1f} µs a tick, goal {GOAL_MICROSECONDS} "
          f"({len(kinds)} kinds: {' '.join(kinds)})")


main()
