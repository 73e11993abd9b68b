#!/usr/bin/env python3
"""compare_rust_names.py MANGLED OURS THEIRS: short names against those of llvm-cxxfilt, line by line.

llvm-cxxfilt's lose their generic arguments first, and its " (.llvm.1)" is our " [clone .llvm.1]". Prints how many names
agree, differ, or were left as they are, and the first of them; fails if any differs, or is left that llvm-cxxfilt knows
and that fits into 1,023 bytes.
"""
import re
import sys

SUFFIX = re.compile(r" \((\.[^()]*)\)$")


def after_arguments(name, at):
    """The position after the < at `at` and what it opens; the > of -> closes nothing."""
    depth = 0
    while at < len(name):
        depth += name[at] == "<"
        depth -= name[at] == ">" and name[at - 1] != "-"
        at += 1
        if not depth:
            break
    return at


def is_arguments(name, at):
    """Whether the < at `at` follows a path: not "<T as Trait>", nor "for<'a>"."""
    before = name[:at]
    if re.search(r"\bfor$", before):
        return False
    return before.endswith("::") or (bool(re.search(r"[\w}>]$", before)) and not before.endswith("->"))


def shorten(name):
    short, at = "", 0
    while at < len(name):
        if name[at] == "<" and is_arguments(name, at):
            if short.endswith("::"):
                short = short[:-2]
            at = after_arguments(name, at)
        else:
            short += name[at]
            at += 1
    return SUFFIX.sub(r" [clone \1]", short)


def main():
    mangled, ours, theirs = ([line.rstrip("\n") for line in open(path)] for path in sys.argv[1:4])
    assert len(mangled) == len(ours) == len(theirs)
    left = [(m, shorten(t)) for m, o, t in zip(mangled, ours, theirs) if m == o]
    known = [(m, t) for m, t in left if m != t and len(t.encode()) < 1024]
    more = sum(m == t != o for m, o, t in zip(mangled, ours, theirs))
    differing = [(m, o, shorten(t)) for m, o, t in zip(mangled, ours, theirs) if o != m != t and o != shorten(t)]
    agreeing = len(mangled) - len(left) - len(differing) - more
    print(f"{len(mangled)} names: {agreeing} as llvm-cxxfilt has them, {len(differing)} others, {len(left)} left, {more} that it leaves")
    for difference in differing[:20] + known[:20]:
        print(*difference, sep="\n    ")
    sys.exit(1 if differing or known or len(mangled) < 100 else 0)


if __name__ == "__main__":
    main()
