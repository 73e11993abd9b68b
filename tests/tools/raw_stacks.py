#!/usr/bin/env python3
"""Reduces the text of `pprof -raw` to what a profile says, whatever its numbering: one line per distinct stack
(places and labels) with its summed values, then period and mappings. Two profiles that mean the same give the
same lines. Usage: raw_stacks.py < raw.txt > stacks.txt"""
import collections
import re
import sys


def sections(lines):
    name, found = "header", collections.defaultdict(list)
    for line in lines:
        line = line.rstrip("\n")
        if line in ("Samples:", "Locations", "Mappings"):
            name = line.rstrip(":")
        else:
            found[name].append(line)
    return found


def main():
    found = sections(sys.stdin)
    mappings = {}
    for line in found["Mappings"]:
        number, rest = line.split(": ", 1)
        start, limit, offset = rest.split(" ")[0].split("/")
        mappings[number] = (int(start, 16), offset, rest.split(" ", 1)[1])
    places, current = {}, None
    for line in found["Locations"]:
        match = re.match(r"\s*(\d+): (0x[0-9a-f]+) (?:M=(\d+) )?(.*)$", line)
        if match:
            current = match.group(1)
            start, offset, name = mappings.get(match.group(3), (0, "", ""))
            places[current] = [f"{name}@{offset}+{int(match.group(2), 16) - start:x}", match.group(4).strip()]
        else:
            places[current].append(line.strip())
    stacks = collections.defaultdict(list)
    key = None
    for line in found["Samples"][1:]:
        match = re.match(r"((?:\s+-?\d+)+): ((?:\d+ )*)$", line)
        if match:
            key = [tuple(tuple(places[i]) for i in match.group(2).split()), ""]
            values = [int(v) for v in match.group(1).split()]
            pending = (key, values)
            stacks[id(key)] = pending
        else:
            key[1] += line.strip()
    sums = {}
    for place, values in stacks.values():
        at = (place[0], place[1])
        sums[at] = [a + b for a, b in zip(sums.get(at, [0] * len(values)), values)]
    print("types", re.sub(r"\[dflt\]", "", found["Samples"][0]))
    for line in found["header"]:
        if line.startswith(("Period", "Time", "Duration")):
            print(line)
    for (place, labels), values in sorted(sums.items()):
        if any(values):
            print(values, labels, " < ".join("/".join(p) for p in place))


if __name__ == "__main__":
    main()
