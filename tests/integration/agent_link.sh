#!/bin/bash
# long
# The agent linked into a program: shared, from the archive, beside libprofuse, and opened late.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1
cc=${CC:-cc}
command -v "$cc" > /dev/null || skip "no C compiler called $cc"

# try NAME "LINKER ARGUMENTS" COMPILER ARGUMENTS…: builds, runs, and expects an agent with samples.
try() {
	local name=$1 link=$2
	shift 2
	"$cc" -O2 -D_GNU_SOURCE -I"$PROFUSE_SOURCE_DIR" -I"$PROFUSE_SOURCE_DIR/include" "$@" \
		"$PROFUSE_SOURCE_DIR/tests/agent/linked.c" -o "$work/$name" $link || fail "$name does not link"
	PROFUSE_PORT=auto PROFUSE_RUN_DIR=$run LD_LIBRARY_PATH=$build AGENT_TEST_END=$work/$name.end "$work/$name" 120 "$agent" > "$work/$name.out" &
	pid=$!
	started="$started $pid"
	heap=$(port_of $pid) # waits until it listens
	heap=$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$(port_of $pid)/debug/pprof/heap")
	fetch "$(port_of $pid)" 2 "$work/$name.pb.gz"
	touch "$work/$name.end"
	wait $pid || fail "$name ended with $?"
	[ "$heap" = $([ "$name" = shared ] && echo 200 || echo 501) ] || fail "$name: heap answers $heap"
	dump "$work/$name.pb.gz" > "$work/$name.txt"
	grep -q '^sample .*burn[.a-z0-9]*;' "$work/$name.txt" || fail "$name: no samples: $(cat "$work/$name.txt")"
	grep -q '^comment stacks: .* 0 cut short' "$work/$name.txt" || fail "$name: $(grep 'comment stacks' "$work/$name.txt")"
	echo "$name: $(sed -n 's/^comment cpu time: //p' "$work/$name.txt")"
}

try shared "-Wl,--as-needed -L$build -lprofuse-agent" -DCALL
try archive_call "$build/libprofuse-agent.a" -DCALL
try archive_undefined "-Wl,-u,profuse_agent_start $build/libprofuse-agent.a"
try archive_whole "-Wl,--whole-archive $build/libprofuse-agent.a -Wl,--no-whole-archive"
try opened "-ldl" -DOPEN
# gcc leaves the search table of the unwind tables out of static programs unless asked for it.
try static "-static -Wl,--eh-frame-hdr $build/libprofuse-agent.a" -DCALL

# The archive beside libprofuse, whose own symbols have the same names.
if [ -f "$build/libprofuse.so" ]; then
	try both_shared "$build/libprofuse-agent.a -L$build -lprofuse" -DCALL -DBOTH
fi
"$cc" -O2 -D_GNU_SOURCE -DCALL -DBOTH -I"$PROFUSE_SOURCE_DIR" -I"$PROFUSE_SOURCE_DIR/include" \
	"$PROFUSE_SOURCE_DIR/tests/agent/linked.c" -o "$work/both" "$build/libprofuse-agent.a" \
	-Wl,--whole-archive "$build/libprofuse.a" -Wl,--no-whole-archive -Wl,--unresolved-symbols=ignore-all \
	2> "$work/both.err" || fail "the two archives don't go together: $(cat "$work/both.err")"
grep -q 'multiple definition' "$work/both.err" && fail "$(cat "$work/both.err")"

# What the libraries export and need: their API, in the shared one also what stands in front of the host's, and libc.
exported=$(nm -D --defined-only "$agent" | awk '{ print $3 }' | sort)
[ "$exported" = "$(sort "$PROFUSE_SOURCE_DIR/cmake/agent-exports.txt")" ] || fail "exported: $exported"
exported=$(nm --defined-only --extern-only "$build/libprofuse-agent.a" | awk 'NF == 3 { print $3 }' | sort | tr '\n' ' ')
[ "$exported" = "profuse_agent_start profuse_agent_stop " ] || fail "the archive's: $exported"
needed=$(readelf -d "$agent" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ')
[ "$needed" = "libc.so.6 " ] || fail "needed: $needed"
readelf -d "$agent" | grep -q TEXTREL && fail "text relocations"
exit 0
