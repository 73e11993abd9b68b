#!/usr/bin/env python3
"""gogc.py BUILD [--runs N] [--records N,…]: what GOGC is worth, predicted from one run of a Go program, then set and measured.

The program runs once at GOGC=25 with a CPU profile and gctrace. `profuse tune` predicts CPU time and peak memory for
the GOGC that a memory limit leaves room for; the program then runs with that, N times, in turn with today's. The fewer
records it keeps, the more often it collects: how often is printed.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

TODAY = 25  # so that the collector costs something worth saving
HERE = pathlib.Path(__file__).resolve().parent


def run(program, operations, records, gogc, **more):
    """CPU seconds and peak resident bytes of one run; its standard error."""
    environment = dict(os.environ, GOGC=str(gogc), **more)
    process = subprocess.Popen([program, str(operations), str(records)], env=environment, stderr=subprocess.PIPE)
    text = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        sys.exit(f"go_cache ended with {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text


def collections_a_second(trace):
    """Of gctrace's lines "gc 12 @3.456s 7%: …"."""
    times = [float(t) for t in re.findall(r"^gc \d+ @([\d.]+)s", trace.decode(), re.M)]
    return (len(times) - 1) / (times[-1] - times[0])


def compare(command, program, folder, records, arguments):
    """Prints a line for each memory limit; how many predictions were off."""
    off = 0
    _, peak, trace = run(program, arguments.operations, records, TODAY, CPU_PROFILE=str(folder / "cpu.pb.gz"), GODEBUG="gctrace=1")
    (folder / "trace").write_bytes(trace)
    print(f"{records} records, {collections_a_second(trace):.0f} collections a second at GOGC={TODAY}", flush=True)
    for room in (1.4, 2.0, 3.0):
        limit = int(peak * room)
        report = json.loads(subprocess.run(
            [command, "tune", "--json", "--memory-limit", str(limit), folder / "cpu.pb.gz", "--stats", folder / "trace"],
            stdout=subprocess.PIPE, check=True).stdout)
        finding = next((f for f in report["findings"] if f["kind"] == "gc-settings" and "GOGC=" in (f["advice"][0].get("setting") or "")), None)
        if not finding:
            print(f"limit {limit >> 20} MiB: nothing recommended")
            continue
        setting = finding["advice"][0]["setting"]
        gogc = int(setting.split("=")[1])
        cpu = next(p for p in finding["predicted"] if p["metric"] == "cpu")
        rss = next(p for p in finding["predicted"] if p["metric"] == "rss_peak")
        pairs = [(run(program, arguments.operations, records, TODAY), run(program, arguments.operations, records, gogc))
                 for _ in range(arguments.runs)]
        measured = statistics.median(b[0] / a[0] for a, b in pairs)
        peak_after = statistics.median(b[1] for _, b in pairs)
        inside = cpu["low"] <= measured <= cpu["high"]
        off += not inside
        print(f"limit {limit >> 20} MiB, {setting} ({finding['confidence']}): CPU predicted {cpu['after']:.1%} ({cpu['low']:.1%} to {cpu['high']:.1%}), "
              f"measured {measured:.1%}{'' if inside else ' OUTSIDE'}; peak predicted {rss['after'] / (1 << 20):.0f} MiB "
              f"({rss['low'] / (1 << 20):.0f} to {rss['high'] / (1 << 20):.0f}), measured {peak_after / (1 << 20):.0f} MiB "
              f"({rss['after'] / peak_after - 1:+.1%})", flush=True)
    return off


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--operations", type=int, default=3000000)
    parser.add_argument("--records", default="60000")
    arguments = parser.parse_args()
    command = os.path.join(os.path.abspath(arguments.build), "profuse")
    off = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = folder / "go_cache"
        subprocess.run(["go", "build", "-o", program, "."], cwd=HERE / "go_cache", check=True)
        for records in arguments.records.split(","):
            off += compare(command, program, folder, int(records), arguments)
    sys.exit(1 if off else 0)


if __name__ == "__main__":
    main()
