/* rounds.c: every interval a job draws whom to visit, as many as the budget allows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/md5.h"
#include "core/memory.h"
#include "fleet.h"
#include "net/transfer.h"

enum { LEAST_BURST_SECONDS = 600 };

double
pf_profile_cost(const struct pf_job_config *job, const char *type, uint32_t seconds)
{
	return strcmp(type, "cpu") == 0 ? (double)seconds * job->cpu_overhead : job->snapshot_cost;
}

static double
visit_cost(const struct pf_job_config *job)
{
	double cost = 0;

	for (size_t i = 0; i < job->types.count; i++)
		cost += pf_profile_cost(job, job->types.items[i], (uint32_t)job->seconds);
	return cost;
}

/* How many of n targets a round would take if money were no object. */
static double
wanted(const struct pf_job_config *job, size_t n)
{
	if (job->sample.kind == PF_SAMPLE_COUNT)
		return job->sample.count < n ? (double)job->sample.count : (double)n;
	return job->sample.kind == PF_SAMPLE_SHARE ? job->sample.share * (double)n : (double)n;
}

/* What each service's jobs plan to cost a second, and all of them together. */
static double
plan(struct pf_setup *setup)
{
	struct pf_fleet *f = setup->fleet;
	double sum = 0;

	for (size_t i = 0; i < f->service_count; i++)
		f->services[i]->planned = 0;
	for (size_t i = 0; i < setup->config->job_count; i++) {
		const struct pf_job *job = &setup->jobs[i];
		double each;
		if (!job->target_count)
			continue;
		each = wanted(job->config, job->target_count) / (double)job->target_count *
		       visit_cost(job->config) / job->config->interval;
		for (size_t k = 0; k < job->target_count; k++)
			job->targets[k]->service->planned += each;
		sum += each * (double)job->target_count;
	}
	return sum;
}

static double
at_most_one(double allowed, double planned)
{
	return planned > allowed ? allowed / planned : 1;
}

/* The share of a job's plan that the budget lets through, averaged over its targets. */
static double
allowed_share(const struct pf_job *job, double fleet_planned)
{
	const struct pf_budget_config *b = &job->setup->config->budget;
	double n = (double)job->setup->fleet->target_count, sum = 0;
	double fleet = at_most_one(b->fleet * n * (1 - b->trigger_reserve), fleet_planned);
	double each = wanted(job->config, job->target_count) / (double)job->target_count *
		      visit_cost(job->config) / job->config->interval;
	double target = at_most_one(b->target, each);

	for (size_t i = 0; i < job->target_count; i++) {
		const struct pf_service *s = job->targets[i]->service;
		double share = at_most_one(b->service * (double)s->targets, s->planned);
		share = share < fleet ? share : fleet;
		sum += share < target ? share : target;
	}
	return sum / (double)job->target_count;
}

/* The most that one visit of anybody costs: an account must be able to hold it. */
static double
dearest_visit(const struct pf_setup *setup)
{
	double most = 0;

	for (size_t i = 0; i < setup->config->job_count; i++) {
		double cost = visit_cost(&setup->jobs[i].config[0]);
		most = cost > most ? cost : most;
	}
	return most;
}

static double
longest_interval(const struct pf_setup *setup)
{
	double longest = LEAST_BURST_SECONDS;

	for (size_t i = 0; i < setup->config->job_count; i++) {
		if (setup->config->jobs[i].interval > longest)
			longest = setup->config->jobs[i].interval;
	}
	return longest;
}

static void
set_account(struct pf_account *a, double now, double rate, double seconds, double least)
{
	double most = rate * seconds;

	pf_account_set(a, now, rate, most > least ? most : least);
}

void
pf_fleet_set_accounts(struct pf_fleet *f)
{
	const struct pf_setup *setup = f->setup;
	const struct pf_budget_config *b = &setup->config->budget;
	double now = pf_net_now(), seconds = longest_interval(setup), least = dearest_visit(setup);

	set_account(&f->account, now, b->fleet * (double)f->target_count, seconds, least);
	for (size_t i = 0; i < f->service_count; i++)
		set_account(&f->services[i]->account, now,
		    b->service * (double)f->services[i]->targets, seconds, least);
	for (size_t i = 0; i < setup->config->job_count; i++) {
		const struct pf_job *job = &setup->jobs[i];
		for (size_t k = 0; k < job->target_count; k++)
			set_account(&job->targets[k]->account, now, b->target,
			    job->config->interval, visit_cost(job->config));
	}
}

/*
 * Over how much of the round visits begin. All of it, where an instance has its
 * turn at the same time of every round, or hardly ever twice in a row; else a
 * visit must be over when the round is, as the next one may begin with it.
 */
static double
span(const struct pf_job_config *job, size_t n, size_t k)
{
	double length = 0;

	if (k == n || 2 * k <= n)
		return job->interval;
	for (size_t i = 0; i < job->types.count; i++)
		length += strcmp(job->types.items[i], "cpu") == 0 ? (double)job->seconds : 0;
	return length < job->interval ? job->interval - length : 0;
}

static void
plan_visits(struct pf_job *job, const struct pf_candidate *c, size_t k, struct pf_target **targets)
{
	struct pf_fleet *f = job->setup->fleet;
	struct pf_error err;

	/* the draw has reordered candidates: their keys lead back */
	for (size_t i = 0; i < k; i++) {
		struct pf_target *t = targets[c[i].order];
		if (t->planned) {
			f->counts.skipped_busy++;
			continue;
		}
		if (pf_visit_plan(t, &job->config->types, (uint32_t)job->config->seconds,
			job->round_began + c[i].offset, NULL, NULL, &err))
			pf_log(&f->log, PF_LOG_ERROR, "a visit can't be planned",
			    {"error", err.message});
	}
}

struct by_key {
	uint64_t key;
	size_t target;
};

static int
compare_keys(const void *a, const void *b)
{
	const struct by_key *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

/* Each candidate's place among the targets, into its `order`; its last round back into the target. */
static int
find_targets(struct pf_job *job, struct pf_candidate *c, struct pf_error *err)
{
	size_t n = job->target_count;
	struct by_key *keys;
	int rc = PF_CALLOC(keys, n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		keys[i] = (struct by_key){job->targets[i]->key, i};
	qsort(keys, n, sizeof *keys, compare_keys);
	for (size_t i = 0; i < n; i++) {
		struct by_key *found =
		    bsearch(&(struct by_key){.key = c[i].key}, keys, n, sizeof *keys, compare_keys);
		c[i].order = found->target;
		job->targets[found->target]->last_round = c[i].last;
	}
	free(keys);
	return 0;
}

static int
draw(struct pf_job *job, struct pf_error *err)
{
	struct pf_fleet *f = job->setup->fleet;
	size_t n = job->target_count, k;
	uint64_t seed = pf_mix(f->seed, pf_md5_low64(job->config->name, strlen(job->config->name)));
	struct pf_candidate *c;
	double fleet_planned = plan(job->setup);
	int rc = PF_CALLOC(c, n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		c[i] = (struct pf_candidate){
		    .key = job->targets[i]->key, .last = job->targets[i]->last_round};
	k = pf_schedule_count(
	    wanted(job->config, n) * allowed_share(job, fleet_planned), n, seed, job->round);
	pf_schedule_draw(c, n, k, span(job->config, n, k), seed, job->round);
	rc = find_targets(job, c, err);
	if (!rc)
		plan_visits(job, c, k, job->targets);
	free(c);
	return rc;
}

static void
on_round(struct pf_timer *timer, double now)
{
	struct pf_job *job = PF_CONTAINER(timer, struct pf_job, round_timer);
	struct pf_fleet *f = job->setup->fleet;
	struct pf_error err;

	job->round++;
	job->round_began = now;
	pf_fleet_set_accounts(f);
	if (job->target_count && draw(job, &err))
		pf_log(&f->log, PF_LOG_ERROR, "a round can't be planned",
		    {"job", job->config->name}, {"error", err.message});
	pf_timer_set(&f->loop, timer, now + job->config->interval, NULL);
}

void
pf_job_start_rounds(struct pf_job *job)
{
	job->round_timer.fire = on_round;
	if (!job->round_timer.place)
		pf_timer_set(&job->setup->fleet->loop, &job->round_timer, pf_net_now(), NULL);
}
