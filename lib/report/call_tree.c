/* call_tree.c: see call_tree.h. */
#include "report/call_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

enum { MOST_DOUBLINGS = 64 };

static int
append_call(struct pf_call_tree *t, uint32_t parent, uint32_t name, bool inlined, bool has_base,
    struct pf_error *err)
{
	size_t n = t->type_count, first = t->count * n;
	int rc = PF_GROW(t->calls, t->capacity, t->count + 1, err);

	if (!rc)
		rc = PF_GROW(t->self, t->self_capacity, first + n, err);
	if (!rc && has_base)
		rc = PF_GROW(t->before, t->before_capacity, first + n, err);
	if (!rc && t->count >= PF_NONE - 1)
		rc = pf_error_set(err, PF_ENOMEM, "more than %zu distinct call paths", t->count);
	if (rc)
		return rc;
	memset(t->self + first, 0, n * sizeof *t->self);
	if (has_base)
		memset(t->before + first, 0, n * sizeof *t->before);
	t->calls[t->count++] = (struct pf_call){.parent = parent, .name = name, .inlined = inlined};
	return 0;
}

static int
descend(struct pf_call_tree *t, struct pf_index *index, uint32_t *call, uint32_t name, bool inlined,
    bool has_base, struct pf_error *err)
{
	uint32_t hash = pf_hash_pair(*call, name), i;
	size_t at = 0;
	int rc;

	for (i = pf_index_first(index, hash, &at); i != PF_NONE;
	    i = pf_index_next(index, hash, &at)) {
		if (t->calls[i].parent == *call && t->calls[i].name == name) {
			t->calls[i].inlined &= inlined;
			*call = i;
			return 0;
		}
	}
	i = (uint32_t)t->count;
	rc = append_call(t, *call, name, inlined, has_base, err);
	if (!rc)
		rc = pf_index_add(index, hash, i, err);
	*call = i;
	return rc;
}

static void
add_values(struct pf_call_tree *t, const struct pf_view *v, size_t sample, uint32_t call)
{
	const int64_t *values = &v->p->values[sample * t->type_count];
	bool base = v->is_base && v->is_base[sample];
	int64_t *sums = (base ? t->before : t->self) + call * t->type_count;

	for (size_t i = 0; i < t->type_count; i++) {
		bool over = base ? __builtin_sub_overflow(sums[i], values[i], &sums[i])
				 : __builtin_add_overflow(sums[i], values[i], &sums[i]);
		if (over)
			sums[i] = INT64_MAX;
	}
}

static int
add_sample(struct pf_call_tree *t, struct pf_index *index, const struct pf_view *v, size_t sample,
    struct pf_error *err)
{
	const struct pf_frames *f = &v->frames;
	const struct pf_profile *p = v->p;
	uint64_t leaf = pf_frames_leaf(f, sample);
	uint32_t call = 0;
	int rc = 0;

	for (uint64_t i = p->frame_starts[sample + 1]; !rc && i-- > leaf;) {
		uint64_t first = f->starts[p->frames[i]], end = f->starts[p->frames[i] + 1];
		for (uint64_t j = end; !rc && j-- > first;)
			rc = descend(
			    t, index, &call, f->runs[j], j + 1 != end, v->is_base != NULL, err);
	}
	if (!rc)
		add_values(t, v, sample, call);
	return rc;
}

int
pf_call_tree_init(struct pf_call_tree *t, const struct pf_view *v, struct pf_error *err)
{
	struct pf_index index = {0};
	int rc;

	*t = (struct pf_call_tree){.type_count = v->p->type_count};
	rc = append_call(t, PF_NONE, 0, false, v->is_base != NULL, err);
	for (size_t i = 0; !rc && i < v->p->sample_count; i++) {
		if (v->kept[i])
			rc = add_sample(t, &index, v, i, err);
	}
	pf_index_release(&index);
	if (rc)
		pf_call_tree_release(t);
	return rc;
}

void
pf_call_tree_release(struct pf_call_tree *t)
{
	free(t->calls);
	free(t->self);
	free(t->before);
	*t = (struct pf_call_tree){0};
}

/* Of each call the greatest share, over all types, that it and all below it have of everything. */
static int
find_shares(const struct pf_call_tree *t, double **shares, struct pf_error *err)
{
	double *sums = NULL;
	int rc = PF_CALLOC(*shares, t->count, err);

	if (!rc)
		rc = PF_CALLOC(sums, t->count, err);
	for (size_t type = 0; !rc && type < t->type_count; type++) {
		for (size_t i = 0; i < t->count; i++) {
			size_t at = i * t->type_count + type;
			sums[i] = fabs((double)t->self[at]);
			sums[i] += t->before ? fabs((double)t->before[at]) : 0;
		}
		for (size_t i = t->count; i-- > 1;)
			sums[t->calls[i].parent] += sums[i];
		for (size_t i = 0; sums[0] > 0 && i < t->count; i++) {
			if (sums[i] / sums[0] > (*shares)[i])
				(*shares)[i] = sums[i] / sums[0];
		}
	}
	free(sums);
	return rc;
}

int
pf_call_tree_select(
    const struct pf_call_tree *t, double least, size_t most, uint8_t **kept, struct pf_error *err)
{
	double *shares = NULL;
	size_t count = 0;
	int rc = PF_CALLOC(*kept, t->count, err);

	if (!rc)
		rc = find_shares(t, &shares, err);
	for (int i = 0; !rc && i < MOST_DOUBLINGS; i++) {
		count = 0;
		for (size_t j = 0; j < t->count; j++) {
			(*kept)[j] = j == 0 || (shares[j] > 0 && shares[j] >= least);
			count += (*kept)[j];
		}
		if (count <= most)
			break;
		least = least > 0 ? least * 2 : 1e-6;
	}
	free(shares);
	if (rc) {
		free(*kept);
		*kept = NULL;
	}
	return rc;
}
