/* holdings.c: see holdings.h. */
#include "tuner/holdings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "tuner/sampling.h"
#include "tuner/sites.h"

enum { MOST_PARTS = 256 }; /* of a snapshot */

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
	free(h->parts);
	*h = (struct pf_holdings){0};
}

/* Which column is summed, and of heaps those beside it; PF_NONE: none. */
struct columns {
	uint32_t value, objects;
	uint32_t allocated, allocations;
	double factor, allocated_factor; /* of variances */
};

static void
find_columns(struct columns *c, const struct pf_evidence_profile *ep)
{
	static const char *const objects_in_use[] = {"inuse_objects", "objects", NULL};
	static const char *const allocated[] = {"alloc_space", NULL};
	static const char *const allocations[] = {"alloc_objects", NULL};

	*c = (struct columns){PF_NONE, PF_NONE, PF_NONE, PF_NONE, 1, 1};
	switch (ep->kind) {
	case PF_PROFILE_HEAP:
		c->value = pf_evidence_column(ep, pf_in_use_columns);
		c->objects = pf_evidence_column(ep, objects_in_use);
		c->allocated = pf_evidence_column(ep, allocated);
		c->allocations = pf_evidence_column(ep, allocations);
		if (c->value != PF_NONE)
			c->factor = pf_variance_factor(ep, c->objects, c->value);
		if (c->allocated != PF_NONE)
			c->allocated_factor = pf_variance_factor(ep, c->allocations, c->allocated);
		return;
	case PF_PROFILE_GOROUTINE:
	case PF_PROFILE_THREADS:
	case PF_PROFILE_CREATED:
		c->value = pf_evidence_column(ep, pf_count_columns);
		return;
	default:
		return;
	}
}

/* What was ever allocated, and of that freed; a profile that doesn't count it has less there than is in use. */
static void
read_allocated(
    struct pf_holding *h, const struct pf_evidence_profile *ep, const struct columns *c, size_t i)
{
	double objects = c->allocations == PF_NONE ? 0 : pf_value(ep, i, c->allocations);
	double bytes = c->allocated == PF_NONE ? -1 : pf_value(ep, i, c->allocated);

	if (bytes < h->value || objects < h->objects) {
		h->allocated = h->allocated_variance = h->freed_variance = NAN;
		return;
	}
	h->allocated = bytes;
	h->allocated_variance = c->allocated_factor * pf_bytes_variance(ep, bytes, objects);
	h->freed_variance =
	    c->allocated_factor * pf_bytes_variance(ep, bytes - h->value, objects - h->objects);
}

static void
read_heap(
    struct pf_holding *h, const struct pf_evidence_profile *ep, const struct columns *c, size_t i)
{
	if (c->objects != PF_NONE)
		h->objects = pf_value(ep, i, c->objects);
	h->variance = c->factor * pf_bytes_variance(ep, h->value, h->objects);
	read_allocated(h, ep, c, i);
}

/* Holdings as they are gathered: one of each sample. */
struct list {
	struct pf_holding *items; /* owned */
	size_t count, capacity;
};

static int
add(struct list *h, struct pf_strings *owners, const char *name, struct pf_holding *holding,
    struct pf_error *err)
{
	int rc = pf_strings_add(owners, name, strlen(name), &holding->owner, err);

	if (!rc)
		rc = PF_GROW(h->items, h->capacity, h->count + 1, err);
	if (!rc)
		h->items[h->count++] = *holding;
	return rc;
}

static int
by_owner(const void *a, const void *b)
{
	const struct pf_holding *x = a, *y = b;

	return (x->owner > y->owner) - (x->owner < y->owner);
}

void
pf_holding_add(struct pf_holding *sum, const struct pf_holding *more)
{
	sum->value += more->value;
	sum->variance += more->variance;
	sum->objects += more->objects;
	sum->allocated += more->allocated;
	sum->allocated_variance += more->allocated_variance;
	sum->freed_variance += more->freed_variance;
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
			pf_holding_add(&h->items[kept - 1], &h->items[i]);
		} else {
			h->items[kept++] = h->items[i];
		}
	}
	h->count = kept;
}

struct part_list {
	struct pf_holding_part *items; /* owned */
	size_t count, capacity;
};

/* What the service's own function holds for its caller. */
static int
add_part(struct part_list *parts, struct pf_strings *callers, const struct pf_stack *s,
    const struct pf_evidence_profile *ep, struct pf_holding holding, struct pf_error *err)
{
	struct pf_holding_part part = {.held = holding};
	size_t at = pf_stack_own(s, ep);
	int rc = 0;

	for (size_t i = 0; !rc && i < 2 && at < s->count; i++) {
		const char *name;

		at = pf_stack_caller(s, ep, at);
		if (at >= s->count)
			break;
		name = pf_site_name(ep, s->names[at]);
		rc = pf_strings_add(callers, name, strlen(name), &part.callers[i], err);
	}
	if (rc || !part.callers[0])
		return rc;
	rc = PF_GROW(parts->items, parts->capacity, parts->count + 1, err);
	if (!rc)
		parts->items[parts->count++] = part;
	return rc;
}

static int
by_callers(const void *a, const void *b)
{
	const struct pf_holding_part *x = a, *y = b;

	if (x->held.owner != y->held.owner)
		return x->held.owner < y->held.owner ? -1 : 1;
	for (size_t i = 0; i < 2; i++) {
		if (x->callers[i] != y->callers[i])
			return x->callers[i] < y->callers[i] ? -1 : 1;
	}
	return 0;
}

static int
greatest_part(const void *a, const void *b)
{
	const struct pf_holding_part *x = a, *y = b;

	if (x->held.value != y->held.value)
		return x->held.value < y->held.value ? 1 : -1;
	return by_callers(a, b);
}

static void
sum_up_parts(struct part_list *l)
{
	size_t kept = 0;

	if (l->count)
		qsort(l->items, l->count, sizeof *l->items, by_callers);
	for (size_t i = 0; i < l->count; i++) {
		if (kept && by_callers(&l->items[kept - 1], &l->items[i]) == 0)
			pf_holding_add(&l->items[kept - 1].held, &l->items[i].held);
		else
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
	if (l->count)
		qsort(l->items, l->count, sizeof *l->items, greatest_part);
}

/* There are many snapshots, and each has many more samples than owners: no room is kept. */
static int
keep(struct pf_holdings *h, const struct list *all, const struct part_list *parts,
    struct pf_error *err)
{
	size_t most = parts->count < MOST_PARTS ? parts->count : MOST_PARTS;
	int rc = all->count ? PF_CALLOC(h->items, all->count, err) : 0;

	if (!rc && all->count) {
		memcpy(h->items, all->items, all->count * sizeof *h->items);
		h->count = all->count;
	}
	if (!rc && most)
		rc = PF_CALLOC(h->parts, most, err);
	if (!rc && most) {
		memcpy(h->parts, parts->items, most * sizeof *h->parts);
		h->part_count = most;
	}
	return rc;
}

int
pf_holdings_of(struct pf_holdings *h, const struct pf_evidence_profile *ep,
    struct pf_strings *owners, struct pf_strings *callers, struct pf_error *err)
{
	bool heap = ep->kind == PF_PROFILE_HEAP;
	struct pf_stack stack = {0};
	struct list all = {0};
	struct part_list parts = {0};
	struct columns c;
	int rc = 0;

	*h = (struct pf_holdings){0};
	find_columns(&c, ep);
	for (size_t i = 0; !rc && c.value != PF_NONE && i < ep->p->sample_count; i++) {
		struct pf_holding holding = {.value = pf_value(ep, i, c.value)};

		if (heap)
			read_heap(&holding, ep, &c, i);
		/* What holds nothing any more counts by what it once allocated. */
		if (heap ? holding.value <= 0 && !(holding.allocated > 0) : holding.value == 0)
			continue;
		rc = pf_stack_read(&stack, ep, i, err);
		if (rc || (!heap && !pf_is_stuck(&stack, ep)))
			continue;
		rc = add(&all, owners, pf_site_name(ep, pf_stack_owner(&stack, ep)), &holding, err);
		if (!rc && heap)
			rc = add_part(&parts, callers, &stack, ep, holding, err);
	}
	pf_stack_release(&stack);
	sum_up(&all);
	sum_up_parts(&parts);
	if (!rc)
		rc = keep(h, &all, &parts, err);
	free(all.items);
	free(parts.items);
	return rc;
}

struct pf_holding
pf_holdings_total(const struct pf_holdings *h)
{
	struct pf_holding sum = {0};

	for (size_t i = 0; i < h->count; i++)
		pf_holding_add(&sum, &h->items[i]);
	return sum;
}

const struct pf_holding *
pf_holdings_find(const struct pf_holdings *h, uint32_t owner)
{
	const struct pf_holding key = {.owner = owner};

	return h->count ? bsearch(&key, h->items, h->count, sizeof key, by_owner) : NULL;
}
