#!/bin/bash
# What every thread of an unchanged program does now, what it waits for and who has it, without
# disturbing it; and where wall-clock time goes.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1

# label NAME: that label's value in the sample on standard input.
label() {
	tr ' ' '\n' | sed -n "s/^$1=//p"
}

# settled PORT PATTERN COUNT FILE: looks until so many samples match, for threads take a moment to get there.
settled() {
	local i
	for i in $(seq 300); do
		get "$1" threads "$work/look.pb.gz"
		dump "$work/look.pb.gz" > "$4"
		[ "$(grep -c "$2" "$4")" = "$3" ] && return
		sleep 0.2
	done
	fail "not $3 of '$2': $(grep ^sample "$4")"
}

# System calls, with the whole stack of each, whatever code it is.
calls() {
	local name=$1 call port
	with_agent "$helpers/$name" > "$work/$name.out"
	ready "$work/$name.out" $pid
	port=$(port_of $pid)
	settled "$port" ';wait_for;descend;descend;descend;descend;descend;descend;descend;descend;descend;descend;run;.* state=sleeps ' 8 "$work/$name.txt"
	for call in "read;.*wait_for" "recv;wait_for" "poll;.*wait_for" "epoll_wait;.*wait_for" "__select;.*wait_for" \
		"read;.*fgets;.*wait_for" "nanosleep;wait_for" "pause;wait_for"; do
		grep -q "^sample 1 .*$call;descend;.* wait=" "$work/$name.txt" || fail "$name: no $call: $(grep ^sample "$work/$name.txt")"
	done
	for call in read recv poll epoll_wait select nanosleep pause; do
		grep -q "^sample 1 .* wait=$call waited=[0-9]*nanoseconds" "$work/$name.txt" || fail "$name: no wait=$call"
	done
	grep -q '^sample 1 pause;wait_for;\(descend;\)\{10\}main;.*_start thread=' "$work/$name.txt" || fail "$name: main is not there"
	kill $pid
}

# Whom a thread waits for: who serves reads in the same call as who asks.
peers() {
	local port peer told asked heard
	with_agent "$helpers/agent_host_peers" > "$work/peers.out"
	ready "$work/peers.out" $pid
	port=$(port_of $pid)
	settled "$port" '[;]of_[a-z_]*;.* state=sleeps ' 12 "$work/peers.txt"
	for peer in "client of_client" "server of_server" "client of_local_client" "server of_local_server" "self of_jobs" "self of_event" \
		"client of_newcomer" "server of_polled_server" "client of_polled_client"; do
		grep -qE "^sample 1 .*;${peer#* };.* peer=${peer% *}( asked=.*)?$" "$work/peers.txt" || fail "not $peer: $(grep ^sample "$work/peers.txt")"
	done
	# When bytes went which way: to a server that speaks unasked the last ones went before it spoke.
	told=$(grep '^sample 1 .*;of_publisher;.* peer=server ' "$work/peers.txt")
	asked=$(label asked <<< "$told" | tr -d a-z) heard=$(label heard <<< "$told" | tr -d a-z)
	[ "$asked" -gt "$heard" ] && [ $((asked - heard)) -lt 5000000000 ] || fail "of_publisher: asked $asked, heard $heard: $told"
	! grep -E ';of_(local_server|client|polled_server);.* asked=' "$work/peers.txt" || fail "asked of those of whom nothing is known"
	! grep -E 'of_(other_)?pair;.* peer=' "$work/peers.txt" || fail "of a pair nobody can tell"
	grep -q '^comment .*the process listens for clients' "$work/peers.txt" || fail "it listens: $(grep ^comment "$work/peers.txt")"
	kill $pid
}

# Whether a look shows some who wait in a function, each for what was passed on in nine of ten turns, and one whose turn it is.
has_turns() {
	grep -q ";$1;.* wait=nanosleep .*turn=" "$2" || return 1
	grep ";$1;.* turns=" "$2" | sed -E 's/.* turns=([0-9]+)count passed=([0-9]+)count.*/\1 \2/' |
		awk '{ if (!($1 >= 20 && $2 >= 0.9 * $1)) few = 1 } END { exit few || !NR }'
}

# Who waits for a turn is who passes one on; who waits for work has it from others.
turns() {
	local port i
	with_agent "$helpers/agent_host_turns" > "$work/turns.out"
	ready "$work/turns.out" $pid
	port=$(port_of $pid)
	for i in $(seq 100); do
		get "$port" threads "$work/turns.pb.gz"
		dump "$work/turns.pb.gz" > "$work/turns.txt"
		! grep -E ';for_work;.* passed=[1-9]' "$work/turns.txt" || fail "for_work: $(grep ';for_work;' "$work/turns.txt")"
		has_turns under_limit "$work/turns.txt" && has_turns under_lock "$work/turns.txt" && break
		sleep 0.2
	done
	[ "$i" -lt 100 ] || fail "no turns: $(grep ^sample "$work/turns.txt")"
	kill $pid
}

# A deadlock: who waits for what, who has it, for how long.
deadlock() {
	local port first second joined
	with_agent "$helpers/agent_host_locks" stuck > "$work/stuck.out"
	ready "$work/stuck.out" $pid
	port=$(port_of $pid)
	settled "$port" ' wait=mutex ' 2 "$work/stuck.txt"
	sleep 0.5 # so that both have waited for longer than is asked for below
	settled "$port" ' wait=mutex ' 2 "$work/stuck.txt"
	first=$(grep '^sample 1 pthread_mutex_lock;first_then_second;' "$work/stuck.txt")
	second=$(grep '^sample 1 pthread_mutex_lock;second_then_first;' "$work/stuck.txt")
	[ -n "$first" ] && [ "$(label holder <<< "$first")" = "$(label tid <<< "$second")" ] || fail "not held by each other: $first $second"
	[ "$(label holder <<< "$second")" = "$(label tid <<< "$first")" ] || fail "not held by each other: $first $second"
	[ "$(label waited <<< "$first" | tr -d a-z)" -ge 300000000 ] || fail "waited for $(label waited <<< "$first")"
	grep -q '^sample 1 pthread_cond_wait;wait_for_ever;.* wait=condition ' "$work/stuck.txt" || fail "no condition"
	# It has a stack if it gets a processor within the time that a look takes: on a busy machine not always.
	settled "$port" '^sample 1 .*burn_for_ever;.* state=runs wait=running$' 1 "$work/stuck.txt"
	# Main waits for the end of that one.
	joined=$(grep '^sample 1 pthread_join;' "$work/stuck.txt")
	[ "$(label holder <<< "$joined")" = "$(grep ';burn_for_ever;' "$work/stuck.txt" | label tid)" ] || fail "joined: $joined"
	# The agent listens, and the process doesn't.
	grep -q '^comment .*the process listens for no clients' "$work/stuck.txt" || fail "who listens? $(grep ^comment "$work/stuck.txt")"
	grep -q '^default threads' "$work/stuck.txt" || fail "$(grep ^default "$work/stuck.txt")"
	get "$port" "threads?debug=2" "$work/stuck.text"
	grep -qE '^thread [0-9]+ "agent_host_lock" \[mutex 0x[0-9a-f]+ held by thread [0-9]+, [0-9]+ (ms|seconds)\]:$' "$work/stuck.text" || fail "$(cat "$work/stuck.text")"
	grep -qE '^thread [0-9]+ .* \[read fd [0-9]+, at least [0-9]+ (ms|seconds)\]:$' "$work/stuck.text" || fail "$(cat "$work/stuck.text")"
	grep -qP '^\tfirst_then_second\t.*/agent_host_locks\+0x' "$work/stuck.text" || fail "$(cat "$work/stuck.text")"
	get "$port" "threads?debug=1" "$work/stuck.text1"
	head -1 "$work/stuck.text1" | grep -qx 'threads profile: total 6' || fail "$(head -1 "$work/stuck.text1")"
	# Two seconds of everybody's time, on the processor and off it.
	for i in $(seq 10); do
		get "$port" "threads?seconds=2" "$work/wall.pb.gz"
		dump "$work/wall.pb.gz" > "$work/wall.txt"
		missing=""
		for thread in first_then_second second_then_first wait_for_ever read_for_ever burn_for_ever; do
			awk -v thread="[;]$thread;" '/^sample/ && $0 ~ thread { n += $3 } END { exit !(n > 0.4e9 && n < 60e9) }' "$work/wall.txt" ||
				missing="$missing $thread"
		done
		[ -z "$missing" ] && break
	done
	[ -z "$missing" ] || fail "wall time of$missing: $(grep ^sample "$work/wall.txt")"
	grep -q '^default wall' "$work/wall.txt" || fail "$(grep ^default "$work/wall.txt")"
	if [ -x "$build/profuse" ]; then
		"$build/profuse" collect "http://127.0.0.1:$port" --type threads -o "$work/collected" || fail "collect --type threads: $?"
		# Names from the process's own program, if it is that program's profile.
		"$build/profuse" tune --pid $pid "$work/collected" > "$work/tuned" || fail "tune --pid: $?"
		grep -qE "Deadlock: (first_then_second and second_then_first|second_then_first and first_then_second) wait" "$work/tuned" || fail "tune --pid: $(cat "$work/tuned")"
		status=0
		"$build/profuse" tune --pid $$ "$work/collected" > "$work/tuned" 2>&1 || status=$?
		[ $status = 3 ] || fail "tune --pid of another: $status"
		grep -qF "they are not one program" "$work/tuned" || fail "tune --pid of another: $(cat "$work/tuned")"
		"$build/profuse" show raw "$work/collected" | grep -q threads/count || fail "show: $("$build/profuse" show raw "$work/collected" | head -5)"
	fi
	if command -v go > /dev/null; then
		for file in look.pb.gz stuck.text1; do
			top=$(PPROF_TMPDIR=$work go tool pprof -top "$helpers/agent_host_locks" "$work/$file" 2>&1)
			grep -q ' read_for_ever$' <<< "$top" || fail "go tool pprof $file: $top"
		done
	fi
	kill $pid
}

# Who holds a lock and has ended will never let it go; who lives may.
ended() {
	with_agent "$helpers/agent_host_locks" ended > "$work/ended.out"
	ready "$work/ended.out" $pid
	port=$(port_of $pid)
	settled "$port" ' wait=mutex ' 2 "$work/ended.txt"
	grep -q '^sample 1 pthread_mutex_lock;wait_for_ended;.* holder_state=ended$' "$work/ended.txt" || fail "not ended: $(grep ^sample "$work/ended.txt")"
	grep -q '^sample 1 pthread_mutex_lock;wait_for_process;.* holder_state=unseen$' "$work/ended.txt" || fail "not unseen: $(grep ^sample "$work/ended.txt")"
	! grep holder_state "$work/stuck.txt" || fail "a holder that lives has ended"
	get "$port" "threads?debug=2" "$work/ended.text"
	grep -qE '^thread [0-9]+ .* \[mutex 0x[0-9a-f]+ held by thread [0-9]+ \(ended\), ' "$work/ended.text" || fail "$(cat "$work/ended.text")"
	kill $pid
}

# Nobody is woken: a thread that only sleeps in poll sees no interruption while it is looked at.
undisturbed() {
	AGENT_TEST_END=$work/eintr.end with_agent "$helpers/agent_host_signals" eintr 120 > "$work/eintr.out"
	get "$(port_of $pid)" "threads?seconds=3" "$work/eintr.pb.gz"
	touch "$work/eintr.end"
	wait $pid || fail "interrupted: $(cat "$work/eintr.out")"
}

# A thousand threads; children that are forked meanwhile.
crowd() {
	AGENT_TEST_END=$work/many.end with_agent "$helpers/agent_host_threads" many 120 > /dev/null
	port=$(port_of $pid)
	for i in $(seq 100); do
		get "$port" threads "$work/many.pb.gz"
		dump "$work/many.pb.gz" > "$work/many.txt"
		[ "$(grep -c ^sample "$work/many.txt")" -ge 900 ] && break
		sleep 0.2
	done
	[ "$(grep -c ^sample "$work/many.txt")" -ge 900 ] || fail "$(grep -c ^sample "$work/many.txt") threads of 1001"
	get "$port" "threads?seconds=2" "$work/many.pb.gz"
	dump "$work/many.pb.gz" | grep -q '^sample .*work_a_little;.* wait=nanosleep$' || fail "no sleepers"
	touch "$work/many.end"
	wait $pid || fail "a thousand threads: $?"
	AGENT_TEST_END=$work/fork.end with_agent "$helpers/agent_host_process" fork 120 > "$work/fork.out"
	get "$(port_of $pid)" "threads?seconds=2" "$work/fork.pb.gz"
	touch "$work/fork.end"
	wait $pid || fail "fork: $? $(cat "$work/fork.out")"
}

calls agent_host_calls
calls agent_host_calls_fp
peers
turns
deadlock
ended
beside undisturbed
waiting=$!
crowd
wait $waiting || exit 1
exit 0
