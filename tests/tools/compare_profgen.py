#!/usr/bin/env python3
"""Holds our text profile against llvm-profgen's on the same samples.

  compare_profgen.py raw JSON U.raw    samples as --unsymbolized-profile input
  compare_profgen.py compare OURS THEIRS        body counts must agree
  compare_profgen.py checksums PROFILE    the checksums of a profile by probes, a line each

The one difference that is allowed, and counted: llvm-profgen writes counts of
instructions with line 0 at offsets just below 65536 (0 less the start line, in
16 bits), inside the chain that leads there; we leave them out.
"""
import json
import re
import sys

BASE = 0x550000000000


def raw(path, out):
    counts = {}
    for s in json.load(open(path))["samples"]:
        address = s["stack"][0]["address"] - BASE
        counts[address] = counts.get(address, 0) + s["values"][0]
    with open(out, "w") as f:
        f.write(f"{len(counts)}\n")
        for address in sorted(counts):
            f.write(f"{address:x}-{address:x}:{counts[address]}\n")
        f.write("0\n")


def read(path):
    """{(context path, offset.discriminator): count}; a context is the chain of names and call sites."""
    bodies, context = {}, []
    for line in open(path):
        line = line.rstrip("\n")
        depth = len(line) - len(line.lstrip(" "))
        text = line.strip()
        if depth == 0:
            context = [text.split(":")[0]]
            continue
        place, rest = text.split(": ", 1)
        context = context[:depth]
        if text.startswith("!"):
            continue
        first = rest.split(" ")[0]
        if first.isdigit():
            bodies[tuple(context), place] = int(first)
        else:
            context.append(f"{place}:{first.split(':')[0]}")
    return bodies


def checksums(path):
    context = []
    for line in open(path):
        depth = len(line) - len(line.lstrip(" "))
        text = line.strip()
        context = context[:depth]
        if depth == 0:
            context = [text.split(":")[0]]
        elif text.startswith("!CFGChecksum"):
            yield f"{' @ '.join(context)} {text.split()[1]}"
        elif not text.split(": ", 1)[1].split(" ")[0].isdigit():
            context.append(text.split(": ", 1)[1].split(":")[0])


def far(key):
    context, place = key
    places = [place] + [c.split(":")[0] for c in context[1:]]
    return any(int(p.split(".")[0]) > 60000 for p in places)


def compare(ours, theirs):
    a, b = read(ours), read(theirs)
    line_zero = {k for k in b if far(k)}
    wrong = [(k, a.get(k), b.get(k)) for k in sorted(set(a) | set(b) - line_zero)
             if a.get(k) != b.get(k) and k not in line_zero]
    for key, mine, other in wrong[:40]:
        print(f"{' @ '.join(key[0])} {key[1]}: ours {mine}, llvm-profgen {other}")
    print(f"{len(set(a) & set(b))} body counts agree or were compared, {len(wrong)} differ, "
          f"{len(line_zero)} of llvm-profgen's are line-0 rows")
    return 1 if wrong or not set(a) & set(b) else 0


if sys.argv[1] == "raw":
    raw(sys.argv[2], sys.argv[3])
elif sys.argv[1] == "checksums":
    print("\n".join(sorted(set(checksums(sys.argv[2])))))
else:
    sys.exit(compare(sys.argv[2], sys.argv[3]))
