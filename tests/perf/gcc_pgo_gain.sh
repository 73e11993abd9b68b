#!/usr/bin/env bash
# What a converted profile gains a program built by GCC: the demo's service (its requests replayed, without sockets) is
# profiled through the agent on one folder's requests, built with -fauto-profile, and compared on another folder's by
# instructions (callgrind) with the plain build and with GCC's instrumented one.
#
# usage: gcc_pgo_gain.sh BUILD [CPU SECONDS]
set -euo pipefail
build=$(realpath "$1")
seconds=${2:-60}
source_dir=$(dirname "$(realpath "$0")")/../..
service=$source_dir/examples/pgo-service
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# link OUT FLAG…: the service, built by GCC
link() {
	local out=$1
	shift
	mkdir -p "$out.objects"
	for file in "$service"/*.c; do
		[ "${file##*/}" = load.c ] ||
			gcc -std=gnu11 -O2 -g1 "$@" -c "$file" -o "$out.objects/$(basename "$file" .c).o"
	done
	gcc "$@" "$out.objects"/*.o -o "$out" -Wl,--build-id -lpthread -lm
}
replay() { "./$1" --data "$service/data/$2" --replay "$service/data/$2/requests.txt" "$3"; }

link base
mkdir profiles
rounds=20
while :; do # as many rounds as take so many seconds
	before=$(date +%s)
	replay base training $rounds >replayed
	took=$(($(date +%s) - before))
	[ $took -lt 3 ] || break
	rounds=$((rounds * 3))
done
LD_PRELOAD=$build/libprofuse-agent.so PROFUSE_PORT=0 PROFUSE_OUT=$work/profiles PROFUSE_OUT_SECONDS=86400 \
	replay base training $((rounds * seconds / took)) >replayed
"$build/profuse" convert --binary base --format gcc -o service.afdo profiles/*.pb.gz
link ours -fauto-profile="$work/service.afdo"
link counting -fprofile-generate -fprofile-update=single
replay counting training 20 >replayed
mkdir instrumented.objects
cp counting.objects/*.gcda instrumented.objects # GCC looks for them beside the object it makes
link instrumented -fprofile-use -w # it warns of each function that never ran
for variant in base ours instrumented; do
	replay "$variant" evaluation 3 >"$variant.answers"
	cmp -s base.answers "$variant.answers" || { echo "$variant answers otherwise"; exit 1; }
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "./$variant" --data "$service/data/evaluation" \
		--replay "$service/data/evaluation/requests.txt" 10 2>&1 | sed -n 's/.*refs: *//p' | tr -d , >"$variant.count"
done
awk -v base="$(cat base.count)" -v ours="$(cat ours.count)" -v full="$(cat instrumented.count)" 'BEGIN {
	printf "instructions: base %d, ours %d (%+.1f %%), instrumented %d (%+.1f %%)\n", base, ours, 100 * (ours / base - 1), full, 100 * (full / base - 1)
	printf "recovered: %.0f %%\n", 100 * log(base / ours) / log(base / full)
}'
