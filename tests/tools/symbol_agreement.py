#!/usr/bin/env python3
"""How far lib/symbol agrees with llvm-symbolizer-19 on random addresses of a binary's .text.

usage: symbol_agreement.py TOOL BINARY [--addresses N] [--with-discriminator SHARE] [--debug-file F]

An address agrees when the whole inline chain does: in each frame function, file, line, start line and raw
discriminator. TOOL is tests/tools/symbolize. Addresses are drawn with a fixed seed, evenly over .text; with
--with-discriminator further ones are drawn, and kept where llvm-symbolizer reports a discriminator other than 0,
until they make up that share. Two conventions are taken out before comparing: llvm-symbolizer names the outermost
function by its symbol, so suffixes of compiler passes (and the numbers by which full LTO tells static functions of one name
apart) are cut off on both sides, and names of one address are the same (a constructor's C1 is an alias of its C2); and where DWARF knows nothing it
still answers with a symbol and line 0, where our answer is no frame.

Prints one line and up to five differences; status 1 below 99.9 %.
"""
import argparse
import random
import re
import subprocess
import sys

SUFFIX = re.compile(r"(\.(cold|part|isra|constprop|lto_priv|llvm|__part)(\.[0-9]+)?)+$|(?<!\.__uniq)\.[0-9]+$")
FIELDS = {"Filename": "file", "Function start line": "start", "Line": "line", "Discriminator": "discriminator"}


def text_section(binary):
    out = subprocess.run(["llvm-readelf-19", "-SW", binary], check=True, capture_output=True, text=True).stdout
    match = re.search(r"\s\.text\s+PROGBITS\s+([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)", out)
    return int(match.group(1), 16), int(match.group(2), 16)


def ask(command, addresses):
    text = "".join(f"0x{a:x}\n" for a in addresses)
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def frame(function, file="", line=0, start=0, discriminator=0):
    return (SUFFIX.sub("", function), file, line, start, discriminator)


def ours(tool, binary, addresses, debug):
    command = [tool, binary] + (["--debug-file", debug] if debug else [])
    answers = {}
    for row in ask(command, addresses).splitlines():
        address, *frames = row.split("\t")
        chain = []
        for f in frames:
            function, file, *numbers = f.rsplit("|", 4)
            chain.append(frame(function, file, *map(int, numbers)))
        answers[int(address, 16)] = tuple(chain)
    return answers


def theirs(binary, addresses, debug):
    command = ["llvm-symbolizer-19", "-e", debug or binary, "--verbose", "--no-demangle", "--inlines", "-a"]
    answers = {}
    for record in ask(command, addresses).split("\n\n"):
        rows = record.strip("\n").split("\n")
        if not rows[0].startswith("0x"):
            continue
        chain = []
        for row in rows[1:]:
            if not row.startswith("  "):
                chain.append({"function": "" if row == "??" else row})
                continue
            key, _, value = row.strip().partition(": ")
            if key in FIELDS:
                chain[-1][FIELDS[key]] = "" if value == "??" else value if key == "Filename" else int(value)
        chain = tuple(frame(**f) for f in chain)
        answers[int(rows[0], 16)] = chain if any(any(f[1:]) for f in chain) else ()
    return answers


def aliases(binary):
    """The address of every symbol, for symbols that others share theirs with."""
    out = subprocess.run(["llvm-nm-19", "--defined-only", "--no-sort", binary], capture_output=True, text=True).stdout
    return {SUFFIX.sub("", name): address for address, _, name in (row.split(" ", 2) for row in out.splitlines())}


def same(one, other, address_of):
    """Whether two chains are one, the outermost function by whichever of its symbols."""
    if one == other:
        return True
    if len(one) != len(other) or one[:-1] != other[:-1] or one[-1][1:] != other[-1][1:]:
        return False
    return address_of.get(one[-1][0], 0) == address_of.get(other[-1][0], 1)


def without_empty(chain):
    return chain if len(chain) != 1 or any(chain[0][2:]) else ()


def has_discriminator(chain):
    return any(f[4] for f in chain)


def draw(binary, count, share, debug):
    """Addresses and llvm-symbolizer's answers."""
    start, size = text_section(binary)
    numbers = random.Random(11)
    first = set()
    while len(first) < min(count, size // 2):
        first.add(start + numbers.randrange(size))
    expected = theirs(binary, sorted(first), debug)
    for _ in range(20):
        having = sum(has_discriminator(c) for c in expected.values())
        if having >= share * len(expected):
            break
        more = sorted({start + numbers.randrange(size) for _ in range(count)} - set(expected))
        wanted = int((share * len(expected) - having) / (1 - share)) + 1
        found = [(a, c) for a, c in theirs(binary, more, debug).items() if has_discriminator(c)]
        expected.update(found[:wanted])
    return expected


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("tool")
    parser.add_argument("binary")
    parser.add_argument("--addresses", type=int, default=10000)
    parser.add_argument("--with-discriminator", type=float, default=0)
    parser.add_argument("--debug-file")
    parser.add_argument("--name")
    o = parser.parse_args()
    expected = draw(o.binary, o.addresses, o.with_discriminator, o.debug_file)
    got = ours(o.tool, o.binary, sorted(expected), o.debug_file)
    address_of = aliases(o.binary)
    differ = [a for a in sorted(expected)
              if not same(without_empty(got[a]), without_empty(expected[a]), address_of)]
    n = len(expected)
    chains = expected.values()
    print(f"{o.name or o.binary.rsplit('/', 1)[-1]}: {n - len(differ)} of {n} addresses agree "
          f"({100 * (n - len(differ)) / n:.3f} %); {sum(len(c) > 1 for c in chains)} with inlined frames, "
          f"{sum(map(has_discriminator, chains))} with a discriminator")
    for a in differ[:5]:
        print(f"  0x{a:x}\n    here                {got[a]}\n    llvm-symbolizer-19  {expected[a]}")
    return 0 if n and len(differ) <= 0.001 * n else 1


if __name__ == "__main__":
    sys.exit(main())
