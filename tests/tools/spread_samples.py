#!/usr/bin/env python3
"""Invents samples for a binary: JSON for make_pprof.py on standard output.

  spread_samples.py BINARY FUNCTION... [--seed N] [--every N] [--calls] [--steps N] [--build-id HEX] [--name NAME]

Every N-th instruction (default 3) of the functions gets a count drawn from
`seed`, a few of them a large one. --calls adds a caller (main's first call) to
each stack. --steps gives each of all instructions N steps, as the agent's PROFUSE_STEPS does. The mapping is that of a PIE loaded at 0x5500_0000_0000.
"""
import json
import random
import re
import subprocess
import sys

BASE = 0x550000000000


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def option(args, name, default):
    if name not in args:
        return default
    at = args.index(name)
    value = args[at + 1]
    del args[at:at + 2]
    return value


def instructions(binary, function):
    # -fbasic-block-sections=all gives blocks symbols of their own
    blocks = re.findall(rf" ({re.escape(function)}\.__part\.\d+)$", run("llvm-nm-19", "-n", binary), re.M)
    names = ",".join([function, *blocks])
    listing = run("llvm-objdump-19", "-d", "--no-show-raw-insn", f"--disassemble-symbols={names}", binary)
    found = re.findall(r"^\s*([0-9a-f]+):\s+(\S+)", listing, re.M)
    return [(int(a, 16), op) for a, op in found]


def segments(binary):
    text = run("llvm-readelf-19", "-lW", binary)
    rows = re.findall(r"LOAD\s+(0x\S+)\s+(0x\S+)\s+\S+\s+(0x\S+)\s+(0x\S+)\s+R E", text)
    return [tuple(int(x, 16) for x in row) for row in rows]


def main(args):
    seed = int(option(args, "--seed", "1"))
    every = int(option(args, "--every", "3"))
    steps = int(option(args, "--steps", "0"))
    build_id = option(args, "--build-id", None)
    name = option(args, "--name", None)
    calls = "--calls" in args
    args = [a for a in args if a != "--calls"]
    binary, functions = args[0], args[1:]
    if build_id is None:
        build_id = re.search(r"Build ID: (\S+)", run("llvm-readelf-19", "-n", binary)).group(1)
    rng = random.Random(seed)
    mappings = [{"start": BASE + (v & ~4095), "limit": BASE + v + m, "offset": o - (v & 4095) if o >= (v & 4095) else o,
                 "filename": name or binary, "build_id": build_id} for o, v, _, m in segments(binary)]
    samples = []
    caller = next(a for a, op in instructions(binary, "main") if op.startswith("call"))
    for function in functions:
        for i, (address, _) in enumerate(instructions(binary, function)):
            if steps:
                samples.append({"values": [0, 0, steps], "stack": [{"address": BASE + address, "mapping": 0}]})
            if i % every:
                continue
            count = rng.randrange(1, 40) * (25 if rng.random() < 0.05 else 1)
            stack = [{"address": BASE + address, "mapping": 0}]
            if calls:
                stack.append({"address": BASE + caller + 1, "mapping": 0})
            samples.append({"values": [count, count * 10000000] + ([0] if steps else []), "stack": stack})
    json.dump({"types": [["samples", "count"], ["cpu", "nanoseconds"]] + ([["steps", "count"]] if steps else []), "period": 10000000,
               "period_type": ["cpu", "nanoseconds"], "mappings": mappings, "samples": samples,
               "time_nanos": 1700000000000000000, "duration_nanos": 30000000000}, sys.stdout)


main(sys.argv[1:])
