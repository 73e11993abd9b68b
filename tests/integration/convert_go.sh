#!/usr/bin/env bash
# convert for Go: the compiler sees the edges of the whole profile, takes both forms, and what it would ignore is refused.
# long
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need go python3
profuse=$build_dir/profuse
export GOFLAGS=-buildvcs=false
go_root=$(go env GOROOT)
cd "$work"

# same_edges WANTED HAVE SHARE: have holds the heaviest edges that make SHARE of the weight, and none heavier than wanted.
same_edges() {
	python3 - "$@" <<-'END'
		import sys
		def edges(path):
		    lines = open(path).read().splitlines()
		    assert lines[0] == "GO PREPROFILE V1", lines[0]
		    return {(a, b, int(c.split()[0])): int(c.split()[1]) for a, b, c in zip(*[iter(lines[1:])] * 3)}
		wanted, have, share = edges(sys.argv[1]), edges(sys.argv[2]), float(sys.argv[3])
		total, held = sum(wanted.values()), 0
		for edge, weight in sorted(wanted.items(), key=lambda e: (-e[1],) + e[0]):
		    if held >= share * total:
		        break
		    held += weight
		    assert have.get(edge) == weight, (edge, weight, have.get(edge))
		assert all(weight <= wanted.get(edge, 0) for edge, weight in have.items())
	END
}

# The profile that Go's own compiler is built with: Go derives the same edges from ours as from the original.
original=$go_root/src/cmd/compile/default.pgo
if [ -e "$original" ]; then
	go tool preprofile -i "$original" -o original.txt
	expect 0 "$profuse" convert --format go-pgo --trim 100 -o whole.pgo "$original"
	says "go build -pgo=whole.pgo"
	go tool preprofile -i whole.pgo -o whole.txt
	cmp original.txt whole.txt || fail "Go sees other edges in the converted profile"
	for trim in 99.9 95 50; do
		expect 0 "$profuse" convert --format go-pgo --trim $trim -o trimmed.pgo "$original"
		expect 0 "$profuse" convert --format go-preprofile --trim $trim -o trimmed.txt "$original"
		go tool preprofile -i trimmed.pgo | cmp - trimmed.txt || fail "the two forms differ at $trim"
		same_edges original.txt trimmed.txt "$(python3 -c "print($trim / 100)")" || fail "trimming to $trim lost edges"
	done
	expect 0 "$profuse" convert --format go-pgo --max-edges 100 -o few.pgo "$original"
	[ "$(stat -c %s few.pgo)" -lt $(($(stat -c %s whole.pgo) / 10)) ] || fail "100 edges take as much room as all"
	# Twice the profile is twice the weight; that it counts twice has to be said by merging.
	expect 0 "$profuse" convert --format go-preprofile --trim 100 -o once.txt "$original" "$original"
	cmp original.txt once.txt || fail "the same profile counts twice"
	expect 0 "$profuse" merge -o twice.pb.gz "$original" "$original"
	expect 0 "$profuse" convert --format go-preprofile --trim 100 -o twice.txt twice.pb.gz
	awk 'NR > 1 && NR % 3 == 1 {print $1, 2 * $2; next} {print}' original.txt | cmp - twice.txt || fail "two profiles are not summed"
	# No other compiler builds these functions.
	for format in extbinary text gcc; do
		expect 3 "$profuse" convert --format $format -o other.prof "$original"
		says "--format go-pgo"
	done
	[ ! -e other.prof ] || fail "a Go program's profile was written for clang or gcc"
fi

# A real program under Go's own profiler, then built with what was converted.
cp -r "$source_dir/tests/peers/go_work" program
cd program
go build -o ../base .
../base 3 ../cpu.pb.gz ../heap.pb.gz >/dev/null
expect 3 "$profuse" convert --format go-pgo -o ../default.pgo ../heap.pb.gz
[ ! -e ../default.pgo ] || fail "a heap profile left a file"
expect 0 "$profuse" convert --format go-pgo -o ../default.pgo --json --min-samples 10 ../cpu.pb.gz
python3 - "$work/stdout" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
assert next(iter(d)) == "schema" and d["schema"] == "profuse.convert.v1"
p = d["profile"]
assert p["format"] == "go-pgo" and 0 < p["edges"] <= p["edges_read"] and 0.99 < p["weight_kept"] <= 1, p
assert d["command"] == "go build -pgo=../default.pgo", d["command"]
END
expect 0 "$profuse" convert --format go-preprofile -o ../default.txt ../cpu.pb.gz
expect 0 go build -pgo="$work/default.pgo" -gcflags=-d=pgodebug=1 -o ../pgo .
says "hot-callsite-thres-from-CDF"
../pgo 1 ../again.pb.gz ../heap.pb.gz >/dev/null || fail "the optimised program does not run"
cp ../stderr ../said.pgo
expect 0 go build -pgo=off -gcflags="-pgoprofile=$work/default.txt -d=pgodebug=1" -o ../text .
[ "$(grep hot-callsite ../stderr)" = "$(grep hot-callsite ../said.pgo)" ] || fail "the compiler takes the text for another profile"
sed '2d' ../default.txt >../broken.txt
expect 1 go build -pgo=off -gcflags="-pgoprofile=$work/broken.txt" -o ../text .
cd ..

# The optimised program's profile converts too, and so does one without names, from the binary's own.
expect 0 "$profuse" convert --format go-pgo -o next.pgo again.pb.gz
python3 "$tools/drop_lines.py" "$profuse" cpu.pb.gz bare.pb.gz
expect 3 "$profuse" convert --format go-pgo -o bare.pgo bare.pb.gz
says "--binary"
expect 3 "$profuse" convert -b base -o llvm.prof bare.pb.gz
says "base is a Go program"
expect 3 "$profuse" convert -b base --format gcc -o llvm.prof bare.pb.gz
says "base is a Go program"
expect 3 "$profuse" convert -b base --format bolt -o llvm.prof bare.pb.gz
says "Go's runtime"
[ ! -e llvm.prof ] || fail "a Go program's profile was written for others"
expect 0 "$profuse" convert --format go-preprofile --trim 100 -b base -o bare.txt bare.pb.gz
expect 0 "$profuse" convert --format go-preprofile --trim 100 -o named.txt cpu.pb.gz
python3 - <<'END'
def edges(path):
    lines = open(path).read().splitlines()[1:]
    return {(a, b, c.split()[0]): int(c.split()[1]) for a, b, c in zip(*[iter(lines)] * 3)}
bare, named = edges("bare.txt"), edges("named.txt")
common = sum(min(w, bare.get(e, 0)) for e, w in named.items()) / sum(named.values())
assert common > 0.97, common  # Go leaves wrappers out of its stacks; DWARF does not
END
echo "Go's compiler takes both forms"
