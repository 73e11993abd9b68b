/*
 * sort_samples.c: samples by their frames (leaf first), then by their labels;
 * labels within a sample by key and value. See canonical.h.
 *
 * The frames are sorted as strings are by multikey quicksort (Bentley and
 * Sedgewick, "Fast algorithms for sorting and searching strings", 1997): two
 * frames at a time lie beside the sample's number, so most comparisons look at
 * nothing else, and a sample's frames are fetched once for each two that others
 * share with it.
 */
#include "profile/canonical.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

/* Two frames of a sample, each plus one: 0 is past the root, and sorts first. */
struct sample_key {
	uint64_t frames;
	uint32_t sample;
};

/* A part that is sorted up to some frame. */
struct range {
	struct sample_key *keys;
	size_t count;
	uint64_t depth;
};

enum { FEW = 12, FRAMES_A_KEY = 2, AHEAD = 8 };

#define COMPARE(A, B)                              \
	do {                                       \
		if ((A) != (B))                    \
			return (A) < (B) ? -1 : 1; \
	} while (0)

static int
compare_labels(const void *a, const void *b)
{
	const struct pf_label *x = a, *y = b;

	COMPARE(x->key, y->key);
	COMPARE(x->string, y->string);
	COMPARE(x->number, y->number);
	COMPARE(x->unit, y->unit);
	return 0;
}

/* The order of samples that have the same frames. */
static int
compare_label_runs(const struct pf_profile *p, uint32_t a, uint32_t b)
{
	uint64_t x = p->label_starts[a], x_end = p->label_starts[a + 1];
	uint64_t y = p->label_starts[b], y_end = p->label_starts[b + 1];
	int order = 0;

	for (; !order && x < x_end && y < y_end; x++, y++)
		order = compare_labels(&p->labels[x], &p->labels[y]);
	if (order)
		return order;
	COMPARE(x_end - x, y_end - y);
	COMPARE(a, b);
	return 0;
}

static int
compare_same_frames(const void *a, const void *b, void *data)
{
	const struct sample_key *k = a, *l = b;

	return compare_label_runs(data, k->sample, l->sample);
}

static uint64_t
frames_at(const struct pf_profile *p, uint32_t sample, uint64_t depth)
{
	uint64_t first = p->frame_starts[sample] + depth, end = p->frame_starts[sample + 1];
	uint64_t key = first < end ? ((uint64_t)p->frames[first] + 1) << 32 : 0;

	return first + 1 < end ? key | ((uint64_t)p->frames[first + 1] + 1) : key;
}

/* Fills the keys of a range, asking for what lies all over memory a while before it is read. */
static void
fetch_keys(const struct pf_profile *p, const struct range *r)
{
	for (size_t i = 0; i < r->count; i++) {
		if (i + 2 * AHEAD < r->count)
			__builtin_prefetch(&p->frame_starts[r->keys[i + 2 * AHEAD].sample]);
		if (i + AHEAD < r->count)
			__builtin_prefetch(
			    &p->frames[p->frame_starts[r->keys[i + AHEAD].sample] + r->depth]);
		r->keys[i].frames = frames_at(p, r->keys[i].sample, r->depth);
	}
}

/* Whether no frames follow those in the key. */
static bool
is_last(uint64_t key)
{
	return (uint32_t)key == 0;
}

static int
compare_keys(const struct pf_profile *p, const struct sample_key *a, const struct sample_key *b,
    uint64_t depth)
{
	uint64_t x = a->frames, y = b->frames;

	while (x == y && !is_last(x)) {
		depth += FRAMES_A_KEY;
		x = frames_at(p, a->sample, depth);
		y = frames_at(p, b->sample, depth);
	}
	COMPARE(x, y);
	return compare_label_runs(p, a->sample, b->sample);
}

static void
insertion_sort(const struct pf_profile *p, const struct range *r)
{
	for (size_t i = 1; i < r->count; i++) {
		struct sample_key key = r->keys[i];
		size_t j = i;

		for (; j > 0 && compare_keys(p, &key, &r->keys[j - 1], r->depth) < 0; j--)
			r->keys[j] = r->keys[j - 1];
		r->keys[j] = key;
	}
}

static uint64_t
median(uint64_t a, uint64_t b, uint64_t c)
{
	if (a < b)
		return b < c ? b : a < c ? c : a;
	return a < c ? a : b < c ? c : b;
}

/* Of nine from all over the range, at places that differ from run to run: nobody can make a file that is slow to sort. */
static uint64_t
pivot(const struct range *r)
{
	uint64_t middles[3];

	for (size_t i = 0; i < 3; i++) {
		size_t step = r->count / 9, at = 3 * i * step + pf_hash_pair(r->count, i) % step;
		middles[i] = median(
		    r->keys[at].frames, r->keys[at + step].frames, r->keys[at + 2 * step].frames);
	}
	return median(middles[0], middles[1], middles[2]);
}

static void
swap(struct sample_key *a, struct sample_key *b)
{
	struct sample_key held = *a;

	*a = *b;
	*b = held;
}

/* Splits a range into what is below, equal to and above a pivot. */
static void
partition(const struct range *r, struct range parts[3])
{
	uint64_t key = pivot(r);
	size_t below = 0, above = r->count;

	for (size_t i = 0; i < above;) {
		if (r->keys[i].frames < key)
			swap(&r->keys[i++], &r->keys[below++]);
		else if (r->keys[i].frames > key)
			swap(&r->keys[i], &r->keys[--above]);
		else
			i++;
	}
	parts[0] = (struct range){r->keys, below, r->depth};
	parts[1] = (struct range){r->keys + below, above - below, r->depth};
	parts[2] = (struct range){r->keys + above, r->count - above, r->depth};
}

/* Goes on to the next frames of samples whose frames were equal so far; nothing is left where there are none. */
static void
descend(struct pf_profile *p, struct range *r)
{
	if (r->count > 1 && is_last(r->keys[0].frames)) {
		qsort_r(r->keys, r->count, sizeof *r->keys, compare_same_frames, p);
		r->count = 0;
	}
	if (r->count < 2)
		return;
	r->depth += FRAMES_A_KEY;
	fetch_keys(p, r);
}

/* Two parts by recursion, the largest by repetition: the recursion is no deeper than the logarithm. */
static void
sort_range(struct pf_profile *p, struct range r)
{
	while (r.count > FEW) {
		struct range parts[3];
		size_t largest = 0;

		partition(&r, parts);
		descend(p, &parts[1]);
		for (size_t i = 1; i < 3; i++) {
			if (parts[i].count > parts[largest].count)
				largest = i;
		}
		for (size_t i = 0; i < 3; i++) {
			if (i != largest)
				sort_range(p, parts[i]);
		}
		r = parts[largest];
	}
	insertion_sort(p, &r);
}

static int
sorted_keys(struct pf_profile *p, struct sample_key **keys, struct pf_error *err)
{
	int rc = PF_CALLOC(*keys, p->sample_count, err);

	for (size_t i = 0; !rc && i < p->sample_count; i++) {
		uint64_t labels = p->label_starts[i + 1] - p->label_starts[i];

		(*keys)[i].sample = (uint32_t)i;
		(*keys)[i].frames = frames_at(p, (uint32_t)i, 0);
		if (labels > 1)
			qsort(p->labels + p->label_starts[i], labels, sizeof *p->labels,
			    compare_labels);
	}
	if (!rc)
		sort_range(p, (struct range){*keys, p->sample_count, 0});
	return rc;
}

int
pf_profile_sort_samples(struct pf_profile *p, struct pf_error *err)
{
	struct sample_key *keys;
	uint32_t *order;
	int rc = sorted_keys(p, &keys, err);

	if (rc) {
		free(keys);
		return rc;
	}
	rc = PF_CALLOC(order, p->sample_count, err);
	for (size_t i = 0; !rc && i < p->sample_count; i++)
		order[i] = keys[i].sample;
	free(keys);
	free(p->sample_order);
	p->sample_order = order;
	return rc;
}

/* Reorders one run per sample: items of `size` bytes from `old`, which is freed. */
static int
gather_runs(
    const struct pf_profile *p, size_t size, void **table, uint64_t **starts, struct pf_error *err)
{
	char *moved = NULL, *old = *table;
	uint64_t *bounds;
	int rc = PF_CALLOC(bounds, p->sample_count + 1, err);

	if (!rc)
		rc = pf_calloc((void **)&moved, (size_t)(*starts)[p->sample_count], size, err);
	if (rc) {
		free(bounds);
		return rc;
	}
	for (size_t i = 0; i < p->sample_count; i++) {
		uint64_t first = (*starts)[p->sample_order[i]];
		uint64_t n = (*starts)[p->sample_order[i] + 1] - first;
		if (n)
			memcpy(moved + bounds[i] * size, old + first * size, n * size);
		bounds[i + 1] = bounds[i] + n;
	}
	free(old);
	free(*starts);
	*table = moved;
	*starts = bounds;
	return 0;
}

static int
gather_values(struct pf_profile *p, struct pf_error *err)
{
	size_t n = p->type_count;
	int64_t *values;
	int rc = PF_CALLOC(values, p->sample_count * n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < p->sample_count; i++)
		memcpy(values + i * n, p->values + p->sample_order[i] * n, n * sizeof *values);
	free(p->values);
	p->values = values;
	p->value_capacity = p->sample_count * n;
	return 0;
}

int
pf_profile_arrange(struct pf_profile *p, struct pf_error *err)
{
	int rc;

	if (!p->sample_order)
		return 0;
	rc = gather_runs(p, sizeof *p->frames, (void **)&p->frames, &p->frame_starts, err);
	if (!rc)
		p->frame_capacity = p->frame_count;
	if (!rc)
		rc = gather_runs(p, sizeof *p->labels, (void **)&p->labels, &p->label_starts, err);
	if (!rc)
		rc = gather_values(p, err);
	if (rc)
		return rc;
	p->label_capacity = p->label_count;
	p->frame_starts_capacity = p->label_starts_capacity = p->sample_count + 1;
	free(p->sample_order);
	p->sample_order = NULL;
	return 0;
}
