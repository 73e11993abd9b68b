"""measure.py: what a build costs on the workload that judges it: instructions by callgrind, CPU time in interleaved rounds."""
import concurrent.futures
import json
import math
import os
import random
import sys
import threading
import time

import build
import profiles
import workload

BASES = 3  # runs of the baseline, the first of the builds, in a round


class Instructions:
    """Instructions executed by a build, all its objects together; counted once for each binary."""

    def __init__(self, work):
        self.path = os.path.join(work, "instructions.json")
        self.folder = os.path.join(work, "callgrind")
        self.lock = threading.Lock()

    def known(self):
        return json.load(open(self.path)) if os.path.exists(self.path) else {}

    def __call__(self, program, binary):
        key = build.digest(program.name, program.callgrind_scale, build.content(binary))
        if key not in self.known():
            total = 0
            for file in profiles.callgrind(program, program.evaluate(program.callgrind_scale), binary,
                                           f"{self.folder}-{program.name}-{key[:12]}"):
                total += next(int(line.split()[1]) for line in open(file) if line.startswith(("totals:", "summary:")))
            with self.lock:
                known = {**self.known(), key: total}
                with open(self.path + ".new", "w") as f:
                    json.dump(known, f)
                os.replace(self.path + ".new", self.path)
        return self.known()[key]

    def each(self, program, binaries):
        """{name: instructions} of {name: binary}. Two at a time, but for servers: what those execute depends a little on
        when their clients get to run."""
        different = {build.content(binary): binary for binary in binaries.values()}
        with concurrent.futures.ThreadPoolExecutor(1 if program.evaluate().server else 2) as pool:
            for _ in pool.map(lambda binary: self(program, binary), different.values()):
                pass
        return {name: self(program, binary) for name, binary in binaries.items()}


def rounds(program, binaries, count, scale=1.0, seed=7, log=lambda text: None):
    """
    CPU seconds, one list a build. Every round runs each build once, the first, which the others are held against, BASES
    times (their geometric mean counts), in a new order: what happens to the machine meets all of them. Many
    rounds of short runs say more than few of long ones, for what disturbs lasts for seconds.
    """
    rng, seconds = random.Random(seed), {name: [] for name in binaries}
    for number in range(count):
        order = list(binaries) + [next(iter(binaries))] * (BASES - 1)
        rng.shuffle(order)
        started, logs = time.time(), {name: [] for name in binaries}
        for name in order:
            logs[name].append(math.log(workload.run(program, program.evaluate(program.round_scale * scale), binaries[name])))
        for name, values in logs.items():
            seconds[name].append(math.exp(sum(values) / len(values)))
        log(f"round {number + 1} of {count}: {time.time() - started:.0f} s")
    return seconds


def signed_rank_quantile(n, confidence=.95):
    """k of the exact interval: the k-th smallest and k-th largest of the n(n+1)/2 Walsh averages (Hollander & Wolfe)."""
    counts = [1]
    for i in range(1, n + 1):
        counts = [a + b for a, b in zip(counts + [0] * i, [0] * i + counts)]
    below, total = 0, 2 ** n
    for k, c in enumerate(counts):
        below += c
        if below / total > (1 - confidence) / 2:
            return k
    return 0


def ratio(after, before):
    """Hodges-Lehmann estimate of after ÷ before over paired rounds, with its exact 95 % interval."""
    logs = [math.log(a / b) for a, b in zip(after, before)]
    walsh = sorted((a + b) / 2 for i, a in enumerate(logs) for b in logs[i:])
    k = signed_rank_quantile(len(logs))
    middle = len(walsh) // 2
    estimate = walsh[middle] if len(walsh) % 2 else (walsh[middle - 1] + walsh[middle]) / 2
    low, high = (walsh[k - 1], walsh[-k]) if k else (-math.inf, math.inf)
    return {"ratio": math.exp(estimate), "low": math.exp(low), "high": math.exp(high)}


def midmean(values):
    """The mean of the middle half: near Hodges-Lehmann, and cheap enough to be drawn thousands of times."""
    ordered = sorted(values)
    cut = len(ordered) // 4
    return sum(ordered[cut:len(ordered) - cut]) / (len(ordered) - 2 * cut)


def share(pairs):
    """Recovered share over programs: Σ ln(base ÷ ours) ÷ Σ ln(base ÷ instrumented), of (ours, instrumented) ratios to base."""
    gained, possible = -sum(math.log(o) for o, _ in pairs), -sum(math.log(i) for _, i in pairs)
    return gained / possible if possible > 0 else None


def share_interval(programs, ours, instrumented, draws=1000, seed=3):
    """
    95 % interval of the share of CPU time by resampling rounds within each program; `programs` are lists of seconds by
    build, `ours` the names of one kind's builds, averaged. Builds are taken as they are: that another set of samples
    would have given other builds is not in it. None where there may be nothing to recover: a share of that has no bounds.
    """
    rng, shares = random.Random(seed), []
    for _ in range(draws):
        pairs = []
        for seconds in programs:
            n = len(seconds["base"])
            picked = [rng.randrange(n) for _ in range(n)]
            mean = lambda name: midmean(math.log(seconds[name][i] / seconds["base"][i]) for i in picked)
            pairs.append((math.exp(sum(map(mean, ours)) / len(ours)), math.exp(mean(instrumented))))
        value = share(pairs)
        if value is not None:
            shares.append(value)
    shares.sort()
    bounded = len(shares) >= .975 * draws
    return [shares[int(.025 * len(shares))], shares[int(.975 * len(shares)) - 1]] if bounded else None


def say(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)
