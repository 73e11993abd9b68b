#!/bin/bash
# profuse bench on commands: a known difference is found, all of a process tree is counted, every exit
# status of the contract is met, and nothing that was started outlives it.
# long
set -u
profuse=$(realpath "$1")/profuse
burn=$(realpath "$1")/tests/tools/burn
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/support/bench.sh
source "$(dirname "$0")/../support/bench.sh"

# gone WORD: no process with this word in its command line is left
gone() {
	checks=$((checks + 1))
	for _ in $(seq 50); do
		pgrep -f -- "$1" >/dev/null || return
		sleep 0.1
	done
	fail "still running: $(pgrep -af -- "$1")"
}

echo "a 30 % difference in work"
expect 0 "slower" --before "$burn 15" --after "$burn 19.5" --pairs 8 --seed 3
expect 1 "gate cpu<=+2% failed" --before "$burn 15" --after "$burn 19.5" --pairs 8 --gate 'cpu<=+2%' --json
json "d['verdict']['result'] == 'no' and d['verdict']['exit'] == 1 and d['gates'][0]['result'] == 'failed'"
json "m['cpu']['verdict'] == 'worse' and 0.1 < m['cpu']['change'] < 0.6 and m['cpu']['primary']"
json "len(pairs) == 8 and all(p[s]['cpu'] > 0 and p[s]['rss_peak'] > 0 for p in pairs for s in ('before', 'after'))"
json "[p['order'][0] for p in d['pairs']].count('before') == 4"
json "list(d)[0] == 'schema' and d['schema'] == 'profuse.bench.v1' and d['conditions']['load'] is None and d['plan']['confidence'] == 0.95 and d['conditions']['machine']['cpus'] >= 1"
expect 0 "passed" --before "$burn 15" --after "$burn 19.5" --pairs 6 --gate 'cpu<=+300%' --gate 'cpu<=60s' -o "$dir/r.md" -o "$dir/r.json"
grep -q '^| CPU time ' "$dir/r.md" || fail "no table in the Markdown report"
python3 -m json.tool "$dir/r.json" >/dev/null || fail "the JSON report is none"

echo "inconclusive, and refused"
expect 5 "at least 6 are needed" --before true --after true --pairs 5
expect 5 "" --before true --after true --pairs 5 --gate 'cpu<=+1000%'
expect 2 "p99 is not measured here" --before true --after true --gate 'p99<=3ms'
expect 2 "expected METRIC<=LIMIT" --before true --after true --gate 'cpu<3ms'
expect 2 "which chooses the format" --before true --after true -o -
expect 2 "something to compare with" --before true
expect 2 "a command to compare with" --after true
expect 2 "there are no latencies" --before true --after true --pairs 6 -o "$dir/r.hgrm"
expect 2 "empty string" --before true --after ' '
expect 2 "NAME=VALUE" --before true --after true --after-env FOO
expect 2 "--load URL is missing" --before true --after true --rate 10
expect 2 "between 50 and 100" --before true --after true --confidence 100

echo "commands that fail"
expect 4 "after: \"$burn 1 --fail 3\" ended with status 3 in warm-up; its last words: first line | burn was told to fail" \
	--before true --after "$burn 1 --fail 3"
expect 4 "was killed by signal 11 (SEGV)" --before 'kill -SEGV $$' --after true
expect 4 "not found" --before /no/such/command --after true
expect 4 "did not end within 0.3 s" --before 'sleep 987001' --after true --run-timeout 300ms
gone 'sleep 987001'
[ -s "$dir/out" ] && fail "a failed run printed a report: $(cat "$dir/out")"

echo "the whole process tree counts"
for how in --child --daemon; do
	expect 0 "" --before "$burn 15" --after "$burn 15 $how" --pairs 6 --json
	json "m['cpu']['after'] > 0.5 * m['cpu']['before']"
done
expect 0 "" --before "$burn 1" --after "$burn 1 --memory 40" --pairs 10 --json
json "m['rss_peak']['after'] > 40 << 20 and m['rss_peak']['verdict'] == 'worse'"
expect 0 "left up to 1 processes running" --before 'sleep 987002 & true' --after true --pairs 6 --warmup-pairs 0 --grace 100ms
gone 'sleep 987002'
expect 0 "Peak memory below" --before true --after true --pairs 6 -q
expect 0 "left up to 2 processes running" --before "trap '' TERM; (sleep 987003; sleep 987003) & true" --after true --pairs 6 \
	--warmup-pairs 0 --grace 100ms
gone 'sleep 987003'

echo "environment, output, seed"
expect 0 "" --before 'echo "$X"' --after 'echo "$X" >&2' --before-env X=one --after-env X=two --after-env X=three \
	--pairs 6 --keep-output "$dir" --seed 11 --json
[ "$(cat "$dir/before-1.out") $(cat "$dir/after-6.err")" = "one three" ] || fail "environment or kept output is wrong"
json "d['plan']['seed'] == 11"
python3 -c "import json; print([p['order'] for p in json.load(open('$dir/out'))['pairs']])" >"$dir/first"
expect 0 "" --before true --after true --pairs 6 --seed 11 --json
python3 -c "import json; print([p['order'] for p in json.load(open('$dir/out'))['pairs']])" | cmp - "$dir/first" ||
	fail "one seed, two orders"
expect 0 "" --before true --calibrate --pairs 6 --json
json "[v['command'] for v in d['variants']] == ['true', 'true']"
expect 2 "leave --after" --before true --after true --calibrate

echo "interrupted"
env --default-signal=INT "$profuse" bench --before 'sleep 0.01' --after 'sleep 0.01' --pairs 4000 --json >"$dir/out" 2>"$dir/err" &
pid=$!
sleep 1
kill -INT $pid
wait $pid
status=$?
[ $status -eq 0 ] || [ $status -eq 5 ] || fail "interrupted: exit $status: $(cat "$dir/err")"
json "d['interrupted'] and 0 < d['plan']['measured'] < 4000 and any('Stopped early' in w for w in d['warnings'])"
json "d['verdict']['exit'] == $status"
env --default-signal=INT "$profuse" bench --before 'sleep 987004' --after true >"$dir/out" 2>"$dir/err" &
pid=$!
sleep 0.5
kill -INT $pid
wait $pid
status=$?
[ $status -eq 5 ] || fail "interrupted before the first pair: exit $status"
gone 'sleep 987004'
"$profuse" bench --before '(setsid sleep 987005 &) ; sleep 987005' --after true >"$dir/out" 2>"$dir/err" &
pid=$!
sleep 0.5
kill -KILL $pid
wait $pid 2>/dev/null
gone 'sleep 987005'

finish
