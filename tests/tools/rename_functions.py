#!/usr/bin/env python3
"""rename_functions.py SOURCE COPY MAP.json: a copy of a service's sources (Go or C) in which every function of its own,
but main and what a library calls by its name, is called f1, f2, …: what judges a program by structure and numbers says
the same of both. The map says which name became which. Strings and includes stay as they are."""
import json, pathlib, re, shutil, sys

KEPT = {"main", "init", "Error", "String", "ServeHTTP", "Write"}
DEFINITIONS = {
    ".go": re.compile(r"^func (?:\([^)]*\) )?(\w+)\(", re.M),
    ".c": re.compile(r"^(\w+)\([^;{]*\)\s*\{", re.M),
}


def functions(folder):
    found = []
    for path in sorted(folder.rglob("*")):
        pattern = DEFINITIONS.get(path.suffix)
        if pattern:
            found += pattern.findall(path.read_text())
    return [f for f in dict.fromkeys(found) if f not in KEPT]


def rename(text, names):
    # Strings and includes as they are; elsewhere whole words.
    def word(match):
        return match[0] if match[1] else names.get(match[0], match[0])
    return re.sub(r'("(?:\\.|[^"\\\n])*"|`[^`]*`|^#include.*$)|\b[A-Za-z_]\w*\b', word, text, flags=re.M)


def main():
    source, copy, map_file = map(pathlib.Path, sys.argv[1:])
    shutil.copytree(source, copy)
    # What Go exports is what begins with a capital.
    names = {name: f"{'F' if name[0].isupper() else 'f'}{i}" for i, name in enumerate(functions(copy), 1)}
    for path in copy.rglob("*"):
        if path.suffix in (".go", ".c", ".h"):
            path.write_text(rename(path.read_text(), names))
    map_file.write_text(json.dumps(names, indent=1))


main()
