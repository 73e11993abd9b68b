#!/usr/bin/env python3
"""Writes profile.proto (gzipped) for tests: from JSON, or from `perf script`.

  make_pprof.py json  IN.json OUT.pb.gz
  make_pprof.py perf  IN.txt OUT.pb.gz [--period NANOS] [--keep N] [--seed S]

IN.txt is the output of: perf script -F ip,sym,dso --show-mmap-events, of perf record -g. Return
addresses of callers get one subtracted, as profile.proto wants. --keep draws N
samples at random. Build ids come from the files that the mappings name.

JSON: {"types": [["samples", "count"]], "period": 1, "period_type": [..],
"time_nanos": 0, "duration_nanos": 0, "mappings": [{"start", "limit", "offset",
"filename", "build_id"}], "samples": [{"values": [1], "stack": [frame, ...]}]};
a frame, leaf first, is {"address", "mapping"} or {"lines": [{"function", "file",
"start_line", "line"}]}, innermost first. Numbers may be "0x..." strings.
"""
import gzip
import json
import random
import re
import struct
import sys


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def number_field(field, n):
    return varint(field << 3) + varint(n) if n else b""


def bytes_field(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def number(value):
    return int(value, 0) if isinstance(value, str) else int(value)


class Writer:
    def __init__(self):
        self.strings = {"": 0}
        self.functions = {}
        self.locations = {}
        self.out = bytearray()

    def string(self, text):
        return self.strings.setdefault(text, len(self.strings))

    def value_type(self, pair):
        return number_field(1, self.string(pair[0])) + number_field(2, self.string(pair[1]))

    def function(self, line):
        key = (line["function"], line.get("file", ""), number(line.get("start_line", 0)))
        if key not in self.functions:
            self.functions[key] = len(self.functions) + 1
            name = self.string(key[0])
            self.out += bytes_field(5, number_field(1, self.functions[key]) + number_field(2, name)
                                    + number_field(3, name) + number_field(4, self.string(key[1]))
                                    + number_field(5, key[2]))
        return self.functions[key]

    def location(self, frame):
        key = json.dumps(frame, sort_keys=True)
        if key not in self.locations:
            self.locations[key] = len(self.locations) + 1
            body = number_field(1, self.locations[key])
            if "mapping" in frame:
                body += number_field(2, number(frame["mapping"]) + 1)
            body += number_field(3, number(frame.get("address", 0)))
            for line in frame.get("lines", []):
                body += bytes_field(4, number_field(1, self.function(line))
                                    + number_field(2, number(line["line"])))
            self.out += bytes_field(4, body)
        return self.locations[key]

    def write(self, profile, path):
        for pair in profile["types"]:
            self.out += bytes_field(1, self.value_type(pair))
        for i, m in enumerate(profile.get("mappings", [])):
            self.out += bytes_field(3, number_field(1, i + 1) + number_field(2, number(m.get("start", 0)))
                                    + number_field(3, number(m.get("limit", 0)))
                                    + number_field(4, number(m.get("offset", 0)))
                                    + number_field(5, self.string(m.get("filename", "")))
                                    + number_field(6, self.string(m.get("build_id", ""))))
        for s in profile["samples"]:
            ids = b"".join(varint(self.location(f)) for f in s["stack"])
            values = b"".join(varint(number(v)) for v in s["values"])
            self.out += bytes_field(2, bytes_field(1, ids) + bytes_field(2, values))
        self.out += number_field(9, number(profile.get("time_nanos", 0)))
        self.out += number_field(10, number(profile.get("duration_nanos", 0)))
        if profile.get("period_type"):
            self.out += bytes_field(11, self.value_type(profile["period_type"]))
        self.out += number_field(12, number(profile.get("period", 0)))
        self.out += number_field(14, self.string(profile["types"][-1][0]))
        for text in self.strings:
            self.out += bytes_field(6, text.encode())
        with open(path, "wb") as f:
            f.write(gzip.compress(bytes(self.out), 6, mtime=0))


def build_id(path):
    """The GNU build id of an ELF file, or ''."""
    try:
        data = open(path, "rb").read()
    except OSError:
        return ""
    if data[:4] != b"\x7fELF":
        return ""
    phoff, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, offset, _, _, filesz = struct.unpack_from("<IIQQQQ", data, phoff + i * size)
        at = offset
        while kind == 4 and at + 12 <= offset + filesz:
            namesz, descsz, note = struct.unpack_from("<III", data, at)
            desc = at + 12 + (namesz + 3 & ~3)
            if note == 3 and data[at + 12:at + 16] == b"GNU\0":
                return data[desc:desc + descsz].hex()
            at = desc + (descsz + 3 & ~3)
    return ""


MMAP = re.compile(r"PERF_RECORD_MMAP2? .*\[(0x[0-9a-f]+)\((0x[0-9a-f]+)\) @ (0x[0-9a-f]+|0).*\]: (\S+) (.*)$")
IP = re.compile(r"^\s*([0-9a-f]+)\s.*\((.*)\)$")


def read_perf(path):
    """Mappings and stacks (address and file, leaf first) of a perf script output."""
    mappings, stacks, stack = [], [], []
    for line in open(path, errors="replace"):
        m = MMAP.search(line)
        if m:
            start, size, offset = (int(x, 16) for x in m.group(1, 2, 3))
            if "x" in m.group(4):
                mappings.append({"start": start, "limit": start + size, "offset": offset,
                                 "filename": m.group(5).strip(), "build_id": build_id(m.group(5).strip())})
            continue
        m = IP.match(line)
        if m:
            stack.append((int(m.group(1), 16), m.group(2)))
        elif stack:
            stacks.append(stack)
            stack = []
    if stack:
        stacks.append(stack)
    return mappings, stacks


def from_perf(path, period, keep, seed):
    mappings, stacks = read_perf(path)
    mappings.sort(key=lambda m: m["filename"].startswith("[") or "/lib" in m["filename"])

    def frame(place, leaf):
        address = place[0] - (0 if leaf else 1)
        for i, m in enumerate(mappings):
            if m["start"] <= address < m["limit"]:
                return {"address": address, "mapping": i}
        # perf shows user code in callchains as an offset in its file
        for i, m in enumerate(mappings):
            if m["filename"] == place[1] and m["offset"] <= address < m["offset"] + m["limit"] - m["start"]:
                return {"address": address - m["offset"] + m["start"], "mapping": i}
        return {"address": address}

    if keep and keep < len(stacks):
        stacks = random.Random(seed).sample(stacks, keep)
    counts = {}
    for s in stacks:
        counts[tuple(s)] = counts.get(tuple(s), 0) + 1
    samples = [{"values": [n, n * period], "stack": [frame(a, i == 0) for i, a in enumerate(s)]}
               for s, n in sorted(counts.items())]
    return {"types": [["samples", "count"], ["cpu", "nanoseconds"]], "period": period,
            "period_type": ["cpu", "nanoseconds"], "mappings": mappings, "samples": samples,
            "time_nanos": 0, "duration_nanos": len(stacks) * period}


def option(args, name, default):
    return int(args[args.index(name) + 1]) if name in args else default


def main(args):
    if len(args) < 3 or args[0] not in ("json", "perf"):
        sys.exit(__doc__)
    if args[0] == "json":
        profile = json.load(open(args[1]))
    else:
        profile = from_perf(args[1], option(args, "--period", 10000000), option(args, "--keep", 0),
                            option(args, "--seed", 1))
    Writer().write(profile, args[2])


if __name__ == "__main__":
    main(sys.argv[1:])
