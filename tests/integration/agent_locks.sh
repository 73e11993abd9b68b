#!/bin/bash
# Who waits for whom, in unchanged programs: mutex, block and threadcreate profiles, and functions that
# do what they do without the agent.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1

for mode in functions cancel "busy 1"; do
	with_agent "$helpers/agent_host_locks" $mode > "$work/out" 2>&1
	wait $pid || fail "$mode: $? $(cat "$work/out")"
done

with_agent "$helpers/agent_host_locks" known > "$work/out"
ready "$work/out" $pid
port=$(port_of $pid)
for profile in mutex block threadcreate; do
	get "$port" $profile "$work/$profile.pb.gz"
	dump "$work/$profile.pb.gz" > "$work/$profile.txt"
done

# waited PROFILE MILLISECONDS STACK OBJECT: at least that long, and no more than a busy machine may add.
waited() {
	awk -v low="$2" -v stack="$3" -v object="object=$4" '
		/^sample/ && index($4, stack) == 1 && $NF == object { count += $2; delay += $3 }
		END { exit !(count >= 1 && delay >= low * 1e6 && delay < (low + 5000) * 1e6) }' "$work/$1.txt" ||
		fail "$1: $3: $(grep ^sample "$work/$1.txt")"
}
waited block 1780 "pthread_mutex_lock;wait_for_mutex;" mutex
waited block 290 "pthread_rwlock_rdlock;wait_to_read;" rwlock
waited block 290 "pthread_rwlock_wrlock;wait_to_write;" rwlock
waited block 290 "mtx_lock;wait_for_mtx;" mutex
waited block 190 "pthread_cond_timedwait;wait_for_condition;" condition
waited block 190 "sem_timedwait;wait_for_semaphore;" semaphore
waited block 150 "pthread_join;wait_for_thread;" join
waited mutex 290 "pthread_mutex_unlock;hold_mutex;" mutex
waited mutex 290 "mtx_unlock;hold_mtx;" mutex
waited mutex 290 "pthread_mutex_unlock;unlock_last;call_unlock_last;" mutex
waited mutex 290 "pthread_mutex_unlock;unlock_after_switch;call_unlock_after_switch;" mutex
waited mutex 290 "pthread_mutex_unlock;unlock_last;pass_on;call_pass_on;" mutex
waited mutex 290 "pthread_mutex_unlock;choose;call_choose;" mutex
waited mutex 290 "pthread_mutex_unlock;call_by_pointer;" mutex
# Whether the stack shows who unlocked, or one who called it.
[ "$(grep ^sample "$work/mutex.txt" | grep -c "caller=unknown")" = 2 ] || fail "$(grep ^sample "$work/mutex.txt")"
for stack in choose call_by_pointer; do
	grep "^sample.* pthread_mutex_unlock;$stack;" "$work/mutex.txt" | grep -q "caller=unknown" || fail "$stack: $(grep ^sample "$work/mutex.txt")"
done
[ "$(grep ^sample "$work/mutex.txt" | grep -c "caller=known")" = 6 ] || fail "$(grep ^sample "$work/mutex.txt")"
waited mutex 580 "pthread_rwlock_unlock;hold_rwlock;" rwlock
grep -q '^default delay' "$work/block.txt" || fail "$(grep ^default "$work/block.txt")"
[ "$(awk '/^sample/ { n += $2 } END { print n }' "$work/threadcreate.txt")" = 10 ] || fail "$(grep ^sample "$work/threadcreate.txt")"
grep -q '^sample 1 wait_for_thread;main;' "$work/threadcreate.txt" || fail "$(grep ^sample "$work/threadcreate.txt")"

# The calls that the host made have their names in the profile itself, for whoever has no symbols of the agent.
# Not from a pipe: grep -q closes it at the first match, and then that gzip failed is all that counts.
for profile in mutex block; do
	gzip -dc "$work/$profile.pb.gz" > "$work/$profile.pb" || fail "$profile: gzip: $?"
done
# How far sampling may be off, by what was waited for.
for kind in mutex rwlock; do
	grep -aqE "variance of $kind: contentions [0-9]+, delay [0-9]+ ns2" "$work/mutex.pb" || fail "mutex: no variance of $kind"
done
for kind in mutex rwlock condition semaphore join; do
	grep -aqE "variance of $kind: contentions [0-9]+, delay [0-9]+ ns2" "$work/block.pb" || fail "block: no variance of $kind"
	grep -aqE "all of $kind: contentions [1-9][0-9]*, delay [1-9][0-9]* ns" "$work/block.pb" || fail "block: no count of $kind"
done
for call in pthread_mutex_lock pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_cond_timedwait sem_timedwait pthread_join; do
	grep -aq "$call" "$work/block.pb" || fail "block: $call is not named"
done
for call in pthread_mutex_unlock pthread_rwlock_unlock; do
	grep -aq "$call" "$work/mutex.pb" || fail "mutex: $call is not named"
done
grep -aq pthread_mutex_lock "$work/mutex.pb" && fail "mutex: names that nothing uses"

# A second later nothing has been added.
get "$port" "block?seconds=1" "$work/none.pb.gz"
dump "$work/none.pb.gz" | grep ^sample && fail "who waited?"
if [ -x "$build/profuse" ]; then
	for type in mutex block; do
		"$build/profuse" collect "http://127.0.0.1:$port" --type $type -o "$work/collected.$type" || fail "collect --type $type: $?"
	done
fi
kill $pid

PROFUSE_WAITS=off with_agent "$helpers/agent_host_locks" known > "$work/out"
ready "$work/out" $pid
said=$(curl -s -w ' %{http_code}' "http://127.0.0.1:$(port_of $pid)/debug/pprof/block")
[[ $said == *PROFUSE_WAITS=off*501 ]] || fail "off: $said"
kill $pid
exit 0
