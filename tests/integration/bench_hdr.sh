#!/usr/bin/env bash
# Latency files of bench as HdrHistogram's own Java library reads them: every block of a .hlog, and its own percentile
# table of the same histogram against our .hgrm, row by row.
set -euo pipefail
build=$(cd "$1" && pwd)
source=${PROFUSE_SOURCE_DIR:?}
jar=/usr/share/java/hdrhistogram.jar
if ! command -v java >/dev/null || ! command -v javac >/dev/null || [ ! -e $jar ]; then
	echo "skipped: a JDK and libhdrhistogram-java are needed to read what bench writes"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
port=$(python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
server="$build/tests/tools/test_server $port"
"$build/profuse" bench --before "$server" --after "$server --work 100000" --load "http://127.0.0.1:$port/" --rate 400 \
	--duration 500ms --warmup 0 --idle 0 --pairs 3 --repeats 0 -o "$work/x.hlog" -o "$work/x.hgrm" -o "$work/x.json" >/dev/null 2>&1 || [ $? = 5 ]
mkdir "$work/theirs"
java -cp $jar "$source/tests/tools/HdrCheck.java" "$work/x.hlog" "$work/theirs" >"$work/read"
cat "$work/read"
python3 - "$work" <<'PY'
import json, re, sys
work = sys.argv[1]
report = json.load(open(f"{work}/x.json"))
read = {line.split()[0]: dict(p.split("=") for p in line.split()[1:]) for line in open(f"{work}/read")}
for variant in report["variants"]:
    theirs, latency = read[variant["name"]], variant["latency"]
    requests = sum(p["blocks"][variant["name"]]["requests"] for p in report["pairs"])
    assert int(theirs["intervals"]) == 3, theirs
    assert int(theirs["count"]) == latency["count"] == requests == 600, (theirs, requests)
    assert abs(int(theirs["max"]) / 1e9 / latency["max"] - 1) < 1e-3
    levels = dict((round(level, 6), value) for level, value in latency["percentiles"])
    assert abs(int(theirs["p50"]) / 1e9 / levels[0.5] - 1) < 1e-3, (theirs, levels[0.5])

    def rows(path):
        lines = open(path).read().splitlines()
        return [[float(x) for x in line.split()] for line in lines if re.match(r"^ *[0-9]", line)], [l for l in lines if l[:2] == "#["]
    ours, comments = rows(f"{work}/x.{variant['name']}.hgrm")
    java, their_comments = rows(f"{work}/theirs/{variant['name']}.hgrm")
    assert len(ours) == len(java) > 20 and comments == their_comments, (comments, their_comments)
    for a, b in zip(ours, java):
        # Java rounds halves up, C to even: the twelfth digit of a share may differ.
        assert len(a) == len(b) and a[0] == b[0] and abs(a[1] - b[1]) < 2e-12 and a[2] == b[2], (a, b)
print("bench_hdr: HdrHistogram reads both, and has the same percentiles")
PY
