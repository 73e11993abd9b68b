#!/usr/bin/env python3
"""How near block counts come to callgrind's exact ones.

  compare_callgrind.py CALLGRIND.out BINARY BLOCKS...

CALLGRIND.out (several joined by commas): valgrind --tool=callgrind --dump-instr=yes of the stripped BINARY.
Each BLOCKS file is the output of the block_counts tool. Printed, for each: the
overlap of executed instructions by block (the sum of the smaller shares) inside
functions, weighted by the functions' exact instructions; the overlap of the
functions' totals; and the worst functions.
"""
import collections
import re
import sys


def read_callgrind(paths, binary):
    """{address: executions} of the object whose name ends like the binary's, summed over the files."""
    counts = collections.Counter()
    for path in paths.split(","):
        add_callgrind(counts, path, binary)
    return counts


def add_callgrind(counts, path, binary):
    objects, current, address, skip = {}, "", 0, False
    for line in open(path):
        m = re.match(r"(c?)ob=\((\d+)\)(?: (.*))?", line)
        if m:
            if m.group(3):
                objects[m.group(2)] = m.group(3).strip()
            if not m.group(1):
                current = objects[m.group(2)]
            continue
        if line.startswith("calls="):
            skip = True
            continue
        m = re.match(r"(0x[0-9a-f]+|\+\d+|-\d+|\*) (?:[0-9+*-]+) (\d+)$", line)
        if not m:
            continue
        at = m.group(1)
        if at == "*":
            pass
        elif at[0] in "+-":
            address += int(at)
        else:
            address = int(at, 16)
        if skip:
            skip = False
            continue
        if current.endswith(binary):
            counts[address] += int(m.group(2))


def overlap(a, b):
    sa, sb = sum(a), sum(b)
    return sum(min(x / sa, y / sb) for x, y in zip(a, b)) if sa > 0 and sb > 0 else 0


def main(callgrind, binary, paths):
    exact = read_callgrind(callgrind, binary)
    print(f"{sum(exact.values())} instructions in {binary}")
    for path in paths:
        functions = collections.defaultdict(list)
        for line in open(path):
            name, address, size, samples, estimate = line.split()
            size = int(size)
            functions[name].append((exact[int(address, 16)] * size, float(estimate) * size, int(samples)))
        rows = []
        for name, blocks in functions.items():
            true, guess = [b[0] for b in blocks], [b[1] for b in blocks]
            rows.append((sum(true), overlap(true, guess), name, sum(b[2] for b in blocks), sum(guess)))
        total = sum(r[0] for r in rows)
        inside = sum(r[0] * r[1] for r in rows) / total
        across = overlap([r[0] for r in rows], [r[4] for r in rows])
        print(f"{path}: inside functions {inside:.3f}, functions {across:.3f}, "
              f"covering {total / sum(exact.values()):.3f}")
        for weight, value, name, samples, guess in sorted(rows, key=lambda r: -r[0] * (1 - r[1]))[:6]:
            print(f"    {name:28} {weight / total:6.3f} of instructions, overlap {value:.3f}, {samples} samples, "
                  f"guessed share {guess / sum(r[4] for r in rows):.3f}")


main(sys.argv[1], sys.argv[2], sys.argv[3:])
