# convert.sh: what the conversion tests share; sourced. $work is a scratch folder, removed at the end.
set -euo pipefail
source_dir=${PROFUSE_SOURCE_DIR:?}
tools=$source_dir/tests/tools
data=$source_dir/tests/data/convert

# Names of commands a test cannot do without: without them it is skipped, under CI=true it fails.
need() {
	local tool
	for tool in "$@"; do
		if ! command -v "$tool" >/dev/null; then
			echo "skipped: $tool is missing"
			[ "${CI:-}" = true ] && exit 1
			exit 77
		fi
	done
}

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# expect STATUS COMMAND...: runs it, keeps its outputs in $work/stdout and $work/stderr.
expect() {
	local wanted=$1 status=0
	shift
	"$@" >"$work/stdout" 2>"$work/stderr" || status=$?
	if [ "$status" != "$wanted" ]; then
		cat "$work/stdout" "$work/stderr" >&2
		fail "$* exited with $status, not $wanted"
	fi
}

# says WORDS: the last command's messages contain them.
says() {
	grep -qF -- "$1" "$work/stdout" "$work/stderr" || { cat "$work/stdout" "$work/stderr" >&2; fail "nobody said: $1"; }
}

# json FILE EXPRESSION: prints what a Python expression says of the document d.
json() { python3 -c "import json; d=json.load(open('$1')); print($2)"; }

# build OUT [flags]: the test program, built as a profiled binary is.
build() {
	local out=$1
	shift
	clang-19 -O2 -gmlt -fdebug-info-for-profiling -Wl,--build-id "$@" -o "$out" "$data/shapes.c"
}

# samples OUT.pb.gz spread_samples' arguments...
samples() {
	local out=$1
	shift
	python3 "$tools/spread_samples.py" "$@" >"$out.json"
	python3 "$tools/make_pprof.py" json "$out.json" "$out"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
