#!/usr/bin/env bash
# fleet_report.sh BUILD OUT…: the page of ten services that docs/tune-fleet.* are (OUT: .html, .md, .json; .png is chromium's picture of the page).
#
# Programs of tests/fixtures stand in for services; cores used are made up, of one that would save CPU they are not known.
set -euo pipefail
build=$(realpath "${1:?usage: $0 BUILD OUT…}")
shift
fixtures=$(realpath "$(dirname "$0")/../../fixtures")
outs=() pictures=()
for out; do
	case $out in
	*.png) pictures+=("$(realpath -m "$out")") ;;
	*) outs+=(-o "$(realpath -m "$out")") ;;
	esac
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" # so that the page names no folder of this machine

reports=()
report() { # NAME CORES|- INPUTS…
	local name=$1 cores=(--cores-used "$2")
	[ "$2" != - ] || cores=()
	shift 2
	"$build/profuse" tune -q "${@/#/$fixtures/}" --name "$name" "${cores[@]}" -o "$name.json"
	reports+=("$name.json")
}
report gateway 80 tune/serialize
report checkout 120 tune/churn
report sessions 64 tune/cache
report routes 8 tune/recursion
report images - tune/mapping
report reports - runtime/glibc-phases.malloc_info.xml runtime/glibc-phases.smaps_rollup
report retries - tune/sleepers
report journal - tune/leak
report catalog - tune/healthy
report counters - tune/contention
"$build/profuse" tune --fleet "${reports[@]}" -o page.html "${outs[@]}"
for picture in "${pictures[@]}"; do
	timeout 120 chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
		--user-data-dir=browser --hide-scrollbars --window-size=1180,1044 --screenshot="$picture" "file://$work/page.html" 2> log
done
