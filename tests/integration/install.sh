#!/usr/bin/env bash
# What `cmake --install` puts down is usable: a CMake consumer, pkg-config, man pages, completion, exports.
set -euo pipefail
build=$1
source=${PROFUSE_SOURCE_DIR:?}
if grep -q '^PROFUSE_SANITIZE:.*=.' "$build/CMakeCache.txt"; then
	echo "skipped: a sanitized library is not what packages ship"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
DESTDIR= cmake --install "$build" --prefix "$prefix" >/dev/null

seeds=$source/tests/fuzz/seeds/profile
cmake -S "$source/tests/consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/consumer" >/dev/null
"$work/consumer/consumer" "$seeds/go-heap.gzip" | grep -q ' samples of alloc_objects$'
"$work/consumer/consumer_cxx"

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig:$(echo "$prefix"/lib/*/pkgconfig)
sed -i "s#^prefix=.*#prefix=$prefix#" "$prefix"/lib/*/pkgconfig/profuse*.pc "$prefix"/lib/pkgconfig/profuse*.pc 2>/dev/null || true
# shellcheck disable=SC2046
cc -o "$work/by-pkg-config" "$source/tests/consumer/consumer.c" $(pkg-config --cflags --libs profuse)
LD_LIBRARY_PATH=$(pkg-config --variable=libdir profuse) "$work/by-pkg-config" "$seeds/go-heap.gzip" >/dev/null

"$prefix/bin/profuse" --version | grep -q '^profuse [0-9]'
for page in "$prefix"/share/man/man1/profuse*.1; do
	grep -q '^\.SH NAME\|^\.SH' "$page"
done
test -f "$prefix/share/man/man1/profuse-convert.1"
bash -n "$prefix/share/bash-completion/completions/profuse"

# Exactly the functions that the public headers declare are exported.
library=$(echo "$prefix"/lib/*/libprofuse.so "$prefix"/lib/libprofuse.so | tr ' ' '\n' | while read -r f; do [ -e "$f" ] && echo "$f"; done | head -1)
nm -D --defined-only "$library" | awk '$2 == "T" {sub(/@.*/, "", $3); print $3}' | sort >"$work/exported"
cat "$source"/include/profuse/*.h | grep -v '^[ /]*\*' | grep -oE '\bpf_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$work/declared"
diff "$work/declared" "$work/exported" || { echo "exports and public headers differ (cmake/profuse.map)"; exit 1; }
echo "install: consumer, pkg-config, man pages, completion and exports are in order"
