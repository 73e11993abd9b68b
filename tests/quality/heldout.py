"""heldout.py: programs that `profuse convert` was not developed on. They are built and judged like those of programs.py,
when asked for by name or as `heldout`, and nothing is tuned to them: what they show is what a user's own program may expect.
"""
import json
import math
import os
import random
import re
import struct
import subprocess

from programs import HERE, Program, Workload, fetch, run, text_of_sources, write


def repeated(commands, times):
    return Workload(commands * max(1, round(times)))


class Bzip2(Program):
    """Sorting and bit twiddling: few loops, all hot, branches that data decides."""
    callgrind_scale = .25
    name = package = "bzip2"

    def sources(self):
        names = "blocksort", "bzip2", "bzlib", "compress", "crctable", "decompress", "huffman", "randtable"
        return [(f"{self.source}/{n}.c", ["-D_FILE_OFFSET_BITS=64"]) for n in names]

    def prepare(self):
        super().prepare()
        src = os.path.dirname(self.source)
        for package in "tcc", "mujs", "leveldb":
            fetch(package, f"{src}/{package}")
        text_of_sources(f"{self.inputs}/train", [f"{src}/tcc"], 1 << 20)
        text_of_sources(f"{self.inputs}/evaluate", [f"{src}/mujs", f"{src}/leveldb"], 1 << 20)
        for which in "train", "evaluate":
            if not os.path.exists(f"{self.inputs}/{which}.bz2"):
                run("bzip2", "-k", f"{self.inputs}/{which}")

    def workload(self, which, level, scale):
        file = f"{self.inputs}/{which}"
        return repeated([["{bin}", "-c", level, file]] * 2 + [["{bin}", "-dc", file + ".bz2"]] * 3, 3 * scale)

    def train(self, scale=1):
        return self.workload("train", "-9", scale)

    def evaluate(self, scale=1):
        return self.workload("evaluate", "-6", scale)


class Tcc(Program):
    """A compiler: wide switches, recursive descent, short functions that call each other."""
    callgrind_scale = .1
    name = package = "tcc"
    link = ["-ldl", "-lpthread", "-lm"]

    def prepare(self):
        super().prepare()
        for package in "mujs", "bzip2":
            fetch(package, os.path.join(os.path.dirname(self.source), package))
        if not os.path.exists(f"{self.source}/config.h"):
            run("./configure", "--cc=clang-19", cwd=self.source, stdout=subprocess.DEVNULL)

    def sources(self):
        return [(f"{self.source}/tcc.c", ["-DONE_SOURCE=1", "-DTCC_TARGET_X86_64", "-DCONFIG_TRIPLET=\"x86_64-linux-gnu\"",
                                          "-I" + self.source, "-fno-strict-aliasing"])]

    def compile(self, *arguments):
        return ["{bin}", f"-I{self.source}/include", "-I/usr/include/x86_64-linux-gnu", "-w", "-c", *arguments, "-o", "{bin}.o"]

    def train(self, scale=1):
        src = os.path.dirname(self.source)
        return repeated([self.compile(f"{src}/mujs/one.c")] + [self.compile(f"{src}/bzip2/{n}.c") for n in ("bzip2", "blocksort")], 16 * scale)

    def evaluate(self, scale=1):
        return repeated([self.compile("-DONE_SOURCE=1", "-DTCC_TARGET_X86_64", f"{self.source}/tcc.c")], 16 * scale)


class Mujs(Program):
    """An interpreter for JavaScript, without computed goto."""
    callgrind_scale = .1
    name = package = "mujs"
    link = ["-lm"]

    def sources(self):
        files = self.glob("js*.c", "utf.c", "regexp.c", "main.c")
        return [(f, ["-std=c99", "-D_GNU_SOURCE"]) for f in files]

    def train(self, scale=1):
        return Workload([["{bin}", f"{HERE}/inputs/train.js", str(scale)]])

    def evaluate(self, scale=1):
        return Workload([["{bin}", f"{HERE}/inputs/evaluate.js", str(scale)]])


def wave(path, seconds, rate, tones, noise, seed):
    """Stereo sound of 16 bits: tones with envelopes over noise."""
    if os.path.exists(path):
        return
    rng, data = random.Random(seed), bytearray()
    for i in range(int(seconds * rate)):
        t = i / rate
        sound = sum(a * math.sin(2 * math.pi * f * t + 3 * math.sin(t * w)) * (1 - t * w % 1) for f, a, w in tones)
        for side in .8, .6:
            data += struct.pack("<h", max(-32768, min(32767, int(sound * side + rng.gauss(0, noise)))))
    head = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 2, rate, rate * 4, 4, 16)
    with open(path, "wb") as f:
        f.write(head + b"data" + struct.pack("<I", len(data)) + data)


class Flac(Program):
    """Audio: numeric loops, vectors, and functions for several processors of which one is chosen at run time."""
    callgrind_scale = .1
    name = package = "flac"
    link = ["-lm"]

    def prepare(self):
        super().prepare()
        if not os.path.exists(f"{self.source}/config.h"):
            run("./configure", "--disable-ogg", "--disable-cpplibs", "--disable-shared", "CC=clang-19", cwd=self.source,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wave(f"{self.inputs}/train.wav", 5, 44100, [(220, 7000, 1.7), (331, 5000, 2.9), (1760, 2500, 5)], 150, 1)
        wave(f"{self.inputs}/evaluate.wav", 6, 32000, [(98, 9000, .9), (587, 3000, 3.7), (2793, 1500, 7), (5000, 700, 11)], 60, 2)
        for which in "train", "evaluate":
            if not os.path.exists(f"{self.inputs}/{which}.flac"):
                run("flac", "-s", f"{self.inputs}/{which}.wav")

    def sources(self):
        flags = ["-DHAVE_CONFIG_H", "-DFLAC__NO_DLL", "-I" + self.source, f"-I{self.source}/include", f"-I{self.source}/src/libFLAC/include",
                 "-D_GNU_SOURCE", "-DNDEBUG", "-fassociative-math", "-fno-signed-zeros", "-fno-trapping-math", "-freciprocal-math"]
        files = [f for f in self.glob("src/libFLAC/*.c", "src/flac/*.c", "src/share/getopt/*.c", "src/share/grabbag/*.c",
                                      "src/share/replaygain_*/*.c", "src/share/utf8/*.c")
                 if not re.search(r"/(ogg_\w+|iffscan|charset_test|makemap)\.c$", f)]
        return [(f, flags) for f in files]

    def workload(self, which, level, scale):
        file = f"{self.inputs}/{which}"
        return repeated([["{bin}", "-s", "-c", level, file + ".wav"]] + [["{bin}", "-s", "-c", "-d", file + ".flac"]] * 4, 15 * scale)

    def train(self, scale=1):
        return self.workload("train", "-8", scale)

    def evaluate(self, scale=1):
        return self.workload("evaluate", "-7", scale)


def people(count, seed):
    rng = random.Random(seed)
    word = lambda: "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 10)))
    return [{"id": i, "name": word() + " " + word(), "age": rng.randint(1, 99), "city": rng.choice(["Oslo", "Lima", "Bern", "Kyiv"]),
             "tags": [word() for _ in range(rng.randint(0, 5))], "score": round(rng.random() * 100, 3)} for i in range(count)]


def tree(depth, rng):
    if not depth:
        return rng.choice([None, True, rng.randint(0, 10 ** 6), rng.random(), "line\n\t\"quoted\" \u00e9"])
    return {f"k{rng.randint(0, 999)}": tree(depth - 1, rng) if i % 2 else [tree(depth - 1, rng), i] for i in range(4)}


class Jq(Program):
    """A query language: a parser made by bison, a byte code machine, values counted by reference."""
    callgrind_scale = .1
    name = package = "jq"
    link = ["-lm", "-lpthread"]
    TRAIN = ("group_by(.city) | map({city: .[0].city, n: length, age: (map(.age) | add / length)})",
             "map(select(.age > 30 and (.tags | length) > 1) | {id, name: (.name | ascii_upcase), tags: (.tags | join(\",\"))})",
             "[.[] | .tags[]] | unique | length", "map(.score) | sort | [.[0], .[-1]]", ".[] | tojson | fromjson | .id")
    EVALUATE = ("[.. | numbers] | add", "[paths(type == \"string\")] | length", "[leaf_paths | map(tostring) | join(\".\")] | sort | .[0]",
                "reduce (.. | strings) as $s ({}; .[$s | length | tostring] += 1)", "walk(if type == \"object\" then with_entries(.key |= ltrimstr(\"k\")) else . end)")

    def prepare(self):
        super().prepare()
        with open(f"{self.source}/src/builtin.jq") as f:
            lines = [l.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"') for l in f]
        write(f"{self.inputs}/src/builtin.inc", "".join(f'"{l}\\n"\n' for l in lines))
        write(f"{self.inputs}/src/version.h", '#define JQ_VERSION "1.6"\n')
        write(f"{self.inputs}/train.json", json.dumps(people(1500, 1)))
        rng = random.Random(2)
        write(f"{self.inputs}/evaluate.json", json.dumps([tree(4, rng) for _ in range(20)], indent=1))

    def sources(self):
        have = ("acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf exp exp10 exp2 expm1 fabs fdim floor fma fmax fmin fmod "
                "frexp hypot j0 j1 jn ldexp lgamma lgamma_r log log10 log1p log2 logb modf nearbyint nextafter pow remainder rint round scalbln "
                "sin sinh sqrt tan tanh tgamma trunc y0 y1 yn pthread_key_create pthread_once timegm gmtime_r localtime_r strptime strftime gettimeofday "
                "isatty memmem mkstemp atexit alloca_h").split()
        flags = [f"-DHAVE_{h.upper()}" for h in have] + ["-DHAVE_TM_TM_GMT_OFF", "-DIEEE_8087", "-D_GNU_SOURCE", "-std=gnu99",
                                                         f"-I{self.inputs}", f"-I{self.source}", f"-I{self.source}/src"]
        return [(f, flags) for f in self.glob("src/*.c") if not f.endswith(("/inject_errors.c", "/jq_test.c"))] + \
               [(write(f"{self.inputs}/no_tests.c", "int jq_testsuite(void *l, int v, int c, char *a[]) { return 1; }\n"), [])]

    def queries(self, filters, file, times):
        return repeated([["{bin}", "-c", f, f"{self.inputs}/{file}"] for f in filters], times)

    def train(self, scale=1):
        return self.queries(self.TRAIN, "train.json", 4 * scale)

    def evaluate(self, scale=1):
        return self.queries(self.EVALUATE, "evaluate.json", 4 * scale)


class Jsonnet(Program):
    """C++ with exceptions, a garbage collector, strings of UTF-32 and many small objects."""
    callgrind_scale = .1
    name = package = "jsonnet"
    language = "c++"

    def prepare(self):
        super().prepare()
        text = open(f"{self.source}/stdlib/std.jsonnet", "rb").read()
        write(f"{self.inputs}/std.jsonnet.h", ",".join(str(b) for b in text) + ",0\n")

    def sources(self):
        yaml = f"{self.source}/third_party/rapidyaml/rapidyaml"
        flags = ["-std=c++17", f"-I{self.inputs}", f"-I{self.source}/include", f"-I{self.source}/third_party/md5", f"-I{self.source}/third_party/json",
                 f"-I{yaml}/src", f"-I{yaml}/ext/c4core/src", f"-I{self.source}/core", "-DNDEBUG"]
        return [(f, flags) for f in self.glob("core/*.cpp", "cmd/jsonnet.cpp", "cmd/utils.cpp", "third_party/md5/md5.cpp",
                                              "third_party/rapidyaml/rapidyaml/src/c4/yml/*.cpp",
                                              "third_party/rapidyaml/rapidyaml/ext/c4core/src/c4/*.cpp") if not f.endswith("_test.cpp")]

    def runs(self, files, times):
        return repeated([["{bin}", f"{self.source}/{f}.jsonnet"] for f in files], times)

    def train(self, scale=1):
        return self.runs(["benchmarks/bench.03", "test_suite/format"], 2 * scale)

    def evaluate(self, scale=1):
        return self.runs(["benchmarks/bench.01", "benchmarks/bench.04", "benchmarks/gen_big_object", "perf_tests/large_string_join"], 2 * scale)


class Leveldb(Program):
    """C++: virtual iterators, comparators by pointer, a thread that compacts beside the one that asks."""
    callgrind_scale = .1
    name = package = "leveldb"
    language = "c++"
    link = ["-lpthread"]

    def prepare(self):
        super().prepare()
        # The benchmark takes its random strings from the tests' helpers, whose header wants what it then doesn't use.
        write(f"{self.inputs}/gmock/gmock.h", "#pragma once\n#define MATCHER(name, text) struct name {}; template <class T> bool name##_(T arg)\n")
        write(f"{self.inputs}/gtest/gtest.h", "#pragma once\nnamespace testing { struct UnitTest { int random_seed() { return 1; } "
              "static UnitTest *GetInstance() { static UnitTest one; return &one; } }; }\n")

    def sources(self):
        flags = ["-std=c++17", f"-I{self.inputs}", f"-I{self.source}", f"-I{self.source}/include", "-DLEVELDB_PLATFORM_POSIX=1", "-DHAVE_FDATASYNC=1",
                 "-DHAVE_O_CLOEXEC=1", "-DHAVE_FULLFSYNC=0", "-DHAVE_CRC32C=0", "-DHAVE_SNAPPY=0", "-DNDEBUG", "-fno-exceptions", "-fno-rtti"]
        files = [f for f in self.glob("db/*.cc", "table/*.cc", "util/*.cc") if not re.search(r"(_test|_windows|_helper|/leveldbutil)\.cc$|/c_test|_windows_", f)]
        return [(f, flags) for f in files + [f"{self.source}/benchmarks/db_bench.cc", f"{self.source}/helpers/memenv/memenv.cc"]]

    def asks(self, benchmarks, count, size):
        return Workload([["{bin}", f"--benchmarks={benchmarks}", f"--num={max(count, 500)}", f"--value_size={size}", "--db={bin}.db",
                          "--write_buffer_size=1048576", "--bloom_bits=10"]])

    def train(self, scale=1):
        return self.asks("fillrandom,readrandom,readseq,overwrite,readrandom,readmissing,compact,readhot", int(30000 * scale), 100)

    def evaluate(self, scale=1):
        return self.asks("fillseq,fillbatch,readreverse,seekrandom,deleterandom,readrandom,fillrandom,seekordered", int(30000 * scale), 60)


def expressions(path, seed, count):
    """A file of random expressions; one in a hundred thousand of its names has no value."""
    rng = random.Random(seed)

    def expression(depth):
        kind = rng.random()
        if depth == 0 or kind < .15:
            return rng.choice(["x", "y", "z", "w", str(rng.randint(0, 99)), f"{rng.random():.2f}"]) if rng.random() < .99999 else "q"
        if kind < .75:
            return f"{expression(depth - 1)} {rng.choice('+-*/' if rng.random() < .3 else '+-*')} {expression(depth - 1)}"
        if kind < .85:
            return f"({expression(depth - 1)})"
        if kind < .92:
            return f"-{expression(depth - 1)}"
        return f"{rng.choice(['max', 'min', 'sum'])}({', '.join(expression(depth - 1) for _ in range(rng.randint(1, 4)))})"

    write(path, "".join(expression(5) + "\n" for _ in range(count)))
    return path


class Calc(Program):
    """C++: a tree of eight classes, virtual calls that know no favourite, a hash map of names, exceptions."""
    callgrind_scale = .1
    name = "calc"
    language = "c++"

    def sources(self):
        return [(f"{HERE}/inputs/calc.cpp", ["-std=c++17"])]

    def rounds(self, seed, count, times):
        return Workload([["{bin}", expressions(f"{self.inputs}/{seed}.txt", seed, count), str(max(10, round(times)))]])

    def train(self, scale=1):
        return self.rounds(1, 1500, 8000 * scale)

    def evaluate(self, scale=1):
        return self.rounds(2, 1200, 8000 * scale)


ALL = [Bzip2, Tcc, Mujs, Flac, Jq, Jsonnet, Leveldb, Calc]
