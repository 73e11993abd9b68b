#!/usr/bin/env python3
"""Writes a C unit with much debug information for its size: small functions, inlined into each other and into many.

usage: make_units.py NUMBER > unit.c

All names begin with "u0000_". The text depends on NUMBER only. Compiling takes a second for every 50 KB of debug
information, so large binaries are linked of copies of a few objects, in each of which another number of four digits
stands in place of the zeros: names, addresses and units differ, and nothing else has to be recomputed.
"""
import random
import sys

FUNCTIONS, SMALL, CALLS = 12, 60, 16


def small(i, numbers):
    """An inline function that calls up to two of those before it."""
    below = [numbers.randrange(i) for _ in range(min(i, 2))] if i % 4 else []
    calls = "".join(f"\tif (x & {1 << k}) y += u0000_small{n}(x + {k}, p);\n" for k, n in enumerate(below))
    return (f"static inline __attribute__((always_inline)) int u0000_small{i}(int x, int *p)\n{{\n"
            f"\tint y = x * {numbers.randrange(3, 99)} + p[{numbers.randrange(64)}];\n{calls}"
            f"\tp[{numbers.randrange(64)}] ^= y;\n\treturn y;\n}}\n\n")


def large(i, numbers):
    calls = "".join(f"\t\tif (p[{numbers.randrange(64)}] > x)\n\t\t\tx ^= u0000_small{numbers.randrange(SMALL)}(x, p);\n"
                    for _ in range(CALLS))
    return f"int u0000_large{i}(int x, int *p)\n{{\n\tfor (int i = 0; i < (x & 7); i++) {{\n{calls}\t}}\n\treturn x;\n}}\n\n"


numbers = random.Random(int(sys.argv[1]))
sys.stdout.write("".join(small(i, numbers) for i in range(SMALL)))
sys.stdout.write("".join(large(i, numbers) for i in range(FUNCTIONS)))
