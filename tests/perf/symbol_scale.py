#!/usr/bin/env python3
"""What symbols cost: against the size of a binary's debug information, against the addresses asked for, and for a
whole conversion; CPU time and peak memory, beside llvm-symbolizer-19 and llvm-profgen-19 on the same addresses.

usage: symbol_scale.py BUILD [--units N] [--rounds N] [--only size|addresses|convert] [--shares A,B…] [--samples A,B…]

The binaries are linked of copies of generated units (tests/perf/make_units.py), built as a profiled service is, and
stay in a cache (PROFUSE_CACHE, else ~/.cache/profuse): 1,200 units make 107 MB of debug information. Runs are
interleaved; each figure is the median of --rounds runs.
"""
import argparse
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("PROFUSE_CACHE") or
                     os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "profuse"), "scale")
FLAGS = ["-O1", "-gmlt", "-fdebug-info-for-profiling"]
TEMPLATES = 4


# A process begins with its parent's peak memory, so a small one stands between us, with our profiles, and the command.
MEASURE = """
import os, sys
child = os.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measure(command, stdin=None, stdout=None):
    """CPU seconds (user and system) and peak memory in MB of a command."""
    with open(stdin or os.devnull, "rb") as source, open(stdout or os.devnull, "wb") as sink:
        done = subprocess.run([sys.executable, "-S", "-c", MEASURE, *(str(c) for c in command)],
                              stdin=source, stdout=sink, stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr[-400:]}")
    return tuple(float(n) for n in done.stderr.splitlines()[-1].split())


def medians(rounds, *runs):
    """Each run's medians of (CPU, memory), the runs taking turns."""
    results = [[] for _ in runs]
    for _ in range(rounds):
        for found, run in zip(results, runs):
            found.append(measure(**run))
    return [tuple(statistics.median(column) for column in zip(*found)) for found in results]


def binary(units):
    """The path of a binary of so many units, built if it is not in the cache."""
    out = CACHE / f"units-{units}"
    if out.exists():
        return out
    CACHE.mkdir(parents=True, exist_ok=True)
    for n in range(TEMPLATES):
        template = CACHE / f"template-{n}.o"
        if not template.exists():
            source = CACHE / f"template-{n}.c"
            with open(source, "w") as f:
                subprocess.run([sys.executable, HERE / "make_units.py", str(n)], stdout=f, check=True)
            subprocess.run(["clang-19", *FLAGS, "-c", source, "-o", f"{template}.part"], check=True)
            os.rename(f"{template}.part", template)
    print(f"linking a binary of {units} units", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        templates = [(CACHE / f"template-{n}.o").read_bytes() for n in range(TEMPLATES)]
        for i in range(units):
            pathlib.Path(folder, f"{i}.o").write_bytes(templates[i % TEMPLATES].replace(b"u0000_", b"u%04d_" % i))
        main = pathlib.Path(folder, "main.c")
        main.write_text("int main(void)\n{\n\treturn 0;\n}\n")
        subprocess.run(["clang-19", *FLAGS, "-fuse-ld=lld", "-Wl,--build-id=sha1", main,
                        *sorted(str(p) for p in pathlib.Path(folder).glob("*.o")), "-o", f"{out}.part"], check=True)
    os.rename(f"{out}.part", out)
    return out


def debug_size(path):
    text = subprocess.run(["llvm-size-19", "-A", path], capture_output=True, text=True, check=True).stdout
    return sum(int(m) for m in re.findall(r"^\.debug_\S+\s+(\d+)", text, re.M)) / 1e6


def functions(path):
    """(start, size) of the generated functions, by name."""
    text = subprocess.run(["llvm-nm-19", "-S", "--defined-only", path], capture_output=True, text=True, check=True).stdout
    rows = (row.split() for row in text.splitlines())
    return {r[3]: (int(r[0], 16), int(r[1], 16)) for r in rows if len(r) == 4 and re.match(r"u\d{4}_large", r[3])}


def write_addresses(path, numbers, ranges, count):
    """In rising order, as commands ask for them."""
    drawn = []
    for _ in range(count):
        start, size = ranges[numbers.randrange(len(ranges))]
        drawn.append(start + numbers.randrange(size))
    path.write_text("".join(f"0x{a:x}\n" for a in sorted(drawn)))


def row(title, ours, theirs, peer):
    print(f"{title:44} {ours[0]:8.2f} s {ours[1]:7.0f} MB   {peer} {theirs[0]:8.2f} s {theirs[1]:7.0f} MB   "
          f"{theirs[0] / ours[0]:5.1f}x less CPU, {theirs[1] / ours[1]:4.1f}x less memory")


def compare(o, title, path, addresses, rounds):
    ours, theirs = medians(
        rounds, {"command": [o.build / "tests/tools/symbolize", path], "stdin": addresses},
        {"command": ["llvm-symbolizer-19", "-e", path, "--no-demangle", "--inlines"], "stdin": addresses})
    row(title, ours, theirs, "llvm-symbolizer-19")
    return ours


def against_size(o, work):
    print("against debug information: one address (the scan over all units), and 10,000 addresses in 40 units")
    for units in (o.units // 16, o.units // 4, o.units):
        path = binary(units)
        found = functions(path)
        hit = [found[name] for name in sorted(found) if int(name[1:5]) < 40]
        write_addresses(work / "one", random.Random(1), hit, 1)
        write_addresses(work / "many", random.Random(2), hit, 10000)
        size = f"{units} units, {debug_size(path):.0f} MB"
        one = compare(o, f"{size}: 1 address", path, work / "one", o.rounds)
        many = compare(o, f"{size}: 10,000 addresses", path, work / "many", o.rounds)
        print(f"{'':44} {many[0] - one[0]:8.2f} s beyond the scan")


def against_addresses(o, work):
    print("against addresses, all over the largest binary")
    path = binary(o.units)
    everything = sorted(functions(path).values())
    for count in (1000, 10000, 100000, 1000000):
        write_addresses(work / "addresses", random.Random(3), everything, count)
        compare(o, f"{count} addresses", path, work / "addresses", o.rounds if count <= 10000 else 1)


def write_profile(path, binary_path, counts):
    """A profile with one leaf a sample, by the addresses of the file (a mapping without bounds)."""
    note = subprocess.run(["llvm-readelf-19", "-n", binary_path], capture_output=True, text=True, check=True).stdout
    data = {"types": [["samples", "count"]], "time_nanos": 1700000000000000000,
            "mappings": [{"filename": str(binary_path), "build_id": re.search(r"Build ID: (\S+)", note).group(1)}],
            "samples": [{"values": [n], "stack": [{"address": a, "mapping": 0}]} for a, n in counts.items()]}
    text = path.with_suffix(".json")
    text.write_text(json.dumps(data))
    subprocess.run([sys.executable, HERE.parent / "tools/make_pprof.py", "json", text, path], check=True)


def draw(found, share, samples):
    """How often each address was hit, in so large a share of the functions, some more than others; and their number."""
    numbers = random.Random(4)
    hit = numbers.sample(sorted(found), int(len(found) * share))
    counts = {}
    for _ in range(samples):
        start, size = found[hit[int(len(hit) * numbers.random() ** 2)]]
        address = start + numbers.randrange(size)
        counts[address] = counts.get(address, 0) + 1
    return counts, len(hit)


def convert(o, work, path, found, share, samples):
    counts, hit = draw(found, share, samples)
    write_profile(work / "profile.pb.gz", path, counts)
    with open(work / "raw", "w") as out:
        out.write(f"{len(counts)}\n" + "".join(f"{a:x}-{a:x}:{n}\n" for a, n in sorted(counts.items())) + "0\n")
    ours, theirs = medians(
        o.rounds, {"command": [o.build / "profuse", "convert", "--binary", path, "--format", "text", "-o",
                               work / "ours.prof", work / "profile.pb.gz"]},
        {"command": ["llvm-profgen-19", f"--unsymbolized-profile={work}/raw", "--use-offset=0",
                     f"--binary={path}", "--format=text", f"--output={work}/theirs.prof"]})
    row(f"{samples} samples, {len(counts)} addresses, {hit} functions", ours, theirs, "llvm-profgen-19")


def conversion(o, work):
    path = binary(o.units)
    found = functions(path)
    print(f"converting (line tables, clang-19's text format), {len(found)} functions, {debug_size(path):.0f} MB: against code hit")
    for share in o.shares:
        convert(o, work, path, found, share, 1000000)
    if o.samples:
        print("against samples")
    for samples in o.samples:
        convert(o, work, path, found, 0.1, samples)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--units", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["size", "addresses", "convert"])
    parser.add_argument("--shares", type=lambda text: [float(x) for x in text.split(",")], default=[0.02, 0.1, 1.0],
                        help="shares of the functions that the samples of conversions fall into (default: 0.02,0.1,1)")
    parser.add_argument("--samples", type=lambda text: [int(x) for x in text.split(",") if x], default=[10000, 100000],
                        help="how many samples conversions of a tenth of the functions are shown with besides; none: ''")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, part in ("size", against_size), ("addresses", against_addresses), ("convert", conversion):
            if o.only in (None, name):
                part(o, pathlib.Path(folder))


if __name__ == "__main__":
    main()
