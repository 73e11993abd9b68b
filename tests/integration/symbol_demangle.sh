#!/usr/bin/env bash
# C++ functions have their short names wherever people read: as c++filt has them for every symbol of the C++ library
# and, where they are installed, of LLVM; and a profile keeps the mangled ones.
set -euo pipefail
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() {
	echo "$*" >&2
	exit 1
}

libraries=()
for library in /usr/lib/x86_64-linux-gnu/libstdc++.so.6 /usr/lib/llvm-14/lib/libLLVM-14.so.1 /usr/lib/llvm-19/lib/libclang-cpp.so.19.1; do
	[ -e "$library" ] && libraries+=("$library")
done
[ ${#libraries[@]} -gt 0 ] || fail "no C++ library to take symbols from"
# Functions; but for clones of transactional memory (_ZGTt), which no program has.
nm -D --defined-only "${libraries[@]}" | awk 'NF == 3 && $2 ~ /^[TtWwi]$/ { sub(/@.*/, "", $3); print $3 }' |
	grep ^_Z | grep -v ^_ZGTt | sort -u >mangled
"$build/tests/tools/demangle" <mangled >ours
c++filt -p <mangled >theirs
python3 "$PROFUSE_SOURCE_DIR/tests/tools/compare_names.py" mangled ours theirs

heaps=$PROFUSE_SOURCE_DIR/tests/fixtures/tune/cpp-leak
profuse=$build/profuse
"$profuse" show top --sample-type inuse_space "$heaps/heap-7.pb.gz" >top.txt
grep -q ' AuditTrail::record$' top.txt || fail "show top: $(cat top.txt)"
"$profuse" show flame "$heaps/heap-7.pb.gz" -o flame.html
"$profuse" tune "$heaps" -o report.html -o report.md -o report.json
"$profuse" tune "$heaps" >report.txt
for page in flame.html report.html report.md report.json report.txt; do
	grep -q 'AuditTrail::record' "$page" || fail "$page: no AuditTrail::record"
	grep '_ZN\|_ZSt' "$page" && fail "$page: mangled names"
done
# Selected by either name; a profile has the mangled ones for compilers.
for name in '^AuditTrail::record$' _ZN10AuditTrail6record; do
	"$profuse" show top --focus "$name" --sample-type inuse_space "$heaps/heap-7.pb.gz" | grep -q '111.52MB total\|111.52MB, ' || fail "--focus $name"
done
"$profuse" merge "$heaps/heap-7.pb.gz" -o merged.pb.gz 2>/dev/null
zcat merged.pb.gz | grep -qa _ZN10AuditTrail6record || fail "merge changed names"
if command -v go >/dev/null; then
	go tool pprof -top -sample_index=inuse_space "$heaps/heap-7.pb.gz" 2>/dev/null | sed 's/{lambda()#/{lambda#/; s/ *$//' >pprof.txt
	diff pprof.txt <(sed 's/ *$//' top.txt) || fail "show top is not pprof's"
fi
