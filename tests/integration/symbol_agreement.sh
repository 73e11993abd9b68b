#!/usr/bin/env bash
# long
# Thousands of random addresses of real clang-19 binaries: function, file, line, start line, raw
# discriminator and the whole inline chain must be what llvm-symbolizer-19 says.
#
# What may differ, and is taken out before comparing: llvm-symbolizer names the outermost function by
# its symbol, so suffixes of compiler passes are cut off on both sides; and where DWARF knows nothing
# it still answers with a symbol and line 0, where our answer is no frame.
set -euo pipefail
build=${1:?usage: symbol_agreement.sh BUILD}
: "${PROFUSE_SOURCE_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$PROFUSE_SOURCE_DIR/tests/support/symbol_programs.sh"
need clang-19 clang++-19 llvm-symbolizer-19 llvm-readelf-19 ld.lld-19
addresses=${SYMBOL_ADDRESSES:-1500}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
all=0 agreed=0

# The .text addresses to ask for, drawn with a fixed seed.
draw() {
	local start size
	read -r start size < <(llvm-readelf-19 -SW "$1" |
		awk '{for (i = 1; i < NF; i++) if ($i == ".text" && $(i + 1) == "PROGBITS") print $(i + 2), $(i + 4)}')
	awk -v s=$((16#$start)) -v n=$((16#$size)) -v count="$addresses" \
		'BEGIN {srand(11); for (i = 0; i < count; i++) printf "0x%x\n", s + int(rand() * n)}' | sort -u
}

# llvm-symbolizer's verbose records in the form that tests/tools/symbolize prints.
reshape() {
	awk '
	function flush() {
		if (seen) out = out "\t" name "|" file "|" line "|" start "|" disc
		seen = 0; name = ""; file = ""; line = 0; start = 0; disc = 0
	}
	function emit() {
		flush()
		if (out ~ /^\t[^\t|]*\|[^\t|]*\|0\|0\|0$/) out = ""
		if (address != "") print address out
		out = ""
	}
	/^0x[0-9a-f]+$/ && !seen {emit(); address = $0; next}
	/^$/ {flush(); next}
	/^  Filename: / {file = substr($0, 13); if (file == "??") file = ""; next}
	/^  Function start line: / {start = $4; next}
	/^  Line: / {line = $2; next}
	/^  Discriminator: / {disc = $2; next}
	/^  / {next}
	{flush(); seen = 1; name = $0 == "??" ? "" : $0}
	END {emit()}'
}

plain_names() {
	sed -E 's/(\.(cold|part|isra|constprop|lto_priv|llvm|__part)(\.[0-9]+)?)+\|/|/g'
}

compare() {
	local name=$1 here same
	draw "$work/$name" >"$work/addresses"
	"$build/tests/tools/symbolize" "$work/$name" <"$work/addresses" | plain_names |
		sed -E 's/\t[^\t|]*\|[^\t|]*\|0\|0\|0$//' >"$work/ours"
	llvm-symbolizer-19 -e "$work/$name" --verbose --no-demangle --inlines -a <"$work/addresses" |
		reshape | plain_names >"$work/theirs"
	here=$(wc -l <"$work/addresses")
	same=$(comm -12 <(sort "$work/ours") <(sort "$work/theirs") | wc -l)
	echo "$name: $same of $here addresses agree, $(grep -c $'|.*\t.*|' "$work/ours" || true) with inlined frames," \
		"$(grep -cE '\|[1-9][0-9]*(\t|$)' "$work/ours" || true) with a discriminator"
	diff "$work/ours" "$work/theirs" | grep '^[<>]' | head -6 || true
	all=$((all + here))
	agreed=$((agreed + same))
}

profile="-O2 -gmlt -fdebug-info-for-profiling"
build_c ours-dwarf5-pie $profile -gdwarf-5 -pie -fPIE
build_c ours-dwarf4-fixed $profile -gdwarf-4 -no-pie -fno-pie
build_c ours-dwarf4-pie $profile -gdwarf-4 -pie -fPIE -gz=zlib
build_c ours-dwarf5-fixed $profile -gdwarf-5 -no-pie -fno-pie -fpseudo-probe-for-profiling
build_c ours-thinlto $profile -flto=thin -fuse-ld=lld -ffunction-sections -Wl,--gc-sections -Wl,--no-rosegment
build_cpp shop-dwarf5 $profile -funique-internal-linkage-names
build_cpp shop-dwarf4 -O3 -g -gdwarf-4 -no-pie -fno-pie
for program in ours-dwarf5-pie ours-dwarf4-fixed ours-dwarf4-pie ours-dwarf5-fixed ours-thinlto shop-dwarf5 shop-dwarf4; do
	compare $program
done
awk -v a="$agreed" -v n="$all" 'BEGIN {printf "%d of %d addresses agree with llvm-symbolizer-19: %.3f %%\n", a, n, 100 * a / n; exit !(n > 3000 && a >= 0.999 * n)}'
