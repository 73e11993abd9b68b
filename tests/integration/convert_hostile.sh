#!/usr/bin/env bash
# Damaged binaries under convert: it ends soon, within bounds, with a profile or a sentence; a function that cannot be
# followed is counted, and has its samples by line all the same. A sanitizer's runtime has no room in the memory given here.
# long
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 llvm-objdump-19 llvm-readelf-19 python3
profuse=$build_dir/profuse
cd "$work"

build whole -fpseudo-probe-for-profiling
samples cpu.pb.gz whole walk main --every 1

# Bytes that are no instruction in the middle of a function: what follows is decoded again, the rest is known by lines.
python3 - <<'END'
import re, subprocess
text = subprocess.run(["llvm-objdump-19", "-d", "--no-show-raw-insn", "--disassemble-symbols=walk", "whole"],
                      capture_output=True, text=True, check=True).stdout
addresses = [int(a, 16) for a in re.findall(r"^\s*([0-9a-f]+):", text, re.M)]
headers = subprocess.run(["llvm-readelf-19", "-SW", "whole"], capture_output=True, text=True, check=True).stdout
start, offset = (int(x, 16) for x in re.search(r" \.text\s+PROGBITS\s+(\S+)\s+(\S+)", headers).groups())
image = bytearray(open("whole", "rb").read())
at = addresses[len(addresses) // 2] - start + offset
image[at:at + 3] = b"\x06\x06\x06"
open("broken", "wb").write(image)
END
cp whole unbroken
mv broken whole # profiles know it by its name and build id
expect 0 "$profuse" convert -b whole -f text -o lines.txt --places lines --json --max-age 36500d cpu.pb.gz
python3 -c 'import json; d = json.load(open("stdout")); assert d["functions"]["unfollowed"] == 1, d["functions"]'
grep -q '^walk:[1-9]' lines.txt || fail "the function that cannot be followed has no counts"
expect 0 "$profuse" convert -b whole -f text -o lines.txt --places lines --max-age 36500d cpu.pb.gz
says "The control flow of 1 sampled functions could not be followed wholly."

# Damage everywhere, the same each time: headers, symbols, code, lines, scopes, probes.
python3 - <<'END'
import random
image = open("unbroken", "rb").read()
for n in range(80):
    numbers, copy = random.Random(n), bytearray(image)
    first = numbers.randrange(len(image)) if n % 4 else numbers.randrange(512)
    for _ in range(numbers.choice((1, 4, 64))):
        at = min(first + numbers.randrange(256), len(image) - 1)
        copy[at] = numbers.choice((0, 0xff, 0x7f, numbers.randrange(256)))
    if n % 10 == 9:
        del copy[numbers.randrange(len(copy)):]
    open(f"damaged{n}", "wb").write(copy)
END
memory=1000000
nm -D "$profuse" 2>/dev/null | grep -q __asan && memory=unlimited
accepted=0 refused=0
for n in $(seq 0 79); do
	mv "damaged$n" whole
	for how in "-f text" "-f bolt" "-f text --places lines --stale-against unbroken"; do
		status=0
		# shellcheck disable=SC2086
		(ulimit -v $memory && timeout 60 "$profuse" convert -b whole $how -o out --allow-build-id-mismatch cpu.pb.gz) \
			>stdout 2>stderr || status=$?
		case $status in
		0) accepted=$((accepted + 1)) ;;
		3 | 4) refused=$((refused + 1)) ;;
		*) cat stderr; fail "damage $n, $how: status $status" ;;
		esac
		[ "$status" = 0 ] || grep -q "^profuse: " stderr || fail "damage $n, $how: no reason given"
	done
done
[ $accepted -gt 30 ] && [ $refused -gt 10 ] || fail "$accepted accepted, $refused refused: this tests nothing"
echo "$accepted accepted, $refused refused, none got through"
