#!/bin/bash
# The agent's HTTP server: endpoints, errors like Go's, and clients that mean no good.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1

with_agent "$helpers/agent_host_process" burn 60
host=$pid
port=$(port_of $host)
url=http://127.0.0.1:$port

# get PATH [CURL ARGUMENTS…]: prints "STATUS BODY" with the body's newlines as |.
get() {
	local path=$1
	shift
	curl -s --max-time 20 -w '\n%{http_code}' "$@" "$url$path" |
		{ mapfile -t lines; echo "${lines[-1]} $(printf '%s|' "${lines[@]:0:${#lines[@]}-1}")"; }
}

# expect WHAT PATTERN GOT
expect() {
	[[ $3 == $2 ]] || fail "$1: expected $2, got $3"
}

expect index "200 /debug/pprof/ of agent_host_process, process $host *event: cpu:*sampling: no*" "$(get /debug/pprof/)"
expect cmdline "$helpers/agent_host_process,burn,60" "$(curl -s "$url/debug/pprof/cmdline" | tr '\0' ',')"
expect memory "200 Name:*|Tgid:*|Pid:*$host|*VmRSS:*kB|*RssAnon:*|Threads:*" "$(get /debug/pprof/memory)"
[[ $(get /debug/pprof/memory) != *Uid:* ]] || fail "memory says more than it should: $(get /debug/pprof/memory)"
expect "symbol without a question" "200 num_symbols: 1|*" "$(get /debug/pprof/symbol)"
expect "unknown profile" "404 Unknown profile|*" "$(get /debug/pprof/goroutine)"
expect "unknown path" "404 *" "$(get /metrics)"
expect "bad seconds" "400 *" "$(get "/debug/pprof/profile?seconds=abc")"
expect "no seconds" "400 *" "$(get "/debug/pprof/profile?seconds=0")"
expect "too many seconds" "400 *" "$(get "/debug/pprof/profile?seconds=999999")"
expect "another method" "405 *" "$(get /debug/pprof/ -X DELETE)"
expect "a name that rebinds" "403 *" "$(get /debug/pprof/ -H "Host: evil.example:$port")"
expect localhost "200 *" "$(get /debug/pprof/ -H "Host: localhost:$port")"
expect "no HTTP" "HTTP/1.1 400 *" "$(printf 'nonsense\r\n\r\n' | curl -s --max-time 5 "telnet://127.0.0.1:$port" | tr '\r\n' '  ')"
curl -s -D "$work/head" -o /dev/null "$url/debug/pprof/nothing"
grep -qi '^X-Go-Pprof: 1' "$work/head" || fail "an error without X-Go-Pprof"
grep -qi '^Content-Type: text/plain' "$work/head" || fail "an error that is not text/plain"

# Names for addresses: main's own, from /proc, by the symbol table.
address=$(nm "$helpers/agent_host_process" | awk '$3 == "burn" { print $1 }')
base=$(awk '/agent_host_process/ { split($1, a, "-"); print a[1]; exit }' "/proc/$host/maps")
question=$(printf '0x%x+0x%x' $((0x$base + 0x$address + 4)) 4096)
expect "symbol" "200 num_symbols: 1|0x* burn|*" "$(get /debug/pprof/symbol -d "$question")"
expect "symbol by GET" "200 num_symbols: 1|0x* burn|*" "$(get "/debug/pprof/symbol?$question")"

# While a profile is taken, a second one is refused and everything else is answered.
fetch "$port" 3 "$work/one.pb.gz" &
fetching=$!
sleep 1
expect busy "500 Could not enable CPU profiling: cpu profiling already in use|*" "$(get "/debug/pprof/profile?seconds=1")"
expect "index while sampling" "200 *sampling: now*" "$(get /debug/pprof/)"
wait $fetching || fail "the profile did not come"
dump "$work/one.pb.gz" > "$work/one.txt"
grep -q '^sample .*burn' "$work/one.txt" || fail "the profile has no samples of burn"

# A client that goes away frees the profile.
curl -s --max-time 0.5 -o /dev/null "$url/debug/pprof/profile?seconds=30"
sleep 0.3
expect "after a client left" "200 *sampling: no*" "$(get /debug/pprof/)"

# Too large, endless, and silent clients: refused, bounded, and nobody else waits.
expect "huge header" "413 *" "$(get /debug/pprof/ -H "X-Long: $(head -c 30000 /dev/zero | tr '\0' a)")"
expect "huge body" "413 *" "$(get /debug/pprof/symbol --data-binary "@$helpers/agent_dump")"
for i in $(seq 40); do
	exec {silent}<>"/dev/tcp/127.0.0.1/$port"
	printf 'GET /debug' >&$silent
done
expect "40 silent clients" "200 *" "$(get /debug/pprof/)"
alive $host "after hostile clients"
resident=$(awk '/VmRSS/ { print $2 }' "/proc/$host/status")
[ "$resident" -lt 20000 ] || fail "resident memory is $resident KiB"

# A token where one is asked for; and no listener beyond loopback without one.
echo "s3cret" > "$work/token"
PROFUSE_TOKEN_FILE=$work/token with_agent "$helpers/agent_host_process" burn 20
guarded=$pid
url=http://127.0.0.1:$(port_of $guarded)
expect "no token" "401 *" "$(get /debug/pprof/)"
expect "wrong token" "401 *" "$(get /debug/pprof/ -H 'Authorization: Bearer s3creT')"
expect "right token" "200 *" "$(get /debug/pprof/ -H 'Authorization: Bearer s3cret')"
said=$(PROFUSE_ADDR=0.0.0.0:auto LD_PRELOAD=$agent "$helpers/agent_host_process" burn 0.1 2>&1)
expect "beyond loopback" "profuse-agent*needs PROFUSE_TOKEN_FILE; not listening" "$said"
said=$(PROFUSE_TOKEN_FILE=$work/missing PROFUSE_PORT=auto LD_PRELOAD=$agent "$helpers/agent_host_process" burn 0.1 2>&1)
expect "a token file that is missing" "profuse-agent*missing: No such file*not listening" "$said"
echo "ok"
