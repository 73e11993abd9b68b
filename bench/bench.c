/*
 * bench.c: a run as a whole: checks the options, prepares what all rounds share,
 * has them run (rounds.c) and hands them to the decision (decide.c).
 */
#include "bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/load.h"
#include "bench/options.h"
#include "bench/run.h"
#include "core/buffer.h"
#include "core/error.h"
#include "core/memory.h"
#include "stats/histogram_code.h"
#include "stats/random.h"

enum { PAIRS = 10, PAIRS_FOR_GATES = 20 };

static int
take_gates(struct pf_bench *b, struct pf_error *err)
{
	const struct pf_bench_options *o = &b->options;
	char names[600];
	int rc = PF_CALLOC(b->gates, o->gate_count + 1, err);

	for (size_t i = 0; !rc && i < o->gate_count; i++) {
		char *text = strdup(o->gates[i]);
		if (!text)
			return pf_error_nomem(err);
		rc = pf_gate_parse(&b->gates[i], text, err);
		b->gates[i].text = text;
		b->gate_count++;
		if (!rc && !b->measured[b->gates[i].metric])
			rc = pf_error_set(err, PF_EUSAGE,
			    "--gate %s: %s is not measured here; a %s has %s%s", text,
			    pf_metric_infos[b->gates[i].metric].name,
			    b->service ? "service under load" : "command",
			    pf_metric_list(
				b->service ? PF_OF_SERVICES : PF_OF_COMMANDS, names, sizeof names),
			    b->service ? "" : " (latency and errors need --load URL)");
	}
	return rc;
}

static int
choose_metrics(struct pf_bench *b, struct pf_error *err)
{
	const char *primary = b->options.primary;
	unsigned of = b->service ? PF_OF_SERVICES : PF_OF_COMMANDS;

	for (enum pf_metric m = 0; m < PF_METRICS; m++)
		b->measured[m] = pf_metric_infos[m].of & of;
	b->primary = b->service ? PF_METRIC_CPU_PER_REQUEST : PF_METRIC_CPU;
	if (!primary)
		return 0;
	b->primary = pf_metric_find(primary, strlen(primary));
	if (b->primary == PF_METRICS || !b->measured[b->primary])
		return pf_error_set(err, PF_EUSAGE, "--primary %s: not measured here", primary);
	return 0;
}

/* GODEBUG with gctrace=1 on top of what it says already; there is room for one variable more. */
static int
ask_for_trace(struct pf_variant *v, struct pf_error *err)
{
	const char *has = getenv("GODEBUG");
	char **place = &v->environment[v->environment_count];
	struct pf_buffer text;
	int rc;

	for (size_t i = 0; i < v->environment_count; i++) {
		if (strncmp(v->environment[i], "GODEBUG=", 8) == 0) {
			place = &v->environment[i];
			has = *place + 8;
		}
	}
	pf_buffer_init(&text, 65536);
	pf_buffer_printf(&text, "GODEBUG=%s%sgctrace=1", has ? has : "", has && *has ? "," : "");
	pf_buffer_byte(&text, 0);
	rc = pf_buffer_check(&text, err);
	if (rc) {
		pf_buffer_release(&text);
		return rc;
	}
	v->environment_count += place == &v->environment[v->environment_count];
	free(*place);
	*place = (char *)text.bytes;
	return 0;
}

static int
take_variant(struct pf_bench *b, size_t i, struct pf_error *err)
{
	static const char *const names[] = {"before", "after"};
	const struct pf_bench_variant *from = &b->options.variants[i];
	struct pf_variant *to = &b->variants[i];
	const char *command = from->command ? from->command : b->options.variants[0].command;
	char name[32];
	int rc;

	b->pids[i] = from->pid;
	if (i < 2)
		snprintf(name, sizeof name, "%s", names[i]);
	else
		snprintf(name, sizeof name, "variant %zu", i + 1);
	rc = pf_copy_string(&to->name, from->name ? from->name : name, err);
	if (!rc)
		rc = pf_copy_string(&to->command, command, err);
	if (!rc)
		rc = pf_copy_string(&to->origin, from->origin, err);
	if (!rc)
		rc = PF_CALLOC(to->environment, from->environment_count + 2, err);
	for (size_t j = 0; !rc && j < from->environment_count; j++) {
		rc = pf_copy_string(&to->environment[j], from->environment[j], err);
		to->environment_count += !rc;
	}
	return rc || !b->options.go_trace ? rc : ask_for_trace(to, err);
}

static int
prepare(struct pf_bench *b, struct pf_error *err)
{
	struct pf_bench_options *o = &b->options;
	time_t now = time(NULL);
	struct tm utc;
	int rc = pf_bench_check_options(o, err);

	if (rc)
		return rc;
	b->service = o->url_count > 0;
	b->running = b->service && !o->variants[0].command;
	rc = choose_metrics(b, err);
	if (!rc)
		rc = take_gates(b, err);
	if (rc)
		return rc;
	if (!o->pairs)
		o->pairs = o->variant_count == 1 ? 1 : o->gate_count ? PAIRS_FOR_GATES : PAIRS;
	if (o->warmup_pairs == SIZE_MAX)
		o->warmup_pairs = b->service ? 0 : 1;
	if (o->repeats == SIZE_MAX)
		o->repeats = o->pairs / 4;
	if (o->idle < 0)
		o->idle = fmin(2, o->duration / 10);
	b->seed = o->has_seed ? o->seed : pf_random_seed() >> 32;
	pf_machine_read(&b->machine);
	b->started_at = (double)now;
	strftime(b->started, sizeof b->started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	for (size_t i = 0; !rc && i < o->variant_count; i++) {
		b->variant_count = i + 1;
		rc = take_variant(b, i, err);
	}
	/* Whole groups of orders are planned: see plan.h. */
	if (!rc)
		rc = PF_CALLOC(b->rounds, o->pairs + o->variant_count, err);
	if (!rc)
		rc = PF_CALLOC(b->blocks, o->pairs * o->variant_count, err);
	return rc ? rc : pf_bench_make_room(b, err);
}

static int
run_all(struct pf_bench *b, struct pf_error *err)
{
	struct pf_run run = {.bench = b, .started = pf_run_now()};
	int rc = 0;

	sched_getaffinity(0, sizeof run.own_cpus, &run.own_cpus);
	for (size_t i = 0; !rc && b->service && i < b->variant_count; i++)
		rc = pf_load_new(&run.load[i], &b->options, b->variants[i].origin, b->seed, err);
	b->pinned = b->service && b->options.pin && pf_pin_plan(&run.client_cpus, &run.server_cpus);
	if (b->pinned) {
		pf_pin_format(&run.client_cpus, b->client_cpus, sizeof b->client_cpus);
		pf_pin_format(&run.server_cpus, b->server_cpus, sizeof b->server_cpus);
	}
	if (!rc)
		rc = pf_run_rounds(&run, err);
	for (size_t i = 0; i < b->variant_count; i++)
		pf_load_free(run.load[i]);
	return rc;
}

int
pf_bench_sum_latency(struct pf_bench *b, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < b->complete * b->variant_count; i++) {
		struct pf_histogram *sum = &b->latency[i % b->variant_count], one = {0};
		const char *text = b->blocks[i].latency;

		if (!text)
			continue;
		rc = pf_histogram_decode(&one, text, err);
		if (!rc && !sum->counts)
			rc = pf_histogram_init(sum, one.lowest, one.highest, one.digits, err);
		if (!rc)
			rc = pf_histogram_merge(sum, &one, err);
		b->has_latency = !rc;
		pf_histogram_release(&one);
	}
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
	if (!rc)
		rc = pf_bench_sum_latency(b, err);
	if (rc) {
		pf_bench_free(b);
		return rc;
	}
	*out = b;
	return 0;
}

static void
free_variant(struct pf_variant *v)
{
	for (size_t i = 0; i < v->environment_count; i++)
		free(v->environment[i]);
	free(v->environment);
	free(v->name);
	free(v->command);
	free(v->origin);
}

void
pf_bench_free(struct pf_bench *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->gate_count; i++)
		free((char *)b->gates[i].text);
	for (size_t i = 0; i < b->complete * b->variant_count; i++)
		pf_block_release(&b->blocks[i]);
	for (size_t i = 0; i < b->variant_count; i++) {
		free_variant(&b->variants[i]);
		pf_histogram_release(&b->latency[i]);
	}
	free(b->gates);
	free(b->judgements);
	free(b->results);
	free(b->medians);
	free(b->rounds);
	free(b->blocks);
	free(b);
}
