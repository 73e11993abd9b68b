#!/usr/bin/env bash
# Code that lies in no file is called by what it is: the kernel and the vdso by name, never by a guess; what a JIT
# compiler made by the names in its map or in the profile. With node, a real one: its map names what the agent sampled.
set -euo pipefail
build=$(cd "$1" && pwd)
profuse=$build/profuse
source=${PROFUSE_SOURCE_DIR:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() {
	echo "symbol_no_file: $*"
	exit 1
}

cat >parts.json <<'JSON'
{"types": [["samples", "count"]],
 "mappings": [{"start": 4194304, "limit": 4294967296, "filename": "/srv/app", "build_id": "aa"},
	      {"start": "0x7ffd00000000", "limit": "0x7ffd00002000", "filename": "[vdso]"},
	      {"start": "0x7f0000000000", "limit": "0x7f0000010000", "filename": "//anon"},
	      {"start": "0xffffffff81000000", "limit": "0xffffffff82000000", "filename": "[kernel.kallsyms]"}],
 "samples": [{"values": [2], "stack": [{"address": "0x7ffd00000730", "mapping": 1}, {"address": 4194320, "mapping": 0}]},
	     {"values": [3], "stack": [{"address": "0xffffffff9a00d001"}, {"address": 4194320, "mapping": 0}]},
	     {"values": [4], "stack": [{"address": "0xffffffff81000010", "mapping": 3}]},
	     {"values": [5], "stack": [{"address": "0x7f0000000110", "mapping": 2}]},
	     {"values": [6], "stack": [{"address": "0x7f0000000810", "mapping": 2}]}]}
JSON
python3 "$source/tests/tools/make_pprof.py" json parts.json parts.pb.gz
cat >jit.map <<'MAP'
7f0000000100 40 LazyCompile:~sum app.js:3
7f0000000100 40 LazyCompile:*sum app.js:3
this is no line of a map
7f0000000900 40 Builtin:Never
MAP
"$profuse" show top --granularity functions parts.pb.gz >plain 2>err
"$profuse" show top --granularity functions --perf-map jit.map parts.pb.gz >named 2>err
for name in '\[vdso\]' '\[kernel\]' '\[kernel.kallsyms\]' '\[app\]'; do
	grep -Eq " $name\$" plain || fail "no row $name: $(cat plain)"
	grep -Eq " $name\$" named || fail "no row $name with a map: $(cat named)"
done
grep -Eq ' 5 .* LazyCompile:\*sum app.js:3$' named || fail "the later line of a map must count: $(cat named)"
grep -q 'Builtin:Never' named && fail "a name without samples"
grep -Eq ' 6 .* \[anon\]$' named || fail "what no map names: $(cat named)"
if "$profuse" show top --perf-map parts.json parts.pb.gz >/dev/null 2>err; then fail "JSON taken for a map"; fi
grep -q 'is no map of JIT code' err || fail "no reason: $(cat err)"

# Names that the profile itself has for JIT code stay, also beside a binary.
"$profuse" convert --format folded -o folded parts.pb.gz 2>err >verdict || true
if command -v clang-19 >/dev/null; then
	printf 'int main(void) { return 0; }\n' >app.c
	clang-19 -g app.c -o app
	sed -e 's|"address": "0x7f0000000110", "mapping": 2|"address": "0x7f0000000110", "mapping": 2, "lines": [{"function": "JS:*kept", "line": 7}]|' \
		-e 's|"build_id": "aa"|"build_id": ""|' parts.json >own.json
	python3 "$source/tests/tools/make_pprof.py" json own.json own.pb.gz
	sed -i 's|/srv/app|app|' own.json && python3 "$source/tests/tools/make_pprof.py" json own.json own.pb.gz
	"$profuse" convert --binary app --format folded -o folded own.pb.gz >verdict 2>err || true
	if [ -f folded ]; then grep -q '^JS:\*kept 5$' folded || fail "a JIT name was lost: $(cat folded)"; fi
fi

if command -v node >/dev/null; then
	cat >work.js <<'JS'
function hotLoop(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) % 1000003; return s; }
let t = 0;
while (process.cpuUsage().user < 1500000) t += hotLoop(200000);
JS
	mkdir out
	PROFUSE_PORT=0 METRICS_PORT=0 PROFUSE_OUT=$work/out LD_PRELOAD=$build/libprofuse-agent.so \
		node --perf-basic-prof --interpreted-frames-native-stack work.js &
	pid=$!
	trap 'rm -rf "$work" "/tmp/perf-$pid.map"' EXIT
	wait $pid
	"$profuse" show top --granularity functions --perf-map "/tmp/perf-$pid.map" out/*.pb.gz >node.txt 2>err
	grep -q 'JS:.*hotLoop' node.txt || fail "node's hot function has no name: $(head -20 node.txt; cat err)"
fi
echo "symbol_no_file: the kernel, the vdso and JIT code by name"
