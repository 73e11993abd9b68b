#!/usr/bin/env bash
# The firewall rules of docs/cases/security.md, loaded as they stand there and tried from outside: in network namespaces of
# the test's own, one for the machine, one for whoever asks.
set -euo pipefail
source=${PROFUSE_SOURCE_DIR:?}
work=$(mktemp -d)
trap 'for p in $(jobs -p); do kill "$p"; done 2>/dev/null; rm -rf "$work"' EXIT

# skip WHAT: it can't be tried on this machine
skip() {
	echo "skipped: $1"
	exit 77
}

# In a namespace of its own from here on; who is not root, with one for users as well.
if [ -z "${INSIDE:-}" ]; then
	for tool in nft ip unshare nsenter curl python3; do
		command -v "$tool" >/dev/null || {
			[ "${CI:-}" != true ] || exit 1
			skip "$tool is missing"
		}
	done
	own=(unshare --net)
	[ "$(id -u)" = 0 ] || own=(unshare --net --map-root-user)
	"${own[@]}" true 2>"$work/why" || skip "no network namespace: $(cat "$work/why")"
	INSIDE=yes "${own[@]}" bash "$0" "$@"
	exit
fi

# The block that begins with "table inet", without its indentation.
sed -n '/^    table inet pprof/,/^    }/s/^    //p' "$source/docs/cases/security.md" >"$work/rules"
grep -q 'dport 2121' "$work/rules" || { echo "no rules in the page"; exit 1; }
nft -c -f "$work/rules" 2>"$work/why" || {
	nft list ruleset >/dev/null 2>&1 || skip "this kernel has no nftables: $(head -1 "$work/why")"
	cat "$work/why"
	exit 1
}

unshare --net sleep 60 &
asker=$!
until [ "$(readlink "/proc/$asker/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
from() { nsenter --target "$asker" --net "$@"; }
ip link add machine type veth peer name asker netns "$asker" 2>"$work/why" || skip "no veth: $(cat "$work/why")"
ip address add 10.0.7.1/24 dev machine
ip link set machine up
ip link set lo up
from ip address add 10.0.7.8/24 dev asker
from ip address add 10.0.7.9/24 dev asker
from ip link set asker up

mkdir "$work/served"
for port in 8000 2121; do
	python3 -m http.server --directory "$work/served" --bind 0.0.0.0 $port >/dev/null 2>&1 &
	until curl -s -o /dev/null --max-time 1 "http://127.0.0.1:$port/"; do sleep 0.05; done
done

# expect ANSWERS|NONE ADDRESS PORT
expect() {
	local got=none
	from curl -s -o /dev/null --max-time 2 --noproxy '*' --interface "$2" "http://10.0.7.1:$3/" && got=answers
	[ $got = "$1" ] || { echo "FAILED: $2 asks port $3: $got, not $1"; exit 1; }
}

expect answers 10.0.7.8 2121 # before the rules: whoever asks
nft -f "$work/rules"
expect answers 10.0.7.9 2121
expect none 10.0.7.8 2121
expect answers 10.0.7.8 8000
curl -s -o /dev/null --max-time 2 --noproxy '*' http://127.0.0.1:2121/ || { echo "FAILED: the machine itself is shut out"; exit 1; }
echo "the rules hold"
