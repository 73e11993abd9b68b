/* parts.c: see parts.h. */
#include "tuner/parts.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { LEAST_CALLERS = 3 };

/* Who allocates, who called it, and who that one; each of them once, in this order. */
struct chain {
	uint32_t names[3];
};

struct chains {
	struct chain *items; /* owned */
	size_t count;
};

static int
by_names(const void *a, const void *b)
{
	const struct chain *x = a, *y = b;

	for (size_t i = 0; i < 3; i++) {
		if (x->names[i] != y->names[i])
			return x->names[i] < y->names[i] ? -1 : 1;
	}
	return 0;
}

static struct chain
chain_of(const struct pf_holding_part *p)
{
	return (struct chain){{p->held.owner, p->callers[0], p->callers[1]}};
}

static int
gather(struct chains *c, const struct pf_growth *g, struct pf_error *err)
{
	size_t most = 0, kept = 0;
	int rc;

	for (size_t i = 0; i < g->snapshots; i++)
		most += g->profiles[i]->held.part_count;
	rc = PF_CALLOC(c->items, most + 1, err);
	for (size_t i = 0; !rc && i < g->snapshots; i++) {
		const struct pf_holdings *held = &g->profiles[i]->held;

		for (size_t k = 0; k < held->part_count; k++)
			c->items[c->count++] = chain_of(&held->parts[k]);
	}
	if (c->count)
		qsort(c->items, c->count, sizeof *c->items, by_names);
	for (size_t i = 0; i < c->count; i++) {
		if (!kept || by_names(&c->items[kept - 1], &c->items[i]) != 0)
			c->items[kept++] = c->items[i];
	}
	c->count = kept;
	return rc;
}

/* The end of those from `from` on that have the same first `depth` names. */
static size_t
end_of(const struct chains *c, size_t from, size_t depth)
{
	size_t to = from + 1;

	while (to < c->count && memcmp(c->items[to].names, c->items[from].names,
				    depth * sizeof c->items->names[0]) == 0)
		to++;
	return to;
}

static size_t
callers_of(const struct chains *c, size_t from, size_t to)
{
	size_t callers = 0;

	for (size_t i = from; i < to; i = end_of(c, i, 2))
		callers++;
	return callers;
}

/* Whether it calls the owner of these itself, too. */
static bool
calls(const struct chains *c, size_t from, size_t to, uint32_t who)
{
	for (size_t i = from; i < to; i++) {
		if (c->items[i].names[1] == who)
			return true;
	}
	return false;
}

/* Whose part a chain is, of its owner's from `from` to `to`. */
static uint32_t
part_of(const struct chains *c, size_t from, size_t to, struct chain at)
{
	uint32_t above = at.names[2];
	size_t i = from;

	if (!above)
		return at.names[1];
	while (i < to && c->items[i].names[1] != at.names[1])
		i++;
	return end_of(c, i, 2) - i >= LEAST_CALLERS || calls(c, from, to, above) ? above
										 : at.names[1];
}

static int
fill(struct pf_parts *p, const struct chains *c, size_t from, size_t to, const struct pf_growth *g,
    const struct pf_evidence *e, struct pf_error *err)
{
	int rc = pf_strings_init(&p->names, err);

	p->through = c->items[from].names[0];
	for (size_t i = from; !rc && i < to; i++) {
		const char *who = pf_strings_get(&e->callers, part_of(c, from, to, c->items[i]));
		uint32_t id;

		rc = pf_strings_add(&p->names, who, strlen(who), &id, err);
	}
	p->growth = *g;
	p->growth.owners = &p->names;
	p->growth.room = p->names.count;
	p->growth.held = NULL;
	if (!rc)
		rc = PF_CALLOC(p->growth.held, p->growth.room * g->snapshots, err);
	for (size_t i = 0; !rc && i < g->snapshots; i++) {
		const struct pf_holdings *held = &g->profiles[i]->held;

		for (size_t k = 0; k < held->part_count; k++) {
			struct chain at = chain_of(&held->parts[k]);
			struct pf_holding *sum;
			const char *who;
			uint32_t id;

			if (at.names[0] != p->through)
				continue;
			who = pf_strings_get(&e->callers, part_of(c, from, to, at));
			id = pf_strings_find(&p->names, who, strlen(who));
			sum = &p->growth.held[i * p->growth.room + id];
			pf_holding_add(sum, &held->parts[k].held);
			sum->owner = id;
		}
	}
	return rc;
}

int
pf_parts_of(struct pf_parts **list, size_t *count, const struct pf_growth *g,
    const struct pf_evidence *e, struct pf_error *err)
{
	struct chains c = {0};
	size_t capacity = 0;
	int rc = gather(&c, g, err);

	*list = NULL;
	*count = 0;
	for (size_t from = 0, to; !rc && from < c.count; from = to) {
		to = end_of(&c, from, 1);
		if (callers_of(&c, from, to) < LEAST_CALLERS)
			continue;
		rc = PF_GROW(*list, capacity, *count + 1, err);
		if (rc)
			break;
		(*list)[*count] = (struct pf_parts){0};
		rc = fill(&(*list)[(*count)++], &c, from, to, g, e, err);
	}
	/* Not before: the list may have moved. */
	for (size_t i = 0; i < *count; i++)
		(*list)[i].growth.owners = &(*list)[i].names;
	free(c.items);
	return rc;
}

void
pf_parts_release(struct pf_parts *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pf_strings_release(&list[i].names);
		free(list[i].growth.held);
	}
	free(list);
}
