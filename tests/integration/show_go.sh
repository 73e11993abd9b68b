#!/usr/bin/env bash
# The same numbers as Go's own pprof on the same files: every row of top, tree and peek, in every sample type, with
# filters, on live Go profiles and on the fixtures of older formats; differences; and merged profiles that hold the
# same stacks with the same sums as its -proto.
# long
set -euo pipefail
profuse=$(cd "$1" && pwd)/profuse
source=${PROFUSE_SOURCE_DIR:?}
if ! command -v go >/dev/null; then
	echo "Go is not installed: profuse is not compared with go tool pprof"
	[ "${CI:-}" != true ] || exit 1
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TZ=UTC PPROF_TMPDIR=$work
(cd "$source/tests/peers/go_work" && GOFLAGS=-buildvcs=false go build -o "$work/go_work" .)
cd "$work"
for run in a b; do
	./go_work 1.5 cpu-$run.pb.gz heap-$run.pb.gz
done

compared=0
rows=0
# Blanks at the ends of lines, and the lines that name filters, are worded otherwise here.
tidy() {
	sed -e 's/[ \t]*$//' -e '/^Active filters/,/^   [a-z]*=/d' -e '/^   \(focus\|ignore\)=/d'
}

# same VERB "our options" "their options" FILE…
same() {
	local verb=$1 ours=$2 theirs=$3
	shift 3
	# shellcheck disable=SC2086
	"$profuse" show $verb $ours "$@" 2>our.err >ours.txt || { echo "show $verb $ours $*: $(cat our.err)"; exit 1; }
	tidy <ours.txt >tidy.txt && mv tidy.txt ours.txt
	# shellcheck disable=SC2086
	go tool pprof -symbolize=none $theirs "$@" 2>their.err | tidy >theirs.txt
	if ! diff theirs.txt ours.txt >difference.txt; then
		echo "show $verb $ours $*: not what go tool pprof $theirs says:"
		head -20 difference.txt our.err
		exit 1
	fi
	[ "$(wc -l <ours.txt)" -gt 3 ] || { echo "show $verb $ours $*: nothing was printed"; exit 1; }
	compared=$((compared + 1))
	rows=$((rows + $(wc -l <ours.txt)))
}

for files in cpu-a.pb.gz "cpu-a.pb.gz cpu-b.pb.gz"; do
	# shellcheck disable=SC2086
	for sort in flat cum; do
		same top "--sort $sort" "-top -$sort" $files
	done
	# shellcheck disable=SC2086
	{
		same top "-n 12 --granularity lines" "-top -nodecount=12 -lines" $files
		same top "--least-share 0" "-top -nodefraction=0 -edgefraction=0" $files
		same top "--focus fib|json --ignore sort" "-top -focus=fib|json -ignore=sort" $files
		same tree "" -tree $files
		same tree "-n 25" "-tree -nodecount=25" $files
		same "peek main" "" "-peek main" $files
		same "peek main.work$" "" "-peek main.work$" $files
	}
done
for type in alloc_objects alloc_space inuse_objects inuse_space; do
	same top "--sample-type $type" "-top -sample_index=$type" heap-a.pb.gz
	same tree "--sample-type $type" "-tree -sample_index=$type" heap-a.pb.gz heap-b.pb.gz
done
for file in "$source"/tests/fixtures/profiles/*; do
	[[ $file != *.string ]] || continue
	if go tool pprof -symbolize=none -raw "$file" >/dev/null 2>&1; then
		same top "--granularity functions" -top "$file"
	fi
done

# Differences: the columns flat, its share, cum, its share and the name, where signs are the sum's own.
"$profuse" show diff --base cpu-a.pb.gz cpu-b.pb.gz 2>/dev/null | sed -n '/flat%/,$p' | tail -n +2 |
	awk '{sub(/^\+/, "", $3); sub(/^[-+]/, "", $4); sub(/^\+/, "", $5); sub(/^[-+]/, "", $6); print $3, $4, $5, $6, $7}' >ours.txt
go tool pprof -symbolize=none -top -diff_base cpu-a.pb.gz cpu-b.pb.gz 2>/dev/null | sed -n '/flat%/,$p' | tail -n +2 |
	awk '{print $1, $2, $4, $5, $6}' >theirs.txt
diff theirs.txt ours.txt || { echo "show diff differs from -top -diff_base"; exit 1; }
rows=$((rows + $(wc -l <ours.txt)))

# Merging: the same stacks, labels and sums as the reference's own merge.
stacks() {
	go tool pprof -symbolize=none -raw "$1" 2>/dev/null | python3 "$source/tests/tools/raw_stacks.py"
}
merged() {
	"$profuse" merge "$@" -o ours.pb.gz 2>/dev/null
	go tool pprof -symbolize=none -proto -output=theirs.pb.gz "$@" >/dev/null 2>&1
	stacks ours.pb.gz >ours.txt
	stacks theirs.pb.gz >theirs.txt
	diff theirs.txt ours.txt >difference.txt || { echo "merge $*:"; head difference.txt; exit 1; }
	[ "$(wc -l <ours.txt)" -gt 10 ] || { echo "merge $*: too little to compare"; exit 1; }
	echo "merge $*: $(($(wc -l <ours.txt) - 4)) stacks and their sums agree with pprof -proto"
}
merged cpu-a.pb.gz cpu-b.pb.gz
merged heap-a.pb.gz heap-b.pb.gz
"$profuse" merge cpu-b.pb.gz cpu-a.pb.gz -o turned.pb.gz 2>/dev/null
"$profuse" merge cpu-a.pb.gz cpu-b.pb.gz -o ours.pb.gz 2>/dev/null
cmp turned.pb.gz ours.pb.gz

# Raw text: the same items as the reference prints, but for how a duration is cut short.
for file in cpu-a.pb.gz heap-a.pb.gz; do
	diff <("$profuse" show raw $file | grep -v '^Duration') \
		<(go tool pprof -symbolize=none -raw $file 2>/dev/null | grep -v '^Duration')
done
echo "show_go: $compared tables, $rows lines, the same as go tool pprof's"
