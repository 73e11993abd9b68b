#!/bin/bash
# profuse collect: what is asked of it wrongly is exit 2 before anything is sent, and names the option;
# what cannot be written is exit 4; where the profile goes and what is printed.
set -u
profuse=$(realpath "$1")/profuse
source_dir=${PROFUSE_SOURCE_DIR:?}
dir=$(mktemp -d) server= failures=0
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY all_proxy
unset PROFUSE_BEARER_TOKEN PROFUSE_PASSWORD
trap '[ -z "$server" ] || kill $server; rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# expect STATUS WORDS ARGUMENT…
expect() {
	local status=$1 words=$2 got
	shift 2
	"$profuse" collect "$@" >"$dir/std" 2>"$dir/err"
	got=$?
	[ $got -eq "$status" ] || fail "$*: exit $got, not $status: $(cat "$dir/err")"
	[ -z "$words" ] || grep -qF -- "$words" "$dir/err" || fail "$*: no \"$words\" in: $(cat "$dir/err")"
}

mkfifo "$dir/ready"
python3 "$source_dir/tests/tools/faulty_server.py" "$dir/log" >"$dir/ready" 2>"$dir/server.err" &
server=$!
read -r -t 120 port <"$dir/ready" || { echo "the server did not start"; exit 1; }
: >"$dir/log"
base=http://127.0.0.1:$port
nobody=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'secret\n' >"$dir/token"
printf '' >"$dir/nothing"
printf 'a b\n' >"$dir/spaced"
printf 'X-Tenant: blue\nno header\n' >"$dir/headers"
printf 'Host: elsewhere\n' >"$dir/host"
printf 'Authorization: Bearer x\n' >"$dir/authorization"

expect 2 'what to collect? A URL, or --config FILE'
expect 2 'too many arguments' $base $base
expect 2 'no scheme' localhost:6060
expect 2 'neither http:// nor https://' ftp://127.0.0.1/
expect 2 'neither http:// nor https://' file:///etc/passwd
expect 2 'not a URL' 'http://[::1'
expect 2 'unknown profile type cpus' $base --type cpus
expect 2 'whole seconds' $base --seconds 1.5
expect 2 'whole seconds' $base --seconds 500ms
expect 2 'too long' $base --seconds 2d
expect 2 'must be longer than the window' $base --seconds 30 --timeout 20
expect 2 'keep one' "$base/debug/pprof/profile?seconds=5" --seconds 6
expect 2 'seconds= in the address' "$base/debug/pprof/profile?seconds=x"
expect 2 'but --type says heap' $base/debug/pprof/profile --type heap
expect 2 'want standard output' $base --json -o -
expect 2 'keep one' $base --bearer-token-file "$dir/token" --username ann
expect 2 'needs a password' $base --username ann
expect 2 'without a user name' $base --password-file "$dir/token"
expect 2 'add --cert' $base --key "$dir/token"
expect 2 'empty where a secret is expected' $base --bearer-token-file "$dir/nothing"
expect 2 'one token alone' $base --bearer-token-file "$dir/spaced"
expect 2 'headers:2: not a header' $base --header-file "$dir/headers"
expect 2 'Host is set by the client' $base --header-file "$dir/host"
expect 2 'keep one' $base --header-file "$dir/authorization" --bearer-token-file "$dir/token"
expect 4 'cannot open' $base --bearer-token-file "$dir/missing"
expect 2 'user name or password' "http://ann:hunter2@127.0.0.1:$port/"
! grep -q 'hunter2\|ann' "$dir/err" || fail "the message repeats the password: $(cat "$dir/err")"
expect 4 'cannot write into the folder' $base -o "$dir/no/such/folder/x.pb.gz"
expect 4 'cannot write into the folder' $base -o "$dir/folder/"
[ ! -s "$dir/log" ] || fail "a wrong use reached the server: $(cat "$dir/log")"

expect 4 'is the service running' http://127.0.0.1:$nobody/ -o "$dir/x"
expect 4 'cannot' $base --type heap -o /dev/full
expect 4 'token=...&seconds=30' "$base/nothing/debug?token=abcdef&seconds=30"
! grep -q 'abcdef' "$dir/err" || fail "the message repeats the query's token: $(cat "$dir/err")"

# Where it goes: a file, a folder, standard output, a name of its own; JSON alone on standard output.
mkdir "$dir/folder"
(cd "$dir/folder" && "$profuse" collect $base --type heap 2>/dev/null) || fail 'no -o: not written'
ls "$dir/folder" | grep -qx "heap-127.0.0.1-$port-[0-9]\{8\}T[0-9]\{6\}Z.pb.gz" || fail "names: $(ls "$dir/folder")"
expect 0 "$dir/folder/mutex-127.0.0.1-$port-" $base --type mutex -o "$dir/folder/"
expect 0 'to standard output' $base --type heap -o -
cmp -s "$dir/std" "$dir"/folder/heap-* || fail '-o - differs from the file'
expect 0 '' $base --type cpu --seconds 1 --json -o "$dir/folder/cpu.pb.gz"
python3 - "$dir/std" "$dir/folder/cpu.pb.gz" "$base" <<-'PY' || fail "the JSON: $(cat "$dir/std")"
	import hashlib, json, sys
	o = json.load(open(sys.argv[1]))
	data = open(sys.argv[2], "rb").read()
	assert next(iter(o)) == "schema"
	assert o == {"schema": "profuse.collect.v1", "source": sys.argv[3] + "/debug/pprof/profile?seconds=1", "type": "cpu", "seconds": 1,
	    "samples": 200, "sample_types": [{"type": "samples", "unit": "count"}, {"type": "cpu", "unit": "nanoseconds"}],
	    "time_nanos": 1700000000000000000, "duration_nanos": 30000000000, "period": 10000000,
	    "file": sys.argv[2], "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "attempts": 1,
	    "redirects": 0, "warnings": []}, o
PY
echo old >"$dir/kept"
expect 3 'HTML page' $base/html -o "$dir/kept"
[ "$(cat "$dir/kept")" = old ] || fail 'a failure replaced the file that was there'

[ $failures -eq 0 ] || exit 1
echo 'usage, output and messages as documented'
