/*
 * bench.c: the plan: checks the options, runs the blocks in the planned order,
 * hands complete pairs to the decision (decide.c).
 */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/load.h"
#include "bench/plan.h"
#include "bench/run.h"
#include "core/error.h"
#include "core/memory.h"
#include "stats/random.h"

enum { MOST_PAIRS = 4000, PAIRS = 10, PAIRS_FOR_GATES = 20 };

static const enum pf_metric of_commands[] = {PF_METRIC_CPU, PF_METRIC_RSS_PEAK, PF_METRIC_WALL};
static const enum pf_metric of_services[] = {PF_METRIC_CPU_PER_REQUEST, PF_METRIC_P50,
    PF_METRIC_P90, PF_METRIC_P99, PF_METRIC_P999, PF_METRIC_THROUGHPUT, PF_METRIC_ERRORS,
    PF_METRIC_RSS_PEAK};

static int
check_options(const struct pf_bench_options *o, struct pf_error *err)
{
	if (!o->before.command || !o->after.command)
		return pf_error_set(
		    err, PF_EUSAGE, "bench needs both --before CMD and --after CMD");
	if (!o->before.command[strspn(o->before.command, " \t")] ||
	    !o->after.command[strspn(o->after.command, " \t")])
		return pf_error_set(
		    err, PF_EUSAGE, "--before and --after need a command, not an empty string");
	if (o->pairs > MOST_PAIRS || (o->warmup_pairs > MOST_PAIRS && o->warmup_pairs != SIZE_MAX))
		return pf_error_set(
		    err, PF_EUSAGE, "--pairs and --warmup-pairs go up to %d", MOST_PAIRS);
	if (!(o->confidence > 0.5 && o->confidence < 1))
		return pf_error_set(err, PF_EUSAGE, "--confidence must lie between 50 and 100 %%");
	if (o->url_count == 0 && (o->load_file || o->ready_url || o->header_count || o->rate > 0))
		return pf_error_set(err, PF_EUSAGE,
		    "--rate, --load-file, --header and --ready are for services: --load URL is "
		    "missing");
	return 0;
}

static int
take_gates(struct pf_bench *b, struct pf_error *err)
{
	const struct pf_bench_options *o = &b->options;
	int rc = PF_CALLOC(b->gates, o->gate_count + 1, err);

	if (!rc)
		rc = PF_CALLOC(b->results, o->gate_count + 1, err);
	if (!rc)
		rc = PF_CALLOC(b->bounds, o->gate_count + 1, err);
	for (size_t i = 0; !rc && i < o->gate_count; i++) {
		char *text = strdup(o->gates[i]);
		if (!text)
			return pf_error_nomem(err);
		rc = pf_gate_parse(&b->gates[i], text, err);
		b->gates[i].text = text;
		b->gate_count++;
		if (!rc && !b->measured[b->gates[i].metric])
			rc = pf_error_set(err, PF_EUSAGE,
			    "--gate %s: %s is not measured here; a %s measures %s", text,
			    pf_metric_infos[b->gates[i].metric].name,
			    b->service ? "service under load" : "command",
			    b->service
				? "cpu_per_request, p50, p90, p99, p999, throughput, errors and "
				  "rss_peak"
				: "cpu, wall and rss_peak (latency and errors need --load URL)");
	}
	return rc;
}

static void
choose_metrics(struct pf_bench *b)
{
	const enum pf_metric *list = b->service ? of_services : of_commands;
	size_t count = b->service ? sizeof of_services / sizeof *of_services
				  : sizeof of_commands / sizeof *of_commands;

	for (size_t i = 0; i < count; i++)
		b->measured[list[i]] = true;
	b->primary = list[0];
}

static int
prepare(struct pf_bench *b, struct pf_error *err)
{
	struct pf_bench_options *o = &b->options;
	time_t now = time(NULL);
	struct tm utc;
	int rc = check_options(o, err);

	if (rc)
		return rc;
	b->service = o->url_count > 0;
	choose_metrics(b);
	rc = take_gates(b, err);
	if (rc)
		return rc;
	if (!o->pairs)
		o->pairs = o->gate_count ? PAIRS_FOR_GATES : PAIRS;
	if (o->warmup_pairs == SIZE_MAX)
		o->warmup_pairs = b->service ? 0 : 1;
	b->seed = o->has_seed ? o->seed : pf_random_seed() >> 32;
	pf_machine_read(&b->machine);
	strftime(b->started, sizeof b->started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	b->command[PF_BEFORE] = strdup(o->before.command);
	b->command[PF_AFTER] = strdup(o->after.command);
	if (!b->command[PF_BEFORE] || !b->command[PF_AFTER])
		return pf_error_nomem(err);
	return PF_CALLOC(b->pairs, o->pairs, err);
}

static void
report_progress(const struct pf_run *run, int side, size_t block)
{
	const struct pf_bench_options *o = &run->bench->options;
	struct pf_bench_progress progress = {.side = side == PF_AFTER ? "after" : "before",
	    .block = block,
	    .blocks = 2 * (o->pairs + o->warmup_pairs),
	    .warmup = block <= 2 * o->warmup_pairs,
	    .elapsed = pf_run_now() - run->started};

	if (o->progress)
		o->progress(o->progress_context, &progress);
}

/* Both sides of a pair; `number` from 1, or 0 for warm-up. `block` counts all blocks so far. */
static int
run_pair(const struct pf_run *run, struct pf_pair *pair, size_t number, size_t *block,
    struct pf_error *err)
{
	for (int i = 0; i < 2; i++) {
		int side = pair->after_first ? 1 - i : i, rc;

		report_progress(run, side, ++*block);
		rc = run->bench->service
			 ? pf_run_service(run, side, number, &pair->side[side], err)
			 : pf_run_command(run, side, number, &pair->side[side], err);
		if (rc)
			return rc;
	}
	return 0;
}

static int
run_plan(struct pf_bench *b, const struct pf_run *run, struct pf_error *err)
{
	const struct pf_bench_options *o = &b->options;
	struct pf_pair warm = {0};
	struct pf_random rng;
	uint8_t *orders;
	size_t block = 0;
	int rc = PF_CALLOC(orders, o->pairs, err);

	if (rc)
		return rc;
	pf_random_init(&rng, b->seed);
	pf_plan_orders(&rng, orders, o->pairs);
	for (size_t i = 0; !rc && i < o->warmup_pairs; i++)
		rc = run_pair(run, &warm, 0, &block, err);
	while (!rc && b->complete < o->pairs) {
		struct pf_pair *pair = &b->pairs[b->complete];
		pair->after_first = orders[b->complete];
		rc = run_pair(run, pair, b->complete + 1, &block, err);
		if (!rc)
			b->complete++;
	}
	free(orders);
	if (rc == PF_EINCONCLUSIVE) {
		b->interrupted = true;
		rc =
		    b->complete
			? 0
			: pf_error_set(err, rc,
			      "interrupted before the first pair was complete: nothing to compare");
	}
	b->elapsed = pf_run_now() - run->started;
	return rc;
}

static int
run_all(struct pf_bench *b, struct pf_error *err)
{
	struct pf_run run = {.bench = b, .started = pf_run_now()};
	int rc = 0;

	sched_getaffinity(0, sizeof run.own_cpus, &run.own_cpus);
	if (b->service) {
		rc = pf_load_new(&run.load, &b->options, b->seed, err);
		b->pinned = b->options.pin && pf_pin_plan(&run.client_cpus, &run.server_cpus);
	}
	if (b->pinned) {
		pf_pin_format(&run.client_cpus, b->client_cpus, sizeof b->client_cpus);
		pf_pin_format(&run.server_cpus, b->server_cpus, sizeof b->server_cpus);
	}
	if (!rc)
		rc = run_plan(b, &run, err);
	pf_load_free(run.load);
	return rc;
}

int
pf_bench_run(struct pf_bench **out, const struct pf_bench_options *options, struct pf_error *err)
{
	struct pf_bench_options o = PF_BENCH_OPTIONS_INIT;
	struct pf_bench *b;
	int rc;

	*out = NULL;
	if (options->struct_size > sizeof o)
		return pf_error_set(
		    err, PF_EUSAGE, "the bench options are of a newer library version");
	memcpy(&o, options, options->struct_size);
	rc = PF_CALLOC(b, 1, err);
	if (rc)
		return rc;
	b->options = o;
	rc = prepare(b, err);
	if (!rc)
		rc = run_all(b, err);
	if (!rc)
		rc = pf_bench_decide(b, err);
	if (rc) {
		pf_bench_free(b);
		return rc;
	}
	*out = b;
	return 0;
}

void
pf_bench_free(struct pf_bench *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->gate_count; i++)
		free((char *)b->gates[i].text);
	free(b->gates);
	free(b->results);
	free(b->bounds);
	free(b->pairs);
	free(b->command[PF_BEFORE]);
	free(b->command[PF_AFTER]);
	free(b);
}
