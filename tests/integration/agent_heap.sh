#!/bin/bash
# long
# Heap profiles of unchanged programs over glibc, jemalloc, tcmalloc and mimalloc: nothing of what the
# programs see changes, and what is known about them is found.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1
libraries=$(dirname "$(ldconfig -p | sed -n 's/.*libc\.so\.6 .*x86-64.*=> //p' | head -1)")

# found NAME…: the path of the first of these libraries, or nothing.
found() {
	local name
	for name in "$@"; do
		ldconfig -p | sed -n "s#.*$name.* => ##p" | head -1
	done | head -1
}
declare -A allocators=([glibc]="" [jemalloc]=$(found libjemalloc.so.2) \
	[tcmalloc]=$(found libtcmalloc_minimal.so.4) [mimalloc]=$(found libmimalloc.so.2.0 libmimalloc.so.2))
names=glibc
for name in jemalloc tcmalloc mimalloc; do
	[ -n "${allocators[$name]}" ] && names="$names $name"
done
[ "${CI:-}" = true ] && [ "$names" != "glibc jemalloc tcmalloc mimalloc" ] && fail "CI needs them all: $names"

# within WHAT VALUE WANTED SHARE: a sampled figure, about six standard errors wide.
within() {
	awk -v v="$2" -v w="$3" -v s="$4" 'BEGIN { exit !(v > w * (1 - s) && v < w * (1 + s)) }' ||
		fail "$1 is $2, not $3"
}

# sum COLUMN PATTERN FILE: of the samples whose stack or labels match.
sum() {
	awk -v column="$1" -v pattern="$2" '/^sample/ && $0 ~ pattern { n += $(column + 1) } END { printf "%.0f\n", n }' "$3"
}

# The same answers with and without the agent, whichever comes first, also if every allocation is sampled.
transcripts() {
	local name=$1 library=${allocators[$1]} order preload heap
	LD_PRELOAD=$library "$helpers/agent_host_heap" functions > "$work/$name.want" || fail "$name alone: $(tail -1 "$work/$name.want")"
	for heap in 524288 1; do
		for preload in "$agent $library" "$library $agent"; do
			timeout 120 env LD_PRELOAD="$preload" PROFUSE_HEAP=$heap PROFUSE_PORT=auto "$helpers/agent_host_heap" functions > "$work/$name.got" ||
				fail "$name, $preload, PROFUSE_HEAP=$heap: $(tail -1 "$work/$name.got")"
			cmp "$work/$name.want" "$work/$name.got" || fail "$name, $preload, PROFUSE_HEAP=$heap: another transcript"
		done
	done
	for mode in "threads 1.5" "signals 0.5"; do
		timeout 120 env LD_PRELOAD="$agent $library" PROFUSE_HEAP=1 PROFUSE_PORT=auto "$helpers/agent_host_heap" $mode > "$work/$name.out" 2>&1 ||
			fail "$name: $mode: $(cat "$work/$name.out")"
	done
}

# What known() of host_heap.c has done, in the profiles.
figures() {
	local name=$1 host port
	LD_PRELOAD="$agent ${allocators[$1]}" PROFUSE_PORT=auto PROFUSE_RUN_DIR=$run "$helpers/agent_host_heap" known > "$work/$name.out" &
	host=$!
	started="$started $host"
	ready "$work/$name.out" $host
	port=$(port_of $host)
	get "$port" heap "$work/$name.pb.gz"
	dump "$work/$name.pb.gz" > "$work/$name.heap"
	within "$name: small blocks in use" "$(sum 4 '[ ;]keep_small;' "$work/$name.heap")" 40000000 0.7
	within "$name: large blocks in use" "$(sum 4 '[ ;]keep_large;' "$work/$name.heap")" 50331648 0.01
	within "$name: large objects in use" "$(sum 3 '[ ;]keep_large;' "$work/$name.heap")" 6 0.01
	within "$name: all that was freed at once" "$(sum 2 '[ ;]free_at_once;' "$work/$name.heap")" 400000000 0.5
	within "$name: small objects" "$(sum 1 '[ ;]free_at_once;' "$work/$name.heap")" 2000000 0.5
	[ "$(sum 4 '[ ;]free_at_once;' "$work/$name.heap")" = 0 ] || fail "$name: freed, but in use"
	[ "$(sum 4 '[ ;]make_for_others;' "$work/$name.heap")" = 0 ] || fail "$name: freed by another thread, but in use"
	grep -q '^sample .*keep_small;.* bytes=1000bytes$' "$work/$name.heap" || fail "$name: no label of 1000 bytes"
	grep -q '^default inuse_space' "$work/$name.heap" || fail "$name: $(grep ^default "$work/$name.heap")"
	grep -q '^period 524288 space bytes' "$work/$name.heap" || fail "$name: $(grep ^period "$work/$name.heap")"
	grep -q '^comment heap: .* 0 more than fit' "$work/$name.heap" || fail "$name: $(grep ^comment "$work/$name.heap")"
	get "$port" frees "$work/$name.pb.gz"
	dump "$work/$name.pb.gz" > "$work/$name.frees"
	within "$name: freed by others" "$(sum 2 'make_for_others;.* thread=other$' "$work/$name.frees")" 30000000 0.9
	[ "$(sum 2 'free_at_once;.* thread=other$' "$work/$name.frees")" = 0 ] || fail "$name: another thread freed at once"
	grep -q '^sample .*free_at_once;.* lifetime=1ms thread=same$' "$work/$name.frees" || fail "$name: no short lifetimes"
	get "$port" allocator "$work/$name.stats"
	case $name in
	glibc) head -1 "$work/$name.stats" | grep -q '^<malloc version=' && tail -1 "$work/$name.stats" | grep -q '^</malloc>' ;;
	jemalloc) python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["jemalloc"]["stats"]["allocated"] > 40e6' "$work/$name.stats" ;;
	tcmalloc) grep -q '^MALLOC: .* Bytes in use by application$' "$work/$name.stats" ;;
	mimalloc) grep -q '^ *committed:' "$work/$name.stats" ;;
	esac || fail "$name: its own statistics: $(head -c 300 "$work/$name.stats")"
	kill $host
	echo "$name: $(sum 4 . "$work/$name.heap") bytes in use, $(sum 2 . "$work/$name.heap") allocated"
}

# C++'s operators, libstdc++'s and the allocator's own. A period of 128 KiB: of 10 MB no fewer than 76 points.
operators() {
	local name=$1 library=${allocators[$1]} mild=
	[ -x "$helpers/agent_host_new" ] || return
	[ "$name" = mimalloc ] && mild=mild
	LD_PRELOAD="$agent $library" PROFUSE_PORT=auto PROFUSE_RUN_DIR=$run PROFUSE_HEAP=${2:-131072} "$helpers/agent_host_new" $mild > "$work/$name.out" 2>&1 &
	host=$!
	started="$started $host"
	ready "$work/$name.out" $host
	get "$(port_of $host)" heap "$work/$name.pb.gz"
	dump "$work/$name.pb.gz" > "$work/$name.new"
	within "$name: strings in use" "$(sum 4 keep_strings "$work/$name.new")" 20020000 0.9
	# Who ends in a jump to the allocator is not on the stack, and found in the code.
	within "$name: arrays in use" "$(sum 4 '[ ;]_ZL10make_arraym;_ZL9keep_madev;' "$work/$name.new")" 10005000 0.9
	within "$name: blocks in use" "$(sum 4 '[ ;]_ZL10make_blockm;_ZL9keep_madev;' "$work/$name.new")" 10005000 0.9
	kill $host
}

# glibc raises its thresholds when a great block is freed: the agent's are none of its.
thresholds() {
	local port kind
	AGENT_TEST_END=$work/apart.end with_agent "$helpers/agent_host_heap" apart > "$work/apart.out"
	ready "$work/apart.out" $pid
	port=$(port_of $pid)
	for kind in heap allocs threads mutex "threads?seconds=1" "profile?seconds=1" allocator memory; do
		get "$port" "$kind" "$work/apart.got"
	done
	touch "$work/apart.end"
	wait $pid || fail "profiles change what malloc does: $?"
}

# The same data in the three forms; differences; the doors.
forms() {
	local port text
	with_agent "$helpers/agent_host_heap" grow 20 > /dev/null
	port=$(port_of $pid)
	sleep 1
	get "$port" "heap?seconds=2&gc=1" "$work/grow.pb.gz" &
	delta=$!
	get "$port" "allocs" "$work/allocs.pb.gz"
	dump "$work/allocs.pb.gz" > "$work/allocs.txt"
	grep -q '^default alloc_space' "$work/allocs.txt" || fail "allocs: $(grep ^default "$work/allocs.txt")"
	wait $delta || exit 1
	dump "$work/grow.pb.gz" > "$work/grow.txt"
	# 200 MB at most, since there is a pause between two, give or take what sampling does; much less on a busy machine.
	within "what grew in 2 s" "$(sum 4 '[ ;]grow;' "$work/grow.txt")" 125000000 0.99
	grep -q '^duration [2-9]' "$work/grow.txt" || fail "$(grep ^duration "$work/grow.txt")"
	[ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/debug/pprof/heap?seconds=1&debug=1")" = 400 ] ||
		fail "seconds and debug go together"
	kill $pid
	with_agent "$helpers/agent_host_heap" known > "$work/known.out"
	ready "$work/known.out" $pid
	port=$(port_of $pid)
	get "$port" heap "$work/known.pb.gz"
	get "$port" "heap?debug=1" "$work/known.text"
	dump "$work/known.pb.gz" > "$work/known.txt"
	text=$(sed -n 's/^heap profile: \(.*\): \(.*\) \[\(.*\): \(.*\)\] @ heapprofile$/\3 \4 \1 \2/p' "$work/known.text")
	[ "$text" = "$(for i in 1 2 3 4; do sum $i . "$work/known.txt"; done | tr '\n' ' ' | sed 's/ $//')" ] ||
		fail "the text's totals are not the profile's: $text"
	if command -v go > /dev/null; then
		for form in pb.gz text; do
			top=$(PPROF_TMPDIR=$work go tool pprof -top -sample_index=inuse_space "$helpers/agent_host_heap" "$work/known.$form" 2>&1)
			grep -q ' keep_small$' <<< "$top" || fail "go tool pprof: $top"
		done
	fi
	if [ -x "$build/profuse" ]; then
		for type in heap allocs; do
			"$build/profuse" collect "http://127.0.0.1:$port" --type $type -o "$work/collected.$type" 2> "$work/said" || fail "collect --type $type: $(cat "$work/said")"
			grep -q "distinct stacks of agent_host_heap" "$work/said" || fail "collect does not name the program: $(cat "$work/said")"
		done
		"$build/profuse" show raw "$work/collected.heap" > "$work/raw" || fail "show: $?"
		grep -q inuse_space "$work/raw" || fail "show: $(head -5 "$work/raw")"
	fi
	kill $pid
}

# A program at a fixed address that takes malloc's address has a symbol malloc of its own, without a function.
fixed() {
	local said
	readelf -W --dyn-syms "$helpers/agent_host_heap_fixed" | grep -q ' [0-9a-f]*[1-9a-f][0-9a-f]* .* UND malloc' ||
		fail "the program at a fixed address has no symbol for malloc: it tests nothing"
	with_agent "$helpers/agent_host_heap_fixed" grow 20 > /dev/null
	get "$(port_of $pid)" heap "$work/fixed.pb.gz"
	kill $pid
	[ -n "${allocators[jemalloc]}" ] || return 0
	LD_PRELOAD="${allocators[jemalloc]} $agent" PROFUSE_PORT=auto PROFUSE_RUN_DIR=$run "$helpers/agent_host_heap_fixed" grow 20 > /dev/null &
	pid=$!
	started="$started $pid"
	said=$(curl -s -w ' %{http_code}' "http://127.0.0.1:$(port_of $pid)/debug/pprof/heap")
	[[ $said == *"before any other allocator"*501 ]] || fail "another allocator first, at a fixed address: $said"
	kill $pid
}

# Where it can't be had, it is said, and everything else is as always.
closed() {
	local said
	PROFUSE_HEAP=off with_agent "$helpers/agent_host_process" burn 20
	said=$(curl -s -w ' %{http_code}' "http://127.0.0.1:$(port_of $pid)/debug/pprof/heap")
	[[ $said == *PROFUSE_HEAP=off*501 ]] || fail "off: $said"
	kill $pid
	[ -n "${allocators[jemalloc]}" ] || return
	LD_PRELOAD="${allocators[jemalloc]} $agent" PROFUSE_PORT=auto PROFUSE_RUN_DIR=$run "$helpers/agent_host_process" burn 20 &
	pid=$!
	started="$started $pid"
	said=$(curl -s -w ' %{http_code}' "http://127.0.0.1:$(port_of $pid)/debug/pprof/heap")
	[[ $said == *"before any other allocator"*501 ]] || fail "another allocator first: $said"
	fetch "$(port_of $pid)" 1 "$work/cpu.pb.gz"
	kill $pid
}

all_of() {
	transcripts "$1"
	figures "$1"
	operators "$1"
	[ "$1" = glibc ] && operators "$1" 1
	return 0
}

waiting=""
for step in forms thresholds closed fixed; do
	beside $step
	waiting="$waiting $!"
done
for name in $names; do
	all_of "$name" || exit 1
done
for step in $waiting; do
	wait "$step" || exit 1
done
