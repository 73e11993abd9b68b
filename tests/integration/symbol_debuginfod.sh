#!/usr/bin/env bash
# A stripped binary gets its debug information from a real debuginfod server, named in DEBUGINFOD_URLS: convert and
# show say that they ask, and from where; what the server lacks, and a server that is gone, is said, too. Runs in a
# network namespace of its own, because that server listens on all addresses.
build_dir=$(cd "$1" && pwd)
if [ "${2:-}" != inside ]; then
	for tool in unshare ip debuginfod clang-19 llvm-objcopy-19 curl; do
		command -v $tool >/dev/null || { echo "skipped: $tool is missing" && exit 77; }
	done
	unshare --user --map-root-user --net true 2>/dev/null || { echo "skipped: no network namespace" && exit 77; }
	exec unshare --user --map-root-user --net bash "$0" "$build_dir" inside
fi
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
profuse=$build_dir/profuse
cd "$work"
ip link set lo up

build shapes
build_id=$(llvm-readelf-19 -n shapes | sed -n 's/.*Build ID: //p')
samples cpu.pb.gz shapes walk sum odd even --calls
mkdir served
llvm-objcopy-19 --only-keep-debug shapes served/shapes.debug
llvm-objcopy-19 --strip-all shapes stripped && mv shapes whole && mv stripped shapes

expect 3 "$profuse" convert -b shapes -o out cpu.pb.gz
says "no debug information"

# A server that has DEBUGINFOD_URLS in its environment asks there, too: itself.
debuginfod -F -p 8002 -d :memory: -t 1 served >server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
export DEBUGINFOD_CACHE_PATH=$work/cache DEBUGINFOD_URLS=http://127.0.0.1:8002 DEBUGINFOD_TIMEOUT=20
for _ in $(seq 100); do
	curl -fs "$DEBUGINFOD_URLS/buildid/$build_id/debuginfo" -o fetched && break
	sleep 0.2
done
cmp -s fetched served/shapes.debug || fail "the server does not serve: $(cat server.log)"

expect 0 "$profuse" convert -b shapes -o stripped.prof cpu.pb.gz
says "debuginfod: asking http://127.0.0.1:8002 for the debug information of shapes (build id $build_id)"
says "has the debug information of shapes"
expect 0 "$profuse" convert -b whole -o whole.prof cpu.pb.gz
grep -q debuginfod stderr && fail "a server was asked for what is there"
cmp stripped.prof whole.prof || fail "another profile than from the binary as linked"
expect 0 "$profuse" show peek walk --granularity lines --binary shapes cpu.pb.gz
says "debuginfod: "
grep -q 'shapes.c:' stdout || fail "show has no lines"

build unknown -O1
samples unknown.pb.gz unknown walk
llvm-objcopy-19 --strip-all unknown
expect 3 "$profuse" convert -b unknown -o out unknown.pb.gz
says "debuginfod: no debug information of unknown: No such file or directory"

kill $server
wait $server 2>/dev/null || true
expect 0 "$profuse" convert -b shapes -o cached.prof cpu.pb.gz
cmp cached.prof whole.prof || fail "the cache was not used"
rm -r cache
expect 3 "$profuse" convert -b shapes -o out cpu.pb.gz
says "debuginfod: no debug information of shapes: "
echo "symbol_debuginfod: from the server, from its cache; what it lacks and its absence are said"
