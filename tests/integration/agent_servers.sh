#!/bin/bash
# long
# nginx with a master and two workers, and Redis that forks to save: unchanged, preloaded, under load.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1

# free_port: a port that nobody listens on.
free_port() {
	local port
	for port in $(shuf -i 21240-21290); do
		(: <> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || { echo "$port"; return; }
	done
	fail "no free port"
}

# announced NAME COUNT: waits for that many processes of a program; prints their pids.
announced() {
	local i pids
	for i in $(seq 100); do
		pids=$(ls "$run" | sed -n "s/^$1-\([0-9]*\)\.json\$/\1/p")
		[ "$(wc -w <<< "$pids")" -ge "$2" ] && { echo $pids; return; }
		sleep 0.1
	done
	fail "$1: $2 processes wanted, announced: $(ls "$run")"
}

run_nginx() {
	local port pids worker p fetching
	port=$(free_port)
	mkdir -p "$work/nginx/logs"
	head -c 1000000 /dev/urandom | base64 > "$work/nginx/page.html"
	cat > "$work/nginx/nginx.conf" <<-END
		daemon off;
		worker_processes 2;
		pid nginx.pid;
		error_log logs/error.log;
		events { worker_connections 64; }
		http {
			access_log off;
			gzip on; gzip_types *; gzip_comp_level 9;
			client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
			uwsgi_temp_path t4; scgi_temp_path t5;
			server { listen 127.0.0.1:$port; root $work/nginx; }
		}
	END
	chmod -R a+rwX "$work"
	with_agent nginx -p "$work/nginx" -c nginx.conf
	master=$pid
	pids=$(announced nginx 3) || exit 1
	(for i in $(seq 4000); do
		curl -s --compressed -o /dev/null "http://127.0.0.1:$port/page.html" || break
	done) &
	load=$!
	started="$started $load"
	fetching=""
	for p in $pids; do # the workers and the idle master, at the same time
		[ "$p" = "$master" ] || worker=$p
		fetch "$(port_of "$p")" 3 "$work/nginx-$p.pb.gz" &
		fetching="$fetching $!"
	done
	for p in $fetching; do
		wait "$p" || exit 1
	done
	for p in $pids; do
		dump "$work/nginx-$p.pb.gz" > "$work/nginx-$p.txt"
		grep -q '^mapping 1 .*/nginx ' "$work/nginx-$p.txt" || [ "$p" = "$master" ] ||
			fail "nginx: $(grep ^mapping "$work/nginx-$p.txt")"
		echo "nginx $p: $(sed -n 's/^comment cpu time: //p;s/^comment stacks: //p' "$work/nginx-$p.txt" | tr '\n' ' ')"
	done
	for profile in heap frees threads block; do
		get "$(port_of "$worker")" $profile "$work/nginx.pb.gz"
		dump "$work/nginx.pb.gz" > "$work/nginx.$profile"
	done
	grep -q '^sample 1 .* state=.* wait=' "$work/nginx.threads" || fail "nginx: no threads"
	cat "$work"/nginx-*.txt | grep -q '^sample .*deflate' || fail "nginx: no samples of workers that compress"
	[ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/page.html")" = 200 ] ||
		fail "nginx no longer answers"
	# Reload: new workers, new agents; the old workers' announcements go with them.
	kill -HUP "$master"
	for i in $(seq 50); do
		[ -e "$run/nginx-$worker.json" ] || break
		sleep 0.1
	done
	[ -e "$run/nginx-$worker.json" ] && fail "nginx: the old worker's announcement stays"
	announced nginx 3 > /dev/null
	kill "$load" 2> /dev/null
	kill -QUIT "$master"
	wait "$master" || fail "nginx ended with $?"
	[ -z "$(ls "$run")" ] || fail "nginx: announcements stay: $(ls "$run")"
}

# What Redis says it uses, and what the heap profile has in use: some 150 samples, so a third is four errors.
whole_of_redis() {
	get "$(port_of "$server")" heap "$work/redis.pb.gz"
	dump "$work/redis.pb.gz" > "$work/redis.heap"
	cli info memory | tr -d '\r' > "$work/redis.memory"
	awk -v used="$(sed -n 's/^used_memory://p' "$work/redis.memory")" '/^sample/ { n += $5 }
		END { printf "redis: %.0f bytes in use, Redis says %.0f\n", n, used; exit !(n > used * .66 && n < used * 1.5) }' "$work/redis.heap" ||
		fail "redis: the heap profile is not what Redis uses"
}

run_redis() {
	local port server
	port=$(free_port)
	mkdir -p "$work/redis"
	with_agent redis-server --port "$port" --bind 127.0.0.1 --dir "$work/redis" --save "" \
		--daemonize no --enable-debug-command local > "$work/redis/log" 2>&1
	server=$pid
	port_of "$server" > /dev/null
	cli() { redis-cli -p "$port" "$@"; }
	[ "$(cli debug populate 500000 key 100)" = OK ] || fail "redis: no answer"
	whole_of_redis
	(redis-benchmark -p "$port" -q -t set,get -n 2000000 -c 8 -P 4 > /dev/null 2>&1) &
	load=$!
	started="$started $load"
	(sleep 0.7; cli bgsave > /dev/null; sleep 1; cli bgsave > /dev/null) &
	fetch "$(port_of "$server")" 4 "$work/redis.pb.gz"
	dump "$work/redis.pb.gz" > "$work/redis.txt"
	echo "redis: $(sed -n 's/^comment cpu time: //p;s/^comment stacks: //p' "$work/redis.txt" | tr '\n' ' ')"
	for i in $(seq 100); do
		cli info persistence > "$work/info"
		grep -q 'rdb_bgsave_in_progress:0' "$work/info" && break
		sleep 0.1
	done
	grep -q 'rdb_last_bgsave_status:ok' "$work/info" || fail "redis: saving failed: $(cat "$work/redis/log")"
	[ -s "$work/redis/dump.rdb" ] || fail "redis: no dump"
	grep -q '^sample ' "$work/redis.txt" || fail "redis: no samples"
	# After saving in forked children and under load, its memory is still accounted for.
	whole_of_redis
	get "$(port_of "$server")" threads "$work/redis.pb.gz"
	dump "$work/redis.pb.gz" > "$work/redis.threads"
	grep -q '^sample 1 pthread_cond_wait;bioProcessBackgroundJobs;.* thread=bio_lazy_free .* wait=condition ' "$work/redis.threads" ||
		grep -q '^sample 1 pthread_cond_wait;.* thread=bio_lazy_free .* wait=condition ' "$work/redis.threads" ||
		fail "redis: $(grep ^sample "$work/redis.threads")"
	for profile in allocs frees mutex block threadcreate; do
		get "$(port_of "$server")" $profile "$work/redis.pb.gz"
		dump "$work/redis.pb.gz" > /dev/null
	done
	# Debian's Redis has no frame pointers: its stacks are whole all the same.
	awk '/^comment stacks:/ { exit !($5 * 20 <= $3) }' "$work/redis.txt" ||
		fail "redis: $(grep '^comment stacks' "$work/redis.txt")"
	kill "$load" 2> /dev/null
	cli shutdown nosave
	wait "$server" || fail "redis ended with $?"
	[ -z "$(ls "$run")" ] || fail "redis: announcements stay: $(ls "$run")"
}

tried=0
command -v nginx > /dev/null && command -v curl > /dev/null && { run_nginx; tried=1; }
command -v redis-server > /dev/null && command -v redis-cli > /dev/null && { run_redis; tried=1; }
[ $tried = 1 ] || skip "neither nginx nor redis-server is installed"
