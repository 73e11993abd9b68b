#!/usr/bin/env bash
# long
# Every shape in which a binary and its debug information come, each a real file of that kind: segments, separate
# debug files, compressed sections, dwz, split DWARF, LTO, C++ and Rust, gcc's and clang's suffixes. Each agrees with
# llvm-symbolizer-19 on 1,000 random addresses, or, where that can't read it, with the same program in a shape it can.
set -euo pipefail
build=$(cd "$1" && pwd)
: "${PROFUSE_SOURCE_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$PROFUSE_SOURCE_DIR/tests/support/symbol_programs.sh"
need clang-19 clang++-19 llvm-symbolizer-19 llvm-readelf-19 llvm-objcopy-19 ld.lld-19 dwz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
tool=$build/tests/tools/symbolize
profile="-O2 -gmlt -fdebug-info-for-profiling"
agree() { "$PROFUSE_SOURCE_DIR/tests/tools/symbol_agreement.py" "$tool" "$@" --addresses 1000; }
fail() {
	echo "symbol_inputs: $*"
	exit 1
}

# same NAME A B [--debug-file F]: both answer alike on 500 addresses of A's .text, with lines.
same() {
	local name=$1 a=$2 b=$3 start size
	shift 3
	read -r start size < <(llvm-readelf-19 -SW "$a" | sed -n 's/.* \.text *PROGBITS *\([0-9a-f]*\) [0-9a-f]* \([0-9a-f]*\) .*/\1 \2/p')
	seq $((16#$start)) $((16#$size / 500 + 1)) $((16#$start + 16#$size - 1)) | xargs printf '0x%x\n' >addresses
	"$tool" "$a" <addresses >expected
	"$tool" "$b" "$@" <addresses >got 2>notes || fail "$name: $(cat notes)"
	diff expected got >differences || fail "$name: $(head -4 differences) $(cat notes)"
	[ "$(grep -c 'shop.cc' got)" -gt 100 ] || fail "$name: hardly any lines"
	echo "$name: the same answers as from the binary as linked"
}

# segments: the first one not executable (lld, GNU ld), executable (--no-rosegment), code and headers in one (-N)
build_cpp plain $profile -Wl,--build-id=sha1
build_cpp noseparate $profile -Wl,-z,noseparate-code
build_cpp rosegment $profile -fuse-ld=lld
build_cpp norosegment $profile -fuse-ld=lld -Wl,--no-rosegment
for shape in plain noseparate rosegment norosegment; do
	agree $shape
done

# compressed sections: SHF_COMPRESSED with zlib and zstd, the older .zdebug_… names
llvm-objcopy-19 --compress-debug-sections=zlib plain zlib
llvm-objcopy-19 --compress-debug-sections=zstd plain zstd
objcopy --compress-debug-sections=zlib-gnu plain zdebug
grep -q zdebug_info <(llvm-readelf-19 -SW zdebug) || fail "no .zdebug_info in zdebug"
for shape in zlib zstd zdebug; do
	same $shape plain $shape
done

# separate files: by link beside the binary and in .debug, by build id in a folder, named
llvm-objcopy-19 --only-keep-debug plain plain.debug
llvm-objcopy-19 --strip-all --add-gnu-debuglink=plain.debug plain linked
same "beside the binary (.gnu_debuglink)" plain linked
mkdir -p .debug && mv plain.debug .debug/
same "in .debug/ (.gnu_debuglink)" plain linked
mv .debug/plain.debug kept
mkdir folder
same "--debug-file FILE" plain linked --debug-file kept
id=$(readelf -n plain | sed -n 's/.*Build ID: //p')
cp linked kept folder && cp /dev/null folder/empty && mkfifo folder/pipe
same "--debug-file FOLDER (any name)" plain linked --debug-file folder
mkdir -p folder/below && mv folder/kept folder/below/
"$tool" linked --debug-file folder <addresses >got 2>notes
grep -q "nor has a file of its build in the folders named" notes || fail "nobody says that the folder was searched: $(cat notes)"
mkdir -p "root/.build-id/${id:0:2}" && mv kept "root/.build-id/${id:0:2}/${id:2}.debug"
same "--debug-file FOLDER (.build-id)" plain linked --debug-file root
"$tool" linked <addresses >got 2>notes
grep -q shop.cc got && fail "lines without debug information"
grep -q "install the package with its debug symbols" notes || fail "a stripped binary is not explained: $(cat notes)"
build_cpp other -O1 -g -Wl,--build-id=sha1
if "$tool" linked --debug-file other <addresses 2>notes; then fail "debug information of another build was used"; fi
grep -q "is of another build (build id" notes || fail "another build: $(cat notes)"

# dwz: duplicates within a file, and shared between two
build_cpp first $profile -gdwarf-4 -Wl,--build-id=sha1
build_cpp second -O2 -g -gdwarf-4 -Wl,--build-id=sha1
cp first one && cp second two && dwz one && same "dwz" first one
cp first one && cp second two && dwz -m common one two
grep -q gnu_debugaltlink <(llvm-readelf-19 -SW one) || fail "dwz made no .gnu_debugaltlink"
same "dwz -m (.gnu_debugaltlink)" first one
same "dwz -m, another program" second two
mv common elsewhere
"$tool" two <addresses >/dev/null 2>notes
grep -q "supplementary debug file" notes || fail "a missing supplementary file is not explained: $(cat notes)"

# split DWARF: .dwo files of DWARF 5 and 4, as packages, missing
for version in 5 4; do
	build_cpp whole$version -O2 -g -gdwarf-$version
	mkdir -p split$version
	(cd split$version && clang++-19 -O2 -g -gdwarf-$version -gsplit-dwarf -c "$PROFUSE_SOURCE_DIR/tests/fixtures/symbol/shop.cc" &&
		clang++-19 shop.o -o ../apart$version)
	ls split$version/*.dwo >/dev/null
	same "split DWARF $version (.dwo)" whole$version apart$version
	agree apart$version
done
(cd split5 && llvm-dwp-19 shop.dwo -o ../apart5.dwp && mv shop.dwo moved.dwo)
"$tool" apart5 <addresses >got 2>notes
grep -q "apart5.dwp: packages of split debug information (.dwp) are not supported" notes || fail ".dwp: $(cat notes)"
grep -q shop.cc got || fail "no lines without the .dwo file"
rm apart5.dwp
"$tool" apart5 <addresses >got 2>notes
grep -q "shop.dwo .* was not found" notes || fail "a missing .dwo file: $(cat notes)"

# link-time optimisation: references from unit to unit, functions of several units in one
for lto in full thin; do
	build_c lto-$lto $profile -flto=$lto -fuse-ld=lld -ffunction-sections -Wl,--gc-sections
	agree lto-$lto
done
grep -qE '\.llvm\.[0-9]+$' <(nm lto-thin) || fail "no .llvm. suffix in the ThinLTO build"

# C++ with heavy inlining, unique names; gcc: .cold, .part, .isra, .constprop
build_cpp inlined -O3 -gmlt -fdebug-info-for-profiling -funique-internal-linkage-names
agree inlined
if command -v g++ >/dev/null; then
	g++ -O2 -g "$PROFUSE_SOURCE_DIR/tests/fixtures/symbol/shop.cc" -o gcc && agree gcc
	gcc -O3 -g "$PROFUSE_SOURCE_DIR/tests/fixtures/symbol/suffixes.c" -o suffixes && agree suffixes
	for suffix in cold part isra constprop; do
		grep -qE "\.$suffix(\.[0-9]+)?$" <(nm suffixes) || fail "gcc made no .$suffix symbol"
	done
fi

# Rust: names as they are, those that look like C++ and v0
if command -v rustc >/dev/null; then
	source=$PROFUSE_SOURCE_DIR/tests/fixtures/symbol/fold.rs
	rustc -O -g -o rust "$source" && agree rust
	rustc -O -g -C symbol-mangling-version=v0 -o rust-v0 "$source" && agree rust-v0
	nm rust-v0 | awk '/ _R.*fold/ {print "0x" $1}' >addresses
	"$tool" rust-v0 <addresses >got
	grep -q "_RINv.*fold" got || fail "no v0 name of Rust"
fi
echo "symbol_inputs: all agree"
