#!/usr/bin/env bash
# What a converted profile gains a Go program: a service (tests/peers/go_pgo, formatting Go source) is profiled under
# load on one folder's files, built with --format go-pgo, and compared on another folder's by instructions (callgrind,
# one round, without garbage collection) and by CPU time in pairs.
#
# usage: go_pgo_gain.sh BUILD [SECONDS [PAIRS]]
set -euo pipefail
profuse=$(realpath "$1")/profuse
seconds=${2:-30}
pairs=${3:-20}
export GOFLAGS=-buildvcs=false
source_dir=$(dirname "$(realpath "$0")")/../..
library=$(go env GOROOT)/src
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

cd "$source_dir/tests/peers/go_pgo"
go build -pgo=off -o "$work/base" .
mkfifo "$work/ready"
"$work/base" serve 127.0.0.1:0 >"$work/ready" &
server=$!
read -r address <"$work/ready"
"$work/base" load "$address" "$library/net/http" $((seconds + 5)) &
load=$!
"$profuse" collect "http://$address" --type cpu --seconds "$seconds" -o "$work/cpu.pb.gz"
wait "$load"
kill "$server"
server=
"$profuse" convert --format go-pgo -o "$work/default.pgo" "$work/cpu.pb.gz"
go build -pgo="$work/default.pgo" -o "$work/pgo" .
for variant in base pgo; do
	GOMAXPROCS=1 GOGC=off valgrind --tool=callgrind --callgrind-out-file=/dev/null "$work/$variant" replay \
		"$library/encoding/json" 1 2>&1 | sed -n "s/.*refs: */$variant: instructions: /p"
done
status=0
"$profuse" bench --pairs "$pairs" --before "$work/base replay $library/encoding/json 40" \
	--after "$work/pgo replay $library/encoding/json 40" || status=$?
[ "$status" = 0 ] || [ "$status" = 5 ]
