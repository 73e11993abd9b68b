#!/bin/bash
# long
# Single steps never break their host: each mode of host_steps.c ends as it does without an agent, and a
# debugger, a tracer and valgrind may come meanwhile.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1
host=$helpers/agent_host_steps
[ "$(uname -m)" = x86_64 ] || skip "the trap flag is this machine's"
ulimit -c 0

# stepped FOLDER COMMAND…: runs it with steps as often as can be, its profiles into the folder.
stepped() {
	local out=$1
	shift
	mkdir -p "$out"
	env LD_PRELOAD="$agent" PROFUSE_PORT=0 PROFUSE_OUT="$out" PROFUSE_OUT_SECONDS=1 PROFUSE_STEPS=50 PROFUSE_RATE=1000 \
		timeout -s KILL 100 "$@"
}

# said FOLDER: what the profiles say of their steps.
said() {
	local file
	for file in "$1"/*.pb.gz; do
		[ -e "$file" ] || continue
		dump "$file" | sed -n 's/^comment \(step.*\)/\1/p'
	done
}

# plain MODE SECONDS: without an agent, its output and status.
plain() {
	timeout -s KILL 100 "$host" "$1" "$2" > "$work/$1.plain" 2> /dev/null
	echo "status $?" >> "$work/$1.plain"
}

# same MODE SECONDS: without and with an agent. A machine has been seen to end the plain host of `code` by SIGSEGV, once in
# some thousand runs: what the host does with an agent has to be what it does without one in any of three runs.
same() {
	local again=2
	stepped "$work/$1" "$host" "$1" "$2" > "$work/$1.stepped" 2> /dev/null
	echo "status $?" >> "$work/$1.stepped"
	plain "$1" "$2"
	until cmp -s "$work/$1.plain" "$work/$1.stepped"; do
		echo "$1: $(tr '\n' ' ' < "$work/$1.plain") became $(tr '\n' ' ' < "$work/$1.stepped")"
		[ $((again--)) -gt 0 ] || fail "$1: not the same with steps"
		plain "$1" "$2"
	done
	echo "$1: $(said "$work/$1" | grep -c '^stepped') profiles with steps"
}

same default 1
said "$work/default" | grep -q '^stepped' || fail "default: a host that resets SIGTRAP is not stepped any more"
for mode in int3 kill raw ignore take chain flags mask jump slow alt cancel spawn coroutines faults code; do
	same $mode 1
done
same restart 2
said "$work/flags" | grep -q '^stepped' || skip "no steps on this machine: $(said "$work/flags" | head -1)"

# Under a debugger there are none, and it sees no trap.
if command -v gdb > /dev/null; then
	stepped "$work/gdb" "$host" mask 8 &
	started="$started $!"
	for i in $(seq 100); do
		ls "$work"/gdb/*.pb.gz > /dev/null 2>&1 && break
		sleep .1
	done
	pid=$(pgrep -P $!)
	timeout 60 gdb -nx -batch -p "$pid" -ex 'handle SIGTRAP nostop noprint pass' -ex 'break usleep' -ex detach > "$work/gdb.txt" 2>&1
	wait $! || fail "gdb: the host ended with $? after a debugger was there: $(cat "$work/gdb.txt")"
	stepped "$work/under" gdb -nx -batch -ex run --args "$host" flags 1 > "$work/under.txt" 2>&1
	grep -q 'seen 0, in a handler 0' "$work/under.txt" || fail "gdb: $(cat "$work/under.txt")"
fi
if command -v strace > /dev/null; then
	stepped "$work/strace" strace -f -o /dev/null "$host" flags 1 > "$work/strace.txt" 2>&1
	grep -q 'seen 0, in a handler 0' "$work/strace.txt" || fail "strace: $(cat "$work/strace.txt")"
	# A sample that the tracer still holds when a profile ends (a busy machine) must not end the host.
	held=
	for i in 1 2 3 4 5 6; do
		stepped "$work/strace$i" strace -f -o /dev/null "$host" flags 1 > "$work/strace$i.txt" 2>&1 &
		held="$held $!"
	done
	for i in $held; do
		wait "$i" || fail "strace: the host ended with $?"
	done
fi
if command -v valgrind > /dev/null; then
	stepped "$work/valgrind" valgrind -q "$host" flags 1 > "$work/valgrind.txt" 2>&1
	grep -q 'seen 0, in a handler 0' "$work/valgrind.txt" || fail "valgrind: $(cat "$work/valgrind.txt")"
fi
exit 0
