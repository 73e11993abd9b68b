"""variants.py: the builds that are compared, each from the same sources: how its profile is made and what it is built with."""
import glob
import os
import re
import shutil
import subprocess

import build
import profiles
import workload

PROFI = ["-mllvm", "-sample-profile-use-profi"]  # clang's own inference, by lines; by probes it is on anyway
LAYOUT = ["-mllvm", "-enable-ext-tsp-block-placement"]  # by lines
USE = ["-fprofile-sample-use={profile}"]
KINDS = {"line": ("base", []), "probe": ("base-probe", build.PROBE)}  # what is profiled for each kind of profile


def use(kind):
    """The flags that `profuse convert` prints for a profile of this kind."""
    return USE + (PROFI + LAYOUT if kind == "line" else [])


class Bench:
    """One program in one working folder: builds and profiles are made once and found again."""

    def __init__(self, program, work, tools):
        self.program, self.tools = program, tools
        self.builds = os.path.join(work, "build", program.name)
        self.folder = os.path.join(work, "prof", program.name)
        os.makedirs(self.folder, exist_ok=True)

    def build(self, name, flags, profile=None):
        return build.build(self.program, os.path.join(self.builds, name), flags, profile)

    def profiled(self, kind):
        """The build that profiles of this kind come from."""
        name, flags = KINDS[kind]
        return self.build(name, flags)

    def kept(self, name, binary, make):
        """A file made by make(path) of this binary, kept beside the binary's digest."""
        path = os.path.join(self.folder, name)
        stamp = path + ".of"
        if not (os.path.exists(path) and os.path.exists(stamp) and open(stamp).read() == build.content(binary)):
            make(path)
            with open(stamp, "w") as f:
                f.write(build.content(binary))
        return path

    def samples(self, kind, sets, size, seed=1):
        """Disjoint sets of `size` samples each, thinned from one run at 1000 a CPU second. Samples outside the
        program (libc, kernel) come on top, so the run is made longer until there are enough inside."""
        return self.samples_of(KINDS[kind][0], self.profiled(kind), sets, size, seed)

    def samples_of(self, name, binary, sets, size, seed=1):
        paths = [os.path.join(self.folder, f"{name}.{size}.{seed}.{i}.pb.gz") for i in range(sets)]
        for factor in 1.15, 1.6, 3, 6:
            wanted = int(sets * size * factor)
            run = self.kept(f"{name}.{wanted}.pb.gz", binary, lambda path: profiles.agent_profile(
                self.tools, self.program, binary, wanted, path, rate=1000))
            if all(os.path.exists(p) and os.path.getmtime(p) >= os.path.getmtime(run) for p in paths):
                return paths
            parts = list(profiles.thinned(profiles.read(self.tools, run), self.program.name, sets, size, seed))
            if len(parts) == sets:
                for path, part in zip(paths, parts):
                    profiles.write(part, path)
                return paths
        raise RuntimeError(f"{self.program.name} has too few samples of its own")

    def stepped(self, kind, sets, size, percent=1, rate=1000):
        """Sets of about so many samples each, and of steps what so much of the CPU time gives at 100 Hz."""
        name, binary = KINDS[kind][0], self.profiled(kind)
        thinned = profiles.read(self.tools, self.samples(kind, sets, size)[0])
        wanted = sum(s["values"][0] for s in thinned["samples"])  # with those outside the program
        return [self.kept(f"{name}.steps{percent}.{size}.{i}.pb.gz", binary, lambda path: profiles.stepped_profile(
            self.tools, self.program, binary, wanted, path, percent * rate // 100, rate)) for i in range(sets)]

    def exact(self, kind):
        """Executions of each instruction under the training workload."""
        name, binary = KINDS[kind][0], self.profiled(kind)
        return self.kept(f"{name}.exact.pb.gz", binary, lambda path: profiles.write(
            profiles.exact(self.program, binary, os.path.join(self.folder, "callgrind"), self.program.callgrind_scale)
            .profile(binary), path))

    def draws(self, kind, sets, size, seed=1):
        source = self.exact(kind)
        exact = profiles.read(self.tools, source)
        for i in range(sets):
            path = os.path.join(self.folder, f"{KINDS[kind][0]}.drawn.{size}.{seed}.{i}.pb.gz")
            if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(source):
                profiles.write(profiles.drawn(exact, size, seed * 1000 + i), path)
            yield path

    def convert(self, binary, profile, out, *options):
        subprocess.run([self.tools.profuse, "convert", "--binary", binary, "-o", out, "--max-age", "100000d", *options, profile],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return out

    def ours(self, kind, name, profile, *options, binary=None):
        """The program built with our conversion of a profile, with the flags that `profuse convert` prints."""
        out = os.path.join(self.folder, f"{name}.prof")
        self.convert(binary or self.profiled(kind), profile, out, *options)
        return self.build(name, KINDS[kind][1] + use(kind), out)

    def instrumented(self):
        generator = self.build("instrumented-gen", ["-fprofile-generate"])

        def train(path):
            folder = path + ".raw"
            shutil.rmtree(folder, ignore_errors=True)
            workload.run(self.program, self.program.train(), generator,
                         environment={"LLVM_PROFILE_FILE": f"{folder}/%p-%m.profraw"})
            subprocess.run(["llvm-profdata-19", "merge", "-o", path, *glob.glob(folder + "/*.profraw")], check=True)
            shutil.rmtree(folder)
        return self.build("instrumented", ["-fprofile-use={profile}"], self.kept("instrumented.profdata", generator, train))

    def profgen(self, kind, name, profile):
        """The peer: llvm-profgen over the same samples; without -sample-profile-use-profi its lines do worse."""
        binary, raw, out = self.profiled(kind), os.path.join(self.folder, name + ".raw"), os.path.join(self.folder, name + ".prof")
        unsymbolized(profiles.read(self.tools, profile), binary, raw)
        subprocess.run(["llvm-profgen-19", f"--unsymbolized-profile={raw}", "--use-offset=0", f"--binary={binary}", "--format=extbinary",
                        "-o", out], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self.build(name, KINDS[kind][1] + USE + (PROFI if kind == "line" else []), out)


def number(text):
    """Of a profile as `profuse show raw --json` writes it: hexadecimal in a string, or a number."""
    return int(text, 16) if isinstance(text, str) else text


def unsymbolized(profile, binary, out):
    """Leaf addresses as the binary's own, in the form that llvm-profgen reads."""
    headers = subprocess.run(["readelf", "-lW", binary], check=True, capture_output=True, text=True).stdout
    segments = [tuple(int(x, 16) for x in m) for m in re.findall(r"LOAD +(0x\w+) (0x\w+) 0x\w+ (0x\w+)", headers)]
    own = [i for i, m in enumerate(profile["mappings"]) if os.path.basename(m["filename"]) == os.path.basename(binary)]
    counts = {}
    for s in profile["samples"]:
        leaf = s["stack"][0] if s["stack"] else {}
        if leaf.get("mapping") not in own:
            continue
        m = profile["mappings"][leaf["mapping"]]
        offset = number(leaf["address"]) - number(m["start"]) + number(m["offset"])
        for at, virtual, size in segments:
            if at <= offset < at + size:
                address = offset - at + virtual
                counts[address] = counts.get(address, 0) + s["values"][0]
    with open(out, "w") as f:
        f.write(f"{len(counts)}\n" + "".join(f"{a:x}-{a:x}:{counts[a]}\n" for a in sorted(counts)) + "0\n")
