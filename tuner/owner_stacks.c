/* owner_stacks.c: see owner_stacks.h. */
#include "tuner/owner_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

struct gathering {
	const struct pf_evidence_profile *ep;
	struct pf_owner_stack *items; /* owned */
	size_t count, capacity;
	struct pf_index index;        /* of items, by names and traits */
	struct pf_stack stack, other; /* of the sample at hand, and of an item */
};

/* Labels tell what the agent's own frames stand for: the same names with other traits are another stack. */
static bool
is_same(const struct pf_stack *a, const struct pf_stack *b)
{
	return a->traits == b->traits && a->count == b->count &&
	       memcmp(a->names, b->names, a->count * sizeof *a->names) == 0;
}

static int
add(struct gathering *g, size_t sample, double value, struct pf_error *err)
{
	const struct pf_stack *s = &g->stack;
	uint32_t hash =
	    pf_hash_pair(s->traits, pf_hash_bytes(s->names, s->count * sizeof *s->names));
	size_t at;
	int rc;

	for (uint32_t i = pf_index_first(&g->index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&g->index, hash, &at)) {
		rc = pf_stack_read(&g->other, g->ep, g->items[i].sample, err);
		if (rc)
			return rc;
		if (is_same(s, &g->other)) {
			g->items[i].value += value;
			return 0;
		}
	}
	rc = PF_GROW(g->items, g->capacity, g->count + 1, err);
	if (!rc)
		rc = pf_index_add(&g->index, hash, (uint32_t)g->count, err);
	if (!rc)
		g->items[g->count++] =
		    (struct pf_owner_stack){.sample = sample, .value = value, .traits = s->traits};
	return rc;
}

static int
greatest_first(const void *a, const void *b)
{
	const struct pf_owner_stack *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return (x->sample > y->sample) - (x->sample < y->sample);
}

int
pf_owner_stacks_of(struct pf_owner_stacks *s, const struct pf_evidence_profile *ep, uint32_t column,
    pf_sample_wanted *wanted, uint32_t owner, struct pf_error *err)
{
	struct gathering g = {.ep = ep};
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		double value = pf_value(ep, i, column);

		if (value == 0)
			continue;
		rc = pf_stack_read(&g.stack, ep, i, err);
		if (!rc && g.stack.count && (!wanted || wanted(&g.stack, ep)) &&
		    pf_stack_owner(&g.stack, ep) == owner)
			rc = add(&g, i, value, err);
	}
	pf_stack_release(&g.stack);
	pf_stack_release(&g.other);
	pf_index_release(&g.index);
	if (g.count)
		qsort(g.items, g.count, sizeof *g.items, greatest_first);
	*s = (struct pf_owner_stacks){g.items, g.count};
	return rc;
}

void
pf_owner_stacks_release(struct pf_owner_stacks *s)
{
	free(s->items);
	*s = (struct pf_owner_stacks){0};
}

uint32_t
pf_wait_of(uint32_t traits)
{
	static const uint32_t waits[] = {
	    PF_CODE_SLEEP, PF_CODE_LOCK_WAIT, PF_CODE_POOL, PF_CODE_OUTSIDE, PF_CODE_CHANNEL};

	/* In a read, but of a pipe that another thread writes to: as at a condition. Without any, for a signal. */
	if (traits & PF_CODE_IDLE)
		return traits & PF_CODE_OUTSIDE ? PF_CODE_CHANNEL : PF_CODE_SLEEP;
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		if (traits & waits[i])
			return waits[i];
	}
	return 0;
}

const char *
pf_wait_words(uint32_t wait, bool threads)
{
	switch (wait) {
	case PF_CODE_SLEEP:
		return "asleep in";
	case PF_CODE_LOCK_WAIT:
		return "waiting for a lock in";
	case PF_CODE_POOL:
		return "waiting for a connection in";
	case PF_CODE_OUTSIDE:
		return "waiting for the network or a disk in";
	case PF_CODE_CHANNEL:
		return threads ? "waiting for another thread in"
			       : "waiting for another goroutine in";
	default:
		return "in";
	}
}
