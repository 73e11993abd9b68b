/*
 * sort_samples.c: samples by their frames (leaf first), then by their labels;
 * labels within a sample by key and value. See canonical.h.
 */
#include "profile/canonical.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

/* The two leaf-most frames decide most comparisons without a look at the columns. */
struct sample_key {
	uint64_t leaf;
	uint32_t sample;
};

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

static int
compare_frames(const struct pf_profile *p, uint32_t a, uint32_t b)
{
	uint64_t n = p->frame_starts[a + 1] - p->frame_starts[a];
	uint64_t m = p->frame_starts[b + 1] - p->frame_starts[b];
	const uint32_t *x = p->frames + p->frame_starts[a], *y = p->frames + p->frame_starts[b];

	for (uint64_t i = 0; i < n && i < m; i++)
		COMPARE(x[i], y[i]);
	COMPARE(n, m);
	return 0;
}

static int
compare_samples(const void *a, const void *b, void *data)
{
	const struct sample_key *k = a, *l = b;
	const struct pf_profile *p = data;
	uint64_t x = p->label_starts[k->sample], x_end = p->label_starts[k->sample + 1];
	uint64_t y = p->label_starts[l->sample], y_end = p->label_starts[l->sample + 1];
	int order;

	COMPARE(k->leaf, l->leaf);
	order = compare_frames(p, k->sample, l->sample);
	for (; !order && x < x_end && y < y_end; x++, y++)
		order = compare_labels(&p->labels[x], &p->labels[y]);
	if (order)
		return order;
	COMPARE(x_end - x, y_end - y);
	COMPARE(k->sample, l->sample);
	return 0;
}

static int
sorted_keys(struct pf_profile *p, struct sample_key **keys, struct pf_error *err)
{
	int rc = PF_CALLOC(*keys, p->sample_count, err);

	for (size_t i = 0; !rc && i < p->sample_count; i++) {
		uint64_t first = p->frame_starts[i], n = p->frame_starts[i + 1] - first;
		uint64_t labels = p->label_starts[i + 1] - p->label_starts[i];

		(*keys)[i].sample = (uint32_t)i;
		(*keys)[i].leaf = n > 0 ? (uint64_t)(p->frames[first] + 1) << 32 : 0;
		(*keys)[i].leaf |= n > 1 ? p->frames[first + 1] + 1 : 0;
		if (labels > 1)
			qsort(p->labels + p->label_starts[i], labels, sizeof *p->labels,
			    compare_labels);
	}
	if (!rc && p->sample_count)
		qsort_r(*keys, p->sample_count, sizeof **keys, compare_samples, p);
	return rc;
}

/* Reorders one run per sample: items of `size` bytes from `old`, which is freed. */
static int
gather_runs(const struct pf_profile *p, const struct sample_key *keys, size_t size, void **table,
    uint64_t **starts, struct pf_error *err)
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
		uint64_t first = (*starts)[keys[i].sample];
		uint64_t n = (*starts)[keys[i].sample + 1] - first;
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
gather_values(struct pf_profile *p, const struct sample_key *keys, struct pf_error *err)
{
	size_t n = p->type_count;
	int64_t *values;
	int rc = PF_CALLOC(values, p->sample_count * n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < p->sample_count; i++)
		memcpy(values + i * n, p->values + keys[i].sample * n, n * sizeof *values);
	free(p->values);
	p->values = values;
	p->value_capacity = p->sample_count * n;
	return 0;
}

int
pf_profile_sort_samples(struct pf_profile *p, struct pf_error *err)
{
	struct sample_key *keys;
	int rc = sorted_keys(p, &keys, err);

	if (!rc)
		rc = gather_runs(
		    p, keys, sizeof *p->frames, (void **)&p->frames, &p->frame_starts, err);
	if (!rc)
		rc = gather_runs(
		    p, keys, sizeof *p->labels, (void **)&p->labels, &p->label_starts, err);
	if (!rc)
		rc = gather_values(p, keys, err);
	free(keys);
	p->frame_capacity = p->frame_count;
	p->label_capacity = p->label_count;
	p->frame_starts_capacity = p->label_starts_capacity = p->sample_count + 1;
	return rc;
}
