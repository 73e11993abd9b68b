# What the tests of profuse bench share: "$profuse" and "$dir" are the caller's; counts go to $checks and $failures.
checks=0 failures=0

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# expect STATUS WORDS ARGUMENT…: runs bench; WORDS must be in what it prints (either stream)
expect() {
	local status=$1 words=$2 got
	shift 2
	"$profuse" bench "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	checks=$((checks + 1))
	[ $got -eq "$status" ] || fail "$*: exit $got, not $status: $(cat "$dir/err"; head -c 2000 "$dir/out")"
	[ -z "$words" ] || grep -qF -- "$words" "$dir/err" "$dir/out" || fail "$*: no \"$words\" in: $(cat "$dir/err" "$dir/out")"
}

# json EXPRESSION: python's verdict on the JSON object d of the last run: `m` are the last variant's metrics, `pairs`
# the pairs' blocks by name, `blocks` all of them, `load` the load
json() {
	checks=$((checks + 1))
	python3 -c "
import json, sys
d = json.load(open('$dir/out'))
m = d['variants'][-1]['metrics'] if 'variants' in d else None
pairs = [p['blocks'] for p in d.get('pairs', [])]
blocks = [b for p in pairs for b in p.values()]
before, after = [p.get('before') for p in pairs], [p.get('after') for p in pairs]
load = d.get('conditions', {}).get('load')
sys.exit(0 if ($1) else 1)" || fail "not so: $1 in $(head -c 2000 "$dir/out")"
}

# Ends the test with its result.
finish() {
	[ $failures -eq 0 ] && echo "$checks checks passed"
	exit $((failures != 0))
}
