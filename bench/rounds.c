/*
 * rounds.c: the plan in time: warm-up, calibration, then round after round.
 *
 * A round that others disturbed is run again, as long as that helps and the
 * budget lasts; the calmer of the two counts. Which one that is depends on the
 * other load only, never on what was measured of the variants.
 */
#include "bench/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plan.h"
#include "core/error.h"
#include "core/memory.h"
#include "stats/random.h"

enum {
	FRUITLESS = 3
}; /* repetitions in a row that were disturbed as well: the machine is just busy */

/* The kernel counts in ticks: over less than this the share of others is mostly rounding. */
static const double judged_from = 0.5;

static void
report_progress(struct pf_run *run, size_t variant)
{
	const struct pf_bench_options *o = &run->bench->options;
	double elapsed = pf_run_now() - run->started;
	size_t done = run->block++;
	struct pf_bench_progress progress = {.variant = run->bench->variants[variant].name,
	    .block = run->block,
	    .blocks = run->blocks,
	    .phase = run->phase,
	    .elapsed = elapsed,
	    .left = done ? elapsed / (double)done * (double)(run->blocks - done) : 0};

	if (o->progress)
		o->progress(o->progress_context, &progress);
}

/* All variants in this order into blocks[variant], which are empty; `number` from 1, 0 for warm-up. */
static int
run_once(struct pf_run *run, const uint8_t *order, size_t number, struct pf_block *blocks,
    struct pf_error *err)
{
	const struct pf_bench *b = run->bench;
	int rc = 0;

	for (size_t i = 0; i < b->variant_count; i++)
		pf_block_init(&blocks[i], run);
	if (b->options.duet) {
		report_progress(run, order[0]);
		run->block += b->variant_count - 1;
		return pf_run_duet(run, order, number, blocks, err);
	}
	for (size_t i = 0; !rc && i < b->variant_count; i++) {
		report_progress(run, order[i]);
		rc = b->service ? pf_run_service(run, order[i], number, &blocks[order[i]], err)
				: pf_run_command(run, order[i], number, &blocks[order[i]], err);
	}
	return rc;
}

static void
release_blocks(struct pf_block *blocks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pf_block_release(&blocks[i]);
}

/* The share of the machine that others used over a round; 0 where it was too short to tell. */
static double
disturbance(const struct pf_bench *b, const struct pf_block *blocks)
{
	double seconds = 0, foreign = 0;

	for (size_t i = 0; i < b->variant_count; i++) {
		seconds += blocks[i].seconds;
		foreign += blocks[i].seconds * blocks[i].foreign;
	}
	return seconds >= judged_from ? foreign / seconds : 0;
}

/* One round into its place, run again if need be and worth it. */
static int
run_round(struct pf_run *run, size_t *repeats, size_t *fruitless, struct pf_error *err)
{
	struct pf_bench *b = run->bench;
	struct pf_round *round = &b->rounds[b->complete];
	struct pf_block *kept = pf_bench_block(b, b->complete, 0), again[PF_BENCH_VARIANTS];
	double most = b->options.max_foreign;
	int rc;

	run->phase = "measuring";
	rc = run_once(run, round->order, b->complete + 1, kept, err);
	while (!rc && disturbance(b, kept) > most && *repeats > 0 && *fruitless < FRUITLESS) {
		run->phase = "repeating";
		run->blocks += b->variant_count;
		--*repeats;
		round->repetitions++;
		b->repeated++;
		rc = run_once(run, round->order, b->complete + 1, again, err);
		*fruitless = !rc && disturbance(b, again) <= most ? 0 : *fruitless + 1;
		if (!rc && disturbance(b, again) < disturbance(b, kept)) {
			release_blocks(kept, b->variant_count);
			memcpy(kept, again, b->variant_count * sizeof *again);
		} else {
			release_blocks(again, b->variant_count);
		}
	}
	if (rc) {
		release_blocks(kept, b->variant_count);
		return rc;
	}
	round->disturbed = disturbance(b, kept) > most;
	b->disturbed += round->disturbed;
	b->complete++;
	return 0;
}

/* True when this is the last round of a planned look, and the look decides. */
static int
look(struct pf_bench *b, bool *stop, struct pf_error *err)
{
	size_t looks = b->options.looks, k = b->look + 1;
	int rc;

	*stop = false;
	if (looks < 2 || k > looks || b->complete < (b->options.pairs * k + looks - 1) / looks)
		return 0;
	b->look = k;
	rc = pf_bench_decide(b, err);
	*stop = !rc && pf_bench_is_decided(b);
	return rc;
}

static int
measure(struct pf_run *run, struct pf_error *err)
{
	struct pf_bench *b = run->bench;
	size_t repeats = b->options.repeats, fruitless = 0;
	bool stop = false;
	int rc = 0;

	while (!rc && !stop && b->complete < b->options.pairs) {
		rc = run_round(run, &repeats, &fruitless, err);
		if (!rc)
			rc = look(b, &stop, err);
	}
	return rc;
}

static int
warm_up(struct pf_run *run, struct pf_error *err)
{
	struct pf_bench *b = run->bench;
	struct pf_block blocks[PF_BENCH_VARIANTS];
	int rc = 0;

	run->phase = "warm-up";
	for (size_t i = 0; !rc && i < b->options.warmup_pairs; i++) {
		rc = run_once(run, b->rounds[0].order, 0, blocks, err);
		release_blocks(blocks, b->variant_count);
	}
	return rc;
}

/*
 * A calibration may stop a pipeline that is in order only once in a hundred runs,
 * whatever confidence the comparison itself has. Fewer than 8 pairs never can.
 */
static const double CALIBRATION_ALARM = 0.01;

/* Says in b->refusal why the calibration gives no ground for a verdict, if so. */
static void
judge_calibration(struct pf_bench *b)
{
	const struct pf_comparison *c = &b->calibration;
	const struct pf_bench_options *o = &b->options;
	const char *name = pf_metric_infos[b->primary].name;
	/* The same noise over as many pairs as the comparison will have. */
	double floor = c->detectable * sqrt((double)c->pairs / (double)o->pairs);
	double wanted = (double)o->pairs * (floor / o->tolerance) * (floor / o->tolerance);

	if (c->has_interval && c->p < CALIBRATION_ALARM)
		snprintf(b->refusal, sizeof b->refusal,
		    "calibration: %s against itself differs by %+.2f %% in %s (%+.2f … %+.2f %%): "
		    "something but the variants makes a difference here, so no verdict is given",
		    b->variants[0].name, c->change * 100, name, c->low * 100, c->high * 100);
	else if (o->tolerance > 0 && floor > o->tolerance)
		snprintf(b->refusal, sizeof b->refusal,
		    "calibration: with this noise %zu pairs show changes of %.2f %% in %s, not of "
		    "%.2f %%: a calmer machine, longer blocks or about %.0f pairs are needed",
		    o->pairs, floor * 100, name, o->tolerance * 100, ceil(wanted));
}

/* The base against itself, in the primary metric. */
static int
calibrate(struct pf_run *run, struct pf_error *err)
{
	struct pf_bench *b = run->bench;
	size_t n = b->options.calibrate;
	double *values;
	int rc = n ? PF_CALLOC(values, 2 * n, err) : 0;

	if (rc || n == 0)
		return rc;
	run->phase = "calibration";
	for (size_t i = 0; !rc && i < 2 * n; i++) {
		struct pf_block block;
		/* The "other" side takes turns in going first, though both are the same. */
		size_t side = (i / 2 + i) % 2;
		pf_block_init(&block, run);
		report_progress(run, 0);
		rc = b->service ? pf_run_service(run, 0, 0, &block, err)
				: pf_run_command(run, 0, 0, &block, err);
		values[side * n + i / 2] = block.value[b->primary];
		pf_block_release(&block);
	}
	if (!rc) {
		rc = pf_compare_pairs(values, values + n, n, pf_metric_infos[b->primary].scale,
		    b->options.confidence, &b->calibration, err);
		b->calibrated = !rc;
	}
	free(values);
	if (!rc)
		judge_calibration(b);
	return rc;
}

static void
plan(struct pf_bench *b)
{
	struct pf_random rng;

	pf_random_init(&rng, b->seed);
	/* The last group may be longer than the plan: there is room for it. */
	for (size_t i = 0; i < b->options.pairs; i += b->variant_count)
		pf_plan_group(&rng, b->rounds[i].order, b->variant_count, sizeof *b->rounds);
}

int
pf_run_rounds(struct pf_run *run, struct pf_error *err)
{
	struct pf_bench *b = run->bench;
	const struct pf_bench_options *o = &b->options;
	int rc;

	plan(b);
	run->blocks = b->variant_count * (o->pairs + o->warmup_pairs) + 2 * o->calibrate;
	rc = warm_up(run, err);
	if (!rc)
		rc = calibrate(run, err);
	if (!rc && !b->refusal[0])
		rc = measure(run, err);
	if (rc == PF_EINCONCLUSIVE) {
		b->interrupted = true;
		rc = b->complete ? 0
				 : pf_error_set(err, rc,
				       "interrupted before the first pair was complete: nothing "
				       "to compare");
	}
	b->elapsed = pf_run_now() - run->started;
	return rc;
}
