#!/usr/bin/env bash
# Rust functions of the v0 scheme have the short names that llvm-cxxfilt has without generic arguments: every symbol of a
# program, unoptimized and optimized, and of the compiler's and the standard library's.
set -euo pipefail
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for tool in rustc llvm-cxxfilt-19; do
	command -v $tool >/dev/null || { echo "no $tool" >&2; exit 77; }
done

source=$PROFUSE_SOURCE_DIR/tests/fixtures/symbol/names.rs
rustc --edition 2021 -g -C symbol-mangling-version=v0 -o plain "$source"
rustc --edition 2021 -O -C symbol-mangling-version=v0 -o optimized "$source"
binaries=(plain optimized)
root=$(rustc --print sysroot)
for library in "$root"/lib/librustc_driver-*.so "$root"/lib/rustlib/*/lib/libstd-*.so; do
	[ -e "$library" ] && binaries+=("$library")
done
for binary in "${binaries[@]}"; do
	nm "$binary" 2>/dev/null || true
	nm -D --defined-only "$binary" 2>/dev/null || true
done | awk '{ sub(/@.*/, "", $NF); print $NF }' | grep ^_R | sort -u >mangled
"$build/tests/tools/demangle" <mangled >ours
llvm-cxxfilt-19 <mangled >theirs
python3 "$PROFUSE_SOURCE_DIR/tests/tools/compare_rust_names.py" mangled ours theirs
for name in 'names::größe::запуск' '<names::größe::Tür>::öffne' '<dyn names::Shape>::twice' '<[u16; 7] as names::Shape>::area'; do
	grep -qxF "$name" ours || { echo "no $name" >&2; exit 1; }
done
# The older scheme, by binutils; which keeps the hash, and characters beyond ASCII as numbers. What is longer than there is room for stays as it is.
command -v c++filt >/dev/null || exit 0
rustc --edition 2021 -O -o older "$source"
nm older "$(command -v cargo || echo older)" 2>/dev/null | awk '{ print $NF }' | grep -E '^_ZN.*17h[0-9a-f]{16}E$' | sort -u >mangled
"$build/tests/tools/demangle" <mangled >ours
c++filt -s rust <mangled | sed -E 's/::h[0-9a-f]{16}$//' >theirs
[ -s mangled ] || { echo "no names of the older scheme" >&2; exit 1; }
paste mangled ours theirs | awk -F'\t' '$2 != $3 && $3 !~ /[$]u/ && ($1 != $2 || length($3) < 1024) { print; bad = 1 } END { exit bad }'
echo "$(wc -l <mangled) names of the older scheme"
grep -qxF 'names::größe::запуск' ours || { echo "no names::größe::запуск" >&2; exit 1; }
