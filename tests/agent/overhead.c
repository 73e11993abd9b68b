/*
 * overhead.c: what sampling costs, measured inside one process.
 *
 * A worker does units of work without pause, 40 calls deep, with a working set of
 * 256 KiB, which the second cache holds: what sampling throws out of it shows. A
 * controller asks the agent for a CPU profile of S seconds, then for nothing for S
 * seconds, in pairs of random order, and takes the process' CPU time (the agent's
 * thread included) per unit in each. Prints the Hodges-Lehmann estimate of the
 * ratio with an exact 95 % interval.
 * overhead PORT PAIRS SECONDS [idle]; idle: no profiles at all, an A/A run.
 *
 * overhead units N: does N thousand units of the same work and ends, for a harness that compares the
 * CPU time of whole processes.
 */
#include <arpa/inet.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TABLE = 1 << 15, DEPTH = 40, MOST_PAIRS = 400 };

static uint64_t table[TABLE];
static _Atomic uint64_t units;
static _Atomic bool done;

__attribute__((noinline)) static uint64_t
leaf(uint64_t x)
{
	for (int i = 0; i < 400; i++) {
		x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ULL;
		table[x % TABLE] += x;
	}
	return x;
}

__attribute__((noinline)) static uint64_t
descend(uint64_t x, int depth)
{
	volatile uint64_t room[12];

	room[depth % 12] = x;
	x = depth ? descend(x + 1, depth - 1) : leaf(x);
	return x ^ room[depth % 12];
}

static int64_t
cpu(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *
work(void *unused)
{
	uint64_t x = 1;

	(void)unused;
	while (!atomic_load_explicit(&done, memory_order_relaxed)) {
		x = descend(x, DEPTH);
		atomic_fetch_add_explicit(&units, 1, memory_order_relaxed);
	}
	table[0] += x;
	return NULL;
}

/* GET /debug/pprof/profile?seconds=N; the bytes of the answer, -1 on failure. */
static long
profile(int port, int seconds)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char bytes[65536], status[16] = "";
	long total = 0;
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof to)) {
		close(fd);
		return -1;
	}
	n = snprintf(
	    bytes, sizeof bytes, "GET /debug/pprof/profile?seconds=%d HTTP/1.0\r\n\r\n", seconds);
	if (write(fd, bytes, (size_t)n) != n)
		total = -1;
	while (total >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0) {
		if (total == 0)
			memcpy(status, bytes, 12);
		total += n;
	}
	close(fd);
	return !strncmp(status, "HTTP/1.1 200", 12) ? total : -1;
}

/* CPU time per unit in one block, in nanoseconds; negative if the profile failed. */
static double
block(int port, int seconds, bool sampling)
{
	struct timespec pause = {.tv_sec = seconds};
	int64_t before = cpu(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t first = atomic_load(&units);

	if (!sampling)
		nanosleep(&pause, NULL);
	else if (profile(port, seconds) < 0)
		return -1;
	return (double)(cpu(CLOCK_PROCESS_CPUTIME_ID) - before) /
	       (double)(atomic_load(&units) - first);
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* P(W <= w) of the signed-rank statistic for n pairs, by counting subsets. */
static size_t
critical(size_t n, double alpha)
{
	size_t most = n * (n + 1) / 2, w = 0;
	double *ways = calloc(most + 1, sizeof *ways), sum;

	if (!ways)
		return 0;
	ways[0] = 1;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = most + 1; j-- > i;)
			ways[j] += ways[j - i];
	sum = ways[0];
	while (sum * pow(0.5, (double)n) <= alpha / 2)
		sum += ways[++w];
	free(ways);
	return w; /* the interval's ends are the w-th averages from both sides, counted from 1 */
}

static void
report(const double *d, size_t n)
{
	size_t m = n * (n + 1) / 2, k = 0, w = critical(n, 0.05);
	double *walsh = calloc(m, sizeof *walsh);

	if (!walsh || w == 0)
		return;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			walsh[k++] = (d[i] + d[j]) / 2;
	qsort(walsh, m, sizeof *walsh, ascending);
	printf(
	    "cpu per unit, sampling / not: %+.3f %%, 95 %% interval [%+.3f, %+.3f] %%, %zu pairs\n",
	    100 * expm1((walsh[(m - 1) / 2] + walsh[m / 2]) / 2), 100 * expm1(walsh[w - 1]),
	    100 * expm1(walsh[m - w]), n);
	free(walsh);
}

static int
do_units(long thousands)
{
	uint64_t x = 1;

	for (long i = 0; i < thousands * 1000; i++)
		x = descend(x, DEPTH);
	printf("%llu\n", (unsigned long long)(x + table[0]));
	return 0;
}

int
main(int argc, char **argv)
{
	static double ratios[MOST_PAIRS];
	int port = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2121,
	    pairs = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 20;
	int seconds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 2;
	bool idle = argc > 4 && !strcmp(argv[4], "idle");
	int64_t started = cpu(CLOCK_MONOTONIC), used = cpu(CLOCK_PROCESS_CPUTIME_ID);
	pthread_t worker;

	if (argc == 3 && !strcmp(argv[1], "units"))
		return do_units(strtol(argv[2], NULL, 10));
	pairs = pairs > MOST_PAIRS ? MOST_PAIRS : pairs;
	srand48(cpu(CLOCK_REALTIME));
	if (pthread_create(&worker, NULL, work, NULL))
		return 1;
	sleep(1);
	for (int i = 0; i < pairs; i++) {
		bool first = drand48() < 0.5;
		double a = block(port, seconds, first && !idle),
		       b = block(port, seconds, !first && !idle);
		if (a < 0 || b < 0) {
			fprintf(stderr, "overhead: no profile from port %d; is the agent loaded?\n",
			    port);
			return 1;
		}
		ratios[i] = first ? log(a / b) : log(b / a);
	}
	printf("cpu: %.0f %% of a processor\n", 100.0 *
						    (double)(cpu(CLOCK_PROCESS_CPUTIME_ID) - used) /
						    (double)(cpu(CLOCK_MONOTONIC) - started));
	report(ratios, (size_t)pairs);
	atomic_store(&done, true);
	pthread_join(worker, NULL);
	return 0;
}
