#!/bin/bash
# profuse collect against servers that answer badly: every answer ends in the right exit status, a
# sentence that says what was answered, and no file; and no credential goes where it does not belong.
set -u
profuse=$(realpath "$1")/profuse
source_dir=${PROFUSE_SOURCE_DIR:?}
dir=$(mktemp -d) servers=() failures=0 checks=0
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY all_proxy
unset PROFUSE_BEARER_TOKEN PROFUSE_PASSWORD
trap 'for s in "${servers[@]}"; do kill "$s" 2>/dev/null; done; rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# serve NAME ARGUMENT…: starts a server that logs to $dir/NAME and waits until it listens; $dir/NAME.port
serve() {
	mkfifo "$dir/$1.ready"
	python3 "$source_dir/tests/tools/faulty_server.py" "$dir/$1" "${@:2}" >"$dir/$1.ready" 2>"$dir/$1.err" &
	servers+=($!)
	read -r -t 120 port <"$dir/$1.ready" || { echo "the server $1 did not start"; exit 1; }
	echo "$port" >"$dir/$1.port"
}

# expect STATUS WORDS PATH OPTION…: runs a collection; WORDS must be in what it says on standard error
expect() {
	local status=$1 words=$2 path=$3 got
	shift 3
	rm -f "$dir/out"
	"$profuse" collect "http://127.0.0.1:$port/$path" --retry-for 0 -o "$dir/out" "$@" 2>"$dir/err" >"$dir/std"
	got=$?
	checks=$((checks + 1))
	[ $got -eq "$status" ] || fail "$path: exit $got, not $status: $(cat "$dir/err")"
	[ -z "$words" ] || grep -qF -- "$words" "$dir/err" || fail "$path: no \"$words\" in: $(cat "$dir/err")"
	[ $status -eq 0 ] || [ ! -e "$dir/out" ] || fail "$path: left a file behind"
	[ $status -ne 0 ] || [ -s "$dir/out" ] || fail "$path: exit 0 without a file"
	[ "$(ls "$dir" | grep -c '^out.')" -eq 0 ] || fail "$path: left a temporary file behind"
	if LC_ALL=C grep -q '[[:cntrl:]]' "$dir/err" || ! iconv -f utf-8 -t utf-8 "$dir/err" >/dev/null 2>&1; then
		fail "$path: raw control or broken characters on standard error"
	fi
	[ "$(wc -l <"$dir/err")" -le 2 ] || fail "$path: more than two lines on standard error"
}

serve log

# Bodies that are no profile: read, but bad.
expect 3 'HTML page instead of a profile: "Sign in' html
expect 3 'text instead of a profile: "The allocator of this program is not supported."' prose
expect 3 'not a profile' packed_prose
expect 3 'empty body' empty
expect 0 'the profile has no samples' heap_text
expect 3 'line 3: malformed line' broken_text
expect 3 'cut off: by its header 3 objects of 4096 bytes are in use, by its lines 1 of 1024' cut_text
expect 3 'truncated gzip data' truncated_gzip
expect 3 'offset' truncated_proto
expect 3 '--max-size lifts the cap' bomb
expect 3 'allowed; --max-size' endless --max-size 1MiB
expect 3 'allowed; --max-size' announced_huge
expect 3 'allowed; --max-size' plain --max-size 100
expect 0 'no samples' no_samples --type cpu
expect 0 'covers 3 s, not the 30 s' brief --type cpu
expect 3 'truncated gzip data' long

# Good profiles in unusual clothes.
for path in plain encoded chunked slow debug/pprof/ debug/pprof ''; do
	expect 0 '200 distinct stacks' "$path"
	python3 - "$dir/out" "$source_dir" <<-'PY' || fail "$path: other bytes than the server's profile"
		import gzip, sys
		sys.path.insert(0, sys.argv[2] + "/tests/tools")
		import tiny_profile
		data = open(sys.argv[1], "rb").read()
		assert data[:2] == b"\x1f\x8b" and gzip.decompress(data) == tiny_profile.profile()
	PY
done
expect 0 'debug/pprof/heap: 200 distinct stacks' '' --type heap
expect 0 'heap?seconds=2: 200' '' --type heap --seconds 2
expect 0 'other/debug/pprof/threadcreate: 200 distinct stacks' other/ --type threads

# Connections that break: not reached or not read.
expect 4 'no complete answer' hang_before --timeout 2
expect 4 'no complete answer' hang_in_body --timeout 2
expect 4 'reset' reset
expect 4 'cut the connection' no_answer
expect 4 'the whole body' short
expect 4 'speak HTTP' not_http
expect 4 'headers never seem to end' endless_headers

# Errors of HTTP, quoted.
expect 4 'answered 401: "who are you?"' unauthorized
expect 4 'answered 403: "not you"' forbidden
expect 4 'no such profile' unknown
expect 4 'WriteTimeout: ask for fewer --seconds' write_timeout
expect 4 'is pprof served under this address' nothing/there
expect 4 'the disk is full' encoded_error
expect 4 'all broken all broken' long_error
expect 4 'answered 500' nasty_error
expect 4 'line one profuse: ?[2Jforged ?? line' nasty_text_error

# Busy: asked again, within bounds.
expect 4 'already in use' busy_always
expect 4 'gave up after' busy_always --retry-for 2
expect 4 'already in use' busy_twice
expect 0 '' busy_twice --retry-for 20 --json
python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); sys.exit(o["attempts"] != 2 or o["samples"] != 200)' \
	"$dir/std" || fail "busy_twice: another JSON than expected: $(cat "$dir/std")"
expect 0 '200 distinct stacks' busy_brpc --retry-for 20
expect 0 '200 distinct stacks' later --retry-for 20
expect 4 'warming up' much_later --retry-for 20

# Ctrl-C while the service measures: prompt, exit 4, nothing on disk.
"$profuse" collect "http://127.0.0.1:$port/hang_in_body" -o "$dir/out" 2>"$dir/err" &
running=$!
for _ in $(seq 1200); do
	grep -q '^/hang_in_body .*$' <(tail -1 "$dir/log") && break
	sleep 0.05
done
kill -INT $running
wait $running
status=$?
checks=$((checks + 1))
[ $status -eq 4 ] || fail "an interruption exits $status, not 4"
grep -q 'interrupted; nothing was written' "$dir/err" || fail "an interruption says: $(cat "$dir/err")"
[ -z "$(ls "$dir" | grep '^out')" ] || fail "an interruption left a file"

[ $failures -eq 0 ] || exit 1
echo "$checks answers judged as they should be"
