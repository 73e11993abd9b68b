#!/bin/bash
# PROFUSE_OUT for programs that end soon, PROFUSE_RUN_DIR for those that collect.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1

out=$work/out
mkdir "$out"
preloaded() {
	env LD_PRELOAD="$agent" PROFUSE_OUT="$out" "$@"
}

# A program of a third of a second: one file, whole, with the samples of its whole life.
PROFUSE_PORT=0 preloaded "$helpers/agent_host_process" use 0.3 || fail "the program ended with $?"
file=$(ls "$out")
[[ $file =~ ^agent_host_process-[0-9]+-[0-9]{8}T[0-9]{6}Z\.pb\.gz$ ]] || fail "the file is called: $file"
dump "$out/$file" > "$work/short.txt"
grep -q '^sample .*burn' "$work/short.txt" || fail "no samples of a short program: $(cat "$work/short.txt")"
awk '/^comment cpu time:/ { exit !($10 > 0.8 * $4 - .06) }' "$work/short.txt" || fail "$(grep 'cpu time' "$work/short.txt")"
rm "$out"/*

# Programs of 40 ms are sampled from their start: of ten of them at least half of the time.
for _ in {1..10}; do
	PROFUSE_PORT=0 PROFUSE_RATE=1000 preloaded "$helpers/agent_host_process" use 0.04 || fail "the program ended with $?"
done
for file in "$out"/*; do
	dump "$file" | grep '^comment cpu time:'
done > "$work/shorter.txt"
awk '{ used += $4; sampled += $10 } END { exit !(NR == 10 && sampled > used / 2) }' "$work/shorter.txt" ||
	fail "short programs lose their first samples: $(cat "$work/shorter.txt")"
rm "$out"/*

# Periodically; and every forked child writes its own, also when an HTTP profile is taken meanwhile.
PROFUSE_OUT_SECONDS=1 PROFUSE_OUT=$out with_agent "$helpers/agent_host_process" fork 5 > /dev/null
host=$pid
fetch "$(port_of $host)" 3 "$work/http.pb.gz"
wait $host || fail "the host ended with $?"
own=$(ls "$out" | grep -c -- "-$host-")
all=$(ls "$out" | wc -l)
[ "$own" -ge 2 ] || fail "only $own files of a process of 5 s with a period of 1 s"
[ "$all" -gt "$own" ] || fail "no files of forked children"
ls "$out" | grep -q tmp && fail "temporary files stay: $(ls "$out")"
for file in "$out"/*; do
	dump "$file" > /dev/null
done
dump "$work/http.pb.gz" | grep -q '^sample .*burn' || fail "the HTTP profile beside the files is empty"
rm "$out"/*

# A folder that can't be written costs the profile, not the program.
PROFUSE_PORT=0 PROFUSE_OUT=$work/nowhere LD_PRELOAD=$agent "$helpers/agent_host_process" burn 0.2 ||
	fail "without the folder the program ended with $?"

# Announcements: there while the process lives, gone at its end; leftovers of the killed are cleared.
with_agent "$helpers/agent_host_process" burn 60
first=$pid
port=$(port_of $first)
grep -q "\"targets\": \[\"127.0.0.1:$port\"\]" "$run"/*.json || fail "$(cat "$run"/*.json)"
command -v jq > /dev/null && { jq -e '.[0].labels.pid' "$run"/*.json > /dev/null || fail "not JSON"; }
echo '[{"targets": ["127.0.0.1:1"]}]' > "$run/other.json"
kill -9 $first
wait $first 2> /dev/null
ls "$run" | grep -q -- "-$first.json" || fail "a killed process cannot have removed its file"
with_agent "$helpers/agent_host_process" burn 0.5
port_of $pid > /dev/null
ls "$run" | grep -q -- "-$first.json" && fail "the killed process' file stays"
[ -e "$run/other.json" ] || fail "a file of somebody else's was removed"
wait $pid
[ "$(ls "$run")" = other.json ] || fail "left behind: $(ls "$run")"
echo "ok: $own files of the parent, $all in all"
