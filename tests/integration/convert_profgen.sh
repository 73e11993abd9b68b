#!/usr/bin/env bash
# long
# llvm-profgen as oracle: without inference, our sums and maxima are its body counts, one by one.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 llvm-profgen-19 llvm-objdump-19 python3
profuse=$build_dir/profuse
cd "$work"

# args: NAME, then the binary and its functions
compare() {
	local name=$1 binary=$2
	shift
	samples "$name.pb.gz" "$@"
	python3 "$tools/compare_profgen.py" raw "$name.pb.gz.json" "$name.raw"
	for counts in max sum; do
		ip=
		[ $counts = sum ] && ip=--leading-ip-only
		llvm-profgen-19 --unsymbolized-profile="$name.raw" --use-offset=0 --binary="$binary" --format=text $ip \
			--output="theirs.$name.txt" 2>/dev/null
		"$profuse" convert -b "$binary" -o "ours.$name.txt" -f text --layout nest --inference none --counts $counts \
			"$name.pb.gz" >/dev/null 2>&1
		echo "$name, $counts:"
		python3 "$tools/compare_profgen.py" compare "ours.$name.txt" "theirs.$name.txt"
	done
}

build shapes
compare shapes shapes walk sum odd even main
build unrolled -funroll-loops -mllvm -unroll-runtime
compare unrolled unrolled walk sum main
build old -gdwarf-4
compare dwarf4 old walk sum

# A larger one: several of our own files, much inlining.
lib=$source_dir/lib
clang-19 -O2 -gmlt -fdebug-info-for-profiling -D_GNU_SOURCE -DPROFUSE_VERSION='"test"' -std=c11 -I"$lib" -I"$source_dir/include" \
	-Wl,--build-id -o large "$source_dir/tests/data/convert/large.c" \
	"$lib"/core/{buffer,cursor,error,index,memory,strings,md5}.c -lm
compare large large main work pf_strings_add pf_index_add pf_buffer_printf pf_buffer_add pf_cursor_varint pf_md5
