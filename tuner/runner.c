/* runner.c: batches of runs, through bench: see runner.h. */
#include "tuner/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

static void
show_progress(void *context, const struct pf_bench_progress *p)
{
	struct pf_bench_runner *r = context;
	const struct pf_try_options *o = r->options;

	if (o->progress)
		o->progress(
		    o->progress_context, p->variant, r->runner.done + p->block, r->runner.planned);
}

static void
take(const struct pf_search *s, const struct pf_bench *b, struct pf_batch *batch)
{
	batch->complete = pf_bench_rounds(b);
	for (size_t round = 0; round < batch->complete; round++) {
		for (size_t v = 0; v < batch->n; v++) {
			double *value = batch->measured[round * batch->n + v].value;

			for (int a = 0; a < PF_AIMS; a++) {
				if (!pf_bench_value(b, round, v,
					pf_aim_metric((enum pf_aim)a, s->service), &value[a]) ||
				    !(value[a] > 0))
					value[a] = NAN;
			}
		}
	}
}

/* Messages of a subject that failed begin with its name and a colon. */
static size_t
who_failed(const struct pf_bench_variant *variants, size_t n, const char *message)
{
	for (size_t i = 0; i < n; i++) {
		size_t size = strlen(variants[i].name);
		if (strncmp(message, variants[i].name, size) == 0 && message[size] == ':')
			return i;
	}
	return n;
}

static int
run_bench(struct pf_runner *runner, const struct pf_search *s, struct pf_batch *batch,
    struct pf_error *err)
{
	struct pf_bench_runner *r = (struct pf_bench_runner *)runner;
	const char *variables[PF_BATCH][PF_SETTING_VARIABLES];
	struct pf_bench_variant variants[PF_BATCH];
	struct pf_bench_options o = *r->options->bench;
	struct pf_error why = {0};
	struct pf_bench *b = NULL;
	int rc;

	for (size_t i = 0; i < batch->n; i++) {
		const struct pf_setting *setting = &s->trials[batch->trials[i]].setting;

		for (size_t v = 0; v < setting->variable_count; v++)
			variables[i][v] = setting->variables[v];
		variants[i] = (struct pf_bench_variant){.name = setting->name,
		    .command = r->command,
		    .environment = variables[i],
		    .environment_count = setting->variable_count};
	}
	o.variants = variants;
	o.variant_count = batch->n;
	o.pairs = batch->rounds;
	o.warmup_pairs = 0;
	o.looks = 1;
	o.repeats = 0;
	o.calibrate = 0;
	o.gates = NULL;
	o.gate_count = 0;
	o.has_seed = true;
	o.seed = batch->seed;
	o.progress = show_progress;
	o.progress_context = r;
	rc = pf_bench_run(&b, &o, &why);
	r->runner.done += batch->rounds * batch->n;
	if (!rc)
		take(s, b, batch);
	if (!rc && batch->complete < batch->rounds)
		rc = pf_error_set(&why, PF_EINCONCLUSIVE, "interrupted");
	pf_bench_free(b);
	if (rc == PF_EIO)
		batch->failed = who_failed(variants, o.variant_count, why.message);
	return rc ? pf_error_set(err, rc, "%s", why.message) : 0;
}

void
pf_bench_runner_init(
    struct pf_bench_runner *r, const struct pf_try_options *options, const char *command)
{
	*r = (struct pf_bench_runner){
	    .runner = {.run = run_bench}, .options = options, .command = command};
}

int
pf_run_batch(
    struct pf_search *s, struct pf_runner *runner, struct pf_batch *batch, struct pf_error *err)
{
	int rc = PF_CALLOC(batch->measured, batch->rounds * batch->n, err);

	batch->complete = 0;
	while (!rc && batch->n) {
		struct pf_error why = {0};
		struct pf_trial *failed;

		batch->failed = batch->n;
		rc = runner->run(runner, s, batch, &why);
		if (rc != PF_EIO || batch->failed >= batch->n || !batch->trials[batch->failed])
			return rc ? pf_error_set(err, rc, "%s", why.message) : 0;
		failed = &s->trials[batch->trials[batch->failed]];
		failed->failed = true;
		snprintf(failed->failure, sizeof failed->failure, "%.199s", why.message);
		batch->n--;
		memmove(&batch->trials[batch->failed], &batch->trials[batch->failed + 1],
		    (batch->n - batch->failed) * sizeof *batch->trials);
		batch->complete = 0;
		rc = 0;
	}
	return rc;
}
