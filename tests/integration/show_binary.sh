#!/usr/bin/env bash
# Names for a profile that has addresses only: --binary brings functions, inlined ones too, and lines; another build of
# the same name is refused with both ids; a stripped one still gives the symbols it has.
set -euo pipefail
profuse=$(cd "$1" && pwd)/profuse
source=${PROFUSE_SOURCE_DIR:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >app.c <<'C'
volatile int sink;
static inline __attribute__((always_inline)) void inner(int n)
{
	sink += n * 3;
}
__attribute__((noinline)) void outer(int n)
{
	inner(n);
}
int main(int argc, char **argv)
{
	(void)argv;
	outer(argc);
	return 0;
}
C
cc -O1 -g -Wl,--build-id=sha1 -o app app.c
id=$(readelf -n app | sed -n 's/.*Build ID: //p')
address=$((16#$(nm app | awk '$3 == "outer" {print $1}')))
read -r offset virtual < <(readelf -lW app | awk '/LOAD/ && / R E / {print $2, $3; exit}')
base=$((0x560000000000))

# Two samples at the start of outer(), which is inlined inner(), in a process that mapped the binary somewhere.
profile() {
	local start=$((base + virtual))
	cat <<-JSON
		{"types": [["samples", "count"]],
		 "mappings": [{"start": $start, "limit": $((start + 0x10000)), "offset": $((offset)), "filename": "/srv/app", "build_id": "$1"}],
		 "samples": [{"values": [2], "stack": [{"address": $((base + address + 2)), "mapping": 0}]}]}
	JSON
}
profile "$id" >named.json
profile "" >unnamed.json
profile 00ff00ff >other.json
for name in named unnamed other; do
	python3 "$source/tests/tools/make_pprof.py" json $name.json $name.pb.gz
done

fail() {
	echo "show_binary: $*"
	exit 1
}
"$profuse" show top named.pb.gz >plain.txt 2>plain.err
grep -q 'app+0x' plain.txt && grep -q -- '--binary BIN gives them names' plain.err || fail "addresses are not explained"
for name in named unnamed; do
	"$profuse" show peek outer --granularity lines --binary app $name.pb.gz >lines.txt 2>err
	[ ! -s err ] || fail "$name: $(cat err)"
	grep -Eq 'inner .*app.c:4 \(inline\)' lines.txt || fail "$name: no inlined frame: $(cat lines.txt)"
	grep -Eq 'outer .*app.c:8$' lines.txt || fail "$name: no line of the call: $(cat lines.txt)"
done
status=0
"$profuse" show top --binary app other.pb.gz >out.txt 2>err || status=$?
[ $status = 3 ] && grep -q "$id" err && grep -q 00ff00ff err || fail "another build: $status, $(cat err)"

mkdir stripped
strip -g -o stripped/app app
"$profuse" show top --binary stripped/app named.pb.gz >out.txt 2>err
grep -q 'outer$' out.txt || fail "no symbol from a binary without debug information: $(cat out.txt err)"
"$profuse" show flame --binary app named.pb.gz -o flame.html
grep -q '"inner"' flame.html || fail "the flame graph has no inlined function"

# gcc gives members of templates and lambdas no linkage name: their names come with what they lie in.
cat >shop.cc <<'CC'
volatile int sink;
namespace shop {
template <class T> struct shelf {
	T n;
	template <class F> __attribute__((always_inline)) void each(F f)
	{
		f(n);
	}
};
}
__attribute__((noinline)) void stock(int n)
{
	shop::shelf<int> s{n};
	s.each([](int x) __attribute__((always_inline)) { sink += x * 3; });
}
int main(int argc, char **)
{
	stock(argc);
	return 0;
}
CC
g++ -O1 -g -o shop shop.cc
address=$((16#$(nm shop | awk '$3 == "_Z5stocki" {print $1}')))
{
	echo '{"types": [["samples", "count"]], "mappings": [{"filename": "/srv/shop"}], "samples": ['
	for i in 0 1 2 3 4 5 6 7 8 9; do
		echo "{\"values\": [1], \"stack\": [{\"address\": $((address + i)), \"mapping\": 0}]}$([ $i = 9 ] || echo ,)"
	done
	echo ']}'
} >shop.json
python3 "$source/tests/tools/make_pprof.py" json shop.json shop.pb.gz
"$profuse" show top --binary shop shop.pb.gz >out.txt 2>err
for name in 'shop::shelf<int>::each<' 'stock::{lambda:14}::operator()'; do
	grep -qF "$name" out.txt || fail "no $name: $(cat out.txt err)"
done
echo "show_binary: names and lines by build id and by file name, another build refused"
