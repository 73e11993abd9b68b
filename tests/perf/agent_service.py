#!/usr/bin/env python3
"""agent_service.py BUILD [--profile SECONDS | --pairs N] [--requests N]: what the agent takes of a service's CPU time, of a real one under load.

Two redis-servers do the same work at the same time, one with the agent and one without, each with its own client on a
processor of its own; then they swap processors. What others do on the machine meets both. Counted is what the kernel
says that all threads of the server have run (schedstat, nanoseconds) while the load lasted, the agent's own among them:
neither the client nor start and end. A pair is two such turns. Printed: the mean change and its 95 % interval (of the
logarithms of the pairs' ratios, Student's t). Status 0 if its upper bound is at most 2 %.

Two processes differ by several percent by themselves (where their memory lies), which takes hundreds of pairs to average
away. --profile counts instead whose the server's CPU time is, by perf's samples (cpu-clock, 4,000 a second): what the
agent's code and its thread have of it, and its looks at the clock, which are the server's own as well. Status 0 if that
is at most 2 %.
"""
import argparse
import math
import os
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time

COMMANDS = "set,get,incr,lpush,lpop,sadd,hset,zadd"
T_975 = {10: 2.262, 20: 2.093, 30: 2.045, 40: 2.023, 60: 2.001}


def student(pairs):
    """The quantile of the greatest table entry that is not above: never too narrow an interval."""
    return T_975[max(n for n in T_975 if n <= pairs)]


class Server:
    def __init__(self, folder, agent, processor):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        environment = dict(os.environ)
        if agent:
            environment.update(LD_PRELOAD=agent, PROFUSE_PORT="auto")
        self.pin = ["taskset", "-c", str(processor)]
        self.process = subprocess.Popen([*self.pin, "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
                                        cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
        raise SystemExit("redis-server does not answer")

    def cpu(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())

    def load(self, requests):
        return subprocess.Popen([*self.pin, "redis-benchmark", "-p", str(self.port), "-t", COMMANDS, "-n", str(requests), "-P", "8",
                                 "-r", "100000", "-d", "200", "-q"], stdout=subprocess.DEVNULL)

    def end(self):
        self.process.terminate()
        self.process.wait()


def turn(folder, agent, processors, requests):
    """ln(CPU time with the agent / without it)"""
    servers = [Server(folder, a, p) for a, p in zip(("", agent), processors)]
    try:
        before = [s.cpu() for s in servers]
        for load in [s.load(requests) for s in servers]:
            if load.wait():
                raise SystemExit("redis-benchmark failed")
        plain, with_agent = (s.cpu() - b for s, b in zip(servers, before))
    finally:
        for server in servers:
            server.end()
    return math.log(with_agent / plain), plain


def samples(data):
    """{(thread's name, binary): share}"""
    report = subprocess.run(["perf", "report", "-i", data, "--sort", "comm,dso", "-t", ",", "--stdio"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=True).stdout
    rows = [line.split(",") for line in report.splitlines() if line.strip() and not line.startswith("#")]
    return {(comm.strip(), binary.strip()): float(share.strip(" %")) for share, comm, binary in rows}


def profile(folder, agent, processors, seconds):
    server = Server(folder, agent, processors[0])
    try:
        load = subprocess.Popen(["taskset", "-c", str(processors[1]), "redis-benchmark", "-p", str(server.port), "-t", COMMANDS,
                                 "-n", "50000", "-l", "-P", "8", "-r", "100000", "-d", "200", "-q"], stdout=subprocess.DEVNULL)
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-o", f"{folder}/perf.data", "-p",
                        str(server.process.pid), "--", "sleep", str(seconds)], check=True, stderr=subprocess.DEVNULL)
        load.terminate()
        load.wait()
    finally:
        server.end()
    shares = samples(f"{folder}/perf.data")
    thread = sum(share for (comm, _), share in shares.items() if comm == "profuse-agent")
    code = sum(share for (comm, binary), share in shares.items() if comm != "profuse-agent" and "libprofuse-agent" in binary)
    clock = sum(share for (_, binary), share in shares.items() if "vdso" in binary)
    print(f"redis-server: {code + thread:.2f} % of its CPU time are the agent's (code {code:.2f}, thread {thread:.2f}); the clock has "
          f"{clock:.2f}, the server's own looks at it included")
    return code + thread > 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--profile", type=int, metavar="SECONDS")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--requests", type=int, default=150000, help="of each of the eight commands")
    arguments = parser.parse_args()
    if arguments.pairs < 10:
        parser.error("--pairs: at least 10")
    processors = sorted(os.sched_getaffinity(0))[:2]
    if len(processors) < 2:
        sys.exit("needs two processors")
    agent = os.path.abspath(f"{arguments.build}/libprofuse-agent.so")
    pairs, seconds = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        if arguments.profile:
            sys.exit(profile(folder, agent, processors, arguments.profile))
        for i in range(arguments.pairs):
            order = random.sample(processors, 2)
            turns = [turn(folder, agent, p, arguments.requests) for p in (order, order[::-1])]
            pairs.append(statistics.mean(ratio for ratio, _ in turns))
            seconds += sum(plain for _, plain in turns) / 1e9
            if sys.stderr.isatty():
                print(f"\r{i + 1} of {arguments.pairs}", end="", file=sys.stderr)
    mean = statistics.mean(pairs)
    half = student(len(pairs)) * statistics.stdev(pairs) / math.sqrt(len(pairs))
    low, middle, high = (100 * math.expm1(x) for x in (mean - half, mean, mean + half))
    print(f"redis-server: {middle:+.2f} % CPU time with the agent [{low:+.2f}, {high:+.2f}], {len(pairs)} pairs, "
          f"{seconds / len(pairs) / 2:.2f} s of CPU time a turn")
    sys.exit(high > 2)


if __name__ == "__main__":
    main()
