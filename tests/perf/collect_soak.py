#!/usr/bin/env python3
"""The fleet collector under load and faults for a long time: does it grow, and does it lose what it acknowledged?

    tests/perf/collect_soak.py BUILD [--minutes 30] [--targets 2000] [--retention 2048] [--size 60000] [--seed 1]

A fifth of the targets answers badly in every way that fleet_server.c knows. Meanwhile, over and over: half of the fleet
goes down and comes back, the list of targets shrinks and grows, the configuration is read again, and is broken for a
while. After two thirds of the time the collector is killed (SIGKILL) several times and started anew on the same store.

At the end: the collector's memory and descriptors over its first life; every profile that its log said was stored is
there, or is old enough to have been retired (--retention, in MiB); the store is sound to its last byte, and no larger
on the disk than it may be; no target was ever asked for two CPU profiles at once. Status 1 if any of that is not so.
"""
import argparse
import json
import os
import random
import re
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import fleet  # noqa: E402

CONFIG = """
budget: {{target: 100%, service: 100%, fleet: 100%}}
breaker: {{failures: 80%, attempts: 20, pause: 5s}}
global: {{scrape_interval: 20s, seconds: 4, scrape_timeout: 5s, types: [cpu]}}
scrape_configs: [{{job_name: fleet, file_sd_configs: [{{files: [list.json]}}]}}]
retention: [{{max_bytes: {retention}MiB}}]
"""
JOURNAL = 64  # MiB; what is not yet sealed into segments can't be retired


class Soak:
    def __init__(self, how, folder, targets):
        self.how, self.folder, self.targets = how, folder, targets
        self.config, self.store = os.path.join(folder, "fleet.yaml"), os.path.join(folder, "store")
        self.list, self.random, self.samples, self.failures = os.path.join(folder, "list.json"), random.Random(how.seed), [], []
        self.largest = 0
        self.write_config()
        targets.list(self.list, how.targets)
        self.start()

    def write_config(self, extra=""):
        with open(self.config + ".new", "w") as file:
            file.write(CONFIG.format(retention=self.how.retention) + extra)
        os.rename(self.config + ".new", self.config)

    def start(self):
        self.collector = fleet.Collector(self.how.build, self.folder, self.config, self.store, "--log-level", "debug")

    def check(self, good, text):
        print(f"{'ok    ' if good else 'MISSED'}  {text}", flush=True)
        if not good:
            self.failures.append(text)

    def sample(self):
        values = self.collector.metrics()
        self.samples.append((time.monotonic(), self.collector.status("VmRSS"),
                             self.collector.descriptors() - values["in_flight"], values["profiles_stored_total"],
                             values["queue_bytes"] / 2 ** 20))
        size = 0
        for folder, _, names in os.walk(self.store):
            for name in names:
                try:
                    size += os.path.getsize(os.path.join(folder, name))
                except OSError:
                    pass  # sealed or retired meanwhile
        self.largest = max(self.largest, size / 2 ** 20)

    def disturb(self, step):
        """One thing at a time, each undone by the next step."""
        self.targets.down(0.5 if step % 4 == 0 else 0)
        self.targets.list(self.list, self.how.targets // (2 if step % 4 == 1 else 1))
        if step % 4 == 2:
            self.collector.child.send_signal(signal.SIGHUP)
        self.write_config("surprise: [\n" if step % 4 == 3 else "")

    def live(self, seconds, pause):
        end, step, next_step = time.monotonic() + seconds, 0, 0
        while time.monotonic() < end:
            if time.monotonic() >= next_step:
                self.disturb(step)
                step, next_step = step + 1, time.monotonic() + pause
            time.sleep(1)
            self.sample()
        self.disturb(5)
        self.targets.list(self.list, self.how.targets)

    def run(self):
        seconds = 60 * self.how.minutes
        self.live(seconds * 2 / 3, max(5, seconds / 60))
        first, kills, end = list(self.samples), 0, time.monotonic() + seconds / 3
        while time.monotonic() < end:
            self.collector.end(signal.SIGKILL)
            kills += 1
            self.start()
            self.live(self.random.uniform(3, max(6, seconds / 20)), 4)
        status = self.collector.end()
        self.check(status == 0, f"ended by SIGTERM: exit status {status}, after {kills} SIGKILLs")
        self.judge_growth(first)
        self.judge_store()
        stats = self.targets.stats()
        self.check(stats["broken_rules"] == 0, f"two windows of one target at once: {stats['broken_rules']}, of {stats['windows']}")
        bad = {k: v for k, v in stats["faults"].items()}
        self.check(all(bad.values()), f"every fault was met: {bad}")
        print("missed: " + "; ".join(self.failures) if self.failures else "all held")
        return bool(self.failures)

    def judge_growth(self, samples):
        """
        The last third of the first life against its middle: what is still growing then would grow for ever. What waited
        for the disk or the CPU is bounded by the collector itself (64 MiB) and apart from that.
        """
        third = len(samples) // 3
        middle, last = samples[third:2 * third], samples[2 * third:]
        rate = (samples[-1][3] - samples[0][3]) / (samples[-1][0] - samples[0][0])
        at = [samples[min(len(samples) - 1, i * len(samples) // 8)] for i in range(9)]
        print(f"profiles stored a second: {rate:.0f}; RSS in MiB over the first life: " + " ".join(f"{s[1]:.0f}" for s in at)
              + "; descriptors but for requests: " + " ".join(f"{s[2]:.0f}" for s in at))
        rss = [statistics.median(s[1] for s in part) for part in (middle, last)]
        slack = 8 if self.how.minutes >= 5 else 32  # a short life has hardly met its largest answers
        queue = max(s[4] for s in samples)
        fds = [statistics.median(s[2] for s in part) for part in (middle, last)]
        self.check(rss[1] <= 1.1 * rss[0] + slack + queue, f"RSS, middle to last third: {rss[0]:.0f} to {rss[1]:.0f} MiB; at most "
                                                       f"{queue:.0f} MiB of answers waited for the store")
        self.check(fds[1] <= fds[0] + 8, f"descriptors but for requests: {fds[0]:.0f} to {fds[1]:.0f}")

    def judge_store(self):
        said, retired = [], 0
        with open(self.collector.log) as file:
            for line in file:
                found = re.search(r"msg=stored .* id=([0-9a-f]{64}) bytes=(\d+)", line)
                if found:
                    said.append((found.group(1), int(found.group(2))))
                found = re.search(r'msg="retention removed profiles" profiles=(\d+)', line)
                retired += int(found.group(1)) if found else 0
        text, _, rss = fleet.measured(os.path.join(self.how.build, "profuse"), "store", "list", "--store", self.store,
                                      "--keep-duplicates", "--json")
        there = {p["id"] for p in json.loads(text[text.index("{"):])["profiles"]}
        room, lost, missing = 0.9 * self.how.retention * 2 ** 20, 0, 0
        for name, size in reversed(said):  # the youngest first: as much as retention leaves must be there
            room -= size
            missing += name not in there
            lost += room > 0 and name not in there
        self.check(said and lost == 0, f"{len(said)} acknowledged, {len(there)} there, {missing} missing, {retired} said to be "
                                       f"retired, {lost} lost")
        text, _, rss = fleet.measured(os.path.join(self.how.build, "profuse"), "store", "verify", "--store", self.store, "--decode")
        self.check("sound" in text, f"{text.strip()} (peak RSS {rss:.0f} MiB)")
        most = 2 * self.how.retention + 3 * JOURNAL
        self.check(self.largest <= most, f"largest on the disk: {self.largest:.0f} MiB (at most {most}: segments that are less "
                                         f"than half retired, journals being sealed, the catalog)")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("build")
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--targets", type=int, default=2000)
    options.add_argument("--retention", type=int, default=2048)
    options.add_argument("--size", type=int, default=60000)
    options.add_argument("--seed", type=int, default=1)
    how = options.parse_args()
    with fleet.folder() as folder:
        targets = fleet.Targets(how.build, folder, size=how.size, faults=0.2, seed=how.seed)
        with fleet.ending(targets):
            soak = Soak(how, folder, targets)
            try:
                sys.exit(soak.run())
            finally:
                soak.collector.end(signal.SIGKILL)


if __name__ == "__main__":
    main()
