"""programs.py: the programs that the quality suite optimises: their sources, how they are built, what they run.

A program is trained on one workload and judged on another. A workload is a list of commands that end, or a server
with the clients that load it; `scale` says how much work it does: 1 is about a second of CPU time.
"""
import glob
import os
import random
import re
import subprocess
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))

@dataclass
class Workload:
    """Commands to run one after the other ({bin}: the program), or one server and its clients ({port}: its port)."""
    commands: list = field(default_factory=list)
    server: list = None
    clients: list = field(default_factory=list)
    codes: tuple = (0,)  # of commands that ended well


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    return path


def fetch(package, folder):
    run(os.path.join(HERE, "fetch"), package, folder)


class Program:
    """`sources()` gives (file, extra flags); everything else has a default."""
    name = package = None
    language = "c"
    link = []
    callgrind_scale = None  # of its workloads under callgrind, fifty times slower
    round_scale = .1  # of a run in a round of CPU time: a tenth of a second or two

    def __init__(self, work):
        self.source = os.path.join(work, "src", self.package or self.name)
        self.inputs = os.path.join(work, "inputs", self.name)

    def prepare(self):
        """Sources and inputs, made once."""
        if self.package:
            fetch(self.package, self.source)
        os.makedirs(self.inputs, exist_ok=True)

    def sources(self):
        raise NotImplementedError

    def glob(self, *patterns):
        return sorted(f for p in patterns for f in glob.glob(os.path.join(self.source, p)))

    def train(self, scale=1):
        raise NotImplementedError

    def evaluate(self, scale=1):
        raise NotImplementedError

    def configure(self, port):
        """What a server needs before it starts on this port."""


class Lua(Program):
    callgrind_scale = .12
    name, package = "lua", "lua5.4"
    link = ["-lm", "-ldl"]

    def prepare(self):
        super().prepare()
        write(f"{self.inputs}/lua5.4-deb-multiarch.h", '#define DEB_HOST_MULTIARCH "x86_64-linux-gnu"\n')

    def sources(self):
        return [(f, ["-DLUA_USE_LINUX", "-I" + self.inputs]) for f in self.glob("src/*.c") if os.path.basename(f) != "luac.c"]

    def train(self, scale=1):
        return Workload([["{bin}", f"{HERE}/inputs/train.lua", str(scale)]])

    def evaluate(self, scale=1):
        return Workload([["{bin}", f"{HERE}/inputs/evaluate.lua", str(scale)]])


def text_of_sources(path, folders, size):
    """Source text of the suite's own programs, as data to compress."""
    if os.path.exists(path) and os.path.getsize(path) == size:
        return path
    data = bytearray()
    for folder in folders:
        for file in sorted(glob.glob(f"{folder}/**/*", recursive=True)):
            if os.path.isfile(file) and not os.path.islink(file) and "/." not in file:
                data += open(file, "rb").read()
    while len(data) < size:
        data += data[::-1][:size - len(data)]
    with open(path, "wb") as f:
        f.write(data[:size])
    return path


class Zstd(Program):
    callgrind_scale = .25
    name = package = "zstd"

    def sources(self):
        defines = ["-DZSTD_LEGACY_SUPPORT=0", "-DXXH_NAMESPACE=ZSTD_", "-DDEBUGLEVEL=0", "-DBACKTRACE_ENABLE=0",
                   "-I" + os.path.join(self.source, "lib"), "-I" + os.path.join(self.source, "lib/common"),
                   "-I" + os.path.join(self.source, "lib/dictBuilder")]
        files = self.glob("lib/common/*.c", "lib/compress/*.c", "lib/decompress/*.c", "lib/decompress/*.S",
                          "lib/dictBuilder/*.c", "programs/*.c")
        return [(f, defines) for f in files]

    def data(self, which):
        src = os.path.dirname(self.source)
        folders = {"train": [f"{src}/zstd", f"{src}/lua5.4"], "evaluate": [f"{src}/sqlite3/src", f"{src}/redis/src"]}
        return text_of_sources(os.path.join(self.inputs, which), folders[which], 4 << 20)

    def prepare(self):
        super().prepare()
        for package in "lua5.4", "sqlite3", "redis":
            fetch(package, os.path.join(os.path.dirname(self.source), package))
        for which in "train", "evaluate":
            file = self.data(which)
            if not os.path.exists(file + ".zst"):
                run("zstd", "-q", "-f", "-9", "--single-thread", file, "-o", file + ".zst")

    def workload(self, which, scale):
        file, commands = self.data(which), []
        base = ["{bin}", "-q", "-f", "--single-thread", "-c"]
        for i in range(max(1, round(4 * scale))):
            commands += [base + ["-3", file], base + ["-6", file], base + ["-1", file]]
            commands += [base + ["-d", file + ".zst"]] * 6
        return Workload(commands)

    def train(self, scale=1):
        return self.workload("train", scale)

    def evaluate(self, scale=1):
        return self.workload("evaluate", scale)


class Redis(Program):
    callgrind_scale = .05
    round_scale = .2
    name = package = "redis"
    link = ["-lm", "-ldl", "-lpthread", "-rdynamic"]
    left_out = {"redis-benchmark.c", "redis-cli.c", "cli_common.c", "redis-check-aof.c.in"}

    def sources(self):
        deps = os.path.join(self.source, "deps")
        flags = ["-DREDIS_STATIC=", "-DHAVE_LIBC_MALLOC"] + [f"-I{deps}/{d}" for d in
                ("hiredis", "linenoise", "lua/src", "hdr_histogram")] + [f"-I{self.inputs}", "-DENABLE_CJSON_GLOBAL",
                "-DLUA_ANSI", "-DREDIS_CLI_AUTH_ENV=", "-D_GNU_SOURCE"]
        makefile = open(os.path.join(self.source, "src/Makefile")).read()
        objects = re.search(r"^REDIS_SERVER_OBJ=(.*)$", makefile, re.M).group(1).split()
        files = [os.path.join(self.source, "src", o.replace(".o", ".c")) for o in objects]
        lua = [f for f in self.glob("deps/lua/src/*.c") if os.path.basename(f) not in ("lua.c", "luac.c", "print.c")]
        hiredis = [os.path.join(deps, "hiredis", f) for f in
                   ("alloc.c", "async.c", "hiredis.c", "net.c", "read.c", "sds.c", "sockcompat.c")]
        hiredis = [f for f in hiredis if os.path.basename(f) != "sds.c"] + [os.path.join(deps, "hiredis/sds.c")]
        others = self.glob("deps/hdr_histogram/hdr_histogram.c") + self.glob("deps/linenoise/linenoise.c")
        hdr = ["-DHDR_MALLOC_INCLUDE=\"hdr_redis_malloc.h\"", f"-I{self.source}/src"]
        return [(f, flags) for f in files] + [(f, flags) for f in lua + hiredis] + \
               [(f, flags + hdr) for f in others]

    def prepare(self):
        super().prepare()
        if not os.path.exists(os.path.join(self.source, "src/release.h")):
            run("sh", "./mkreleasehdr.sh", cwd=os.path.join(self.source, "src"), stdout=subprocess.DEVNULL)

    def server(self):
        return ["{bin}", "--port", "{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning",
                "--daemonize", "no", "--dir", self.inputs]

    def client(self, tests, count, *more):
        return ["redis-benchmark", "-h", "127.0.0.1", "-p", "{port}", "-q", "-t", tests, "-n", str(max(count, 200)), "-c", "8", *more]

    def train(self, scale=1):
        n = int(60000 * scale)
        return Workload(server=self.server(), clients=[
            self.client("set,get,incr,lpush,lpop,sadd,hset,zadd", n, "-P", "16", "-r", "10000", "-d", "64"),
            self.client("lrange_100,mset", n // 12, "-P", "8", "-r", "1000")])

    def evaluate(self, scale=1):
        n = int(50000 * scale)
        return Workload(server=self.server(), clients=[
            self.client("get,set,rpush,rpop,hset,spop,zpopmin,incr", n, "-P", "12", "-r", "50000", "-d", "200"),
            self.client("zadd,sadd", n, "-P", "12", "-r", "50000"),
            self.client("lrange_300", n // 30, "-P", "4", "-r", "5000")])


class Nginx(Program):
    callgrind_scale = .05
    round_scale = .5
    name = package = "nginx"
    link = ["-lcrypt", "-lz", "-ldl", "-lpthread"]

    def sources(self):
        makefile = open(os.path.join(self.source, "objs/Makefile")).read()
        files = sorted(set(re.findall(r"^\t?\s*(src/\S+\.c|objs/ngx_modules\.c)", makefile, re.M)))
        flags = [f"-I{self.source}/{d}" for d in ("src/core", "src/event", "src/event/modules", "src/os/unix", "objs",
                                                  "src/http", "src/http/modules")]
        return [(os.path.join(self.source, f), flags) for f in files]

    def prepare(self):
        super().prepare()
        if not os.path.exists(os.path.join(self.source, "objs/Makefile")):
            run("./configure", "--without-http_rewrite_module", "--with-http_sub_module", "--with-cc=clang-19", f"--prefix={self.inputs}",
                cwd=self.source, stdout=subprocess.DEVNULL)
        for folder in "logs", "html/many":
            os.makedirs(os.path.join(self.inputs, folder), exist_ok=True)
        rng = random.Random(5)
        words = ["".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 9))) for _ in range(500)]
        page = lambda n: "<html><body>\n" + "\n".join(f"<p>{' '.join(rng.choice(words) for _ in range(12))}</p>" for _ in range(n))
        for i in range(40):
            write(f"{self.inputs}/html/many/{words[i]}.html", page(2 + i))
        ssi = '<!--#set var="who" value="$arg_name" --><!--#if expr="$who = nobody" -->none<!--#else --><b><!--#echo var="who" --></b>'
        write(f"{self.inputs}/html/ssi.html", page(6) + (ssi + '<!--#endif --><!--#echo var="date_local" -->') * 8 + page(6))
        write(f"{self.inputs}/html/sub.html", page(60))
        write(f"{self.inputs}/nginx.conf", f"""
worker_processes 1; daemon off; master_process off; pid {self.inputs}/pid.PORT; error_log {self.inputs}/logs/error.log crit;
events {{ worker_connections 256; }}
http {{
  types {{ text/html html; }} default_type text/plain; keepalive_requests 1000000;
  client_body_temp_path {self.inputs}/t1; proxy_temp_path {self.inputs}/t2; fastcgi_temp_path {self.inputs}/t3;
  uwsgi_temp_path {self.inputs}/t4; scgi_temp_path {self.inputs}/t5;
  log_format long '$remote_addr $time_iso8601 "$request" $status $body_bytes_sent $request_time "$http_user_agent" $kind';
  access_log {self.inputs}/logs/access.log long buffer=64k;
  map $uri $kind {{ hostnames; default other; /ssi.html dynamic; /sub.html replaced; /many/ list; }}
  server {{
    listen 127.0.0.1:PORT; root {self.inputs}/html; add_header X-Kind $kind;
    location = /ssi.html {{ ssi on; }}
    location = /sub.html {{ sub_filter '{words[3]}' '<i>$arg_name</i>'; sub_filter '{words[8]}' '-'; sub_filter_once off; }}
    location /many/ {{ autoindex on; }}
    location = /moved {{ return 302 /many/; }}
    location / {{ expires 1h; etag on; }}
  }}
}}
""".replace("hostnames; ", "").replace("    location = /moved { return 302 /many/; }\n", ""))
        self.words = words

    def configure(self, port):
        text = open(f"{self.inputs}/nginx.conf").read()
        write(f"{self.inputs}/nginx.{port}.conf", text.replace("PORT", str(port)))

    def server(self):
        return ["{bin}", "-p", self.inputs, "-c", f"{self.inputs}/nginx.{{port}}.conf"]

    def clients(self, paths, count):
        """h2load goes round a list of addresses with one count: a client a path keeps the mix fixed."""
        return [["h2load", "--h1", "-n", str(max(16, count * weight // 100)), "-c", "8", "-t", "1",
                 f"http://127.0.0.1:{{port}}{path}"] for path, weight in paths]

    def train(self, scale=1):
        w = self.words
        return Workload(server=self.server(), clients=self.clients(
            [(f"/many/{w[0]}.html", 30), ("/ssi.html?name=x", 20), ("/sub.html?name=longer", 20), ("/many/", 10),
             (f"/many/{w[9]}.html?a=b", 15), ("/none", 5)], int(12000 * scale)))

    def evaluate(self, scale=1):
        w = self.words
        return Workload(server=self.server(), clients=self.clients(
            [(f"/many/{w[20]}.html", 25), ("/sub.html?name=y", 25), ("/ssi.html?name=nobody", 25), ("/many/", 8),
             (f"/many/{w[31]}.html", 10), ("/many/missing", 7)], int(12000 * scale)))


def sat(path, variables, ratio, seed):
    """A random 3-SAT instance near the threshold."""
    if not os.path.exists(path):
        rng = random.Random(seed)
        n = int(variables * ratio)
        clauses = [" ".join(str(v * rng.choice((1, -1))) for v in rng.sample(range(1, variables + 1), 3)) for _ in range(n)]
        write(path, f"p cnf {variables} {n}\n" + "".join(c + " 0\n" for c in clauses))
    return path


def holes(path, n):
    """n+1 pigeons in n holes."""
    if not os.path.exists(path):
        var = lambda p, h: p * n + h + 1
        clauses = [[var(p, h) for h in range(n)] for p in range(n + 1)]
        clauses += [[-var(p, h), -var(q, h)] for h in range(n) for p in range(n + 1) for q in range(p)]
        write(path, f"p cnf {n * (n + 1)} {len(clauses)}\n" + "".join(" ".join(map(str, c)) + " 0\n" for c in clauses))
    return path


class Minisat(Program):
    callgrind_scale = .12
    round_scale = .05
    name = package = "minisat"
    language = "c++"
    link = ["-lz"]

    def sources(self):
        flags = ["-I" + self.source, "-D__STDC_LIMIT_MACROS", "-D__STDC_FORMAT_MACROS", "-Wno-reserved-user-defined-literal",
                 "-Wno-everything"]
        return [(f, flags) for f in self.glob("minisat/core/Solver.cc", "minisat/simp/*.cc", "minisat/utils/*.cc")]

    def workload(self, name, seeds, scale, hole):
        seeds = list(seeds)[:max(1, round(len(list(seeds)) * scale))]
        files = [sat(f"{self.inputs}/{name}-{s}.cnf", 190, 4.26, s) for s in seeds]
        return Workload([["{bin}", "-verb=0", f] for f in files + [holes(f"{self.inputs}/holes-{hole}.cnf", hole)]],
                        codes=(10, 20))

    def train(self, scale=1):
        return self.workload("train", range(1, 17), scale, 8)

    def evaluate(self, scale=1):
        return self.workload("evaluate", range(101, 117), scale, 7)


class Sqlite(Program):
    callgrind_scale = .25
    name, package = "sqlite", "sqlite3"
    link = ["-lm", "-ldl", "-lpthread"]

    def prepare(self):
        super().prepare()
        if not os.path.exists(f"{self.source}/sqlite3.c"):
            run("sh", "-c", "./configure >/dev/null && make sqlite3.c >/dev/null", cwd=self.source)

    def sources(self):
        flags = ["-I" + self.source, "-DSQLITE_ENABLE_RTREE"]
        return [(f"{self.source}/sqlite3.c", flags), (f"{self.source}/test/speedtest1.c", flags)]

    def train(self, scale=1):
        return Workload([["{bin}", "--memdb", "--testset", "main", "--size", str(max(1, round(11 * scale)))],
                         ["{bin}", "--memdb", "--testset", "orm", "--size", str(max(1, round(5 * scale)))]])

    def evaluate(self, scale=1):
        return Workload([["{bin}", "--memdb", "--testset", "main", "--without-rowid", "--size", str(max(1, round(6 * scale)))],
                         ["{bin}", "--memdb", "--testset", "rtree", "--size", str(max(1, round(3 * scale)))],
                         ["{bin}", "--memdb", "--testset", "cte", "--size", str(max(1, round(30 * scale)))]])


class Folio(Program):
    """The service of ./demo, without sockets."""
    callgrind_scale = .1
    name = "folio"
    link = ["-lpthread", "-lm"]
    folder = os.path.join(HERE, "../../examples/pgo-service")

    def sources(self):
        return [(f, ["-std=c11", "-D_GNU_SOURCE"]) for f in sorted(glob.glob(f"{self.folder}/*.c")) if not f.endswith("/load.c")]

    def replay(self, data, times):
        return Workload([["{bin}", "--data", f"{self.folder}/data/{data}", "--replay", f"{self.folder}/data/{data}/requests.txt",
                          str(max(1, round(times)))]])

    def train(self, scale=1):
        return self.replay("training", 200 * scale)

    def evaluate(self, scale=1):
        return self.replay("evaluation", 200 * scale)


ALL = [Lua, Zstd, Redis, Nginx, Minisat, Sqlite, Folio]
