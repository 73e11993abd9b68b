"""case.py: what the examples share: services on free ports, loads with an end, the toolkit's commands shown as they
are run, findings looked up by kind and function, tables. Everything that is started is ended, by its process id."""
import atexit, contextlib, http.client, json, os, pathlib, random, re, shlex, shutil, signal, socket, subprocess, sys, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(os.environ.get("EXAMPLES_OUT", ROOT / "examples-out")).resolve()
running, reserved = [], []


def die(why):
    print(f"{pathlib.Path(sys.argv[0]).name}: {why}", file=sys.stderr)
    sys.exit(1)


def stop(process, grace=5):
    if process in running:
        running.remove(process)
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


atexit.register(lambda: [stop(p, 1) for p in list(running)])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def step(text):
    print(f"\n== {text}", flush=True)


def build_folder():
    """Where profuse is built; builds it on a fresh clone."""
    folder = pathlib.Path(os.environ.get("PROFUSE_BUILD_DIR", ROOT / "build/release"))
    if not (folder / "profuse").exists():
        step("building profuse")
        subprocess.run([ROOT / "scripts/packages", "build", "pgo"], check=True)
        subprocess.run(["cmake", "--preset", "release", "-DBUILD_TESTING=OFF"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", "--preset", "release", "--target", "profuse", "profuse_agent"], cwd=ROOT,
                       check=True, stdout=subprocess.DEVNULL)
    return folder


def show_command(arguments):
    shown = [str(a).replace(str(ROOT) + "/", "") for a in arguments]
    shown[0] = pathlib.Path(shown[0]).name
    # Libraries give names to a few addresses; the command can be read without them.
    shown = [s for i, s in enumerate(shown) if not (s.startswith("/usr/lib") or "/lib/x86_64" in s) and not
             (s == "--binary" and "/lib/x86_64" in shown[i + 1])]
    print("$ " + " ".join(shlex.quote(a) if not a.startswith("$") else a for a in shown), flush=True)


def profuse(*arguments, quiet=False, statuses=(0,)):
    """Runs the toolkit; returns what it wrote to standard output. Another exit status than these ends the example."""
    command = [str(build_folder() / "profuse"), *map(str, arguments)]
    if not quiet:
        show_command(command)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode not in statuses:
        die(f"profuse {arguments[0]} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def need_go():
    """Go is expected, never installed: without it a test is skipped, but not where CI says that it must be there."""
    if shutil.which("go"):
        return
    if os.environ.get("CI") == "true":
        die("there is no go on PATH, and CI=true: the Go cases must run here")
    print("skipped: there is no go on PATH (Go 1.26 or newer builds this example)")
    sys.exit(77)


def go_build(source, to, *flags):
    to.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["go", "build", "-buildvcs=false", *flags, "-o", str(to), "."], cwd=source, check=True)
    return to


def c_build(sources, to, *libraries):
    """A service in C, with the tables that a profile needs."""
    to.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", *map(str, sources), "-o", str(to),
                    *map(str, libraries), "-lpthread"], check=True)
    return to


def agent(port):
    """What gives a C program pprof on this port."""
    return {"LD_PRELOAD": str(build_folder() / "libprofuse-agent.so"), "PROFUSE_PORT": str(port)}


def binaries(program):
    """Options that give names to addresses in a program and in the libraries that it is linked with."""
    listed = subprocess.run(["ldd", str(program)], check=True, capture_output=True, text=True).stdout
    files = [str(program), *re.findall(r"=> (/\S+)", listed)]
    return [x for f in files for x in ("--binary", f)]


def free_ports(count):
    """Ports below those that the kernel gives to whoever asks for any: nobody takes one before the service does. A name
    that only one process can hold keeps the other cases that run on this machine off them until this one ends."""
    found, draw = [], random.SystemRandom()
    while len(found) < count:
        port = draw.randrange(22000, 32768)
        name = socket.socket(socket.AF_UNIX)
        with socket.socket() as s, contextlib.suppress(OSError):
            name.bind(f"\0profuse-case-port-{port}")
            s.bind(("127.0.0.1", port))
            reserved.append(name)
            found.append(port)
    return found


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read()


def answers(url):
    try:
        get(url, 2)
    except OSError:
        return False
    return True


def ports_ready(port, metrics):
    """What answers once a service of the examples listens on both of its ports."""
    return f"http://127.0.0.1:{port}/health", f"http://127.0.0.1:{metrics}/debug/pprof/"


@contextlib.contextmanager
def service(command, ready, environment=(), log=None, patience=30):
    """A service that answers on every address of `ready` before the patience ends (seconds); it is stopped at the end of
    the block, which it has to live to see."""
    output = open(log, "w") if log else subprocess.DEVNULL
    process = subprocess.Popen(list(map(str, command)), env={**os.environ, **dict(environment)}, stdout=output, stderr=output)
    running.append(process)
    end = time.monotonic() + patience

    def told(what):
        return f"{command[0]} {what}" + (":\n" + open(log).read() if log else "")

    for url in ready:
        while not answers(url):
            if process.poll() is not None or time.monotonic() > end:
                die(told(f"does not answer on {url}"))
            time.sleep(0.05)
    try:
        yield process
    finally:
        status = process.poll()
        stop(process)
        if status is not None:
            die(told(f"ended by itself with status {status}"))


@contextlib.contextmanager
def load(url, rate, seconds, requests=None, ready=None, *more):
    """Requests at a fixed rate, in the background, for at most so long; stopped at the end of the block."""
    command = [str(build_folder() / "profuse"), "bench", "load", url, "--rate", str(rate), "--duration", f"{seconds}s",
               "--warmup", "0", "--idle", "0", "--quiet", *map(str, more)]
    command += ["--load-file", str(requests)] if requests else []
    command += ["--ready", ready or f"{url}/health"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    running.append(process)
    time.sleep(0.5)
    if process.poll() is not None:
        die("the load ended at once: " + process.stderr.read())
    try:
        yield process
    finally:
        stop(process)


def probe(host_port, paths, seconds, every=0.01):
    """One request after the other over one connection, at least so far apart: [(seconds since the start, latency in s)]."""
    connection = http.client.HTTPConnection(*host_port, timeout=60)
    begin, seen = time.monotonic(), []
    while (at := time.monotonic()) < begin + seconds:
        connection.request("GET", paths[len(seen) % len(paths)])
        connection.getresponse().read()
        took = time.monotonic() - at
        seen.append((at - begin, took))
        time.sleep(max(0, every - took))
    return seen


def order_of_10_kilobytes(path):
    """An order of a shop, as JSON: what the services in the examples parse."""
    draw = random.Random(1)
    words = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november".split()
    items = [{"name": " ".join(draw.choices(words, k=3)), "price": round(draw.uniform(1, 200), 2), "count": draw.randint(1, 9),
              "tags": draw.choices(words, k=4)} for _ in range(72)]
    notes = {f"{words[i % 14]}{i}": " ".join(draw.choices(words, k=6)) for i in range(42)}
    path.write_text(json.dumps({"id": 4711, "customer": "Example & Söhne", "items": items, "notes": notes, "total": 0.0},
                               ensure_ascii=False))


def number(n):
    scaled = {"share": f"{100 * n['value']:.1f} %", "bytes": f"{n['value'] / 2**20:.1f} MiB", "seconds": f"{n['value']:.3g} s",
              "bytes_per_second": f"{n['value'] / 2**20:.1f} MiB/s"}
    return f"{n['name'].replace('_', ' ')} " + scaled.get(n["unit"], f"{n['value']:.4g}")


def tell(finding):
    """A finding in four lines: title, evidence, where, what to do."""
    print(f"  [{finding['kind']}, {finding['severity']}, confidence {finding['confidence']}] {finding['title']}")
    numbers = [number(n) for n in finding["evidence"]["numbers"] if n["value"] is not None]
    print("    evidence: " + ", ".join(numbers[:5]))
    for stack in finding["evidence"]["stacks"][:1]:
        print("    at: " + " ← ".join(stack["functions"][:5]))
    for advice in finding["advice"][:1]:
        print(f"    do: {advice['action'] or advice['setting']}")


def tell_all(report):
    """Every finding of a report, and what its evidence leaves open."""
    for finding in report["findings"]:
        tell(finding)
    if not report["findings"]:
        print("  nothing worth changing was found in what could be judged" if report["not_judged"] else "  nothing in this evidence is worth changing")
    for sentence in report["not_judged"]:
        print(f"  {sentence}")


def tune(address, seconds, report, *more):
    """What profuse tune says of a live service, shown; returns the JSON report."""
    report.parent.mkdir(parents=True, exist_ok=True)
    data = report.with_suffix(".json")
    profuse("tune", "--service", address, "--seconds", seconds, "-o", report.with_suffix(".html"), "-o", data, *more)
    found = json.loads(data.read_text())
    tell_all(found)
    return found


def find(report, kind, function=None):
    """The finding of this kind that names this function in its title, summary or stacks; None: there is none."""
    for finding in report["findings"]:
        stacks = [f for s in finding["evidence"]["stacks"] for f in s["functions"]]
        words = f"{finding['title']} {finding.get('summary') or ''}"
        named = not function or any(re.search(rf"\b{function}\b", text) for text in [words, *stacks])
        if finding["kind"] == kind and named:
            return finding
    return None


def renamed(function):
    """A test renames every function of a service, and says how: the causes must be found all the same."""
    names = json.loads(pathlib.Path(os.environ["RENAMED"]).read_text()) if "RENAMED" in os.environ else {}
    return names.get(function, function)


def must_find(report, kind, function):
    finding = find(report, kind, function)
    if not finding:
        there = "; ".join(f"{f['kind']}: {f['title']}" for f in report["findings"]) or "none at all"
        die(f"no finding {kind} names {function}; there are: {there} (load average {os.getloadavg()[0]:.0f} on {os.cpu_count()} CPUs)")
    print(f"named: {finding['title']}")
    return finding


def until_found(look, kind, function):
    """Looks again, twice at most, where a machine that others keep busy gave the service no time to show anything."""
    for _ in range(2):
        report = look()
        if find(report, kind, function):
            break
    else:
        report = look()
    must_find(report, kind, function)
    return report


def bench(report, *arguments, statuses=(0, 5)):
    """A comparison, shown; returns its JSON. Inconclusive (5) is an answer too; a failed gate is not."""
    report.parent.mkdir(parents=True, exist_ok=True)
    print(profuse("bench", *arguments, "-o", report.with_suffix(".html"), "-o", report.with_suffix(".json"), statuses=statuses))
    return json.loads(report.with_suffix(".json").read_text())


def table(rows, file=sys.stdout):
    """Rows of texts, the first is the heading; columns of equal width."""
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for n, row in enumerate(rows):
        print("| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))) + " |", file=file)
        if n == 0:
            print("|" + "|".join("-" * (w + 1) + ("-" if i == 0 else ":") for i, w in enumerate(widths)) + "|", file=file)
