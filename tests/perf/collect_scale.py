#!/usr/bin/env python3
"""The fleet collector against thousands of targets: what a profile costs, and whether rounds keep their times.

    tests/perf/collect_scale.py BUILD [--targets 100,300,1000,3000,10000] [--window 30] [--interval 50]
                                      [--measure 60] [--size 100000]

The targets are one process (tests/tools/fleet_server.c) that listens on loopback addresses, one an instance; every body
is its own, about --size bytes, and comes --window seconds after it was asked for. With the defaults, 10,000 targets are
6,000 requests in flight and 200 profiles a second. The collector has one core to itself, the targets have the other.

For each number of targets, a row: profiles stored a second, in flight, CPU time of the collector per profile and as a
share of one core, its peak RSS, how late visits began. Measured once every target has been visited, for --measure
seconds. Then everything stored by the last is merged, weighed by duration. And what the largest must reach: all planned profiles stored, on at most one core, 256 MiB, a lag p99 of 1 s;
status 1 where it misses. Needs two cores, root (SO_BINDTODEVICE), descriptors for every request, and 4 GB of disk.
"""
import argparse
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import fleet  # noqa: E402

CONFIG = """
budget: {{target: 100%, service: 100%, fleet: 100%}}
global: {{scrape_interval: {interval}s, seconds: {window}, types: [cpu]}}
scrape_configs: [{{job_name: fleet, file_sd_configs: [{{files: [list.json]}}]}}]
retention: [{{max_bytes: 2GiB}}]
"""


def measure(how, count):
    with fleet.folder() as folder:
        targets = fleet.Targets(how.build, folder, core=0, size=how.size)
        with fleet.ending(targets):
            targets.list(os.path.join(folder, "list.json"), count)
            config = os.path.join(folder, "fleet.yaml")
            with open(config, "w") as file:
                file.write(CONFIG.format(**vars(how)))
            collector = fleet.Collector(how.build, folder, config, os.path.join(folder, "store"), core=1)
            with fleet.ending(collector):
                row = run(how, count, targets, collector)
                row["status"] = collector.end()
            row["merge"] = merge(how, os.path.join(folder, "store"), os.path.join(folder, "merged.pb.gz"))
            return row


def merge(how, store, output):
    """What it takes to sum up everything that was stored: (profiles, CPU seconds, peak RSS in MiB)."""
    text, cpu, rss = fleet.measured(os.path.join(how.build, "profuse"), "store", "merge", "--store", store, "--type", "cpu",
                                    "--scale-by", "duration", "--json", "-o", output)
    return json.loads(text[text.index("{"):])["profiles"], cpu, rss


def run(how, count, targets, collector):
    time.sleep(how.interval + 2)
    before, cpu, began, in_flight = collector.metrics(), collector.cpu_seconds(), time.monotonic(), 0
    while time.monotonic() - began < how.measure:
        time.sleep(2)
        in_flight = max(in_flight, collector.metrics()["in_flight"])
    after, cpu, elapsed = collector.metrics(), collector.cpu_seconds() - cpu, time.monotonic() - began
    stored = after["profiles_stored_total"] - before["profiles_stored_total"]
    stats = targets.stats()
    return {"targets": count, "rate": stored / elapsed, "planned": count / how.interval, "in_flight": in_flight,
            "cpu_ms": 1e3 * cpu / max(stored, 1), "core": cpu / elapsed, "rss": collector.status("VmHWM"),
            "lag_p50": after['schedule_lag_seconds{quantile="0.5"}'],
            "lag_p99": after['schedule_lag_seconds{quantile="0.99"}'], "lag_max": after['schedule_lag_seconds{quantile="1"}'],
            "bad": sum(v for k, v in after.items() if k.startswith("attempts_total") and '"ok"' not in k),
            "broken": stats["broken_rules"], "body": stats["body_bytes"]}


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("build")
    options.add_argument("--targets", default="100,300,1000,3000,10000")
    options.add_argument("--window", type=int, default=30)
    options.add_argument("--interval", type=int, default=50)
    options.add_argument("--measure", type=int, default=60)
    options.add_argument("--size", type=int, default=100000)
    how = options.parse_args()
    print(f"windows of {how.window} s, every {how.interval} s; load average {os.getloadavg()[0]:.1f}")
    print("targets  profiles/s (planned)  in flight  CPU ms/profile  of a core  peak RSS MiB  lag p50/p99/max ms  failed")
    rows = []
    for count in sorted(int(n) for n in how.targets.split(",")):
        r = measure(how, count)
        rows.append(r)
        print(f"{r['targets']:7}  {r['rate']:10.1f} ({r['planned']:7.1f})  {r['in_flight']:9.0f}  {r['cpu_ms']:14.2f}"
              f"  {r['core']:8.1%}  {r['rss']:12.0f}  {1e3 * r['lag_p50']:5.1f} {1e3 * r['lag_p99']:6.1f}"
              f" {1e3 * r['lag_max']:6.1f}  {r['bad']:6.0f}", flush=True)
    last = rows[-1]
    print(f"bodies of {last['body']} bytes; two windows of one target at once: {sum(r['broken'] for r in rows)}")
    merged, cpu, rss = last["merge"]
    print(f"merged {merged} of them in {cpu:.1f} s CPU ({1e3 * cpu / max(merged, 1):.2f} ms each), peak RSS {rss:.0f} MiB")
    cheapest, dearest = min(r["cpu_ms"] for r in rows), max(r["cpu_ms"] for r in rows)
    print(f"CPU per profile, dearest to cheapest: {dearest / cheapest:.2f}")
    missed = [text for text, good in (
        ("profiles stored as planned (97 %)", last["rate"] >= 0.97 * last["planned"]),
        ("at most one core", last["core"] <= 1), ("at most 256 MiB", last["rss"] <= 256),
        ("lag p99 of at most 1 s", last["lag_p99"] <= 1), ("no failed attempt", last["bad"] == 0),
        ("a merge in at most 256 MiB", rss <= 256), ("a clean end", last["status"] == 0),
        ("never two windows at once", not any(r["broken"] for r in rows))) if not good]
    print("missed: " + "; ".join(missed) if missed else "all reached")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
