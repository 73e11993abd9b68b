/* run_command.c: a block of a command: from its start to the end of all that it started. */
#include "bench/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/allocator_figures.h"
#include "bench/go_figures.h"
#include "core/clock.h"
#include "core/error.h"

double
pf_run_now(void)
{
	return pf_clock_seconds(CLOCK_MONOTONIC);
}

const char *
pf_run_where(const struct pf_run *run, size_t round, char *text, size_t size)
{
	if (round)
		snprintf(text, size, "in pair %zu", round);
	else
		snprintf(text, size, "in %s", run->phase);
	return text;
}

struct pf_subject_spec
pf_run_spec(const struct pf_run *run, size_t variant, size_t round, char *output, size_t size)
{
	const struct pf_bench_options *o = &run->bench->options;
	const struct pf_variant *v = &run->bench->variants[variant];

	if (o->output)
		snprintf(output, size, "%s/%s-%zu", o->output, v->name, round);
	return (struct pf_subject_spec){.name = v->name,
	    .command = v->command,
	    .environment = (const char *const *)v->environment,
	    .environment_count = v->environment_count,
	    .output = o->output ? output : NULL,
	    .grace = o->grace};
}

void
pf_block_init(struct pf_block *block, const struct pf_run *run)
{
	*block = (struct pf_block){.start = pf_run_now() - run->started, .pressure = NAN};
	for (int m = 0; m < PF_METRICS; m++)
		block->value[m] = NAN;
}

void
pf_block_release(struct pf_block *block)
{
	free(block->latency);
	block->latency = NULL;
}

static int
finish(const struct pf_run *run, struct pf_subject *s, size_t round, struct pf_error *err)
{
	const struct pf_bench_options *o = &run->bench->options;
	char where[64];
	bool timed_out;
	int rc = pf_subject_wait(s, false, o->run_timeout, o->stop_fd, &timed_out, err);

	pf_run_where(run, round, where, sizeof where);
	if (timed_out)
		return pf_error_set(err, PF_EIO,
		    "%s: \"%.200s\" did not end within %g s %s; raise --run-timeout or give it "
		    "less to do",
		    s->name, s->command, o->run_timeout, where);
	if (!rc && !pf_subject_succeeded(s))
		rc = pf_subject_failure(s, where, err);
	/* What it left running belongs to its CPU time; the keeper stops it after the grace time. */
	if (!rc)
		rc = pf_subject_wait(s, true, 0, o->stop_fd, &timed_out, err);
	return rc;
}

static void
fill_block(struct pf_block *k, const struct pf_subject *s)
{
	const struct pf_keeper_note *total = &s->total;

	k->cpu = k->value[PF_METRIC_CPU] = total->cpu;
	k->seconds = k->value[PF_METRIC_WALL] = s->end.wall;
	k->value[PF_METRIC_RSS_PEAK] = (double)total->peak_rss;
	k->value[PF_METRIC_FAULTS] = total->faults;
	k->value[PF_METRIC_MAJOR_FAULTS] = total->major_faults;
	k->value[PF_METRIC_SWITCHES] = total->switches;
	k->value[PF_METRIC_PREEMPTIONS] = total->preemptions;
	for (int i = 0; i < PF_COUNTERS; i++)
		k->value[PF_METRIC_INSTRUCTIONS + i] = total->counters[i];
	k->rss_floor = (double)s->rss_floor;
	k->leftovers = total->leftovers;
}

/* `measured`: CPU seconds of all subjects that ran meanwhile. */
static void
fill_surroundings(struct pf_block *k, const struct pf_usage *from, double measured)
{
	struct pf_usage to;

	pf_usage_read(&to);
	k->foreign = pf_usage_foreign(from, &to, measured);
	k->steal = pf_usage_steal(from, &to);
	k->pressure = pf_usage_pressure(from, &to);
}

/* What it wrote about its memory. */
static int
read_figures(
    const struct pf_run *run, const struct pf_subject *s, struct pf_block *k, struct pf_error *err)
{
	struct pf_go_window window = {.errors = s->errors, .to = SIZE_MAX};
	int rc = pf_allocator_figures(s->errors, k, err);

	if (rc || !run->bench->options.go_trace)
		return rc;
	return pf_go_figures_traced(&window, k, err);
}

int
pf_run_command(const struct pf_run *run, size_t variant, size_t round, struct pf_block *block,
    struct pf_error *err)
{
	char output[4096];
	struct pf_subject_spec spec = pf_run_spec(run, variant, round, output, sizeof output);
	struct pf_subject subject;
	struct pf_usage from;
	int rc;

	pf_usage_read(&from);
	rc = pf_subject_start(&subject, &spec, err);
	if (rc)
		return rc;
	rc = finish(run, &subject, round, err);
	if (!rc) {
		fill_block(block, &subject);
		fill_surroundings(block, &from, block->cpu);
		rc = read_figures(run, &subject, block, err);
	}
	pf_subject_stop(&subject);
	return rc;
}

/* The n-th CPU, counted round, of those that we may run on. */
static cpu_set_t
nth_cpu(const cpu_set_t *all, size_t n)
{
	size_t skip = n % (size_t)CPU_COUNT(all);
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, all) && skip-- == 0) {
			CPU_SET(i, &one);
			break;
		}
	}
	return one;
}

int
pf_run_duet(const struct pf_run *run, const uint8_t *order, size_t round, struct pf_block *blocks,
    struct pf_error *err)
{
	size_t n = run->bench->variant_count, started = 0;
	struct pf_subject subjects[PF_BENCH_VARIANTS];
	struct pf_usage from;
	double measured = 0;
	int rc = 0;

	pf_usage_read(&from);
	for (size_t i = 0; !rc && i < n; i++) {
		char output[4096];
		struct pf_subject_spec spec =
		    pf_run_spec(run, order[i], round, output, sizeof output);
		cpu_set_t cpu = nth_cpu(&run->own_cpus, i);
		spec.cpus = &cpu;
		rc = pf_subject_start(&subjects[i], &spec, err);
		started += !rc;
	}
	for (size_t i = 0; !rc && i < n; i++) {
		rc = finish(run, &subjects[i], round, err);
		if (!rc) {
			fill_block(&blocks[order[i]], &subjects[i]);
			measured += blocks[order[i]].cpu;
			rc = read_figures(run, &subjects[i], &blocks[order[i]], err);
		}
	}
	for (size_t i = 0; i < n && !rc; i++)
		fill_surroundings(&blocks[i], &from, measured);
	for (size_t i = 0; i < started; i++)
		pf_subject_stop(&subjects[i]);
	return rc;
}
