"""build.py: one variant of a program: the same sources with other flags, made once for each set of flags."""
import concurrent.futures
import hashlib
import os
import shutil
import subprocess

DEBUG = ["-O2", "-gmlt", "-fdebug-info-for-profiling"]  # of everything compared
PROBE = ["-fpseudo-probe-for-profiling"]
COMPILER = {"c": "clang-19", "c++": "clang++-19"}
QUIET = ["-w", "-Wno-unused-command-line-argument"]


def digest(*items):
    h = hashlib.sha256()
    for item in items:
        h.update(item if isinstance(item, bytes) else str(item).encode())
        h.update(b"\0")
    return h.hexdigest()


def content(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest() if path else ""


def build(program, folder, flags, profile=None, jobs=2, link=()):
    """The path of the program in `folder`, built with DEBUG and `flags`; {profile} in flags stands for the profile."""
    binary = os.path.join(folder, program.name)
    key = digest(DEBUG, flags, content(profile), program.sources(), program.link, link)
    stamp = os.path.join(folder, "key")
    if os.path.exists(binary) and os.path.exists(stamp) and open(stamp).read() == key:
        return binary
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    compiler = COMPILER[program.language]
    flags = [f.replace("{profile}", profile or "") for f in flags]

    def compile_one(item):
        number, (file, extra) = item
        out = os.path.join(folder, f"{number}-{os.path.basename(file)}.o")
        mine = [] if file.endswith(".S") else flags
        subprocess.run([compiler, *DEBUG, *QUIET, *mine, *extra, "-c", file, "-o", out], check=True)
        return out

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(compile_one, enumerate(program.sources())))
    subprocess.run([compiler, *DEBUG, *QUIET, *flags, "-fuse-ld=lld", "-Wl,--build-id=sha1", *objects, *link, "-o", binary, *program.link],
                   check=True)
    for file in objects:
        os.unlink(file)
    with open(stamp, "w") as f:
        f.write(key)
    return binary
