#!/usr/bin/env python3
"""Inputs of up to 10 MB that are made to cost as much as they can, and what reading them costs.

  hostile_profiles.py PROFUSE SMALL LARGE [WORD…]

SMALL and LARGE are good profiles, gzipped, of 10 MB inflated and of 10 MB packed. Each input (whose name has one of
the WORDs) is made, merged and thrown away. Malformed ones must be refused with status 3 and one sentence that names
file and offset or line, within 1 s of CPU time and 64 MB. Valid ones, shaped to be slow for whatever compares
everything with everything, must be read within 3 s. Ends with status 1 where one is not.
"""
import gzip
import itertools
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import zlib

from make_pprof import bytes_field as block, varint

LIMIT = 10_000_000


def number(field, n):
    return varint(field << 3) + varint(n)


def strings(*texts):
    return b"".join(block(6, text if isinstance(text, bytes) else text.encode()) for text in texts)


def sample(locations, values=(1, 1), labels=b""):
    packed = (b"".join(map(varint, numbers)) for numbers in (locations, values))
    return block(2, block(1, next(packed)) + block(2, next(packed)) + labels)


def label(key, n):
    return block(3, number(1, key) + number(3, n))


def location(identity, address=0, function_id=0, line=0):
    lines = block(4, number(1, function_id) + number(2, line)) if function_id else b""
    return block(4, number(1, identity) + number(3, address) + lines)


def function(identity, name, line):
    return block(5, number(1, identity) + number(2, name) + number(5, line))


HEAD = strings("", "samples", "count", "main") + block(1, number(1, 1) + number(2, 2)) * 2


def each(count, make):
    return b"".join(make(i) for i in range(1, count + 1))


def lines(count, make):
    return "".join(make(i) for i in range(1, count + 1))


def gzip_repeated(start, piece, most, end):
    """gzip data of start + many pieces + end, `most` bytes inflated and LIMIT packed; a piece is deflated once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    middle = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.compress(end) + packer.flush(zlib.Z_FINISH)
    times = min(most // len(piece), (LIMIT - len(first) - len(last)) // len(middle))
    check = zlib.crc32(start)
    for _ in range(times if most < 1 << 30 else 0):  # nobody gets to the end of gigabytes
        check = zlib.crc32(piece, check)
    check = zlib.crc32(end, check)
    size = (len(start) + len(piece) * times + len(end)) & 0xffffffff
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + first + middle * times + last + struct.pack("<II", check, size)


def bombs():
    yield "10-GB-of-zeros.gz", lambda: gzip_repeated(b"", bytes(1 << 20), 10 << 30, b"")
    yield "10-GB-of-samples.gz", lambda: gzip_repeated(HEAD + location(1), sample([1] * 60) * 16384, 10 << 30, b"")

    # The rest inflates to just below the caps, and is malformed at its end.
    def samples():
        rng = random.Random(2)
        stacks = [[rng.randrange(1, 200) for _ in range(90)] for _ in range(30)]
        piece = b"".join(sample(rng.choice(stacks), (rng.randrange(1, 5), 7)) for _ in range(6000))
        return gzip_repeated(HEAD + each(199, location), piece, 240 << 20, sample([201]))
    yield "240-MB-of-samples.gz", samples

    def heap():
        rng = random.Random(3)
        piece = lines(20000, lambda _: f"  {rng.randrange(1, 99)}: {rng.randrange(1, 9999)} [0: 0] @ " + " ".join(
            hex(0x400000 + rng.randrange(1, 5000)) for _ in range(20)) + "\n")
        return gzip_repeated(b"heap profile: 1: 2 [0: 0] @ heapprofile\n", piece.encode(), 200 << 20, b" what\n")
    yield "heap-text.gz", heap


def claims():
    def words(*w):
        return struct.pack(f"<{len(w)}Q", *w)
    billion = 10 ** 9
    cpu = words(0, 3, 0, 10000, 0)
    yield "sample-of-a-billion-bytes", lambda: HEAD + location(1) + varint(2 << 3 | 2) + varint(billion) + bytes(100)
    yield "string-of-2^63-bytes", lambda: HEAD + varint(6 << 3 | 2) + varint(1 << 63) + b"x"
    yield "a-billion-frames", lambda: HEAD + block(2, varint(1 << 3 | 2) + varint(billion) + b"\1" * 1000)
    yield "a-billion-values", lambda: HEAD + location(1) + block(
        2, number(1, 1) + varint(2 << 3 | 2) + varint(billion) + b"\1" * 1000)
    yield "cpu-stack-of-a-billion", lambda: cpu + words(1, billion, 1, 2)
    yield "cpu-stack-of-2^63", lambda: cpu + words(1, 1 << 63, 1, 2)
    yield "cpu-billions-of-samples-cut-off", lambda: cpu + words(billion, 1, 4096) * 100
    yield "cpu-many-samples-cut-off", lambda: cpu + each(300_000, lambda i: words(1, 2, i, i + 7))
    yield "heap-beyond-64-bits", lambda: b"heap profile: 1: 9 [0: 0] @ heap_v2/524288\n" \
        b" 1000000000: 9999999999999999999999 [0: 0] @ 0x1\n"
    yield "counts-of-a-billion", lambda: b"goroutine profile: total 1000000000\n1000000000 @\n1000000000 @ 0x1 what\n"
    yield "jemalloc-of-a-billion", lambda: b"heap_v2/524288\n  t*: 1000000000: 1 [0: 0]\n@ 0x1 what\n"


def damage(small, large):
    """What becomes of good profiles."""
    def read(path):
        with open(path, "rb") as file:
            return file.read()

    def cut(data, share):
        return data[:int(len(data) * share)]

    def flip(data):
        at = len(data) // 2
        return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:]

    def changed(path, change):
        return gzip.compress(change(gzip.decompress(read(path))), 4)
    bad = sample([10 ** 6])
    for share in (0.01, 0.5, 0.99):
        yield f"cut-at-{share:.0%}", lambda share=share: cut(gzip.decompress(read(small)), share)
    yield "cut.gz", lambda: cut(read(large), 0.5)
    yield "flipped.gz", lambda: flip(read(large))
    yield "cut-inside.gz", lambda: changed(large, lambda data: cut(data, 0.9))
    yield "dangling", lambda: gzip.decompress(read(small)) + bad
    yield "dangling-inside.gz", lambda: changed(large, lambda data: data + bad)
    yield "dangling-inside-with-a-gap.gz", lambda: changed(large, lambda data: data + location(10 ** 7) + bad)


def dangling():
    yield "dangling-location-of-odd-ones", lambda: HEAD + each(700_000, lambda i: location(2 * i + 1, i)) + sample([2])
    yield "dangling-function-of-odd-ones", lambda: HEAD + each(500_000, lambda i: function(2 * i + 1, 3, i)) + \
        location(1, 0, 4, 1)

    def random_ids():
        rng = random.Random(4)
        return HEAD + each(500_000, lambda i: location(rng.randrange(1, 1 << 60), i)) + sample([2])
    yield "dangling-location-of-random-ones", random_ids
    yield "dangling-string", lambda: HEAD + each(800_000, lambda i: function(i, 3, i)) + function(800_001, 99_999_999, 1)
    yield "dangling-among-strings", lambda: HEAD + strings(*(f"function{i}" for i in range(600_000))) + sample([1])
    yield "goroutines", lambda: (lines(
        140_000, lambda i: f"goroutine {i} [running]:\nmain.f{i}(0x1)\n\t/src/main.go:{i} +0x1\n\n")
        + "goroutine 9 [running]:\nmain.f(0x1)\nno place\n").encode()
    yield "heap-text", lambda: ("heap profile: 1: 2 [0: 0] @ heapprofile\n" + lines(
        280_000, lambda i: f"  1: 2 [0: 0] @ {i:#x} {i + 4:#x}\n") + " what\n").encode()


def crowds():
    """Valid profiles with very much of one thing."""
    yield "types", lambda: strings("", "count", *(f"t{i}" for i in range(300_000))) + each(
        300_000, lambda i: block(1, number(1, i + 1) + number(2, 1))) + location(1) + sample([1], [1] * 300_000)
    yield "labels-of-a-sample", lambda: HEAD + strings(*(f"k{i}" for i in range(300_000))) + location(1) + sample(
        [1], labels=each(300_000, lambda i: label(3 + i, i)))
    yield "values-of-a-label", lambda: HEAD + location(1) + sample(
        [1], labels=each(800_000, lambda i: label(3, i * 7919 % 999_983)))
    yield "lines-of-a-location", lambda: HEAD + each(400_000, lambda i: function(i, 3, i)) + block(
        4, number(1, 1) + each(400_000, lambda i: block(4, number(1, i) + number(2, i)))) + sample([1])
    yield "mappings", lambda: HEAD + strings(*(f"/lib/{i}" for i in range(150_001))) + each(150_000, lambda i: block(
        3, number(1, i) + number(2, i << 12) + number(3, (i + 1) << 12) + number(5, i + 4)) + block(
        4, number(1, i) + number(2, i) + number(3, (i << 12) + 5)) + sample([i]))
    yield "comments", lambda: HEAD + strings(*(f"c{i}" for i in range(500_001))) + each(
        500_000, lambda i: number(13, i + 3)) + location(1) + sample([1])
    yield "frames-of-a-sample", lambda: HEAD + each(499, lambda i: function(i, 3, i) + location(i, 0, i, i)) + sample(
        [1 + i % 498 for i in range(5_000_000)])

    # Words of 8 bytes, two by two, that differ in bits which multiplying by an odd number can only carry away.
    def colliding():
        pair = bytes(7) + b"\x01" + bytes(8), bytes(7) + b"\x81" + bytes(4) + b"\x04" + bytes(2) + b"\x80"
        names = [b"".join(pair[bit] for bit in bits) for bits in itertools.product((0, 1), repeat=15)]
        return HEAD + strings(*names) + each(
            len(names), lambda i: function(i, 3 + i, 1) + location(i, 0, i, 1) + sample([i]))
    yield "strings-that-collide", colliding

    heap = "heap profile: 1: 2 [0: 0] @ heapprofile\n"
    yield "maps-of-a-text", lambda: (heap + lines(
        90_000, lambda i: f"  1: 2 [0: 0] @ {i << 12:#x} {(i << 12) + 99:#x}\n") + "MAPPED_LIBRARIES:\n" + lines(
        120_000, lambda i: f"{i << 12:x}-{(i + 1) << 12:x} r-xp 00000000 00:00 {i} /lib/{i}\n")).encode()
    yield "variables-of-a-text", lambda: (heap + "  1: 2 [0: 0] @ 0x1005\nMAPPED_LIBRARIES:\n" + lines(
        90_000, lambda i: f"v{i}={'x' * 20}\n") + lines(
        90_000, lambda i: f"{i << 12:x}-{(i + 1) << 12:x} r-xp 00000000 00:00 {i} $v{i}\n")).encode()
    yield "threads-of-a-text", lambda: ("heap_v2/524288\n  t*: 1: 2 [0: 0]\n" + lines(
        100_000, lambda i: f"  t{i}: 1: 2 [0: 0] name{i}\n") + "@ 0x5 0x6\n  t*: 9: 99 [0: 0]\n" + lines(
        150_000, lambda i: f"  t{i}: 1: 2 [0: 0]\n")).encode()
    yield "frames-of-a-text", lambda: (heap + "  1: 2 [0: 0] @" + " 0x5" * 2_400_000 + "\n").encode()


def run(command):
    """Status, CPU seconds, peak bytes and standard error of a command."""
    with tempfile.TemporaryFile() as error:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=error)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        error.seek(0)
        text = error.read().decode(errors="replace")
    return child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text


def cheapest(command, seconds):
    """The same; again where it seems to be slow, since a busy machine makes CPU time longer, too."""
    result = run(command)
    for _ in range(2):
        if result[1] > seconds:
            result = min(result, run(command), key=lambda r: r[1])
    return result


def judge_malformed(path, status, cpu, peak, error):
    if status != 3:
        return f"status {status} instead of 3"
    if error.count("\n") != 1 or not error.startswith(f"profuse: {path}: "):
        return "not one sentence that names the file"
    if not re.search(r"offset \d+|line \d+|cap", error):
        return "neither an offset nor a line is named"
    if cpu > 1:
        return f"{cpu:.2f} s of CPU time"
    return f"a peak of {peak / 1e6:.0f} MB" if peak > 64 << 20 else None


def judge_valid(_, status, cpu, __, ___):
    if status != 0:
        return f"status {status} instead of 0"
    return f"{cpu:.2f} s of CPU time" if cpu > 3 else None


def put(path, make):
    """Makes an input in a process of its own: memory that this one had would count as that of the commands it runs."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            data = make()
            with open(path, "wb") as out:
                out.write(data)
            status = 0 if len(data) <= LIMIT * 1.03 else 2
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1]:
        sys.exit(f"hostile_profiles: cannot make {path}, or not in {LIMIT} bytes")
    return os.path.getsize(path)


def try_all(profuse, folder, inputs, seconds, judge):
    failures = worst_cpu = worst_peak = count = 0
    for name, make in inputs:
        path = os.path.join(folder, name)
        size = put(path, make)
        result = cheapest([profuse, "merge", path, "-o", os.path.join(folder, "merged.pb.gz")], seconds)
        os.unlink(path)
        _, cpu, peak, error = result
        wrong = judge(path, *result)
        count += 1
        failures += wrong is not None
        worst_cpu, worst_peak = max(worst_cpu, cpu), max(worst_peak, peak)
        said = error.strip().split("\n")[0].replace(folder + "/", "")
        print(f"{name:34} {size / 1e6:5.1f} MB {cpu:5.2f} s {peak / 1e6:6.1f} MB peak  {said[:110]}")
        if wrong:
            print(f"FAILED: {name}: {wrong}: {error.strip()[:300]}")
    return failures, count, worst_cpu, worst_peak


def main():
    profuse, small, large, *wanted = sys.argv[1:]

    def chosen(inputs):
        return ((name, make) for name, make in inputs if not wanted or any(word in name for word in wanted))
    malformed = itertools.chain(bombs(), claims(), damage(small, large), dangling())
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for what, inputs, seconds, judge in (("malformed", malformed, 1, judge_malformed),
                                             ("valid", crowds(), 3, judge_valid)):
            failed, count, cpu, peak = try_all(profuse, folder, chosen(inputs), seconds, judge)
            failures += failed
            print(f"{count} {what} inputs: at most {cpu:.2f} s of CPU time and {peak / 1e6:.0f} MB")
    sys.exit(1 if failures else 0)


main()
