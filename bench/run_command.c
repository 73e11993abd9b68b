/* run_command.c: a block of a command: from its start to the end of all that it started. */
#include "bench/run.h"

#include <stdio.h>
#include <time.h>

#include "core/error.h"

double
pf_run_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct pf_subject_spec
pf_run_spec(const struct pf_run *run, int side, size_t pair, char *output, size_t size)
{
	static const char *const names[] = {"before", "after"};
	const struct pf_bench_options *o = &run->bench->options;
	const struct pf_bench_side *s = side == PF_AFTER ? &o->after : &o->before;

	if (o->output)
		snprintf(output, size, "%s/%s-%zu", o->output, names[side], pair);
	return (struct pf_subject_spec){.name = names[side],
	    .command = s->command,
	    .environment = s->environment,
	    .environment_count = s->environment_count,
	    .output = o->output ? output : NULL,
	    .grace = o->grace};
}

static int
finish(struct pf_subject *s, const struct pf_bench_options *o, size_t pair, struct pf_error *err)
{
	char where[64] = "in warm-up";
	bool timed_out;
	int rc = pf_subject_wait(s, false, o->run_timeout, o->stop_fd, &timed_out, err);

	if (pair)
		snprintf(where, sizeof where, "in pair %zu", pair);
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

int
pf_run_command(
    const struct pf_run *run, int side, size_t pair, struct pf_block *block, struct pf_error *err)
{
	char output[4096];
	struct pf_subject_spec spec = pf_run_spec(run, side, pair, output, sizeof output);
	struct pf_subject subject;
	struct pf_usage from, to;
	int rc;

	*block = (struct pf_block){.start = pf_run_now() - run->started};
	pf_usage_read(&from);
	rc = pf_subject_start(&subject, &spec, err);
	if (rc)
		return rc;
	rc = finish(&subject, &run->bench->options, pair, err);
	pf_usage_read(&to);
	pf_subject_stop(&subject);
	if (rc)
		return rc;
	block->cpu = block->value[PF_METRIC_CPU] = subject.total.cpu;
	block->seconds = block->value[PF_METRIC_WALL] = subject.end.wall;
	block->value[PF_METRIC_RSS_PEAK] = (double)subject.total.peak_rss;
	block->rss_floor = (double)subject.rss_floor;
	block->leftovers = subject.total.leftovers;
	block->foreign = pf_usage_foreign(&from, &to, block->cpu);
	block->steal = pf_usage_steal(&from, &to);
	return 0;
}
