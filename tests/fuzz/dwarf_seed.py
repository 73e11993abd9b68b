#!/usr/bin/env python3
"""Makes an input of dwarf_fuzz.c of a binary: dwarf_seed.py BINARY > SEED (sections up to 64 KiB each)."""
import pathlib
import subprocess
import sys
import tempfile

SECTIONS = ["info", "abbrev", "line", "line_str", "str", "str_offsets", "addr", "ranges", "rnglists"]


def section(binary, name):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["llvm-objcopy-19", f"--dump-section=.debug_{name}={folder}/bytes", binary, f"{folder}/copy"],
                       capture_output=True)
        path = pathlib.Path(folder, "bytes")
        return path.read_bytes() if path.exists() else b""


parts = [section(sys.argv[1], name)[:65535] for name in SECTIONS]
sys.stdout.buffer.write(b"".join(len(p).to_bytes(2, "little") for p in parts) + b"".join(parts))
