/* summary.c: see summary.h. */
#include "convert/summary.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"

static const uint32_t cutoffs[PF_SUMMARY_CUTOFFS] = {10000, 100000, 200000, 300000, 400000, 500000,
    600000, 700000, 800000, 900000, 950000, 990000, 999000, 999900, 999990, 999999};

static int
largest_first(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? 1 : a > b ? -1 : 0;
}

/* total * cutoff / 1,000,000 without leaving 64 bits. */
static uint64_t
share(uint64_t total, uint32_t cutoff)
{
	return total / 1000000 * cutoff + total % 1000000 * cutoff / 1000000;
}

int
pf_summary_build(struct pf_summary *s, const struct pf_functions *f, struct pf_error *err)
{
	uint64_t *counts, sum = 0, minimum = 0;
	size_t seen = 0;
	int rc;

	*s = (struct pf_summary){.count_number = f->body_count, .function_number = f->root_count};
	rc = PF_CALLOC(counts, f->body_count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < f->body_count; i++) {
		counts[i] = f->bodies[i].count;
		s->total = pf_add_saturating(s->total, counts[i]);
	}
	for (size_t i = 0; i < f->node_count; i++) {
		if (f->nodes[i].parent == PF_NONE && f->nodes[i].head > s->maximum_head)
			s->maximum_head = f->nodes[i].head;
	}
	qsort(counts, f->body_count, sizeof *counts, largest_first);
	s->maximum_count = f->body_count ? counts[0] : 0;
	for (size_t c = 0; c < PF_SUMMARY_CUTOFFS; c++) {
		uint64_t wanted = share(s->total, cutoffs[c]);
		while (sum < wanted && seen < f->body_count) {
			/* equal counts stand and fall together */
			minimum = counts[seen];
			while (seen < f->body_count && counts[seen] == minimum)
				sum = pf_add_saturating(sum, counts[seen++]);
		}
		s->entries[c] = (struct pf_summary_entry){cutoffs[c], minimum, seen};
	}
	free(counts);
	return 0;
}
