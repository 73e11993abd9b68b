#!/usr/bin/env bash
# How far lib/symbol agrees with llvm-symbolizer-19 (function, file, line, start line, discriminator, inline chain)
# on 10,000 random addresses and more of each of five real programs, at least 20 % of them with a discriminator.
# Sources come from Debian and stay, like the builds, in a cache (PROFUSE_CACHE, else ~/.cache/profuse); the first
# run takes some ten minutes, the next a minute.
# Usage: symbol_agreement.sh BUILD [ADDRESSES]
set -euo pipefail
build=${1:?usage: symbol_agreement.sh BUILD [ADDRESSES]}
addresses=${2:-10000}
root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${PROFUSE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/profuse}
flags="-O2 -gmlt -fdebug-info-for-profiling -w"
mkdir -p "$cache/symbol"
fetch() { "$root/tests/quality/fetch" "$1" "$cache/src/$1"; }

# compile NAME COMPILER FLAGS LINK_FLAGS FILE...: each file by itself, two at a time, then linked; kept.
compile() {
	local name=$1 compiler=$2 flags=$3 link=$4 out=$cache/symbol/$1
	shift 4
	[ -f "$out" ] && return
	echo "building $name" >&2
	mkdir -p "$out.o"
	# shellcheck disable=SC2086
	printf '%s\n' "$@" | xargs -P2 -I{} sh -c \
		'o=$0.o/$(echo "{}" | tr / _).o; [ -f "$o" ] || exec '"$compiler $flags"' -c "{}" -o "$o"' "$out"
	# shellcheck disable=SC2086
	$compiler $flags "$out.o"/*.o $link -o "$out.tmp"
	mv "$out.tmp" "$out"
	rm -rf "$out.o"
}

lua() { # plain C: DWARF 5, PIE, GNU ld
	fetch lua5.4
	local source=$cache/src/lua5.4/src include=$cache/symbol/include
	mkdir -p "$include"
	echo '#define DEB_HOST_MULTIARCH "x86_64-linux-gnu"' >"$include/lua5.4-deb-multiarch.h"
	compile lua5.4 clang-19 "$flags -DLUA_USE_LINUX -I$include" "-lm -ldl" $(ls "$source"/*.c | grep -v luac.c)
}

zstd() { # C across modules: ThinLTO, lld without a read-only first segment, sections dropped
	fetch libzstd
	local source=$cache/src/libzstd
	compile zstd clang-19 "$flags -flto=thin -ffunction-sections -DZSTD_DISABLE_ASM -DBACKTRACE_ENABLE=0 -I$source/lib -I$source/lib/common" \
		"-fuse-ld=lld -Wl,--gc-sections -Wl,--no-rosegment -lpthread" \
		"$source"/lib/{common,compress,decompress,dictBuilder}/*.c "$source"/programs/*.c
}

redis() { # a large C server: DWARF 4, fixed addresses
	fetch redis
	local source=$cache/src/redis deps
	deps=$source/deps
	(cd "$source/src" && sh ./mkreleasehdr.sh >/dev/null 2>&1) || true
	compile redis-server clang-19 \
		"$flags -gdwarf-4 -no-pie -fno-pie -std=gnu11 -DUSE_PROCESSOR_CLOCK -DENABLE_CJSON_GLOBAL -I$deps/hiredis -I$deps/linenoise -I$deps/lua/src -I$deps/hdr_histogram" \
		"-Wl,--unresolved-symbols=ignore-all -Wl,-z,muldefs -lm -ldl -lpthread" \
		$(ls "$source"/src/*.c | grep -vE 'redis-(cli|benchmark)\.c|ae_[a-z]+\.c') $(ls "$deps"/lua/src/*.c | grep -vE '/(lua|luac|print)\.c')
}

ninja() { # C++ with heavy inlining: -O3, unique names, sections compressed with zstd
	fetch ninja-build
	local source=$cache/src/ninja-build/src
	compile ninja clang++-19 "${flags/-O2/-O3} -std=c++17 -funique-internal-linkage-names" \
		"-fuse-ld=lld -gz=zstd" $(ls "$source"/*.cc | grep -vE '\.in\.cc|test|bench|win32|perf|browse|minidump|includes_normalize|msvc')
}

ours() { # ourselves: probes beside the lines, sections compressed with zlib
	compile profuse clang-19 "$flags -fpseudo-probe-for-profiling -D_GNU_SOURCE -DPROFUSE_VERSION=__FILE__ -I$root -I$root/include -I$root/lib -I$root/cli -I/usr/include/capstone" \
		"-Wl,--unresolved-symbols=ignore-all -gz=zlib" "$root"/lib/*/*.c "$root"/convert/*.c "$root"/bench/*.c "$root"/cli/*.c
}

failed=0
for program in lua zstd redis ninja ours; do
	$program
done
for program in lua5.4 zstd redis-server ninja profuse; do
	"$root/tests/tools/symbol_agreement.py" "$build/tests/tools/symbolize" "$cache/symbol/$program" \
		--addresses "$addresses" --with-discriminator 0.22 || failed=1
done
exit $failed
