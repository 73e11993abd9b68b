#!/bin/bash
# `profuse collect status` on a terminal: it draws in place, cut to the terminal's size, until q or Ctrl-C, and leaves the
# terminal as it was; without colours where NO_COLOR says so; and it waits for a collector that is started anew.
# long
set -u
build=$(realpath "$1")
profuse=$build/profuse
source_dir=${PROFUSE_SOURCE_DIR:?}
# shellcheck source=tests/support/fleet.sh
. "$source_dir/tests/support/fleet.sh"
export TERM=xterm

# Thirty services that nobody serves: more than a small terminal has lines, and failures to show.
{
	echo 'scrape_configs:'
	for n in $(seq -w 30); do
		echo "  - {job_name: service-with-a-long-name-$n, scrape_interval: 1s, seconds: 1, types: [heap], static_configs: [{targets: ['127.0.0.1:1']}]}"
	done
} >"$dir/fleet.yaml"
collector fleet "$dir/fleet.yaml" --store "$dir/store"
first_port=$port

# on ROWS COLUMNS SCRIPT OPTION…: what the terminal says, in $dir/seen
on() {
	local rows=$1 columns=$2 script=$3
	shift 3
	checks=$((checks + 1))
	printf '%b\n' "$script" | python3 "$source_dir/tests/tools/terminal.py" "$rows" "$columns" "$@" \
		"$profuse" collect status --listen "127.0.0.1:$port" >"$dir/seen" || give_up "terminal.py $*"
}
# seen EXPRESSION: must be true of what was seen, `s`
seen() {
	check python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]) and (print(s) or 1))' \
		"$dir/seen" "$1" >&3
}
clean='s["scrolled"] == 0 and s["second_screen"] == [1, 1] and s["cursor"] and s["echo"] and s["canonical"] and s["final"] == ""'

on 70 120 'expect service-with-a-long-name-30\nexpect SERVICE\ndraws 2\nkey q'
seen "s['status'] == 0 and $clean"
seen 's["draws"] >= 3 and s["colors"] and s["screen"].startswith("profuse ") and s["screen"].count("TARGETS") == 2'
seen 's["bytes"] < 8000 * s["draws"]'

# Smaller than what there is to show: cut, not wrapped, not scrolled.
on 12 40 'expect JOB\ndraws 2\nkey \\x03'
seen "s['status'] == 0 and $clean"
seen 'len(s["screen"].split("\n")) == 12 and max(map(len, s["screen"].split("\n"))) <= 40'

on 24 80 'expect JOB\ndraws 1\nkey q' env NO_COLOR=1
seen "s['status'] == 0 and not s['colors'] and $clean"

# A terminal that can't move its cursor, and no terminal at all: once, as text.
on 200 100 'expect TARGETS' env TERM=dumb
seen 's["status"] == 0 and s["second_screen"] == [0, 0] and not s["colors"]'
"$profuse" collect status --listen "127.0.0.1:$port" >"$dir/text"
check grep -q '^JOB .*NEXT$' "$dir/text"
check test "$(tr -dc '\033' <"$dir/text" | wc -c)" = 0

# Nobody there at the beginning is an error; later it is waited for.
port=1
on 24 80 '' 
seen 's["status"] == 4 and s["second_screen"] == [1, 1] and "127.0.0.1" in s["final"]'
port=$first_port
(
	sleep 2
	stop "$pid"
	sleep 2
	exec "$profuse" collect --config "$dir/fleet.yaml" --listen "127.0.0.1:$first_port" --store "$dir/store" 2>"$dir/again.log" 3>&-
) &
again=$!
pids+=("$again")
on 24 80 'expect JOB\nexpect onnect\ngone onnect\nexpect JOB\nkey q'
seen "s['status'] == 0 and $clean"
kill "$again"
wait "$again"
finish
