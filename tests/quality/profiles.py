"""profiles.py: profiles of a program: by the agent while it runs, from callgrind's exact counts, thinned, drawn."""
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import workload

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import make_pprof  # noqa: E402


class Tools:
    """The parts of one build of profuse."""
    def __init__(self, build):
        self.profuse = os.path.join(build, "profuse")
        self.agent = os.path.join(build, "libprofuse-agent.so")
        self.block_counts = os.path.join(build, "tests/tools/block_counts")


def agent_profile(tools, program, binary, samples, out, rate=100, event="cpu"):
    """
    A profile of about so many samples of the training workload, through agent and collect, as one file. Programs
    that end write their own profiles (PROFUSE_OUT); servers are asked for theirs.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {"LD_PRELOAD": tools.agent, "PROFUSE_EVENT": event, "PROFUSE_RATE": str(rate)}
        seconds = samples / rate
        used = 0.0
        while used < seconds:
            if program.train().server:
                port = workload.free_port()
                environment["PROFUSE_PORT"] = str(port)
                part = os.path.join(folder, f"{used}.pb.gz")
                used += workload.run(program, program.train(), binary, environment=environment,
                                     during=lambda process, clients: collect(tools, port, clients, part))
            else:
                environment |= {"PROFUSE_PORT": "0", "PROFUSE_OUT": folder, "PROFUSE_OUT_SECONDS": "3600"}
                used += workload.run(program, program.train(8), binary, environment=environment)
        merge(tools, folder, out)


def merge(tools, folder, out):
    """The profiles of a folder as one."""
    subprocess.run([tools.profuse, "merge", *glob.glob(f"{folder}/*.pb.gz"), "-o", out], check=True, stderr=subprocess.DEVNULL)


def stepped_profile(tools, program, binary, samples, out, percent, rate):
    """The same with steps, `percent` of the CPU time, and no more samples than were asked for."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"LD_PRELOAD": tools.agent, "PROFUSE_RATE": str(rate), "PROFUSE_STEPS": str(percent)}
        if program.train().server:
            port = workload.free_port()
            workload.run(program, program.train(), binary, environment={**environment, "PROFUSE_PORT": str(port)},
                         during=lambda process, clients: collect_samples(tools, port, clients, folder, samples))
        else:
            environment |= {"PROFUSE_PORT": "0", "PROFUSE_OUT": folder, "PROFUSE_OUT_SECONDS": "3600"}
            a_second, left = 1 / workload.run(program, program.train(), binary), samples / rate
            while left > .1 * samples / rate:
                left -= workload.run(program, program.train(left * a_second), binary, environment=environment)
        merge(tools, folder, out)


def collect_samples(tools, port, clients, folder, samples):
    """Short profiles until there are so many samples."""
    found = 0
    while found < samples:
        part = os.path.join(folder, f"{found}.pb.gz")
        collect(tools, port, clients, part, seconds=2)
        found += 1 + sum(s["values"][0] for s in read(tools, part)["samples"])


def collect(tools, port, clients, out, seconds=20):
    """A profile of some seconds while the clients run again and again."""
    collector = subprocess.Popen([tools.profuse, "collect", f"http://127.0.0.1:{port}", "--seconds", str(seconds), "-o", out],
                                 stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while collector.poll() is None:
        for client in clients:
            subprocess.run(client, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if collector.returncode:
        raise RuntimeError("collect failed")


def read(tools, path):
    """A profile as make_pprof takes it."""
    raw = json.loads(subprocess.run([tools.profuse, "show", "raw", "--json", path], check=True, capture_output=True).stdout)
    places = {l["id"]: {"address": l["address"], "mapping": l["mapping"] - 1} if l.get("mapping") else {"address": l["address"]}
              for l in raw["locations"]}
    mappings = [{"start": m["range"].split("-")[0], "limit": m["range"].split("-")[1], "offset": m["offset"],
                 "filename": m["file"], "build_id": m["build_id"]} for m in raw["mappings"]]
    types = [[t["type"], t["unit"]] for t in raw["types"]]
    samples = [{"values": s["values"], "stack": [places[i] for i in s["locations"]]} for s in raw["samples"]]
    timed = next((s["values"] for s in samples if len(types) > 1 and s["values"][0]), [1, 1])  # not one of steps alone
    return {"types": types, "period_type": types[min(1, len(types) - 1)], "mappings": mappings, "samples": samples,
            "period": timed[1] // timed[0],
            "time_nanos": raw["time_nanos"], "duration_nanos": raw["duration_nanos"]}


def write(profile, path):
    make_pprof.Writer().write(profile, path)


def thinned(profile, binary_name, sets, size, seed):
    """Disjoint random parts of a profile, each with `size` samples in the named binary."""
    own = {i for i, m in enumerate(profile["mappings"]) if os.path.basename(m["filename"]) == binary_name}
    singles = [i for i, s in enumerate(profile["samples"]) for _ in range(s["values"][0])]
    random.Random(seed).shuffle(singles)
    at = 0
    for _ in range(sets):
        counts, kept = {}, 0
        while kept < size and at < len(singles):
            i = singles[at]
            at += 1
            counts[i] = counts.get(i, 0) + 1
            stack = profile["samples"][i]["stack"]
            kept += bool(stack) and stack[0].get("mapping") in own
        if kept < size:
            return
        yield {**profile, "samples": [{"values": [n, n * profile["period"]][:len(profile["types"])], "stack": profile["samples"][i]["stack"]}
                                      for i, n in sorted(counts.items())]}


def part(profile, share, seed):
    """Of each sample and step a random part."""
    draw = random.Random(seed)
    kept = lambda n: sum(draw.random() < share for _ in range(n))
    samples = [{**s, "values": [n := kept(s["values"][0]), n * profile["period"], *map(kept, s["values"][2:])]} for s in profile["samples"]]
    return {**profile, "samples": [s for s in samples if any(s["values"])]}


class Exact:
    """Executions of each instruction of a binary, and calls between its functions, from callgrind."""
    def __init__(self):
        self.counts = {}
        self.calls = {}  # (caller's instruction, callee's first): calls
        self.total = 0   # instructions in all objects

    def read(self, path, binary):
        objects, own, callee_own, target = {}, False, False, None
        name = lambda text: objects.setdefault(text.split(" ", 1)[0], text.split(" ", 1)[-1])
        for line in open(path):
            if line[0] in "0123456789":
                fields = line.split()
                address, cost = int(fields[0], 16), int(fields[2]) if len(fields) > 2 else 0
                if target:
                    if own and target[2]:
                        key = (address, target[1])
                        self.calls[key] = self.calls.get(key, 0) + target[0]
                    target = None
                else:
                    self.total += cost
                    if own:
                        self.counts[address] = self.counts.get(address, 0) + cost
            elif line.startswith("ob="):
                own = callee_own = name(line[3:].rstrip()).endswith(binary)
            elif line.startswith("cob="):
                callee_own = name(line[4:].rstrip()).endswith(binary)
            elif line.startswith("calls="):
                fields = line[6:].split()
                target = (int(fields[0]), int(fields[1], 16), callee_own)
                callee_own = own

    def profile(self, binary):
        """As a profile of retired instructions; a callee's entry carries its callers in two-frame stacks."""
        at = (lambda address: {"address": address, "mapping": 0})
        left = dict(self.counts)
        samples = []
        for (caller, callee), n in sorted(self.calls.items()):
            n = min(n, left.get(callee, 0))
            if n:
                left[callee] -= n
                samples.append({"values": [n], "stack": [at(callee), at(caller)]})
        samples += [{"values": [n], "stack": [at(address)]} for address, n in sorted(left.items()) if n]
        return {"types": [["instructions", "count"]], "period_type": ["instructions", "count"], "period": 1,
                "mappings": [{"start": 0, "limit": 0, "offset": 0, "filename": binary, "build_id": make_pprof.build_id(binary)}],
                "samples": samples, "time_nanos": 1700000000000000000, "duration_nanos": 1000000000}


def callgrind(program, work, binary, folder, *options):
    """Output files of callgrind over a workload; the binary is stripped first, for valgrind 3.19 can't read DWARF 5."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    stripped = os.path.join(folder, program.name)
    subprocess.run(["llvm-strip-19", "--strip-debug", "-o", stripped, binary], check=True)
    workload.run(program, work, stripped, prefix=["valgrind", "-q", "--tool=callgrind",
                 f"--callgrind-out-file={folder}/out.%p", *options])
    return sorted(glob.glob(f"{folder}/out.*"))


def exact(program, binary, folder, scale):
    e = Exact()
    for file in callgrind(program, program.train(scale), binary, folder, "--dump-instr=yes", "--compress-pos=no"):
        e.read(file, "/" + program.name)
    shutil.rmtree(folder, ignore_errors=True)
    return e


def drawn(exact_profile, size, seed):
    """Samples of retired instructions, drawn from exact counts."""
    rng = random.Random(seed)
    weights = [s["values"][0] for s in exact_profile["samples"]]
    counts = {}
    for i in rng.choices(range(len(weights)), weights, k=size):
        counts[i] = counts.get(i, 0) + 1
    return {**exact_profile, "samples": [{"values": [n], "stack": exact_profile["samples"][i]["stack"]}
                                         for i, n in sorted(counts.items())]}
