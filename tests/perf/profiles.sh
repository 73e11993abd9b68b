#!/usr/bin/env bash
# What reading and merging profiles costs: against google/pprof (built from the Go module proxy) and zlib, and as a curve
# to 100,000 profiles. Runs alternate; what counts is CPU time (user and system) and the peak resident set.
#
# Usage: profiles.sh BUILD [PART…]      BUILD: a release build
#   many-go, many-native   1,000 profiles of about 100 KB into one, beside pprof -proto -symbolize=none
#   large                  10 profiles of about 10 MB
#   read                   one whole profile, beside zlib's inflate of the same bytes
#   curve                  from 100 to 100,000 profiles: time and memory by input and by what is distinct in it
#
# ROUNDS (default 3) runs of each; COUNT (default 1000) profiles in the first two parts, MOST (default 100000) in the
# curve. Needs Go, 2 GB of disk in TMPDIR, and 8 GB of memory for pprof.
set -euo pipefail
build=$(cd "${1:?usage: profiles.sh BUILD [PART…]}" && pwd)
shift
: "${ROUNDS:=3}" "${COUNT:=1000}" "${MOST:=100000}"
source=$(cd "$(dirname "$0")/../.." && pwd)
version=v0.0.0-20261105003125-4bf881d7fb0b
cache=${XDG_CACHE_HOME:-$HOME/.cache}/profuse
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make=$build/tests/tools/make_profiles
pprof=$cache/pprof-$version/pprof
measure() {
	python3 "$source/tests/tools/measure.py" "$@"
}

get_pprof() {
	[ ! -x "$pprof" ] || return 0
	command -v go >/dev/null || { echo "profiles: Go is needed to build pprof" >&2; exit 77; }
	GOBIN=$(dirname "$pprof") GOFLAGS=-mod=mod go install "github.com/google/pprof@$version"
}

# beside_pprof TITLE FOLDER
beside_pprof() {
	get_pprof
	printf '%s: %s files, %s bytes each on average\n' "$1" "$(ls "$2" | wc -l)" \
		$(($(cat "$2"/* | wc -c) / $(ls "$2" | wc -l)))
	PPROF_TMPDIR=$work measure "$ROUNDS" profuse "$build/profuse" merge "$2" -o "$work/ours.pb.gz" \
		--- pprof "$pprof" -proto -symbolize=none -output="$work/theirs.pb.gz" "$2"/*
	ls -l "$work/ours.pb.gz" "$work/theirs.pb.gz" | awk '{print "  " $5 " bytes written: " $NF}' | sed "s#$work/##"
	rm -rf "$2"
}

# folder NAME FIRST COUNT SAMPLES go|native: profiles, made anew
folder() {
	mkdir "$work/$1"
	"$make" "$work/$1" "$2" "$3" "$4" "$5"
}

many-go() {
	folder go 0 "$COUNT" 2100 go
	beside_pprof "Go profiles" "$work/go"
}

many-native() {
	folder native 0 "$COUNT" 9000 native
	beside_pprof "native profiles" "$work/native"
}

large() {
	folder large 0 10 1700000 native
	beside_pprof "large profiles" "$work/large"
}

read_one() {
	folder one 0 1 "$2" "$3"
	echo "one profile ($1): $("$build/tests/tools/read_cost" "$work/one/000000.pb.gz" "$4")"
	rm -rf "$work/one"
}

read() {
	read_one "Go, small" 2100 go 300
	read_one "native, small" 9000 native 300
	read_one "Go, 1 MB" 90000 go 60
	read_one "native, 1 MB" 140000 native 60
	read_one "Go, 10 MB" 1500000 go 15
	read_one "native, 10 MB" 1700000 native 15
}

# Small profiles, of some 7 KB, so that many of them are soon made and fit into TMPDIR (0.7 GB at the end).
curve() {
	local n before=0
	mkdir "$work/curve"
	echo "profiles  input MB   CPU s  CPU ms/MB  peak MB  samples read  distinct  peak bytes/distinct"
	for n in 100 1000 10000 30000 100000; do
		[ "$n" -le "$MOST" ] || break
		"$make" "$work/curve" "$before" $((n - before)) 12 go
		before=$n
		python3 - "$work" "$build/profuse" "$n" <<-'PY'
			import json, os, resource, subprocess, sys
			work, profuse, n = sys.argv[1:]
			size = sum(entry.stat().st_size for entry in os.scandir(work + "/curve")) / 1e6
			merge = [profuse, "merge", work + "/curve", "-o", work + "/ours.pb.gz", "--json"]
			s = json.loads(subprocess.run(merge, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
			usage = resource.getrusage(resource.RUSAGE_CHILDREN)
			cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6
			print(f"{n:>8} {size:9.1f} {cpu:7.2f} {cpu * 1000 / size:10.1f} {peak:8.1f} {s['samples_read']:13} "
			      f"{s['samples']:9} {peak * 1e6 / s['samples']:20.0f}")
		PY
	done
}

for part in "${@:-many-go many-native large read curve}"; do
	for name in $part; do
		"$name"
	done
done
