#!/usr/bin/env bash
# CPU time to symbolize 10,000 random addresses of a binary (default: our own libraries, built with
# clang-19 -O2 -gmlt -fdebug-info-for-profiling), against llvm-symbolizer-19. Prints the ratio of the
# medians of five runs each, in turn.
# Usage: symbolize.sh BUILD [BINARY]
set -euo pipefail
build=${1:?usage: symbolize.sh BUILD [BINARY]}
: "${PROFUSE_SOURCE_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$PROFUSE_SOURCE_DIR/tests/support/symbol_programs.sh"
need clang-19 llvm-symbolizer-19 llvm-readelf-19
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
binary=${2:-$work/ours}
[ $# -gt 1 ] || build_c ours -O2 -gmlt -fdebug-info-for-profiling

read -r start size < <(llvm-readelf-19 -SW "$binary" |
	awk '{for (i = 1; i < NF; i++) if ($i == ".text" && $(i + 1) == "PROGBITS") print $(i + 2), $(i + 4)}')
awk -v s=$((16#$start)) -v n=$((16#$size)) \
	'BEGIN {srand(5); for (i = 0; i < 10000; i++) printf "0x%x\n", s + int(rand() * n)}' >"$work/addresses"

# User plus system seconds of a command.
cpu() {
	local TIMEFORMAT='%U %S'
	{ time "$@" <"$work/addresses" >/dev/null 2>&1; } 2>&1 | awk '{print $1 + $2}'
}

for round in 1 2 3 4 5; do
	cpu "$build/tests/tools/symbolize" "$binary" >>"$work/ours.times"
	cpu llvm-symbolizer-19 -e "$binary" --no-demangle --inlines >>"$work/theirs.times"
done
ours=$(sort -n "$work/ours.times" | sed -n 3p)
theirs=$(sort -n "$work/theirs.times" | sed -n 3p)
awk -v a="$ours" -v b="$theirs" 'BEGIN {
	printf "10,000 addresses: %.3f s CPU here, %.3f s llvm-symbolizer-19: %.2f of its time\n", a, b, a / b}'
