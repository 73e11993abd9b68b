#!/bin/bash
# Calls that reach the agent from within something: from under a lock of libc's, of the loader's, of the
# allocator's; in a thread that is to be cancelled, or jumps out; in a sandbox; and what reaches the host from within the agent.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1
host=$helpers/agent_host_inside

# lives WHAT COMMAND…: it ends by itself, with status 0, also if every allocation is sampled.
lives() {
	local what=$1 heap status
	shift
	for heap in 1 524288; do
		env LD_PRELOAD="$agent ${behind:-}" PROFUSE_PORT=auto PROFUSE_HEAP=$heap timeout -k 1 60 "$@" > "$work/out" 2>&1
		status=$?
		[ $status = 0 ] || fail "$what, PROFUSE_HEAP=$heap: status $status: $(cat "$work/out")"
	done
}

lives attributes "$host" attributes
lives cancelled "$host" cancelled
lives constructor "$host" constructor "$helpers/agent_plugin_thread.so"
lives jumped "$host" jumped
lives loader "$host" loader
lives descriptors "$host" descriptors
PROFUSE_RUN_DIR=$run lives leaves "$host" leaves
PROFUSE_RUN_DIR=$run lives closed "$host" closed
behind=$helpers/agent_allocator.so lives contended "$host" contended

AGENT_TEST_END=$work/sandbox.end PROFUSE_HEAP=10000 with_agent "$host" sandbox 120 > "$work/out" 2>&1
sleep 0.5
port=$(port_of $pid)
# On a busy machine a second may be too short to have burnt and allocated in.
seen_all() {
	get "$port" "profile?seconds=1" "$work/sandbox.pb.gz"
	get "$port" heap "$work/heap.pb.gz"
	dump "$work/sandbox.pb.gz" > "$work/sandbox.txt"
	grep -q '^sample .*burn[.a-z0-9]*;coroutine' "$work/sandbox.txt" &&
		dump "$work/heap.pb.gz" > "$work/heap.txt" && grep -q '^sample .*[ ;]sandbox;' "$work/heap.txt"
}
tries=0
until seen_all; do
	tries=$((tries + 1))
	[ $tries -lt 20 ] || fail "sandbox: no burning coroutine or no heap: $(grep ^sample "$work/sandbox.txt" "$work/heap.txt")"
done
get "$port" threads "$work/threads.pb.gz"
touch "$work/sandbox.end"
wait $pid || { [ $? = 77 ] && skip "no seccomp here"; fail "sandbox: it ended with $?: $(cat "$work/out")"; }
