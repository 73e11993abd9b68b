/* load_schedule.c: see load_schedule.h. */
#include "bench/load_schedule.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"

static size_t
choose(struct pf_schedule *s)
{
	size_t low = 0, high = s->load->count - 1;
	double point;

	if (!s->sums)
		return (size_t)(s->number % s->load->count);
	point = pf_random_unit(&s->rng) * s->sums[high];
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (point < s->sums[middle])
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void
place(struct pf_schedule *s)
{
	const struct pf_load *load = s->load;
	double seconds;

	if (load->records) {
		bool more = s->number < load->record_count;
		s->due = more ? (int64_t)(load->records[s->number].at * 1e9) : INT64_MAX / 2;
		s->request = more ? load->records[s->number].request : 0;
		return;
	}
	if (load->saturate) {
		s->due = INT64_MAX / 2; /* nothing is due: connections ask for their next */
		s->request = choose(s);
		return;
	}
	/* Evenly spaced: from the number each time, so that no rounding adds up. */
	seconds = load->poisson ? s->at : (double)s->number / load->rate;

	s->due = (int64_t)(seconds * 1e9);
	s->request = choose(s);
}

int
pf_schedule_init(
    struct pf_schedule *s, const struct pf_load *load, uint64_t pair, struct pf_error *err)
{
	double sum = 0;
	int rc;

	*s = (struct pf_schedule){.load = load};
	pf_random_init(&s->rng, load->seed + pair * 0x9e3779b97f4a7c15ULL);
	if (!load->even && !load->records) {
		rc = PF_CALLOC(s->sums, load->count, err);
		if (rc)
			return rc;
		for (size_t i = 0; i < load->count; i++)
			s->sums[i] = sum += load->requests[i].weight;
	}
	if (load->poisson && !load->saturate)
		s->at = pf_random_exponential(&s->rng) / load->rate;
	place(s);
	return 0;
}

void
pf_schedule_release(struct pf_schedule *s)
{
	free(s->sums);
	s->sums = NULL;
}

void
pf_schedule_next(struct pf_schedule *s)
{
	s->number++;
	if (s->load->poisson)
		s->at += pf_random_exponential(&s->rng) / s->load->rate;
	place(s);
}
