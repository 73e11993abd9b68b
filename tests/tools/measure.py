#!/usr/bin/env python3
"""Runs two commands in turn and compares what they cost.

  measure.py ROUNDS OURS COMMAND… --- THEIRS COMMAND…
  measure.py ROUNDS NAME COMMAND…

Prints the medians of CPU time (user and system) and of the peak resident set of each, and their ratios. A command that
fails ends everything.
"""
import os
import statistics
import sys


def run(command):
    """CPU seconds and peak bytes of a command whose output nobody wants."""
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            os.execvp(command[0], command)
        finally:
            os._exit(127)
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"measure: {command[0]} failed with status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main(args):
    rounds = int(args[0])
    rest = args[1:]
    split = rest.index("---") if "---" in rest else len(rest)
    sides = [side for side in (rest[:split], rest[split + 1:]) if side]
    runs = [[] for _ in sides]
    for _ in range(rounds):
        for i, side in enumerate(sides):
            runs[i].append(run(side[1:]))
    medians = []
    for side, costs in zip(sides, runs):
        cpu, memory = (statistics.median(c[k] for c in costs) for k in (0, 1))
        medians.append((cpu, memory))
        spread = " ".join(f"{c[0]:.2f}" for c in costs)
        print(f"  {side[0]:<8} {cpu:8.2f} s CPU ({spread})  {memory / 1e6:8.1f} MB peak")
    if len(sides) == 2:
        (cpu, memory), (other_cpu, other_memory) = medians
        print(f"  {sides[1][0]} / {sides[0][0]}: {other_cpu / cpu:.1f} x the CPU time, "
              f"{other_memory / memory:.1f} x the memory")


main(sys.argv[1:])
