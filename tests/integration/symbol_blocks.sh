#!/usr/bin/env bash
# long
# Every function of real clang-19 binaries: instruction boundaries must be llvm-objdump-19's, and every
# basic block must begin where clang itself says that one begins (-fbasic-block-address-map).
#
# One difference is right and left out: clang counts "jcc; jmp" at a block's end as one block, we as
# two, so blocks of a single instruction are not compared.
set -euo pipefail
build=${1:?usage: symbol_blocks.sh BUILD}
: "${PROFUSE_SOURCE_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$PROFUSE_SOURCE_DIR/tests/support/symbol_programs.sh"
need clang-19 clang++-19 llvm-objdump-19 llvm-readobj-19
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
hex='function hex(s, n, i) {sub(/^0x/, "", s); s = tolower(s); n = 0
	for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return n}'

check() {
	local name=$1 binary=$work/$1 ours theirs strange_ours strange_theirs
	"$build/tests/tools/disassemble" "$binary" | sort -u >"$work/ours"
	"$build/tests/tools/disassemble" "$binary" -b >"$work/blocks"
	# llvm-objdump's instructions inside function symbols.
	llvm-objdump-19 -d --no-show-raw-insn "$binary" |
		awk "$hex"' BEGIN {n = k = 0} FILENAME != "-" {if (/^[^ ]/) {from[n] = hex($2); to[n++] = hex($3)}; next}
		/^ *[0-9a-f]+:/ {sub(":", "", $1); at = hex($1)
			while (k < n && at >= to[k]) k++
			if (k < n && at >= from[k]) print $1 ($2 == "<unknown>" ? " .byte" : "")}' "$work/blocks" - | sort -u >"$work/theirs"
	ours=$(wc -l <"$work/ours")
	strange_ours=$(comm -23 "$work/ours" "$work/theirs" | wc -l)
	strange_theirs=$(comm -13 "$work/ours" "$work/theirs" | wc -l)
	echo "$name: $ours instructions; $strange_ours only ours, $strange_theirs only llvm-objdump's"
	[ "$ours" -gt 1000 ] && [ "$strange_ours" -eq 0 ] && [ "$strange_theirs" -eq 0 ] || failed=1

	llvm-readobj-19 --bb-addr-map "$binary" >"$work/map"
	awk "$hex"' /Base Address:/ {base = hex($3)} /Offset:/ {printf "%x\n", base + hex($2)}' "$work/map" | sort -u >"$work/theirs"
	awk "$hex"' /Base Address:/ {printf "%x\n", hex($3)}' "$work/map" >"$work/mapped"
	awk 'NR == FNR {mapped[$1]; next}
		/^[^ ]/ {inside = $2 in mapped; if (inside && $4 == "incomplete") print "incomplete:", $1 >"/dev/stderr"; next}
		inside && $3 !~ /^1:?$/ {print $2}' "$work/mapped" "$work/blocks" | sort -u >"$work/ours"
	awk 'NR == FNR {mapped[$1]; next} /^[^ ]/ {inside = $2 in mapped; next} inside {print $2}' \
		"$work/mapped" "$work/blocks" | sort -u >"$work/every"
	ours=$(wc -l <"$work/ours")
	strange_ours=$(comm -23 "$work/ours" "$work/theirs" | wc -l)
	theirs=$(comm -12 "$work/every" "$work/theirs" | wc -l)
	echo "$name: $ours blocks, $strange_ours where clang has none; $theirs of clang's $(wc -l <"$work/theirs") found"
	[ "$ours" -gt 100 ] && [ "$strange_ours" -eq 0 ] || failed=1
	grep -c ' incomplete$' "$work/blocks" | sed "s/^/$name: functions with an unresolved jump: /" || true
}

build_c ours-pie -O2 -pie -fPIE -fbasic-block-address-map
build_c ours-fixed -O3 -no-pie -fno-pie -fbasic-block-address-map
build_c ours-large -O2 -pie -fPIE -mcmodel=large -fbasic-block-address-map
build_cpp shop -O2 -fbasic-block-address-map
for program in ours-pie ours-fixed ours-large shop; do
	check $program
done
exit $failed
