#!/usr/bin/env python3
"""record.py BUILD FOLDER: the fixtures of tests/fixtures/tune that are programs of C under the agent, recorded anew.

  arenas         workload packets with one arena: the wall-clock profile of eight threads that fight for it, malloc_info;
                 and a CPU profile, which shows it only where they have processors to themselves
  own-arenas     the same with glibc's own number of arenas: healthy
  one-arena      packets over jemalloc with one arena and no caches of threads: what threads do over time, and its mutexes
  many-arenas    the same with jemalloc as it is: healthy
  background     a Redis under redis-benchmark, whose jemalloc has threads of its own that sleep, and return memory: healthy
  small-caches   packets over tcmalloc whose threads may cache nothing: what threads do over time, and a CPU profile
  big-caches     the same with tcmalloc as it is: healthy, but for allocating much
  one-arena-stats, many-arenas-stats
                 what jemalloc says of its own mutexes after these: its text, without single arenas
  requests       threads that wait for their client's next request: healthy
  clients        the same, which read it some functions below the one they were started with: healthy
  backend        threads that wait for the answer of something behind them
  pool           threads that wait for work at a condition, some of which comes: healthy; the program has no names
  contended      threads that want a lock which each of them holds for long; the program has no names
  stuck          a pool, and more threads that sleep for good; the program has no names
  pool-older, contended-older
                 the same by an agent that did not name its own frames (--older-agent, of 2026-11-25)
  packets        its heap profile, and malloc_info: blocks that are too big for the caches of threads
  small-blocks   workload small: blocks that are not
  pages          not made here: a backend of PostgreSQL 15 with the agent preloaded, under pgbench -c 2: its heap after,
                 and its CPU profile of, 25 seconds; malloc_info. All that it allocates is 8 KiB and more: healthy

Names come from the program and from libc's debug information where it is installed; `name_profile` takes away what
tells of the machine.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
TCMALLOC = "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4"


def start(agent, program, kind, folder, preload="", **environment):
    run = folder / kind
    run.mkdir(exist_ok=True)
    command = [program, kind, "--scale", "1000"]
    if kind == "redis":
        command = ["redis-server", "--port", "0", "--unixsocket", str(run / "socket"), "--save", "", "--dir", str(run), "--daemonize", "no"]
    process = subprocess.Popen(
        command, env=dict(os.environ, LD_PRELOAD=f"{agent} {preload}", PROFUSE_PORT="auto", PROFUSE_RUN_DIR=str(run), **environment))
    for _ in range(200):
        for path in run.glob(f"*-{process.pid}.json"):
            if kind == "redis":
                server = ["-s", str(run / "socket")]
                subprocess.run(["redis-benchmark", *server, "-q", "-n", "20000", "-r", "20000", "-d", "16000", "-t", "set"], stdout=subprocess.DEVNULL, check=True)
                subprocess.run(["redis-cli", *server, "flushall"], stdout=subprocess.DEVNULL, check=True)
                # Ends with the server.
                subprocess.Popen(["redis-benchmark", *server, "-q", "-l", "-n", "100000000", "-r", "20000", "-d", "700",
                                  "-t", "set,lpop,sadd,get"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return process, "http://" + json.loads(path.read_text())[0]["targets"][0]
        time.sleep(0.05)
    sys.exit(f"{kind} never said where it listens")


def libc_of(process):
    maps = pathlib.Path(f"/proc/{process.pid}/maps").read_text().split()
    return next(word for word in maps if word.endswith("/libc.so.6"))


def record_statistics(program, folder, to, conf):
    """jemalloc's text at the end of a run, as far as it is of all arenas together, or of the only one."""
    subprocess.run([program, "packets", "--scale", "3", "--stats", folder / "stats"], env=dict(os.environ, LD_PRELOAD=JEMALLOC, MALLOC_CONF=conf), check=True)
    text = (folder / "stats/idle.jemalloc.txt").read_text()
    if "Merged arenas stats:" in text:
        text = text[:text.index("arenas[0]:")] + text[text.index("--- End jemalloc"):]
    to.mkdir(parents=True, exist_ok=True)
    (to / "jemalloc.txt").write_text(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--only", help="one of them")
    parser.add_argument("--older-agent", type=pathlib.Path, help="for those that end in -older")
    arguments = parser.parse_args()
    build, to = arguments.build.resolve(), arguments.folder.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = folder / "workload"
        subprocess.run(["cc", "-O2", "-g", "-D_GNU_SOURCE", "-o", program, HERE / "workload.c", "-lpthread"], check=True)
        waiters = folder / "waiters"
        subprocess.run(["cc", "-O2", "-g", "-D_GNU_SOURCE", "-o", waiters, HERE / "waiters.c", "-lpthread"], check=True)
        for fixture, conf in (("one-arena-stats", "narenas:1,tcache:false"), ("many-arenas-stats", "")):
            if arguments.only in (None, fixture):
                record_statistics(program, folder, to / fixture, conf)
                print(f"{fixture}: jemalloc.txt")
        wall = f"threads?seconds={arguments.seconds}"
        cpu = f"profile?seconds={arguments.seconds}"
        waits = {"mutex.pb.gz": "mutex", "block.pb.gz": "block", "threads.pb.gz": "threads"}
        for fixture, kind, environment, parts in (
                ("arenas", "packets", {"MALLOC_ARENA_MAX": "1"}, {"wall.pb.gz": wall, "cpu.pb.gz": cpu, "malloc_info.xml": "allocator"}),
                ("own-arenas", "packets", {}, {"wall.pb.gz": wall, "cpu.pb.gz": cpu, "malloc_info.xml": "allocator"}),
                ("one-arena", "packets", {"preload": JEMALLOC, "MALLOC_CONF": "narenas:1,tcache:false"}, {"wall.pb.gz": wall, "mutex.pb.gz": "mutex", "block.pb.gz": "block"}),
                ("many-arenas", "packets", {"preload": JEMALLOC}, {"wall.pb.gz": wall, "mutex.pb.gz": "mutex", "block.pb.gz": "block"}),
                ("background", "redis", {}, {"wall.pb.gz": wall, "block.pb.gz": "block"}),
                ("small-caches", "packets", {"preload": TCMALLOC, "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES": "1"}, {"wall.pb.gz": wall, "cpu.pb.gz": cpu}),
                ("big-caches", "packets", {"preload": TCMALLOC}, {"wall.pb.gz": wall, "cpu.pb.gz": cpu}),
                ("requests", "requests", {}, {"threads.pb.gz": "threads", "cpu.pb.gz": cpu}),
                ("clients", "clients", {}, {"threads.pb.gz": "threads", "cpu.pb.gz": cpu}),
                ("backend", "backend", {}, {"threads.pb.gz": "threads", "cpu.pb.gz": cpu}),
                ("pool", "pool", {}, waits),
                ("pool-older", "pool", {}, waits),
                ("contended", "contended", {}, waits),
                ("contended-older", "contended", {}, waits),
                ("stuck", "stuck", {}, waits),
                ("packets", "packets", {}, {"heap.pb.gz": "heap", "malloc_info.xml": "allocator"}),
                ("small-blocks", "small", {}, {"heap.pb.gz": "heap", "malloc_info.xml": "allocator"})):
            older, nameless = fixture.endswith("-older"), kind in ("pool", "contended", "stuck")
            if arguments.only not in (None, fixture) or (older and not arguments.older_agent):
                continue
            agent = arguments.older_agent.resolve() if older else build / "libprofuse-agent.so"
            running = waiters if nameless or kind in ("requests", "clients", "backend") else "/usr/bin/redis-server" if kind == "redis" else program
            process, base = start(agent, running, kind, folder, **environment)
            try:
                (to / fixture).mkdir(parents=True, exist_ok=True)
                time.sleep(1)
                for file, path in parts.items():
                    got = urllib.request.urlopen(f"{base}/debug/pprof/{path}", timeout=60).read()
                    if not file.endswith(".pb.gz"):
                        (to / fixture / file).write_bytes(got)
                        continue
                    (folder / "raw").write_bytes(got)
                    binaries = [libc_of(process)] if nameless else [running, libc_of(process), JEMALLOC, TCMALLOC, agent]
                    subprocess.run([build / "tests/tools/name_profile", folder / "raw", folder / "named.pb.gz",
                                    "--debug-file", "/usr/lib/debug", *binaries], check=True)
                    # Written anew: without the strings that nothing names any more.
                    subprocess.run([build / "profuse", "merge", folder / "named.pb.gz", "-o", to / fixture / file], check=True)
            finally:
                process.kill()
                process.wait()
            print(f"{fixture}: {', '.join(parts)}")


if __name__ == "__main__":
    main()
