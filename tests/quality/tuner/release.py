#!/usr/bin/env python3
"""release.py BUILD [--scale N] [--only KIND,…]: what a release gives back, predicted from one snapshot, then done and measured.

workload.c leaves free memory behind, writes what its allocator and the kernel say, asks the allocator to release what it
can, and lets the kernel be asked again. `profuse tune` sees the first only. What it promises is held to 10 % of what is
then resident. Of "rows", whose pieces lie in glibc's fast bins, no statistics tell enough: it has to say "measure", and
what it says may come back has to hold what does.
The kind "redis" is a real Redis whose keys come and mostly go, and MEMORY PURGE.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MIB = 1 / (1 << 20)
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


class Said:
    """What a report says of a release: promised (what remains, an interval), or measure (what comes back, between what)."""

    def __init__(self, command, stats, smaps):
        report = json.loads(subprocess.run([command, "tune", "--json", "--stats", stats, "--stats", smaps],
                                           stdout=subprocess.PIPE, check=True).stdout)
        self.promised = self.measure = None
        for finding in report["findings"]:
            if finding["kind"] == "unreturned-memory":
                idle = next(p for p in finding["predicted"] if p["metric"] == "rss_idle")
                if "model" in idle:
                    self.promised = idle
                else:
                    self.measure = next(n for n in finding["evidence"]["numbers"] if n["name"] == "releasable")


def snapshot(command, folder, kind, allocator, scale):
    """(resident before a release, what is said of it, resident after it)"""
    library, stats = LIBRARIES[allocator]
    environment = dict(os.environ)
    if library:
        environment["LD_PRELOAD"] = find(library)
    out = folder / f"{kind}-{allocator}"
    subprocess.run([folder / "workload", kind, "--scale", scale, "--stats", out, "--release"], env=environment, check=True)
    return (resident(out / "idle.smaps_rollup"), Said(command, out / f"idle.{stats}", out / "idle.smaps_rollup"),
            resident(out / "released.smaps_rollup"))


class Redis:
    """A server without persistence on a free port, ended with the block."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
                                        cwd=folder, stdout=subprocess.DEVNULL,
                                        # Nothing goes back by itself between one look at it and the next.
                                        env=dict(os.environ, MALLOC_CONF="dirty_decay_ms:-1"))
        for _ in range(200):
            try:
                self.connection = socket.create_connection(("127.0.0.1", self.port), 20)
                self.answers = self.connection.makefile("rb")
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
        raise SystemExit("redis-server does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def send(self, commands):
        """All at once; the last answer."""
        self.connection.sendall(b"".join(
            b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words) for words in commands))
        for _ in commands:
            answer = self.answers.readline()
            if answer.startswith(b"$"):
                answer = self.answers.read(int(answer[1:]) + 2)
        return answer

    def rollup(self, path):
        path.write_text(pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text())


def snapshot_of_redis(command, folder, scale, seed):
    """Values of 16 B to 64 KiB, of which one in twenty stays; then as snapshot()."""
    dice = random.Random(seed)
    keys, step = int(40000 * float(scale)), 200
    with Redis(folder) as redis:
        for i in range(0, keys, step):
            redis.send([(b"SET", b"k%d" % k, bytes(int(2 ** dice.uniform(4, 16)))) for k in range(i, i + step)])
        for i in range(0, keys, step):
            redis.send([(b"DEL", b"k%d" % k) for k in range(i, i + step) if dice.random() < 0.95])
        redis.rollup(folder / "idle.smaps_rollup")
        (folder / "idle.jemalloc.txt").write_bytes(redis.send([(b"MEMORY", b"MALLOC-STATS")]))
        redis.send([(b"MEMORY", b"PURGE")])
        redis.rollup(folder / "released.smaps_rollup")
    return (resident(folder / "idle.smaps_rollup"),
            Said(command, folder / "idle.jemalloc.txt", folder / "idle.smaps_rollup"),
            resident(folder / "released.smaps_rollup"))


def judge_measure(kind, allocator, runs):
    """(promised nothing, wrong): what may come back has to hold what did."""
    for before, said, after in runs:
        low, high = said.measure["low"], said.measure["high"]
        print(f"{kind:8} {allocator:9} {before * MIB:7.1f} MiB, {low * MIB:7.1f} to {high * MIB:.1f} may come back: to be "
              f"measured; {(before - after) * MIB:.1f} did")
    return False, not all(s.measure["low"] <= before - after <= s.measure["high"] for before, s, after in runs)


def judge(kind, allocator, runs):
    """(promised something, wrong): shown is the run whose error is the median of all, held to is every one."""
    if all(said.measure for _, said, _ in runs):
        return judge_measure(kind, allocator, runs)
    promised = sorted((((s.promised["after"] - after) / after, before, s.promised, after)
                       for before, s, after in runs if s.promised), key=lambda r: r[0])
    if len(promised) <= len(runs) // 2:
        before, _, after = runs[0]
        print(f"{kind:8} {allocator:9} {before * MIB:7.1f} MiB, {after * MIB:7.1f} after a release: nothing promised")
        return False, after < 0.7 * before and before - after > 32 << 20
    error, before, p, after = promised[len(promised) // 2]
    worst = max((e for e, *_ in promised), key=abs)
    print(f"{kind:8} {allocator:9} {before * MIB:7.1f} MiB, predicted {p['after'] * MIB:7.1f} ({p['low'] * MIB:.1f} to "
          f"{p['high'] * MIB:.1f}), measured {after * MIB:7.1f}: {error:+.1%}"
          + (f" (all: {', '.join(f'{e:+.1%}' for e, *_ in promised)})" if len(promised) > 1 else ""))
    return True, abs(worst) > 0.10


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--scale", default="1")
    parser.add_argument("--only", default="cross,phases,buffers,rows,redis")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each, every one held to the 10 %%")
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
                if kind == "rows" and allocator != "glibc":
                    continue
                if kind == "redis" and (allocator != "jemalloc" or not shutil.which("redis-server")):
                    continue  # Debian's is built with jemalloc
                runs = [snapshot_of_redis(command, folder, arguments.scale, seed) if kind == "redis" else
                        snapshot(command, folder, kind, allocator, arguments.scale) for seed in range(arguments.repeat)]
                promised, wrong = judge(kind, allocator, runs)
                count += promised
                bad += wrong
    print(f"{count} predictions; {bad} kinds wrong: further off than 10 %, or outside of what may come back")
    sys.exit(1 if bad or not count else 0)


if __name__ == "__main__":
    main()
