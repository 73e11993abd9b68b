#!/usr/bin/env python3
"""no_lbr.py PROFUSE BINARY PROFILE.pb.gz >OUT.fdata: the samples as they are, in BOLT's form for perf without branch
records ("no_lbr cycles"): what `profuse convert --format bolt` is compared with."""
import bisect
import collections
import re
import subprocess
import sys

profuse, binary, profile = sys.argv[1:]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


text = run(profuse, "show", "raw", profile)
rows, rest = text.split("\nLocations\n")
locations, mappings = rest.split("\nMappings\n")
build_id = re.search(r"Build ID: (\S+)", run("llvm-readelf-19", "-n", binary)).group(1)
ours = {m[1]: (int(m[2], 16), int(m[3], 16)) for m in re.finditer(
    r"^(\d+): (0x\w+)/0x\w+/(0x\w+) \S* (\w*)", mappings, re.M) if m[4] == build_id}
segments = [tuple(int(x, 16) for x in row) for row in re.findall(
    r"LOAD\s+(0x\S+)\s+(0x\S+)\s+\S+\s+(0x\S+)\s+\S+\s+R E", run("llvm-readelf-19", "-lW", binary))]
places = {}
for number, address, mapping in re.findall(r"^\s*(\d+): (0x\w+) M=(\d+)", locations, re.M):
    if mapping in ours:
        start, offset = ours[mapping]
        at = int(address, 16) - start + offset
        places[number] = next((at - o + v for o, v, size in segments if o <= at < o + size), None)
counts = collections.Counter()
for value, stack in re.findall(r"^\s*(\d+)[ \d]*: ([\d ]+)$", rows, re.M):
    leaf = places.get(stack.split()[0])
    if leaf is not None:
        counts[leaf] += int(value)

symbols, seen = [], collections.Counter()
for address, kind, name in sorted(re.findall(
        r"^(\w+) ([tTwW]) (\S+)$", run("llvm-nm-19", "--defined-only", binary), re.M)):
    if kind == "t":
        seen[name] += 1
        name = f"{name}/{seen[name]}"
    symbols.append((int(address, 16), name))
print("no_lbr cycles")
for address in sorted(counts):
    start, name = symbols[bisect.bisect(symbols, (address, "\x7f")) - 1]
    print(1, name, f"{address - start:x}", counts[address])
