#!/bin/bash
# Whole stacks from main to leaf, with and without frame pointers and beyond the copied part.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1

# The chain of calls that every sample of a leaf must show.
chain=leaf
for i in $(seq -w 35 -1 0); do
	chain="$chain;level_$i"
done

# check NAME THREADS LAST: samples of that build are whole down to LAST.
check() {
	local name=$1 threads=$2 last=$3 seconds whole leaves lost
	with_agent "$helpers/$name" 600 "$threads" > /dev/null
	for seconds in 2 6 20; do # longer where others use the processors
		fetch "$(port_of "$pid")" $seconds "$work/$name.pb.gz"
		dump "$work/$name.pb.gz" > "$work/$name.txt"
		leaves=$(awk '/^sample/ && $4 ~ /^leaf;/ { n += $2 } END { print n + 0 }' "$work/$name.txt")
		[ "$leaves" -ge 20 ] && break
	done
	kill "$pid"
	whole=$(awk -v chain="$chain;work;" -v last="$last" '/^sample/ && index($4, chain) == 1 &&
		substr($4, length($4) - length(last) + 1) == last { n += $2 } END { print n + 0 }' "$work/$name.txt")
	[ "$leaves" -ge 20 ] || fail "$name: only $leaves samples of leaf"
	[ "$whole" = "$leaves" ] || fail "$name: $whole of $leaves stacks are whole: $(grep ^sample "$work/$name.txt" | head -3)"
	grep -q '^comment stacks: .* 0 cut short, 0 over' "$work/$name.txt" ||
		fail "$name: $(grep '^comment stacks' "$work/$name.txt")"
	lost=$(sed -n 's/^comment lost: \([0-9]*\) of.*/\1/p' "$work/$name.txt")
	[ "$lost" = 0 ] || fail "$name: $lost samples lost"
	# What is sampled is what was used, to a tenth and a few ticks of each thread: a ratio, not a time.
	awk '/^comment cpu time:/ { exit !($10 > .9 * $4 - .1 && $10 < 1.1 * $4 + .1) }' "$work/$name.txt" ||
		fail "$name: $(grep '^comment cpu' "$work/$name.txt")"
	echo "$name: $whole whole stacks of $(awk -F';' '/^sample.*leaf;/ { print NF; exit }' "$work/$name.txt") frames"
}

check agent_deep 0 "__libc_start_main;_start"
check agent_deep_fp 0 "__libc_start_main;_start"
check agent_deep_big 0 "__libc_start_main;_start"
check agent_deep 3 "]"

# The main program comes first, and its build id is the file's.
id=$(readelf -n "$helpers/agent_deep" | sed -n 's/.*Build ID: //p')
grep -q "^mapping 1 .*/agent_deep $id\$" "$work/agent_deep.txt" || fail "mapping 1: $(grep '^mapping 1' "$work/agent_deep.txt")"
grep -q '^mapping .*libc.so.6 [0-9a-f]\{40\}$' "$work/agent_deep.txt" || fail "libc's mapping has no build id"
grep -q '^type samples count' "$work/agent_deep.txt" || fail "no samples/count"
grep -q '^type cpu nanoseconds' "$work/agent_deep.txt" || fail "no cpu/nanoseconds"
grep -q '^period 10000000 cpu nanoseconds' "$work/agent_deep.txt" || fail "$(grep ^period "$work/agent_deep.txt")"
grep -q '^default cpu' "$work/agent_deep.txt" || fail "$(grep ^default "$work/agent_deep.txt")"

if ! command -v go > /dev/null; then
	[ "${CI:-}" = true ] && fail "Go is not on PATH, and CI needs it"
	echo "not tried: go tool pprof, for want of Go"
	exit 0
fi
top=$(cd "$work" && PPROF_TMPDIR=$work go tool pprof -top "$helpers/agent_deep" "$work/agent_deep.pb.gz" 2>&1) || fail "go tool pprof: $top"
grep -q ' leaf$' <<< "$top" || fail "go tool pprof does not show leaf: $top"
