#!/usr/bin/env bash
# redis_report.sh BUILD [OUT…]: the report of a real Redis that docs/tune-redis.* are (OUT: .html, .md, .json); without OUT its findings alone.
#
# Redis runs under the agent; values of 16 B to 64 KiB have come and mostly gone when its memory is looked at, and its
# profiles are taken under redis-benchmark, which is also what settings are tried with. Takes some minutes; the machine
# should have nothing else to do.
set -euo pipefail
build=$(realpath "${1:?usage: $0 BUILD [OUT…]}")
shift
outs=()
for out; do outs+=(-o "$(realpath -m "$out")"); done
work=$(mktemp -d)
redis=
trap '[ -z "$redis" ] || kill "$redis" || true; wait; rm -rf "$work"' EXIT

cd "$work" # so that the report names no folder of this machine
LD_PRELOAD=$build/libprofuse-agent.so PROFUSE_PORT=auto PROFUSE_RUN_DIR=$work redis-server --port 0 --unixsocket socket \
	--save '' --appendonly no --dir . > redis.log &
redis=$!
until redis-cli -s socket ping > ping 2>&1; do sleep 0.1; done
until target=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[0]["targets"][0])' ./*-"$redis".json 2> no); do sleep 0.1; done

python3 - socket <<'END' &
import random
import socket
import sys

dice = random.Random(1)
redis = socket.socket(socket.AF_UNIX)
redis.connect(sys.argv[1])
answers = redis.makefile("rb")


def send(commands):
    redis.sendall(b"".join(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words) for words in commands))
    for _ in commands:
        answers.readline()


for i in range(0, 40000, 200):
    send([(b"SET", b"k%d" % k, bytes(int(2 ** dice.uniform(4, 16)))) for k in range(i, i + 200)])
for i in range(0, 40000, 200):
    send([(b"DEL", b"k%d" % k) for k in range(i, i + 200) if dice.random() < 0.95])
END
wait $!
redis-cli -s socket --raw memory malloc-stats > malloc-stats.txt
cat "/proc/$redis/smaps_rollup" > smaps_rollup
timeout 30 redis-benchmark -s socket -q -n 100000000 -r 20000 -d 700 -t set,lpop,sadd,get -l > load.log 2>&1 &
load=$!
"$build/profuse" collect "http://$target" --type cpu --seconds 10 -o cpu.pb.gz
"$build/profuse" collect "http://$target" --type heap -o heap.pb.gz
kill "$load"
# Its libraries have names beside the program's own (Debian's redis-server exports some of its functions).
binaries=(--binary "$(command -v redis-server)")
while read -r library; do binaries+=(--binary "$library"); done < <(awk '/\/lib(c|jemalloc)\.so/ { print $NF }' "/proc/$redis/maps" | sort -u)
# A socket of each run's own (its shell's number): no port is needed, and no other run is met.
job="redis-server --port 0 --unixsocket r.\$\$ --save '' --appendonly no --daemonize no >/dev/null & \
while ! redis-cli -s r.\$\$ ping >/dev/null 2>&1; do sleep 0.05; done; \
redis-benchmark -s r.\$\$ -q -n 8000 -r 20000 -d 700 -t set,lpush,sadd,get >/dev/null; \
redis-cli -s r.\$\$ shutdown nosave; wait"
try=(--try "$job" --seed 1)
[ ${#outs[@]} -gt 0 ] || try=() # only a look at the findings
"$build/profuse" tune cpu.pb.gz heap.pb.gz "${binaries[@]}" --stats malloc-stats.txt \
	--stats smaps_rollup --name redis "${try[@]}" "${outs[@]}"
