#!/bin/bash
# profuse collect and trust: credentials reach the server they are for and no other, whatever redirects
# say; a server must prove who it is; a client certificate is shown where it is asked for.
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

# expect STATUS WORDS URL OPTION…: no message ever shows a secret
expect() {
	local status=$1 words=$2 got
	shift 2
	rm -f "$dir/out"
	"$profuse" collect "$@" --type heap --retry-for 0 -o "$dir/out" >"$dir/std" 2>"$dir/err" </dev/null
	got=$?
	checks=$((checks + 1))
	[ $got -eq "$status" ] || fail "$*: exit $got, not $status: $(cat "$dir/err")"
	[ -z "$words" ] || grep -qF -- "$words" "$dir/err" || fail "$*: no \"$words\" in: $(cat "$dir/err")"
	[ $status -eq 0 ] || [ ! -e "$dir/out" ] || fail "$*: left a file behind"
	! grep -q 's3cret\|secret pass\|hunter2\|blue' "$dir/err" "$dir/std" || fail "$*: a secret is shown"
}

# seen LOG TEXT: the last request in a server's log
seen() {
	checks=$((checks + 1))
	[ "$(tail -1 "$dir/$1")" = "$2" ] || fail "the last request in $1 is not \"$2\": $(tail -1 "$dir/$1")"
}

make_certificates() {
	exec 3>&2 2>"$dir/openssl.log"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test-ca -days 30 -keyout "$dir/ca.key" -out "$dir/ca.pem"
	issue server 'subjectAltName=IP:127.0.0.1' -days 30
	issue other 'subjectAltName=DNS:elsewhere.example' -days 30
	issue expired 'subjectAltName=IP:127.0.0.1' -days -1
	issue client 'extendedKeyUsage=clientAuth' -days 30
	cat "$dir/client.pem" "$dir/client.key" >"$dir/client-both.pem"
	openssl pkey -aes128 -passout pass:s3cret -in "$dir/client.key" -out "$dir/client-locked.key"
	exec 2>&3
	[ -s "$dir/client-locked.key" ] && [ -s "$dir/expired.pem" ] || { cat "$dir/openssl.log"; exit 1; }
}

# issue NAME EXTENSION OPTION…: NAME.pem and NAME.key, signed by the test's authority
issue() {
	local name=$1
	printf '%s\n' "$2" >"$dir/extension"
	shift 2
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -keyout "$dir/$name.key" -out "$dir/$name.csr"
	openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial \
		-extfile "$dir/extension" -out "$dir/$name.pem" "$@"
}

make_certificates
printf 's3cret-token\n' >"$dir/token"
printf 'secret pass\n' >"$dir/password"
printf '# the tenant\nX-Tenant: blue\n\n' >"$dir/headers"
serve first --peer "$dir/second.port"
plain=http://127.0.0.1:$port
serve second --peer "$dir/first.port"
serve tls --peer "$dir/first.port" --tls "$dir/server.pem" "$dir/server.key"
tls=https://127.0.0.1:$port
serve wrong --tls "$dir/other.pem" "$dir/other.key"
wrong=https://127.0.0.1:$port
serve old --tls "$dir/expired.pem" "$dir/expired.key"
old=https://127.0.0.1:$port
serve mutual --peer "$dir/mutual2.port" --tls "$dir/server.pem" "$dir/server.key" --client-ca "$dir/ca.pem"
mutual=https://127.0.0.1:$port
serve mutual2 --tls "$dir/server.pem" "$dir/server.key" --client-ca "$dir/ca.pem"

# Credentials arrive, from each source.
url=$plain/needs_bearer
expect 4 'it wants credentials' $url
expect 0 '200 distinct stacks' $url --bearer-token-file "$dir/token"
PROFUSE_BEARER_TOKEN=s3cret-token expect 0 '200 distinct stacks' $url
PROFUSE_BEARER_TOKEN=s3cret-wrong expect 4 'these credentials are not accepted' $url
PROFUSE_BEARER_TOKEN=s3cret-wrong expect 0 '200 distinct stacks' $url --bearer-token-file "$dir/token"
url=$plain/needs_basic
expect 0 '200 distinct stacks' $url --username ann --password-file "$dir/password"
PROFUSE_PASSWORD='secret pass' PROFUSE_BEARER_TOKEN=s3cret expect 0 '200 distinct stacks' $url --username ann
expect 0 '200 distinct stacks' $plain/needs_header --header-file "$dir/headers"

# Redirects: the same origin keeps them, another never sees them, not even on the way back.
both=(--bearer-token-file "$dir/token" --header-file "$dir/headers")
expect 0 '200 distinct stacks' $plain/to_here "${both[@]}"
seen first '/needs_bearer auth=yes header=yes'
expect 4 'left behind when a redirect led to this other host' $plain/to_peer "${both[@]}"
seen second '/needs_bearer auth=no header=no'
expect 0 '200 distinct stacks' $plain/to_peer_good --username ann --password-file "$dir/password"
seen second '/debug/pprof/heap auth=no header=no'
expect 4 'left behind' $plain/to_peer_and_back "${both[@]}"
seen second '/to_first auth=no header=no'
seen first '/needs_bearer auth=no header=no'
expect 4 'redirected once more after 5 redirects' $plain/around
expect 4 'redirected once more after 0 redirects' $plain/to_here --max-redirects 0
expect 4 'without saying where' $plain/to_nowhere
expect 4 'neither http:// nor https://' $plain/to_file
expect 4 'carries a user name or password' $plain/to_userinfo

# A proxy is taken from the environment.
http_proxy=$plain expect 0 'elsewhere.invalid/debug/pprof/heap: 200 distinct stacks' http://elsewhere.invalid/
seen first 'http://elsewhere.invalid/debug/pprof/heap auth=no header=no'
PROFUSE_BEARER_TOKEN=s3cret http_proxy=$plain expect 0 'go to elsewhere.invalid unencrypted' http://elsewhere.invalid/

# TLS: who the server is.
ca=(--cacert "$dir/ca.pem")
expect 0 '200 distinct stacks' $tls "${ca[@]}"
expect 0 '200 distinct stacks' $tls/needs_bearer "${ca[@]}" "${both[@]}"
expect 4 '--cacert' $tls
expect 4 '--cacert' $tls --cacert "$dir/other.pem"
expect 4 '--cacert must name a readable PEM file' $tls --cacert "$dir/missing.pem"
expect 0 'NOT verified' $tls --insecure
expect 4 'host name that it was made for' $wrong "${ca[@]}"
expect 4 'expired' $old "${ca[@]}"
expect 4 'does the port speak TLS?' "https${plain#http}"
expect 4 'http' "http${tls#https}"
expect 4 'from https to plain http' $tls/to_peer_good "${ca[@]}" "${both[@]}"
[ ! -s "$dir/wrong" ] && [ ! -s "$dir/old" ] || fail 'a request was sent to a server that did not prove itself'

# TLS: who we are.
expect 4 '--cert' $mutual "${ca[@]}"
expect 0 '200 distinct stacks' $mutual "${ca[@]}" --cert "$dir/client.pem" --key "$dir/client.key"
expect 0 '200 distinct stacks' $mutual "${ca[@]}" --cert "$dir/client-both.pem"
expect 4 '--cert and --key must name' $mutual "${ca[@]}" --cert "$dir/client.pem" --key "$dir/client-locked.key"
expect 4 '--cert and --key must name' $mutual "${ca[@]}" --cert "$dir/client.pem" --key "$dir/other.key"
expect 4 '--cert and --key must name' $mutual "${ca[@]}" --cert "$dir/missing.pem"
expect 4 '--cert' $mutual/to_tls_peer "${ca[@]}" --cert "$dir/client-both.pem"
[ ! -s "$dir/mutual2" ] || fail 'the client certificate was shown to another origin'

[ $failures -eq 0 ] || exit 1
echo "$checks checks of trust"
