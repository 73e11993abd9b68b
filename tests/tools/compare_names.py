#!/usr/bin/env python3
"""compare_names.py MANGLED OURS THEIRS: short names against those of c++filt -p, line by line.

c++filt's lose their template arguments and the parameters of enclosing functions first. Prints how many names agree,
differ, or were left as they are, and the first that differ; fails if any does, or if more than one in a hundred is left.
"""
import re
import sys

OPERATOR = re.compile(r"operator(?:\(\)|<=>|<<=|>>=|->\*|<<|>>|<=|>=|->|<|>)")
ANONYMOUS = "(anonymous namespace)"
CLOSING = {"<": ">", "(": ")"}


def after_bracket(name, at):
    """The position after the bracket that opens at `at`; > counts where < opened, but for the one of ->."""
    opened = []
    while at < len(name):
        c = name[at]
        operator = OPERATOR.match(name, at)
        if operator:
            at = operator.end()
            continue
        if c in "<(":
            opened.append(CLOSING[c])
        elif opened and c == opened[-1] and name[at - 1:at + 1] != "->":
            opened.pop()
        at += 1
        if not opened:
            break
    return at


def shorten(name):
    short, at = "", 0
    while at < len(name):
        operator = OPERATOR.match(name, at)
        if operator:
            short += operator.group()
            at = operator.end()
            if name[at:at + 2] == " <":  # "operator<< <int>"
                at += 1
        elif name.startswith(ANONYMOUS, at):
            short += ANONYMOUS
            at += len(ANONYMOUS)
        elif name[at] in CLOSING:
            parameters = name[at] == "("
            at = after_bracket(name, at)
            qualifiers = re.compile(r"(?: const| volatile| ?&&?)+(?=::|\[| \[clone|$)").match(name, at)
            if parameters and qualifiers:
                at = qualifiers.end()
        else:
            short += name[at]
            at += 1
    return short


def main():
    mangled, ours, theirs = ([line.rstrip("\n") for line in open(path)] for path in sys.argv[1:4])
    assert len(mangled) == len(ours) == len(theirs)
    left = sum(m == o for m, o in zip(mangled, ours))
    differing = [(m, o, shorten(t)) for m, o, t in zip(mangled, ours, theirs) if m != o and o != shorten(t)]
    print(f"{len(mangled)} names: {len(mangled) - left - len(differing)} as c++filt has them, {len(differing)} others, {left} left")
    for difference in differing[:20]:
        print(*difference, sep="\n    ")
    sys.exit(1 if differing or left * 100 > len(mangled) or len(mangled) < 1000 else 0)


if __name__ == "__main__":
    main()
