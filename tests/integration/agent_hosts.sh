#!/bin/bash
# long
# The agent never breaks its host: forks, execs, daemons, signals, threads, plugins, while sampling.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1

# sampled NAME SECONDS HOST…: takes a profile while the host runs, then ends it; its text in $work/NAME.txt.
sampled() {
	local name=$1 seconds=$2
	shift 2
	AGENT_TEST_END=$work/$name.end with_agent "$@" > "$work/$name.out" 2>&1
	host=$pid
	(fetch "$(port_of "$host")" "$seconds" "$work/$name.pb.gz") || {
		wait "$host"
		fail "$name: no profile; the host ended with $?: $(cat "$work/$name.out")"
	}
	touch "$work/$name.end"
	dump "$work/$name.pb.gz" > "$work/$name.txt"
	wait "$host"
	status=$?
	[ $status = 0 ] || fail "$name: the host ended with $status: $(cat "$work/$name.out")"
	echo "$name: $(sed -n 's/^comment cpu time: //p' "$work/$name.txt"); $(tail -1 "$work/$name.out")"
}

# within NAME LOW: at least that share of the CPU time used was sampled.
within() {
	awk -v low="$2" '/^comment cpu time:/ { exit !($10 > low * $4 - .06 && $10 < 1.3 * $4 + .06) }' "$work/$1.txt" ||
		fail "$1: $(grep '^comment cpu' "$work/$1.txt")"
}

# comment NAME PATTERN
comment() {
	grep -q "^comment $2" "$work/$1.txt" || fail "$1: no comment '$2' in: $(grep ^comment "$work/$1.txt")"
}

processes() {
	sampled fork 3 "$helpers/agent_host_process" fork 120
	within fork 0.8
	# exec in the middle: the answer breaks off, the new program has no agent and lives.
	with_agent "$helpers/agent_host_process" exec 1.5
	host=$pid
	curl -s -o /dev/null "http://127.0.0.1:$(port_of $host)/debug/pprof/profile?seconds=30" &&
		fail "exec: the profile ended as if nothing had happened"
	wait $host || fail "exec: the new program ended with $?"
	# A program whose main thread has ended ends with its last other thread, not with the agent.
	sampled leave 1 "$helpers/agent_host_threads" leave 120
	with_agent "$helpers/agent_host_threads" leave 1
	wait $pid || fail "leave: idle, the host ended with $?"
	run_daemon
}

# A daemon: two forks, all descriptors closed and taken; the agent comes back and touches none.
run_daemon() {
	local daemon="" candidate
	: > "$work/file"
	with_agent "$helpers/agent_host_process" daemon "$work/file"
	wait $pid
	for i in $(seq 60); do
		sleep 0.1
		for candidate in $(ls "$run" | sed -n 's/^agent_host_process-\([0-9]*\)\.json$/\1/p'); do
			[ "$(ls "/proc/$candidate/fd" 2> /dev/null | wc -l)" -gt 800 ] && daemon=$candidate
		done
		[ -n "$daemon" ] && break
	done
	[ -n "$daemon" ] || fail "daemon: it never announced itself: $(ls "$run")"
	for i in $(seq 30); do
		curl -s --max-time 5 -o "$work/daemon.pb.gz" \
			"http://127.0.0.1:$(port_of "$daemon")/debug/pprof/profile?seconds=2" && break
		sleep 0.2
	done
	dump "$work/daemon.pb.gz" > "$work/daemon.txt"
	kill "$daemon"
	grep -q '^sample .*burn' "$work/daemon.txt" || fail "daemon: no samples"
	[ -s "$work/file" ] && fail "daemon: $(cat "$work/file")"
	echo "daemon: $(sed -n 's/^comment cpu time: //p' "$work/daemon.txt")"
}

signals() {
	sampled early 2 "$helpers/agent_host_signals" early 120
	comment early 'signal: 16'
	within early 0.8
	sampled late 4 "$helpers/agent_host_signals" late 120
	comment late 'moved: the host took the signal over 1 times'
	within late 0.7
	sampled blocked 2 "$helpers/agent_host_signals" blocked 120
	comment blocked 'threads: 3 not sampled: they block the signal'
	sampled eintr 2 "$helpers/agent_host_signals" eintr 120
	# A host's handler, on the same stack and on its own: whole in the first case.
	sampled handler 2 "$helpers/agent_host_signals" handler 120
	comment handler 'stacks: [0-9]* taken, 0 cut short'
	grep -q '^sample .*burn;on_alarm;.*;interrupted;handler;.*_start$' "$work/handler.txt" ||
		fail "handler: no stack through the signal's frame: $(grep ^sample "$work/handler.txt")"
	sampled altstack 2 "$helpers/agent_host_signals" altstack 120
}

threads() {
	sampled many 4 "$helpers/agent_host_threads" many 120
	within many 0.4
	sampled churn 4 "$helpers/agent_host_threads" churn 120
	within churn 0.2
	sampled coroutine 2 "$helpers/agent_host_threads" coroutine 120
	grep -q '^sample .*burn;coroutine' "$work/coroutine.txt" || fail "coroutine: $(grep ^sample "$work/coroutine.txt")"
	# Plugins that replace each other at one address: every frame has its name, in its own file.
	sampled plugins 4 "$helpers/agent_host_threads" plugins 120 "$helpers/agent_plugin_a.so" "$helpers/agent_plugin_b.so"
	within plugins 0.8
	for letter in a b; do
		id=$(readelf -n "$helpers/agent_plugin_$letter.so" | sed -n 's/.*Build ID: //p')
		[ "$(grep -c "^mapping .*/agent_plugin_$letter.so $id\$" "$work/plugins.txt")" = 1 ] ||
			fail "plugins: not one mapping of $letter: $(grep ^mapping "$work/plugins.txt")"
	done
	grep -q '^sample .*burn;plugin_burn;main;' "$work/plugins.txt" || fail "plugins: no stack through a plugin"
	grep '^sample' "$work/plugins.txt" | grep -q '\[agent_plugin' && fail "plugins: an address in the wrong file"
	return 0
}

# Three at a time: each mostly waits for its seconds to pass.
groups=""
for group in processes signals threads; do
	beside $group
	groups="$groups $!"
done
status=0
for group in $groups; do
	wait "$group" || status=1
done
exit $status
