#!/usr/bin/env bash
# bench's error rates on this machine, with real processes: equal sides, and slowdowns of 1, 2 and 5 % that are there.
#
#	tests/perf/bench_error_rates.sh BUILD [RUNS] [PAIRS] [WORK]
#
# RUNS (60) comparisons of a program with itself, and a third as many for each slowdown, PAIRS (20) each, WORK (20)
# being what the program does (about 1.3 ms of CPU time each). The same measurements are then judged, for the first 6,
# 10 and all pairs, by bench (signed ranks over pairs), by benchstat (Go's tool: Mann-Whitney over both samples; fetched
# by the Go module proxy) and by what hyperfine prints (the ratio of the means ± its error: a claim where that
# excludes 1). Takes about RUNS × PAIRS × 0.3 s. What simulation says is tests/stats/error_rates.
set -euo pipefail
build=${1:?usage: $0 BUILD [RUNS] [PAIRS] [WORK]}
runs=${2:-60} pairs=${3:-20} unit=${4:-20}
burn=$build/tests/tools/burn
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
benchstat=
if command -v go >/dev/null && GOBIN=$work/bin GOFLAGS= go install golang.org/x/perf/cmd/benchstat@latest 2>"$work/go.log"; then
	benchstat=$work/bin/benchstat
else
	echo "benchstat could not be built: its column stays empty"
fi

# measure PERCENT RUN: the pairs' CPU times to $work/PERCENT-RUN
measure() {
	local after
	after=$(awk -v u="$unit" -v p="$1" 'BEGIN { print u * (1 + p / 100) }')
	"$build/profuse" bench --before "$burn $unit" --after "$burn $after" --pairs "$pairs" --repeats 0 --json -q >"$work/json" || [ $? = 5 ]
	python3 -c '
import json, sys
for p in json.load(open(sys.argv[1]))["pairs"]:
    print(p["blocks"]["before"]["cpu"], p["blocks"]["after"]["cpu"])' "$work/json" >"$work/$1-$2"
}

for run in $(seq "$runs"); do
	measure 0 "$run"
	if [ $((run % 3)) = 0 ]; then
		for percent in 1 2 5; do measure $percent "$run"; done
	fi
	[ -t 2 ] && printf '\r%d of %d runs' "$run" "$runs" >&2
done

python3 - "$work" "$build/tests/stats/pairs_verdict" "$pairs" "$benchstat" <<'PY'
import glob, math, os, re, statistics, subprocess, sys
work, verdict, pairs, benchstat = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
sizes = sorted({n for n in (6, 10, pairs) if n <= pairs})

def by_benchstat(a, b):
    if not benchstat:
        return None
    for name, values in (("old", a), ("new", b)):
        with open(f"{work}/{name}.txt", "w") as f:
            f.writelines(f"BenchmarkX 1 {v * 1e9:.0f} ns/op\n" for v in values)
    out = subprocess.run([benchstat, f"{work}/old.txt", f"{work}/new.txt"], capture_output=True, text=True).stdout
    line = next(l for l in out.splitlines() if l.startswith("X "))
    return "~" not in line

def by_hyperfine(a, b):
    ma, mb, sa, sb = statistics.mean(a), statistics.mean(b), statistics.stdev(a), statistics.stdev(b)
    slow, fast = (a, b) if ma > mb else (b, a)
    ratio = max(ma, mb) / min(ma, mb)
    error = ratio * math.sqrt((sa / ma) ** 2 + (sb / mb) ** 2)
    return ratio - error > 1

print(f"\n{'':>9}{'':>7}{'noise of':>10}{'bench':>17}{'':>15}{'benchstat':>15}{'hyperfine':>15}")
print(f"{'slowdown':>9}{'pairs':>7}{'a pair':>10}{'found':>17}{'inconclusive':>15}{'found':>15}{'found':>15}")
for percent in (0, 1, 2, 5):
    files = sorted(glob.glob(f"{work}/{percent}-[0-9]*"))
    data = [[tuple(map(float, l.split())) for l in open(f)] for f in files]
    noise = statistics.median(statistics.stdev(math.log(b / a) for a, b in d) for d in data)
    for n in sizes:
        ours = stat = hyper = wide = 0
        for f, d in zip(files, data):
            out = subprocess.run([verdict, str(n)], stdin=open(f), capture_output=True, text=True, check=True).stdout.split()
            ours += out[4] == "yes"
            # A gate at half the slowdown would be inconclusive: the interval holds both the limit and the truth's side.
            limit = percent / 200
            wide += percent > 0 and float(out[2]) <= limit <= float(out[3])
            a, b = [x for x, _ in d[:n]], [y for _, y in d[:n]]
            stat += bool(by_benchstat(a, b))
            hyper += by_hyperfine(a, b)
        k = len(files)
        cell = lambda x: f"{x}/{k} ({100 * x / k:.0f} %)"
        print(f"{percent:>7} %{n:>7}{100 * noise:>8.2f} %{cell(ours):>17}{cell(wide) if percent else '-':>15}"
              f"{cell(stat) if benchstat else '-':>15}{cell(hyper):>15}")
print("\nfound at 0 %: a false alarm. inconclusive: a gate at half the slowdown, cpu<=+half%, would be.")
PY
