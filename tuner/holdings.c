/* holdings.c: see holdings.h. */
#include "tuner/holdings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "tuner/sampling.h"
#include "tuner/sites.h"

const char *const pf_in_use_columns[] = {"inuse_space", "space", NULL};
const char *const pf_count_columns[] = {
    "goroutine", "goroutines", "thread", "threads", "threadcreate", NULL};

bool
pf_is_stuck(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	(void)ep;
	return !(s->traits & PF_CODE_SERVER);
}

void
pf_holdings_release(struct pf_holdings *h)
{
	free(h->items);
	*h = (struct pf_holdings){0};
}

/* Which column is summed, and the one of objects beside it; PF_NONE: none. */
static uint32_t
columns(const struct pf_evidence_profile *ep, uint32_t *objects)
{
	static const char *const objects_in_use[] = {"inuse_objects", "objects", NULL};

	*objects = PF_NONE;
	switch (ep->kind) {
	case PF_PROFILE_HEAP:
		*objects = pf_evidence_column(ep, objects_in_use);
		return pf_evidence_column(ep, pf_in_use_columns);
	case PF_PROFILE_GOROUTINE:
	case PF_PROFILE_THREADS:
	case PF_PROFILE_CREATED:
		return pf_evidence_column(ep, pf_count_columns);
	default:
		return PF_NONE;
	}
}

/* Holdings as they are gathered: one of each sample. */
struct list {
	struct pf_holding *items; /* owned */
	size_t count, capacity;
};

static int
add(struct list *h, struct pf_strings *owners, const char *name, struct pf_holding holding,
    struct pf_error *err)
{
	int rc = pf_strings_add(owners, name, strlen(name), &holding.owner, err);

	if (!rc)
		rc = PF_GROW(h->items, h->capacity, h->count + 1, err);
	if (!rc)
		h->items[h->count++] = holding;
	return rc;
}

static int
by_owner(const void *a, const void *b)
{
	const struct pf_holding *x = a, *y = b;

	return (x->owner > y->owner) - (x->owner < y->owner);
}

/* One item of each owner. */
static void
sum_up(struct list *h)
{
	size_t kept = 0;

	if (h->count)
		qsort(h->items, h->count, sizeof *h->items, by_owner);
	for (size_t i = 0; i < h->count; i++) {
		if (kept && h->items[kept - 1].owner == h->items[i].owner) {
			h->items[kept - 1].value += h->items[i].value;
			h->items[kept - 1].variance += h->items[i].variance;
			h->items[kept - 1].objects += h->items[i].objects;
		} else {
			h->items[kept++] = h->items[i];
		}
	}
	h->count = kept;
}

int
pf_holdings_of(struct pf_holdings *h, const struct pf_evidence_profile *ep,
    struct pf_strings *owners, struct pf_error *err)
{
	uint32_t objects, column = columns(ep, &objects);
	bool heap = ep->kind == PF_PROFILE_HEAP;
	struct pf_stack stack = {0};
	struct list all = {0};
	double factor = heap && column != PF_NONE ? pf_variance_factor(ep, objects, column) : 1;
	int rc = 0;

	*h = (struct pf_holdings){0};
	for (size_t i = 0; !rc && column != PF_NONE && i < ep->p->sample_count; i++) {
		struct pf_holding holding = {.value = pf_value(ep, i, column)};

		if (heap ? holding.value <= 0 : holding.value == 0)
			continue;
		if (objects != PF_NONE)
			holding.objects = pf_value(ep, i, objects);
		if (heap)
			holding.variance =
			    factor * pf_bytes_variance(ep, holding.value, holding.objects);
		rc = pf_stack_read(&stack, ep, i, err);
		if (!rc && (heap || pf_is_stuck(&stack, ep)))
			rc = add(&all, owners, pf_site_name(ep, pf_stack_owner(&stack, ep)),
			    holding, err);
	}
	pf_stack_release(&stack);
	sum_up(&all);
	/* There are many snapshots, and each has many more samples than owners: no room is kept. */
	if (!rc && all.count)
		rc = PF_CALLOC(h->items, all.count, err);
	if (!rc && all.count) {
		memcpy(h->items, all.items, all.count * sizeof *h->items);
		h->count = all.count;
	}
	free(all.items);
	return rc;
}

const struct pf_holding *
pf_holdings_find(const struct pf_holdings *h, uint32_t owner)
{
	const struct pf_holding key = {.owner = owner};

	return h->count ? bsearch(&key, h->items, h->count, sizeof key, by_owner) : NULL;
}
