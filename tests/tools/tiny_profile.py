"""A small valid CPU profile in profile.proto, encoded by hand: no protobuf needed."""
import gzip


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def nested(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def profile(samples=200, seconds=30):
    """Plain bytes: `samples` stacks of two frames, 10 ms of CPU each."""
    strings = ["", "samples", "count", "cpu", "nanoseconds", "/srv/service"]
    body = nested(1, number(1, 1) + number(2, 2)) + nested(1, number(1, 3) + number(2, 4))
    for i in range(samples):
        body += nested(2, nested(1, varint(i + 1) + varint(1)) + nested(2, varint(1) + varint(10_000_000)))
    body += nested(3, number(1, 1) + number(2, 0x400000) + number(3, 0x800000) + number(5, 5))
    for i in range(max(samples, 1)):
        line = number(1, i + 1) + number(2, i + 10)
        body += nested(4, number(1, i + 1) + number(2, 1) + number(3, 0x400000 + 16 * i) + nested(4, line))
        body += nested(5, number(1, i + 1) + number(2, len(strings)) + number(3, len(strings)))
        strings.append(f"function_{i}")
    body += b"".join(nested(6, s.encode()) for s in strings)
    body += number(9, 1_700_000_000_000_000_000) + number(10, seconds * 1_000_000_000)
    return body + nested(11, number(1, 3) + number(2, 4)) + number(12, 10_000_000)


def gzipped(**options):
    return gzip.compress(profile(**options), mtime=0)
