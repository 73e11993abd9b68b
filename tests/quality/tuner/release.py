#!/usr/bin/env python3
"""release.py BUILD [--scale N] [--only KIND,…]: what a release gives back, predicted from one snapshot, then done and measured.

workload.c leaves free memory behind, writes what its allocator and the kernel say, asks the allocator to release what it
can, and lets the kernel be asked again. `profuse tune` sees the first only. Held to: within 10 % of what is then resident.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LIBRARIES = {
    "glibc": ("", "malloc_info.xml"),
    "jemalloc": ("libjemalloc.so.2", "jemalloc.json"),
    "tcmalloc": ("libtcmalloc_minimal.so.4", "tcmalloc.txt"),
}


def resident(path):
    return int(re.search(r"^Rss:\s+(\d+) kB", path.read_text(), re.M)[1]) * 1024


def find(library):
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"):
        if os.path.exists(f"{folder}/{library}"):
            return f"{folder}/{library}"
    return None


def predict(command, stats, smaps):
    report = json.loads(subprocess.run([command, "tune", "--json", "--stats", stats, "--stats", smaps],
                                       stdout=subprocess.PIPE, check=True).stdout)
    for finding in report["findings"]:
        if finding["kind"] == "unreturned-memory":
            return next(p for p in finding["predicted"] if p["metric"] == "rss_idle")
    return None


def snapshot(command, folder, kind, allocator, scale):
    """(resident before a release, prediction or None, resident after it)"""
    library, stats = LIBRARIES[allocator]
    environment = dict(os.environ)
    if library:
        environment["LD_PRELOAD"] = find(library)
    out = folder / f"{kind}-{allocator}"
    subprocess.run([folder / "workload", kind, "--scale", scale, "--stats", out, "--release"], env=environment, check=True)
    return (resident(out / "idle.smaps_rollup"), predict(command, out / f"idle.{stats}", out / "idle.smaps_rollup"),
            resident(out / "released.smaps_rollup"))


def judge(kind, allocator, runs):
    """(promised something, wrong) of the run whose error is the median of all runs."""
    mib = 1 / (1 << 20)
    promised = sorted((((p["after"] - after) / after, before, p, after) for before, p, after in runs if p), key=lambda r: r[0])
    if len(promised) <= len(runs) // 2:
        before, _, after = runs[0]
        print(f"{kind:8} {allocator:9} {before * mib:7.1f} MiB, {after * mib:7.1f} after a release: nothing promised")
        return False, after < 0.7 * before and before - after > 32 << 20
    error, before, p, after = promised[len(promised) // 2]
    print(f"{kind:8} {allocator:9} {before * mib:7.1f} MiB, predicted {p['after'] * mib:7.1f} ({p['low'] * mib:.1f} to "
          f"{p['high'] * mib:.1f}), measured {after * mib:7.1f}: {error:+.1%}"
          + (f" (all: {', '.join(f'{e:+.1%}' for e, *_ in promised)})" if len(promised) > 1 else ""))
    return True, abs(error) > 0.10


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--scale", default="1")
    parser.add_argument("--only", default="cross,phases,buffers")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each, judged by the median of their errors")
    arguments = parser.parse_args()
    command = os.path.join(os.path.abspath(arguments.build), "profuse")
    bad = count = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", folder / "workload", HERE / "workload.c", "-lpthread"], check=True)
        for kind in arguments.only.split(","):
            for allocator, (library, _) in LIBRARIES.items():
                if library and not find(library):
                    continue
                runs = [snapshot(command, folder, kind, allocator, arguments.scale) for _ in range(arguments.repeat)]
                promised, wrong = judge(kind, allocator, runs)
                count += promised
                bad += wrong
    print(f"{count} predictions, {bad} further off than 10 %")
    sys.exit(1 if bad or not count else 0)


if __name__ == "__main__":
    main()
