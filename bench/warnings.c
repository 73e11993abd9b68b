/* warnings.c: what a reader of the result must know about how it was measured. */
#include "bench/bench.h"

#include <math.h>
#include <stdio.h>

/* The worst of all blocks, by some measure. */
static double
most_of(const struct pf_bench *b, double (*of)(const struct pf_block *))
{
	double most = 0;

	for (size_t i = 0; i < b->complete * b->variant_count; i++)
		most = fmax(most, of(&b->blocks[i]));
	return most;
}

/*
 * The worst of the blocks of a second or more, or the mean over all time: the
 * kernel counts in ticks, so the share of a short block is mostly rounding.
 */
static double
worst_share(const struct pf_bench *b, double (*of)(const struct pf_block *))
{
	double worst = 0, sum = 0, seconds = 0;

	for (size_t i = 0; i < b->complete * b->variant_count; i++) {
		const struct pf_block *k = &b->blocks[i];
		if (k->seconds >= 1)
			worst = fmax(worst, of(k));
		sum += of(k) * k->seconds;
		seconds += k->seconds;
	}
	return seconds > 0 ? fmax(worst, sum / seconds) : 0;
}

static double
foreign_of(const struct pf_block *k)
{
	return k->foreign;
}

static double
steal_of(const struct pf_block *k)
{
	return k->steal;
}

static double
leftovers_of(const struct pf_block *k)
{
	return k->leftovers;
}

static double
lag_of(const struct pf_block *k)
{
	return k->lag_p99;
}

static double
errors_of(const struct pf_block *k)
{
	return isnan(k->value[PF_METRIC_ERRORS]) ? 0 : k->value[PF_METRIC_ERRORS];
}

/* The floor where the peak is no higher, else 0. */
static double
hidden_peak_of(const struct pf_block *k)
{
	return k->value[PF_METRIC_RSS_PEAK] <= 1.02 * k->rss_floor ? k->rss_floor : 0;
}

/* Each writes its sentence if it has cause to, and nothing otherwise. */
typedef int warning(const struct pf_bench *b, char *text, size_t size);

static int
stopped_early(const struct pf_bench *b, char *text, size_t size)
{
	return b->interrupted
		   ? snprintf(text, size, "Stopped early: %zu of %zu pairs were complete.",
			 b->complete, b->options.pairs)
		   : 0;
}

static int
foreign_load(const struct pf_bench *b, char *text, size_t size)
{
	double most = worst_share(b, foreign_of);

	return most > b->options.max_foreign
		   ? snprintf(text, size,
			 "Other processes used up to %.0f %% of the "
			 "machine's CPU time meanwhile; an idle machine gives narrower intervals.",
			 most * 100)
		   : 0;
}

static int
disturbed_pairs(const struct pf_bench *b, char *text, size_t size)
{
	int n;

	if (!b->repeated)
		return 0;
	n = snprintf(text, size, "Others disturbed pairs: %zu %s run again", b->repeated,
	    b->repeated == 1 ? "was" : "were");
	return n + snprintf(text + n, size - (size_t)n,
		       b->disturbed ? "; %zu stayed disturbed." : ".", b->disturbed);
}

static int
stolen_time(const struct pf_bench *b, char *text, size_t size)
{
	double most = worst_share(b, steal_of);

	return most > 0.02
		   ? snprintf(text, size,
			 "The hypervisor took up to %.0f %% of the machine's CPU time meanwhile.",
			 most * 100)
		   : 0;
}

static int
left_running(const struct pf_bench *b, char *text, size_t size)
{
	double most = most_of(b, leftovers_of);

	return most > 0 ? snprintf(text, size,
			      "A command left up to %.0f processes running; they were stopped "
			      "after %g s, and their CPU time counts.",
			      most, b->options.grace)
			: 0;
}

static int
late_client(const struct pf_bench *b, char *text, size_t size)
{
	double most = most_of(b, lag_of);

	return most > 0.001 ? snprintf(text, size,
				  "In a block the client sent 1 %% of the requests more than %.1f "
				  "ms late, so latencies are partly its own; "
				  "a lower --rate or an idle machine helps.",
				  most * 1000)
			    : 0;
}

static double
left_open_of(const struct pf_block *k)
{
	return (double)k->left_open;
}

/* Some servers keep a few for themselves (a log, a resolver): a handful is no leak. */
static int
leaked_connections(const struct pf_bench *b, char *text, size_t size)
{
	double most = most_of(b, left_open_of);

	return most > 8 ? snprintf(text, size,
			      "A service kept %.0f connections open after the client had closed "
			      "all of its own: does it leak them?",
			      most)
			: 0;
}

static int
failed_requests(const struct pf_bench *b, char *text, size_t size)
{
	double most = most_of(b, errors_of);

	return most > 0 ? snprintf(text, size,
			      "Up to %.3f %% of a block's requests failed; latencies are of those "
			      "that were answered or timed out.",
			      most * 100)
			: 0;
}

static int
hidden_peak(const struct pf_bench *b, char *text, size_t size)
{
	double most = most_of(b, hidden_peak_of);
	char floor[32];

	return most > 0 ? snprintf(text, size,
			      "Peak memory below %s cannot be told from bench's own, which a "
			      "command inherits as it starts.",
			      pf_metric_format(PF_UNIT_BYTES, most, floor, sizeof floor))
			: 0;
}

bool
pf_bench_warning(const struct pf_bench *b, size_t wanted, char *text, size_t size)
{
	static warning *const all[] = {stopped_early, foreign_load, disturbed_pairs, stolen_time,
	    left_running, late_client, failed_requests, leaked_connections, hidden_peak};
	size_t found = 0;

	for (size_t i = 0; i < sizeof b->notes / sizeof *b->notes; i++) {
		if (b->notes[i][0] && found++ == wanted) {
			snprintf(text, size, "%s", b->notes[i]);
			return true;
		}
	}
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (all[i](b, text, size) > 0 && found++ == wanted)
			return true;
	}
	return false;
}
