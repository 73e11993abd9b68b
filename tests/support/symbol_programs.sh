# symbol_programs.sh: builds real programs with clang-19 in the shapes that the comparisons of
# lib/symbol with LLVM's tools go through. Sourced; needs $PROFUSE_SOURCE_DIR and a folder $work.

# build_c NAME FLAG...: our own libraries of core, profile and symbol, as one program. It is never
# run, so what other libraries would bring may stay unresolved.
build_c() {
	local out=$1
	shift
	clang-19 "$@" -D_GNU_SOURCE '-DPROFUSE_VERSION="0"' -I"$PROFUSE_SOURCE_DIR/include" -I"$PROFUSE_SOURCE_DIR/lib" \
		$(pkg-config --cflags capstone libzstd 2>/dev/null) "$PROFUSE_SOURCE_DIR/tests/tools/symbolize.c" \
		"$PROFUSE_SOURCE_DIR"/lib/{core,profile,symbol}/*.c -Wl,--unresolved-symbols=ignore-all -o "$work/$out"
}

# build_cpp NAME FLAG...
build_cpp() {
	local out=$1
	shift
	clang++-19 "$@" "$PROFUSE_SOURCE_DIR/tests/fixtures/symbol/shop.cc" -o "$work/$out"
}

# need TOOL...: skips the test when one is missing.
need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || {
			echo "skipped: $tool is missing (Debian packages clang-19, llvm-19, lld-19)"
			exit 77
		}
	done
}
